"""WhatsApp's messages: https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages

Error numbers: https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes
"""

import base64
import re
from dataclasses import replace
from typing import Any

from examples.provider_sink import graph
from examples.provider_sink.accounts import Accounts
from examples.provider_sink.exchange import json_response, text_in, texts_in, value_in
from examples.provider_sink.faults import Mode
from examples.provider_sink.graph import GraphError
from examples.provider_sink.received import Call, Outcome, Received

PATH = re.compile(r"/whatsapp/(?P<phone_number_id>[^/]+)/messages")
LONGEST_BODY = 4096

_FAULTS = {
    Mode.THROTTLE: GraphError(429, 130429, "(#130429) Rate limit hit"),
    Mode.SERVER_ERROR: GraphError(500, 131000, "(#131000) Something went wrong"),
    Mode.REFUSE: GraphError(400, 131047, "(#131047) Re-engagement message"),
}


def answer(call: Call, accounts: Accounts) -> Outcome:
    number_id = call.arguments["phone_number_id"]
    received = Received(provider="whatsapp", at=call.at, sender=number_id)
    said = graph.read(call, accounts, "whatsapp")
    if isinstance(said, GraphError):
        return graph.refuse(call, received, said)
    to = text_in(said, "to") or text_in(said, "recipient")  # who shows no number has an id
    received = replace(
        received,
        to=(to,) if to else (),
        body=text_in(said, "text", "body") or text_in(said, "interactive", "body", "text"),
        request=said,
        media=_media(said),
        quick_replies=_choices(said),
        reply_to=text_in(said, "context", "message_id"),
    )
    fault = graph.fault_of(call, _FAULTS)
    failure = fault if fault and fault.status != 400 else None
    error = failure or _mistake(said, received) or fault
    return graph.refuse(call, received, error) if error else _accept(call, received)


def _mistake(said: dict[str, Any], received: Received) -> GraphError | None:
    mistakes = (
        (said.get("messaging_product") != "whatsapp", graph.required("messaging_product")),
        (not received.to, graph.required("to")),
        (not received.body.strip() and not received.media, graph.required("text['body']")),
        (
            len(received.body) > LONGEST_BODY,
            GraphError(400, 100, "(#100) Param text['body'] must be at most 4096 characters long."),
        ),
        (not _can_offer(said, received), GraphError(400, 131009, "(#131009) Invalid parameter")),
    )
    return next((error for wrong, error in mistakes if wrong), None)


def _media(said: dict[str, Any]) -> tuple[str, ...]:
    link = text_in(said, text_in(said, "type"), "link")
    return (link,) if link else ()


def _choices(said: dict[str, Any]) -> tuple[str, ...]:
    """The titles of buttons, or of the rows of a list."""
    action = value_in(said, "interactive", "action")
    sections = value_in(action, "sections")
    lists = sections if isinstance(sections, list) else []
    rows = [title for one in lists for title in texts_in(value_in(one, "rows"), "title")]
    return (*texts_in(value_in(action, "buttons"), "reply", "title"), *rows)


def _can_offer(said: dict[str, Any], received: Received) -> bool:
    if text_in(said, "type") != "interactive":
        return True
    is_list = text_in(said, "interactive", "type") == "list"
    most, longest = (10, 24) if is_list else (3, 20)
    are_short = all(0 < len(title) <= longest for title in received.quick_replies)
    return 0 < len(received.quick_replies) <= most and are_short and len(received.body) <= 1024


def _accept(call: Call, received: Received) -> Outcome:
    message_id = f"wamid.{base64.b64encode(bytes.fromhex(call.unique)).decode()}"
    to = received.to[0]
    is_number = text_in(received.request, "to") != ""
    person = {"wa_id": re.sub("[^0-9]", "", to)} if is_number else {"user_id": to}
    said = {
        "messaging_product": "whatsapp",
        "contacts": [{"input": to, **person}],
        "messages": [{"id": message_id}],
    }
    return Outcome(json_response(200, said), replace(received, provider_id=message_id))
