"""A customer's timeline as agents read it: all channels, all cases, in order of occurrence."""

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

from caseweave.agents.caller import ROLES, Caller
from caseweave.agents.fields import read_limit
from caseweave.discretion import describe_mask, mask_message, mask_shown
from caseweave.domain.case import Case, CaseState
from caseweave.domain.event import Event, EventKind
from caseweave.domain.message import Message
from caseweave.domain.times import to_rfc3339
from caseweave.errors import InvalidRequestError
from caseweave.storage.customers import read_customer_of, read_family
from caseweave.storage.timelines import Entry, case_of, read_timeline

ORDERS = ("asc", "desc")
# What is longer is read in its case.
LONGEST_SHOWN = 2_000
_PLACE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z#[0-2]#[0-9A-Z#]{1,60}")


def show_timeline(customer_id: str, query: Mapping[str, str], caller: Caller) -> dict[str, Any]:
    """A page of what happened: `order` is `asc` (the oldest first) or `desc`.

    Raises NotFoundError, InvalidRequestError, ForbiddenError.
    """
    caller.require(*ROLES)
    limit, order = read_limit(query.get("limit", "50")), query.get("order", "asc")
    if order not in ORDERS:
        advice = f"use one of: {', '.join(ORDERS)}"
        raise InvalidRequestError("There is no such order.", (("order", advice),))
    after = _read_cursor(query.get("cursor", ""), order)
    family = read_family(customer_id)
    page = read_timeline(family.ids, limit, after, is_newest_first=order == "desc")
    if not page.entries and not after:
        # Nobody, or somebody who was never heard of; only then it costs a read to know.
        read_customer_of(customer_id)
    return {
        "customer_id": family.root,
        "members": list(family.ids),
        "items": [_describe(entry, page.cases.get(case_of(entry))) for entry in page.entries],
        "next": _make_cursor(page.next, order),
    }


def _describe(entry: Entry, case: Case | None) -> dict[str, Any]:
    """The API's TimelineItem: a message, or that a case began or ended."""
    described = {
        "case": _describe_case(case_of(entry), case),
        "message": None,
        "channel": None,
        "reason": None,
    }
    if isinstance(entry, Message):
        return described | {
            "kind": "message",
            "at": to_rfc3339(entry.occurred_at),
            "by": mask_shown(entry.author).text,
            "channel": str(entry.channel),
            "message": _describe_message(entry),
        }
    return described | {
        "kind": _name_event(entry),
        "at": to_rfc3339(entry.at),
        "by": str(entry.actor),
        "reason": mask_shown(entry.private.get("reason", "")).text or None,
    }


def _describe_case(case_id: str, case: Case | None) -> dict[str, Any]:
    return {
        "id": case_id,
        "ref": case.ref if case else None,
        "state": str(case.state) if case else None,
        "category": case.category if case else None,
        "subject": mask_shown(case.subject).text if case else None,
        "merged_into": (case.merged_into or None) if case else None,
    }


def _describe_message(message: Message) -> dict[str, Any]:
    """Masked; it is shown as it is in its case, on demand."""
    message, kinds = mask_message(message)
    return {
        **describe_mask(kinds),
        "id": message.id,
        "direction": str(message.direction),
        "provider": message.provider,
        "subject": message.subject,
        "body": message.body[:LONGEST_SHOWN],
        "is_cut": len(message.body) > LONGEST_SHOWN,
        "proof": str(message.proof),
        "purpose": str(message.purpose) if message.purpose else None,
        "is_automatic": message.is_automatic,
        "remark": message.fields.get("remark"),
        "attachments": [
            {"name": one.name, "media_type": one.media_type, "size": one.size}
            for one in message.attachments
        ],
        "delivery": str(message.delivery.state) if message.delivery else None,
    }


def _name_event(event: Event) -> str:
    if event.kind is EventKind.CASE_OPENED:
        return "case_opened"
    return "case_closed" if event.data["after"] == CaseState.CLOSED else "case_reopened"


def _make_cursor(place: str, order: str) -> str | None:
    if not place:
        return None
    return urlsafe_b64encode(json.dumps([order, place]).encode()).decode().rstrip("=")


def _read_cursor(cursor: str, order: str) -> str:
    """The place that a cursor of this order names. Raises InvalidRequestError."""
    if not cursor:
        return ""
    try:
        made_in, place = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if made_in == order and _PLACE.fullmatch(place):
            return str(place)
    except (ValueError, TypeError):
        pass
    advice = "pass on `next` as the last page gave it, with the same order"
    raise InvalidRequestError("The cursor is not usable.", (("cursor", advice),))
