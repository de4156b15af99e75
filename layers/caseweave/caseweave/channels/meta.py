"""Facebook Messenger and Instagram messaging: one webhook.

https://developers.facebook.com/docs/messenger-platform/reference/webhook-events
https://developers.facebook.com/docs/messenger-platform/instagram/features/webhook
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from caseweave.channels import meta_graph as graph
from caseweave.channels.credentials import Credentials
from caseweave.channels.json_reading import (
    MILLISECOND,
    objects_in,
    read_id,
    read_object,
    read_time,
    text_in,
)
from caseweave.channels.meta_content import describe_part, read_attachment
from caseweave.channels.meta_signature import answer_greeting, verify_signature
from caseweave.channels.request import WebhookRequest
from caseweave.domain.identity import Address, AddressKind, Proof, ProvenAddress, Sender
from caseweave.domain.message import (
    Attachment,
    Channel,
    DeliveryState,
    IgnoredEvent,
    InboundEvent,
    InboundMessage,
    Receipt,
    Remark,
)
from caseweave.errors import UnparseableError

PROVIDER = "meta"
ACKNOWLEDGED = ("text/plain", "EVENT_RECEIVED")
_KINDS = {"page": AddressKind.MESSENGER, "instagram": AddressKind.INSTAGRAM}


@dataclass(frozen=True, slots=True)
class _Envelope:
    """Who an event is between, and when it was."""

    kind: AddressKind
    account: str
    user: str
    event: dict[str, Any]

    def ignored(self, reason: str) -> list[InboundEvent]:
        return [graph.ignore(PROVIDER, self.account, self.event, reason)]

    def message(
        self,
        mid: str,
        event_id: str,
        body: str,
        attachments: tuple[Attachment, ...] = (),
        remark: Remark | None = None,
        reply_to: str = "",
    ) -> list[InboundEvent]:
        address = Address(self.kind, f"{self.account}.{self.user}")
        context = {"account_id": self.account, "user_id": self.user, "message_id": mid}
        return [
            InboundMessage(
                channel=Channel.MESSENGER,
                provider=PROVIDER,
                account=self.account,
                event_id=event_id,
                provider_id=mid,
                sender=Sender(proven=(ProvenAddress(address, Proof.PROVIDER),)),
                body=body,
                occurred_at=read_time(self.event.get("timestamp"), MILLISECOND),
                attachments=attachments,
                context=context | ({"reply_to": reply_to} if reply_to else {}),
                is_automatic=remark is not None and not remark.opens_case,
                remark=remark,
                about=mid if remark else "",
            )
        ]


def verify(request: WebhookRequest, credentials: Credentials) -> None:
    """Check Meta's signature. Raises InvalidSignatureError."""
    verify_signature(request, credentials)


def greet(request: WebhookRequest, credentials: Credentials) -> str:
    """What to answer when the webhook is set up. Raises InvalidSignatureError."""
    return answer_greeting(request, credentials)


def parse(request: WebhookRequest, credentials: Credentials) -> list[InboundEvent]:  # noqa: ARG001
    """Every event of every entry. Raises UnparseableError."""
    product, entries = graph.read_entries(request.body, _KINDS)
    return [event for entry in entries for event in _read_entry(entry, _KINDS[product])]


def _read_entry(entry: Any, kind: AddressKind) -> Iterator[InboundEvent]:
    account = text_in(entry, "id")

    def ignored(item: Any, reason: str) -> IgnoredEvent:
        return graph.ignore(PROVIDER, account, item, reason)

    lists: dict[str, Callable[[Any], list[InboundEvent]]] = {
        "messaging": lambda item: _read_event(item, kind),
        # Another app holds the conversation; that app answers.
        "standby": lambda item: [ignored(item, "said while another app had the conversation")],
        "changes": lambda item: _read_change(item, kind, ignored),
    }
    found = [name for name in lists if isinstance(entry, dict) and entry.get(name)]
    if not found:
        yield ignored(entry, "an entry without events")
    for name in found:
        items = entry[name] if isinstance(entry[name], list) else [entry[name]]
        for item in items:
            yield from graph.understand(item, ignored, lists[name])


def _read_change(
    change: Any, kind: AddressKind, ignored: Callable[[Any, str], IgnoredEvent]
) -> list[InboundEvent]:
    """Instagram's test button sends what is a messaging event otherwise as a change."""
    field = text_in(change, "field")
    if field == "messages":
        return _read_event(read_object(change, "value"), kind)
    return [ignored(change, f"a change of {field or 'nothing'}")]


