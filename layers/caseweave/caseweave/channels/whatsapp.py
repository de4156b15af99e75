"""WhatsApp Cloud API: messages and statuses in.

https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/payload-examples
https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/components
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from caseweave.channels import meta_graph as graph
from caseweave.channels.credentials import Credentials
from caseweave.channels.identities import identify_phone
from caseweave.channels.json_reading import (
    SECOND,
    object_in,
    objects_in,
    read_id,
    read_object,
    read_time,
    text_in,
)
from caseweave.channels.meta_signature import answer_greeting, verify_signature
from caseweave.channels.request import WebhookRequest
from caseweave.channels.whatsapp_content import read_attachment, read_words
from caseweave.domain.identity import Address, AddressKind, Proof, ProvenAddress, Sender
from caseweave.domain.message import (
    Channel,
    DeliveryState,
    IgnoredEvent,
    InboundEvent,
    InboundMessage,
    NumberChange,
    Receipt,
    Remark,
)
from caseweave.errors import UnparseableError

PROVIDER = "whatsapp"
ACKNOWLEDGED = ("text/plain", "EVENT_RECEIVED")
_LONGEST_ERROR = 200
_NUMBER = re.compile(r"\+?([1-9][0-9]{4,14})")
# Ids of people who show no number stand beside Messenger's, whose first part is a page's digits.
_HIDDEN = "whatsapp."

_REMARKS = {
    "edit": (Remark.EDIT, "original_message_id"),
    "revoke": (Remark.DELETION, "original_message_id"),
    "reaction": (Remark.REACTION, "message_id"),
}
# The older of the two names ends with the API versions that use it.
_NUMBER_CHANGES = ("user_changed_number", "customer_changed_number")
_STATES = {
    "sent": DeliveryState.ACCEPTED,
    "delivered": DeliveryState.DELIVERED,
    "read": DeliveryState.READ,
    "played": DeliveryState.READ,
    "failed": DeliveryState.FAILED,
}


def verify(request: WebhookRequest, credentials: Credentials) -> None:
    """Check Meta's signature. Raises InvalidSignatureError."""
    verify_signature(request, credentials)


def greet(request: WebhookRequest, credentials: Credentials) -> str:
    """What to answer when the webhook is set up. Raises InvalidSignatureError."""
    return answer_greeting(request, credentials)


def parse(request: WebhookRequest, credentials: Credentials) -> list[InboundEvent]:  # noqa: ARG001
    """Every message and status of every change of every entry. Raises UnparseableError."""
    _, entries = graph.read_entries(request.body, {"whatsapp_business_account"})
    return [event for entry in entries for event in _read_entry(entry)]


def _read_entry(entry: Any) -> Iterator[InboundEvent]:
    account = text_in(entry, "id")
    changes = entry.get("changes") if isinstance(entry, dict) else None
    if not isinstance(changes, list) or not changes:
        yield graph.ignore(PROVIDER, account, entry, "an entry without changes")
        return
    for change in changes:
        yield from _read_change(change, account)


def _read_change(change: Any, business: str) -> Iterator[InboundEvent]:
    field = text_in(change, "field")
    value = object_in(change, "value")
    number_id = text_in(value.get("metadata"), "phone_number_id")
    batch = _Batch(number_id or business, number_id, objects_in(value, "contacts"))
    lists = {"messages": batch.message, "statuses": batch.status, "errors": batch.error}
    found = [name for name in lists if value.get(name)]
    if field != "messages" or not found:
        # Echoes of what was written on the phone are of this kind, and news of the account.
        yield batch.ignored(change, f"a change of {field or 'nothing'}")
        return
    for name in found:
        items = value[name] if isinstance(value[name], list) else [value[name]]
        for item in items:
            yield from graph.understand(item, batch.ignored, lists[name])


