"""`privacy.yaml`: what is masked beside what always is, and how long things are kept."""

from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path

from caseweave.config.durations import read_duration
from caseweave.config.folder import config_folder
from caseweave.config.nodes import Node, read_file
from caseweave.domain.masking import SecretKind, Shape
from caseweave.domain.privacy import Hold, PrivacyRules
from caseweave.errors import InvalidConfigError

_SECTIONS = {
    "card_secrets": SecretKind.CARD_SECRET,
    "identity_numbers": SecretKind.IDENTITY_NUMBER,
}
_NEVER = "never"
_ADVICE = "write a time of 30d or more, such as 730d, or never"
# Whoever reopens a case, or complains about how it ended, does so within a month.
_SHORTEST = timedelta(days=30)
# Point-in-time recovery goes back this far: what was deleted since must be deleted again.
OLDEST_BACKUP = timedelta(days=35)


@cache
def deployed_privacy() -> PrivacyRules:
    """The rules deployed with this function. Raises InvalidConfigError without any."""
    return load_privacy(config_folder())


def deployed_shapes() -> tuple[Shape, ...]:
    """What the desk's own secrets look like; none where the function has no configuration."""
    try:
        return deployed_privacy().shapes
    except InvalidConfigError:
        return ()


def load_privacy(folder: Path) -> PrivacyRules:
    """Raises InvalidConfigError with file, line and what to write instead."""
    root = read_file(folder / "privacy.yaml").mapping("masking", "retention", "hold")
    retention = root.get("retention").mapping("closed_cases", "deletion_log")
    rules = PrivacyRules(
        shapes=tuple(_read_shapes(root.get("masking").mapping(*_SECTIONS))),
        closed_cases=_read_limit(retention.get("closed_cases")),
        deletion_log=_read_limit(retention.get("deletion_log")),
        hold=_read_hold(root.find("hold")),
    )
    _check(rules, retention)
    return rules


def _read_shapes(masking: Node) -> Iterator[Shape]:
    for section, kind in _SECTIONS.items():
        listed = masking.find(section)
        for node in listed.each() if listed else ():
            near = node.mapping("shape", "near").find("near")
            yield _read_shape(node.get("shape"), near.texts() if near else (), kind)


def _read_shape(node: Node, near: tuple[str, ...], kind: SecretKind) -> Shape:
    try:
        return Shape.read(node.text(), near, kind)
    except ValueError as error:
        raise node.fail(str(error)) from None


def _read_limit(node: Node) -> timedelta | None:
    return None if str(node.value) == _NEVER else node.convert(_read_long, _ADVICE)


def _read_long(text: str) -> timedelta:
    lasts = read_duration(text)
    if lasts < _SHORTEST:
        raise ValueError(text)
    return lasts


def _read_hold(node: Node | None) -> Hold:
    if node is None:
        return Hold()
    node.mapping("categories", "lasts")
    lasts = node.get("lasts").convert(read_duration, "write a time such as 180d")
    return Hold(node.get("categories").texts(), lasts)


def _check(rules: PrivacyRules, retention: Node) -> None:
    """What is kept as evidence must not end earlier, nor what a restore must do again."""
    closed, log = rules.closed_cases, rules.deletion_log
    if closed is not None and rules.hold.categories and closed < rules.hold.lasts:
        advice = f"write at least {rules.hold.lasts.days}d, as long as `hold` lasts"
        raise retention.get("closed_cases").fail(advice)
    if log is not None and log < OLDEST_BACKUP:
        advice = f"write at least {OLDEST_BACKUP.days}d: a backup of the table is as old as that"
        raise retention.get("deletion_log").fail(advice)
