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
    advances,
)
from caseweave.domain.times import to_rfc3339
from caseweave.domain.tokens import read_session_token
from caseweave.errors import NotFoundError
from caseweave.http import Answer
from caseweave.storage.outbox import outbox_key, settle_message
from caseweave.web_conversation import order_new, read_conversation, read_cursor

CUSTOMER_PAGE = Actor("provider", "web")


def list_web_messages(
    session: str,
    after: str,
    keys: Sequence[bytes],
    sign_links: Callable[[Attachment], Links],
    now: datetime,
) -> Answer:
    """The messages behind the cursor *after* (or a message's id), and the next cursor.

    The cursor is a message's number in the case's chain: numbers are given as messages are
    written, so nothing ever appears behind one, whatever its time says. Where the case was merged
    or split, the conversation goes on in other cases, each with a number of its own (`12~CASE:5`).
    Our own messages are delivered by being read here, sent already or not.

    Raises NotFoundError for a session that is forged or over.
    """
    case_id = read_session_token(session, keys, now)
    if case_id is None:
        raise NotFoundError("There is no such session.")
    legs = read_conversation(case_id)
    shown = [message for leg in legs for message in leg.messages if _is_for_page(message)]
    cursor = read_cursor(after, case_id, shown)
    starts = {leg.case_id: cursor.find_start(leg) for leg in legs}
    new = order_new([m for m in shown if m.seq > starts[m.case_id]], legs)
    files = [file for leg in legs for file in leg.files]
    for message in new:
        _deliver(message, now)
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
                for message in new
            ],
            "next": cursor.advance(legs, new),
        },
        headers={"Cache-Control": "no-store"},
    )


def _deliver(message: Message, now: datetime) -> None:
    delivery = message.delivery
    if delivery is not None and advances(delivery.state, DeliveryState.DELIVERED):
        read = Delivery(DeliveryState.DELIVERED, now, delivery.provider_id or message.id)
        settle_message(outbox_key(message), read, CUSTOMER_PAGE)


def _is_for_page(message: Message) -> bool:
    return message.channel is Channel.WEB and message.direction is not Direction.NOTE


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
