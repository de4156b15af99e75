"""The desk's privacy rules, as `config/privacy.yaml` says them."""

from dataclasses import dataclass
from datetime import timedelta

from caseweave.domain.masking import Shape


@dataclass(frozen=True, slots=True)
class Hold:
    """While a case of these categories is open, and *lasts* after it closed, it is evidence."""

    categories: tuple[str, ...] = ()
    lasts: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class PrivacyRules:
    """What is masked beside what always is; how long contents of closed cases and the log of
    deletions stay (None: for ever); and which cases are kept as evidence.
    """

    shapes: tuple[Shape, ...] = ()
    closed_cases: timedelta | None = None
    deletion_log: timedelta | None = None
    hold: Hold = Hold()
