"""Messenger's and Instagram's Send API.

https://developers.facebook.com/docs/messenger-platform/reference/send-api
"""

import base64
import re
from dataclasses import replace

from examples.provider_sink import graph
from examples.provider_sink.accounts import Accounts
from examples.provider_sink.exchange import json_response, text_in, texts_in, value_in
from examples.provider_sink.faults import Mode
from examples.provider_sink.graph import GraphError
from examples.provider_sink.received import Call, Outcome, Received

PATH = re.compile(r"/meta/(?P<page_id>[^/]+)/messages")  # "me" is whose token it is
LONGEST_TEXT = 2000

_CLOSED = "(#10) This message is sent outside of allowed window."
_FAULTS = {
    Mode.THROTTLE: GraphError(429, 613, "(#613) Calls to this api have exceeded the rate limit."),
    Mode.SERVER_ERROR: GraphError(
        500, 1200, "(#1200) Temporary send message failure. Please try again later."
    ),
    Mode.REFUSE: GraphError(400, 10, _CLOSED, subcode=2018278),
}


def answer(call: Call, accounts: Accounts) -> Outcome:
    received = Received(provider="meta", at=call.at, sender=call.arguments["page_id"])
    said = graph.read(call, accounts, "meta")
    if isinstance(said, GraphError):
        return graph.refuse(call, received, said)
    to = text_in(said, "recipient", "id")
    file = text_in(said, "message", "attachment", "payload", "url")
    received = replace(
        received,
        to=(to,) if to else (),
        body=text_in(said, "message", "text"),
        request=said,
        media=(file,) if file else (),
        quick_replies=texts_in(value_in(said, "message", "quick_replies"), "title"),
        reply_to=text_in(said, "reply_to", "mid"),
    )
    fault = graph.fault_of(call, _FAULTS)
    failure = fault if fault and fault.status != 400 else None
    error = failure or _mistake(received) or fault
    return graph.refuse(call, received, error) if error else _accept(call, received)


def _mistake(received: Received) -> GraphError | None:
    too_long = f"(#100) Length of param message[text] must be less than or equal to {LONGEST_TEXT}"
    mistakes = (
        (not received.to, graph.required("recipient")),
        (not received.body.strip() and not received.media, graph.required("message[text]")),
        (len(received.body) > LONGEST_TEXT, GraphError(400, 100, too_long)),
    )
    return next((error for wrong, error in mistakes if wrong), None)


def _accept(call: Call, received: Received) -> Outcome:
    message_id = f"m_{base64.urlsafe_b64encode(bytes.fromhex(call.unique)).decode().rstrip('=')}"
    said = {"recipient_id": received.to[0], "message_id": message_id}
    return Outcome(json_response(200, said), replace(received, provider_id=message_id))