def _read_event(event: Any, kind: AddressKind) -> list[InboundEvent]:
    if not isinstance(event, dict):
        raise UnparseableError("not an object")
    found = next((name for name in _READERS if isinstance(event.get(name), dict)), "")
    account = read_id(read_object(event, "recipient"), "id")
    if not found:
        kinds = ", ".join(sorted(event.keys() - {"sender", "recipient", "timestamp"}))
        return [graph.ignore(PROVIDER, account, event, f"an event of {kinds or 'nothing'}")]
    user = read_id(read_object(event, "sender"), "id")
    return _READERS[found](_Envelope(kind, account, user, event), event[found])


def _read_message(envelope: _Envelope, said: dict[str, Any]) -> list[InboundEvent]:
    if said.get("is_echo"):
        # It is from us to the customer.
        return [graph.ignore(PROVIDER, envelope.user, envelope.event, "our own message")]
    mid = read_id(said, "mid")
    if said.get("is_deleted"):
        return envelope.message(mid, f"{mid}.deleted", "", remark=Remark.DELETION)
    replied = said.get("reply_to")
    story = replied.get("story") if isinstance(replied, dict) else None
    parts = objects_in(said, "attachments")
    if isinstance(story, dict):
        parts = [*parts, {"type": "story", "payload": story}]
    files = tuple(file for part in parts if (file := read_attachment(part)) is not None)
    body = "\n".join(filter(None, [text_in(said, "text"), *map(describe_part, parts)]))
    if not body and not files:
        # Whoever sent it waits for an answer, whatever it was.
        body = "[unsupported message]"
    reply_to = text_in(replied, "mid") or text_in(story, "id")
    return envelope.message(mid, mid, body, files, reply_to=reply_to)


def _read_edit(envelope: _Envelope, said: dict[str, Any]) -> list[InboundEvent]:
    mid, text = read_id(said, "mid"), text_in(said, "text")
    number = text_in(said, "num_edit") or graph.digest(said)
    return envelope.message(mid, f"{mid}.edit.{number}", text, remark=Remark.EDIT)


def _read_postback(envelope: _Envelope, said: dict[str, Any]) -> list[InboundEvent]:
    body = text_in(said, "title") or text_in(said, "payload")
    # Old ones have no id.
    mid = text_in(said, "mid") and read_id(said, "mid")
    name = mid or graph.digest(envelope.event)
    return envelope.message(name, name, body)


def _read_reaction(envelope: _Envelope, said: dict[str, Any]) -> list[InboundEvent]:
    mid = read_id(said, "mid")
    body = text_in(said, "emoji") or text_in(said, "reaction")
    if text_in(said, "action") != "react" or not body:
        return envelope.ignored("a reaction taken back")
    event_id = f"{mid}.{graph.digest(envelope.event)}"
    return envelope.message(mid, event_id, body, remark=Remark.REACTION)


def _read_delivery(envelope: _Envelope, said: dict[str, Any]) -> list[InboundEvent]:
    mids = said.get("mids")
    if not isinstance(mids, list) or not mids:
        return envelope.ignored("a delivery that names no message")
    ids = dict.fromkeys(text_in({"mid": mid}, "mid") for mid in mids)
    return [_delivered(envelope, mid) for mid in ids]


def _delivered(envelope: _Envelope, mid: str) -> InboundEvent:
    if not mid:
        return graph.ignore(PROVIDER, envelope.account, envelope.event, "delivered without an id")
    event_id = f"{mid}.delivered"
    # Nothing comes back that we could have named the message by.
    return Receipt(PROVIDER, envelope.account, event_id, mid, "", DeliveryState.DELIVERED)


def _read_read(envelope: _Envelope, said: dict[str, Any]) -> list[InboundEvent]:
    until = text_in(said, "mid") or text_in(said, "watermark")
    return envelope.ignored(f"read until {until}")


_READERS: dict[str, Callable[[_Envelope, dict[str, Any]], list[InboundEvent]]] = {
    "message": _read_message,
    "message_edit": _read_edit,
    "postback": _read_postback,
    "reaction": _read_reaction,
    "delivery": _read_delivery,
    "read": _read_read,
}
