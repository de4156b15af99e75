"""Filling the desk's texts. Placeholders are `$reference`, `$telegram_link`, …"""

from dataclasses import dataclass
from string import Template

from caseweave.domain.case import Case


@dataclass(frozen=True, slots=True)
class Wording:
    """What a text may mention beside the case itself; empty lines of absent things vanish."""

    telegram_link: str = ""
    notice: str = ""
    code: str = ""


PLACEHOLDERS = ("reference", "telegram_link", "notice", "code")


def fill_text(text: str, case: Case, wording: Wording) -> str:
    """The text for a customer. A line whose placeholder has no value is left out whole."""
    values = {
        "reference": case.ref,
        "telegram_link": wording.telegram_link,
        "notice": wording.notice,
        "code": wording.code,
    }
    kept = [
        Template(line).safe_substitute(values)
        for line in text.strip().splitlines()
        if all(values.get(name, name) for name in Template(line).get_identifiers())
    ]
    return "\n".join(kept).strip()
