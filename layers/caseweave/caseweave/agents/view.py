"""How the API shows cases, messages and events."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Any

from caseweave.agents.refusals import advise
from caseweave.discretion import describe_mask, mask_message, mask_shown, mask_values
from caseweave.domain.case import Case
from caseweave.domain.event import Event
from caseweave.domain.media import Links
from caseweave.domain.message import Attachment, Delivery, Message
from caseweave.domain.times import optional_rfc3339, to_rfc3339
from caseweave.errors import InvalidRequestError

# From where an attachment can be fetched for a while.
SignLinks = Callable[[Attachment], Links]


def describe_case(case: Case) -> dict[str, Any]:
    """The API's Case, with what nobody should read by chance masked."""
    subject = mask_shown(case.subject)
    return {
        "id": case.id,
        "ref": case.ref,
        "state": str(case.state),
        "category": case.category,
        "priority": str(case.priority),
        "level": case.level,
        "team": case.team,
        "assignee": case.assignee,
        "customer_id": case.customer_id,
        "channels": [str(channel) for channel in case.channels],
        "subject": subject.text,
        **describe_mask(subject.kinds),
        "language": case.language,
        "incident_id": case.incident_id or None,
        "merged_into": case.merged_into or None,
        "opened_at": to_rfc3339(case.opened_at),
        "updated_at": to_rfc3339(case.updated_at),
        "due_at": optional_rfc3339(case.due_at),
        "erased_at": optional_rfc3339(case.erased_at),
        "version": case.version,
    }


def describe_message(message: Message, sign_links: SignLinks) -> dict[str, Any]:
    """The API's Message, masked; `reveal` shows it as it is."""
    masked, kinds = mask_message(message)
    told = describe_in_full(masked, sign_links)
    # The page has what was masked.
    return {**told, **describe_mask(kinds), "page_url": None if kinds else told["page_url"]}


def describe_in_full(message: Message, sign_links: SignLinks) -> dict[str, Any]:
    """A message as it is, for those who asked for it and left an event."""
    delivery = message.delivery
    return {
        "id": message.id,
        "direction": str(message.direction),
        "channel": str(message.channel),
        "provider": message.provider,
        "provider_id": message.provider_id or (delivery.provider_id if delivery else ""),
        "author": message.author,
        "subject": message.subject,
        "body": message.body,
        "quoted": message.quoted,
        "page_url": _link_page(message, sign_links),
        "purpose": str(message.purpose) if message.purpose else None,
        "proof": str(message.proof),
        "is_automatic": message.is_automatic,
        "fields": dict(message.fields),
        "occurred_at": to_rfc3339(message.occurred_at),
        "received_at": to_rfc3339(message.received_at),
        "attachments": [describe_attachment(one, sign_links) for one in message.attachments],
        "quick_replies": list(message.quick_replies),
        "reply_to": message.reply_to or None,
        "delivery": _describe_delivery(message.delivery) if message.delivery else None,
        "erased_at": optional_rfc3339(message.erased_at),
    }


def _describe_delivery(delivery: Delivery) -> dict[str, Any]:
    """`refusal` is the kind of refusal that ended it, and `advice` what can be done about it."""
    return {
        "state": str(delivery.state),
        "at": to_rfc3339(delivery.at),
        "provider_id": delivery.provider_id,
        "error": delivery.error,
        "refusal": delivery.refusal or None,
        "advice": advise(delivery),
        "parts": [
            {
                "number": part.number,
                "state": str(part.state),
                "provider_id": part.provider_id,
                "error": part.error,
            }
            for part in delivery.parts
        ],
    }


def _link_page(message: Message, sign_links: SignLinks) -> str | None:
    """From where the message can be fetched as a page, if it came as one."""
    if not message.page_digest:
        return None
    page = Attachment("message.html", "text/html", digest=message.page_digest, state="stored")
    return sign_links(page).url


def describe_event(event: Event) -> dict[str, Any]:
    """The API's Event: `data` is what the chain covers, `private` what it only commits to, None
    once that was erased.
    """
    return {
        "seq": event.seq,
        "at": to_rfc3339(event.at),
        "actor": str(event.actor),
        "kind": str(event.kind),
        "data": dict(event.data),
        "private": None if event.is_erased else mask_values(event.private),
        "previous": event.previous,
        "digest": event.digest,
    }


def start_to_cursor(start: dict[str, Any] | None) -> str | None:
    if start is None:
        return None
    return urlsafe_b64encode(json.dumps(start).encode()).decode().rstrip("=")


def cursor_to_start(cursor: str) -> dict[str, Any] | None:
    """Where a page starts. Raises InvalidRequestError for what is no cursor of ours."""
    if not cursor:
        return None
    try:
        start = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if isinstance(start, dict) and isinstance(start["at"], int) and start["at"] >= 0:
            return start
    except (ValueError, KeyError):
        pass
    raise InvalidRequestError(
        "The cursor is not usable.", (("cursor", "pass on `next` as the last page gave it"),)
    )


def describe_attachment(attachment: Attachment, sign_links: SignLinks) -> dict[str, Any]:
    """The API's Attachment: as it is by now, not as it was when its message came."""
    links = sign_links(attachment)
    return {
        "name": attachment.name,
        "media_type": attachment.media_type,
        "declared_type": attachment.declared_type or attachment.media_type,
        "size": attachment.size,
        "sha256": attachment.digest,
        "state": attachment.state,
        "content_id": attachment.content_id,
        "reason": attachment.reason or None,
        "detail": attachment.detail or None,
        "is_executable": attachment.is_executable,
        "url": links.url,
        "thumbnail_url": links.thumbnail_url,
    }
