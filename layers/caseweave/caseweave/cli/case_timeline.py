"""What was said and what happened in a case, in order."""

from collections.abc import Iterable, Mapping
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from caseweave.cli.case_events import describe_event, is_telling
from caseweave.cli.cells import clock_time, plain
from caseweave.cli.labels import label

_ARROWS = {"inbound": "→", "outbound": "←"}
_DELIVERY_STYLES = {"failed": "red", "unknown": "yellow", "delivered": "green", "read": "green"}


def render_timeline(messages: Iterable[Mapping[str, Any]], language: str, ref: str) -> Table:
    """Every message of every channel; → came in, ← went out. Those of cases that were merged into
    the one with this reference stand under their own.
    """
    table = _table("timeline", language)
    table.add_column(label("time", language), no_wrap=True, style="dim")
    table.add_column(label("channel", language), no_wrap=True)
    table.add_column(label("author", language), overflow="fold", max_width=23)
    table.add_column(label("text", language), overflow="fold", ratio=1)
    table.add_column(label("delivery", language), no_wrap=True)
    for message in messages:
        state = (message["delivery"] or {}).get("state", "")
        table.add_row(
            clock_time(message["occurred_at"]),
            _channel(message, language),
            _author(message, language),
            _content(message, language, ref),
            Text(label(state, language) if state else "", style=_DELIVERY_STYLES.get(state, "")),
        )
    return table


def render_events(events: Iterable[Mapping[str, Any]], language: str) -> Table:
    """The events that the timeline does not already tell."""
    table = _table("events", language)
    table.add_column("#", justify="right", style="dim")
    table.add_column(label("time", language), no_wrap=True, style="dim")
    table.add_column(label("event", language), no_wrap=True)
    table.add_column(label("what", language), overflow="fold", ratio=1)
    table.add_column(label("by", language), overflow="fold", style="dim", max_width=23)
    for event in filter(is_telling, events):
        table.add_row(
            str(event["seq"]),
            clock_time(event["at"]),
            label(event["kind"], language),
            plain(describe_event(event, language)),
            plain(_shorten_actor(event["actor"], language)),
        )
    return table


def name_channel(message: Mapping[str, Any], language: str) -> str:
    """`Telegram` rather than `Messenger`, where the provider has a name."""
    is_messenger = message["channel"] == "messenger"
    return label(message["provider"] if is_messenger else message["channel"], language)


def _channel(message: Mapping[str, Any], language: str) -> Text:
    arrow = _ARROWS.get(message["direction"])
    if arrow is None:
        return Text(label("note", language), style="yellow")
    style = "cyan" if message["direction"] == "inbound" else "green"
    return Text(f"{arrow} {name_channel(message, language)}", style=style)


def _author(message: Mapping[str, Any], language: str) -> Text:
    """Who wrote; of a customer, the address written from and how we know that it is theirs."""
    kind, _, name = message["author"].partition(":")
    if message["direction"] != "inbound":
        return plain(_shorten_actor(message["author"], language), "dim")
    address = label("unproven", language) if kind == "unproven" else name
    return plain(address).append(f"\n{label('proof', language)}: {message['proof']}", style="dim")


def _content(message: Mapping[str, Any], language: str, ref: str) -> Text:
    said = plain(message["body"])
    # A subject is a mail's or a form's own; ours repeat the customer's.
    if message["direction"] == "inbound" and message["subject"]:
        said = Text.assemble(plain(message["subject"], "bold"), "\n", said)
    if remark := message.get("fields", {}).get("remark"):
        said = Text.assemble(plain(f"[{label(remark, language)}]", "dim"), "\n", said)
    if message["case_ref"] != ref:
        said = Text.assemble((f"[{message['case_ref']}]", "dim"), "\n", said)
    for file in message["attachments"]:
        said = Text.assemble(said, "\n", _file(file, language))
    return said


def _file(file: Mapping[str, Any], language: str) -> Text:
    """A file, and what an agent must know before opening it, or why there is nothing to open."""
    told = [file["media_type"]]
    if file["declared_type"] != file["media_type"]:
        told.append(f"{label('declared_as', language)} {file['declared_type']}")
    if file["state"] == "stored" or file["size"]:
        told.append(f"{file['size']} B")
    if file["state"] != "stored":
        told.append(label(f"file_{file['state']}", language))
    if file["reason"]:
        told.append(label(file["reason"], language))
    if file["is_executable"]:
        told.append(label("executable", language))
    is_trouble = file["is_executable"] or file["state"] in ("unavailable", "blocked")
    words = f"[{label('file', language)}] {file['name']} ({', '.join(told)})"
    return plain(words, "red" if is_trouble else "magenta")


def _shorten_actor(actor: str, language: str) -> str:
    kind, _, name = actor.partition(":")
    if kind == "customer":
        return label("customer", language)
    return name.partition("@")[0] if kind == "agent" else actor


def _table(title: str, language: str) -> Table:
    return Table(
        title=label(title, language),
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        expand=True,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
