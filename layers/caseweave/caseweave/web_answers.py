"""What a customer's own page may read: the web messages of its session, in both directions."""

from collections.abc import Callable, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any

from caseweave.domain.event import Actor
from caseweave.domain.media import Links, show_attachments
from caseweave.domain.message import (
    Attachment,
    Channel,
    Delivery,
    DeliveryState,
    Direction,
    Message,
)
from caseweave.domain.times import to_rfc3339
from caseweave.domain.tokens import read_session_token
from caseweave.errors import NotFoundError
from caseweave.http import Answer
from caseweave.storage.cases import list_messages
from caseweave.storage.outbox import outbox_key, settle_message

CUSTOMER_PAGE = Actor("provider", "web")


def list_web_messages(
    session: str,
    after: str,
    keys: Sequence[bytes],
    sign_links: Callable[[Attachment], Links],
    now: datetime,
) -> Answer:
    """The messages behind the one with id *after*; our own are delivered by being read here.

    Raises NotFoundError for a session that is forged or over.
    """
    case_id = read_session_token(session, keys, now)
    if case_id is None:
        raise NotFoundError("There is no such session.")
    messages, files = list_messages(case_id)
    shown = [message for message in messages if _is_for_page(message)]
    position = next((n + 1 for n, message in enumerate(shown) if message.id == after), 0)
    for message in shown[position:]:
        if message.delivery is not None and message.delivery.state is DeliveryState.ACCEPTED:
            delivery = Delivery(DeliveryState.DELIVERED, now, message.delivery.provider_id)
            settle_message(outbox_key(message), delivery, CUSTOMER_PAGE)
    return Answer(
        HTTPStatus.OK,
        {
            "items": [
                {
                    **_describe(message),
                    "attachments": [
                        _describe_file(one, sign_links) for one in show_attachments(message, files)
                    ],
                }
                for message in shown[position:]
            ]
        },
        headers={"Cache-Control": "no-store"},
    )


def _is_for_page(message: Message) -> bool:
    if message.channel is not Channel.WEB or message.direction is Direction.NOTE:
        return False
    delivery = message.delivery
    return delivery is None or delivery.state in (
        DeliveryState.ACCEPTED,
        DeliveryState.DELIVERED,
        DeliveryState.READ,
    )


def _describe(message: Message) -> dict[str, Any]:
    """A message, with what can be answered by one tap."""
    return {
        "id": message.id,
        "direction": str(message.direction),
        "body": message.body,
        "at": to_rfc3339(message.occurred_at),
        "quick_replies": list(message.quick_replies),
        "reply_to": message.reply_to or None,
    }


def _describe_file(attachment: Attachment, sign_links: Callable[[Attachment], Links]) -> Any:
    links = sign_links(attachment)
    return {
        "name": attachment.name,
        "media_type": attachment.media_type,
        "size": attachment.size,
        "state": attachment.state,
        "url": links.url,
        "thumbnail_url": links.thumbnail_url,
    }
