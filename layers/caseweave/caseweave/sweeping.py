"""Going through what a schedule found, so that one bad case does not stop the others."""

from collections.abc import Callable, Iterable

from caseweave.errors import CaseweaveError


class SweepError(CaseweaveError):
    """Some of what a sweep found could not be done; the rest was. The next sweep tries again."""


def sweep_each(found: Iterable[str], act: Callable[[str], int]) -> int:
    """Call *act* with each id; the sum of what it changed. Raises SweepError at the end.

    KeyError and ValueError are what a stored record that no longer fits the rules leads to.
    """
    changed, failed = 0, []
    for name in found:
        try:
            changed += act(name)
        except (CaseweaveError, KeyError, ValueError) as error:
            failed.append(f"{name}: {error!r}")
    if failed:
        raise SweepError("; ".join(failed))
    return changed