@dataclass(frozen=True, slots=True)
class _Batch:
    """What the messages and statuses of one change share: our number, and who wrote."""

    account: str
    number_id: str
    contacts: list[dict[str, Any]]

    def ignored(self, item: Any, reason: str) -> IgnoredEvent:
        return graph.ignore(PROVIDER, self.account, item, reason)

    def message(self, said: Any) -> list[InboundEvent]:
        event_id, kind = read_id(said, "id"), text_in(said, "type")
        if kind == "system" and _system_kind(said) in _NUMBER_CHANGES:
            return self.number_change(said, event_id)
        if reason := _why_ignored(said, kind):
            return [self.ignored(said, reason)]
        number_id = read_id({"phone_number_id": self.number_id}, "phone_number_id")
        sender, recipient = self._sender(said)
        name = sender.name
        if group_id := text_in(said, "group_id"):
            sender, recipient = self._group(group_id)
        context = {"phone_number_id": number_id, **recipient, "message_id": event_id}
        provider_id, content = event_id, said
        if kind == "edit":
            edit = read_object(said, "edit")
            provider_id = read_id(edit, "original_message_id")
            content = read_object(edit, "message")
            context |= {"message_id": provider_id}
        if replied := text_in(content.get("context"), "id"):
            context["reply_to"] = replied
        attachment = read_attachment(content)
        remark, about = _read_remark(said, kind)
        return [
            InboundMessage(
                channel=Channel.MESSENGER,
                provider=PROVIDER,
                account=number_id,
                event_id=event_id,
                provider_id=provider_id,
                sender=sender,
                body=read_words(content),
                occurred_at=read_time(said.get("timestamp"), SECOND),
                attachments=(attachment,) if attachment else (),
                context=context,
                fields=_member(said, name),
                is_automatic=remark is not None and not remark.opens_case,
                remark=remark,
                about=about,
            )
        ]

    def number_change(self, said: Any, event_id: str) -> list[InboundEvent]:
        """Both numbers are vouched for by WhatsApp, which moved the account."""
        system = read_object(said, "system")
        old = _NUMBER.fullmatch(text_in(said, "from") or text_in(system, "customer"))
        new = _NUMBER.fullmatch(text_in(system, "wa_id") or text_in(system, "new_wa_id"))
        if old is None or new is None or old[1] == new[1]:
            raise UnparseableError("a change of number without the two numbers")
        before, after = (
            Address(AddressKind.PHONE, identify_phone(f"+{found[1]}")) for found in (old, new)
        )
        number_id = read_id({"phone_number_id": self.number_id}, "phone_number_id")
        # The second shows in the open case, whose answers go to the new number from then on.
        return [
            NumberChange(PROVIDER, number_id, f"{event_id}.number", before, after),
            InboundMessage(
                channel=Channel.MESSENGER,
                provider=PROVIDER,
                account=number_id,
                event_id=event_id,
                provider_id=event_id,
                sender=Sender(proven=(ProvenAddress(after, Proof.PROVIDER),)),
                body=text_in(system, "body") or f"{before.value} → {after.value}",
                occurred_at=read_time(said.get("timestamp"), SECOND),
                context={"phone_number_id": number_id, "to": new[1]},
                is_automatic=True,
                remark=Remark.NUMBER_CHANGE,
                about=before.value,
            ),
        ]

    def _sender(self, said: Any) -> tuple[Sender, dict[str, str]]:
        """Who wrote, and where an answer goes: to the number, or to the id of who hides it."""
        contact = self._contact(said)
        number = text_in(said, "from") or text_in(contact, "wa_id")
        user_id = text_in(said, "from_user_id") or text_in(contact, "user_id")
        proven, recipient = [], {}
        if number:
            found = _NUMBER.fullmatch(number)
            if found is None:
                raise UnparseableError("from is no phone number")
            proven.append(Address(AddressKind.PHONE, identify_phone(f"+{found[1]}")))
            recipient = {"to": found[1]}
        if user_id:
            user_id = read_id({"user_id": user_id}, "user_id")
            proven.append(Address(AddressKind.MESSENGER, _HIDDEN + user_id))
            recipient = recipient or {"user_id": user_id}
        if not proven:
            raise UnparseableError("no from")
        name = text_in(contact.get("profile"), "name")
        entries = tuple(ProvenAddress(address, Proof.PROVIDER) for address in proven)
        return Sender(proven=entries, name=name), recipient

    def _group(self, group_id: str) -> tuple[Sender, dict[str, str]]:
        """It is the group's case, for an answer is read by all of it."""
        group_id = read_id({"group_id": group_id}, "group_id")
        address = Address(AddressKind.GROUP, f"{PROVIDER}.{self.number_id}.{group_id}")
        return Sender(proven=(ProvenAddress(address, Proof.PROVIDER),)), {"group_id": group_id}

    def _contact(self, said: Any) -> dict[str, Any]:
        """The sender's entry among the contacts; who names no id of theirs is the only one."""
        ids = {"wa_id": text_in(said, "from"), "user_id": text_in(said, "from_user_id")}
        if not any(ids.values()):
            return self.contacts[0] if len(self.contacts) == 1 else {}
        for contact in self.contacts:
            if any(own and text_in(contact, name) == own for name, own in ids.items()):
                return contact
        return {}

    def status(self, told: Any) -> list[InboundEvent]:
        provider_id, status = read_id(told, "id"), text_in(told, "status")
        errors = objects_in(told, "errors")
        return [
            Receipt(
                provider=PROVIDER,
                account=self.account,
                event_id=f"{provider_id}.{status}",
                provider_id=provider_id,
                outbox_key=text_in(told, "biz_opaque_callback_data"),
                state=_STATES.get(status),
                error=_describe_errors(errors),
                refusal=next(filter(None, map(graph.read_refusal, errors)), ""),
            )
        ]

    def error(self, told: Any) -> list[InboundEvent]:
        return [self.ignored(told, f"an error: {_describe_errors([told])}")]


def _why_ignored(said: dict[str, Any], kind: str) -> str:
    """Why a message is none for a case; "" for one that somebody wrote to us."""
    if kind == "system":
        return f"system: {_system_kind(said)}"
    if kind == "reaction" and not text_in(said.get("reaction"), "emoji"):
        return "a reaction taken back"
    if kind == "request_welcome":
        return "a chat that was opened and says nothing"
    return ""


def _system_kind(said: dict[str, Any]) -> str:
    return text_in(said.get("system"), "type")


def _read_remark(said: dict[str, Any], kind: str) -> tuple[Remark | None, str]:
    """What it says about which earlier message. Raises UnparseableError."""
    if kind not in _REMARKS:
        return None, ""
    remark, name = _REMARKS[kind]
    return remark, read_id(read_object(said, kind), name)


def _member(said: dict[str, Any], name: str) -> dict[str, str]:
    """Who of a group spoke."""
    is_group = bool(text_in(said, "group_id"))
    return {"member": name or text_in(said, "from")} if is_group else {}


def _describe_errors(errors: list[Any]) -> str:
    found = (f"{text_in(one, 'code')} {text_in(one, 'title')}".strip() for one in errors)
    return "; ".join(filter(None, found))[:_LONGEST_ERROR]
