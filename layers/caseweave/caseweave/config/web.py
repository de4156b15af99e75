"""web.yaml: how much a customer's page may ask, and where its answers go on."""

from functools import cache
from pathlib import Path

from caseweave.config.durations import read_duration
from caseweave.config.folder import config_folder
from caseweave.config.forms import FILE_KEYS, read_files
from caseweave.config.nodes import Node, read_file
from caseweave.domain.message import Channel
from caseweave.domain.web_rules import Continuing, Limit, Limits, WebRules

_LIMITS = ("anonymous", "signed_in", "session", "uploads")
_CONTINUES_BY = (Channel.EMAIL, Channel.SMS)
_MOST = 100_000


@cache
def deployed_web_rules() -> WebRules:
    """The rules that were deployed with this function. Raises InvalidConfigError without any."""
    return load_web_rules(config_folder())


def load_web_rules(folder: Path) -> WebRules:
    """Raises InvalidConfigError with file, line and what to write instead."""
    root = read_file(folder / "web.yaml").mapping("limits", "chat_files", "continue")
    limits = root.get("limits").mapping(*_LIMITS)
    return WebRules(
        limits=Limits(**{name: _read_limit(limits.get(name)) for name in _LIMITS}),
        chat_files=read_files(root.get("chat_files").mapping(*FILE_KEYS)),
        continuing=_read_continuing(root.get("continue")),
    )


def _read_limit(node: Node) -> Limit:
    node.mapping("most", "within")
    most, within = node.get("most"), node.get("within")
    number = most.convert(int, "write a number")
    if not 1 <= number <= _MOST:
        raise most.fail(f"write a number from 1 to {_MOST}")
    window = within.convert(read_duration, "write a time such as 1m, 10m or 1h")
    if not window:
        raise within.fail("a window of time is not empty")
    return Limit(number, window)


def _read_continuing(node: Node) -> Continuing:
    node.mapping("after", "by", "sms_provider")
    channels = [str(channel) for channel in _CONTINUES_BY]
    return Continuing(
        after=node.get("after").convert(read_duration, "write a time such as 5m"),
        by=tuple(Channel(one.one_of(channels)) for one in node.get("by").each()),
        sms_provider=node.get("sms_provider").text(),
    )
