"""A customer's form that begins a case of its own, however often the demo was played before."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from caseweave.cli.demo.stage import Stage, require, require_status

IN_TRANSIT = ("queued", "claimed")


@dataclass(frozen=True, slots=True)
class Opened:
    """`session` is what the customer's page reads the answers with."""

    ref: str
    session: str
    customer_id: str
    fields: Mapping[str, Any]


def open_case(
    stage: Stage,
    user: str,
    form: str,
    fields: Mapping[str, Any],
    step: str,
    again: Mapping[str, Any] | None = None,
) -> Opened:
    """Submit *form* as a signed-in user; the case that it begins.

    Cases of the customer that are still open from before are closed first. Who the customer is
    tells the first submission: it never changes, so it is taken in once and for all. A later run
    says what is *again* the matter: the same order would open the case of the first one again.
    """
    with stage.step(step):
        token = stage.outside.sign_in(user)
        reply = stage.outside.send_form(form, fields, token, f"demo-{user}-{form}")
        said = require_status(reply, 200, 201).json()
        file = stage.agent.read_case(said["reference"])
        customer_id = file["case"]["customer_id"]
        is_first = reply.status == 201 and len(find_inbound(file)) == 1
        closed = [] if is_first else _close_cases(stage, customer_id)
        if not is_first:
            fields = again or fields
            reply = stage.outside.send_form(form, fields, token, uuid.uuid4().hex)
            said = require_status(reply, 201).json()
    for ref in closed:
        stage.tell_key("earlier_closed", "dim", ref=ref)
    stage.tell_key("opened", "bold", ref=said["reference"])
    return Opened(said["reference"], said["session"], customer_id, fields)


def _close_cases(stage: Stage, customer_id: str) -> list[str]:
    """The references of the customer's cases that were not closed yet."""
    found = list(stage.agent.list_cases(customer=customer_id, limit="200"))
    left = [case["ref"] for case in found if case["state"] != "closed"]
    for ref in left:
        stage.agent.act(ref, "state", {"state": "closed", "reason": "demo"})
    return left


def find_inbound(file: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What the customer wrote."""
    return [message for message in file["messages"] if message["direction"] == "inbound"]


def wait_page(stage: Stage, opened: Opened, text: str) -> dict[str, Any]:
    """Our message with *text* in it, as the customer's own page shows it."""

    def look() -> dict[str, Any] | None:
        return next(iter(find_on_page(stage, opened, text)), None)

    return stage.wait_for(f"{text!r} on the page of {opened.ref}", look)


def find_on_page(stage: Stage, opened: Opened, text: str) -> list[dict[str, Any]]:
    items = require_status(stage.outside.read_answers(opened.session), 200).json()["items"]
    return [item for item in items if item["direction"] == "outbound" and text in item["body"]]


def wait_settled(stage: Stage, ref: str, inbound: int) -> dict[str, Any]:
    """The case once *inbound* messages are in and none of ours is still on its way."""

    def look() -> dict[str, Any] | None:
        file = stage.agent.read_case(ref)
        came = find_inbound(file)
        sent = [message for message in file["messages"] if message["delivery"]]
        return file if len(came) >= inbound and all(map(_is_settled, sent)) else None

    file = stage.wait_for(f"{inbound} messages of the customer in {ref}, all answers sent", look)
    came = find_inbound(file)
    require(len(came) == inbound, f"{inbound} messages of the customer in {ref}", len(came))
    return file


def _is_settled(message: Mapping[str, Any]) -> bool:
    """Twilio and the page report what they delivered; Telegram and SES only accept."""
    is_reported = message["provider"] in ("twilio", "form")
    return message["delivery"]["state"] not in (*IN_TRANSIT, *(["accepted"] if is_reported else []))
