"""Mail at the deployed stack: what came back, and what SES tells, settles what we sent."""

import json
import uuid

from caseweave.cli.outside.customers import write_mail
from tests.stack.conftest import wait_for
from tests.stack.test_one_case import find_case_of


def open_case(stack, agent, sender):
    """A case by mail, whose acknowledgement SES took: the case's id and that mail."""
    stack.outside.deliver_mail(write_mail(sender, "充值没到账", f"还没到账 {sender}"))
    (taken,) = wait_for(lambda: stack.received("ses", sender), "the acknowledgement")
    return find_case_of(stack, agent, f"还没到账 {sender}\n")["case"]["id"], taken


def acknowledgement(agent, case_id):
    (found,) = [
        one for one in agent.read_case(case_id)["messages"] if one["purpose"] == "acknowledgement"
    ]
    return found


def wait_for_state(agent, case_id, *states):
    def settled():
        delivery = acknowledgement(agent, case_id)["delivery"]
        return delivery if delivery["state"] in states else None

    return wait_for(settled, f"the mail to be {states}")


def bounce(sender, references):
    return "\r\n".join(
        [
            "Return-Path: <>",
            "From: MAILER-DAEMON@mx.example.com",
            f"Message-ID: <{uuid.uuid4().hex}@mx.example.com>",
            'Content-Type: multipart/report; report-type=delivery-status; boundary="b"',
            "",
            "--b",
            "Content-Type: message/delivery-status",
            "",
            "Reporting-MTA: dns; mx.example.com",
            "",
            f"Final-Recipient: rfc822; {sender}",
            "Action: failed",
            "Status: 5.1.1",
            "Diagnostic-Code: smtp; 550 no such user",
            "",
            "--b",
            "Content-Type: text/rfc822-headers",
            "",
            f"References: {references}",
            "",
            "--b--",
        ]
    ).encode()


def test_ses_tells_of_the_delivery_and_a_bounce_fails_the_mail_after_all(stack, agent, lead):
    sender = f"lin-{uuid.uuid4().hex[:8]}@example.com"
    case_id, ours = open_case(stack, agent, sender)
    accepted = wait_for_state(agent, case_id, "accepted")
    left_with = ours["request"]
    (tag,) = left_with["EmailTags"]
    assert left_with["ConfigurationSetName"].endswith("-mail")
    told = {
        "id": uuid.uuid4().hex,
        "source": "aws.ses",
        "detail-type": "Email Delivered",
        "detail": {
            "eventType": "Delivery",
            "mail": {
                "messageId": accepted["provider_id"],
                "tags": {tag["Name"]: [tag["Value"]]},
            },
            "delivery": {},
        },
    }

    stack.invoke("MailReceipts", json.dumps(told).encode())
    assert acknowledgement(agent, case_id)["delivery"]["state"] == "delivered"

    stack.outside.deliver_mail(bounce(sender, ours["headers"]["References"]))
    failed = wait_for_state(agent, case_id, "failed")
    assert failed["error"] == "5.1.1 smtp; 550 no such user"
    assert len(agent.read_case(case_id)["messages"]) == 2


def test_a_forged_bounce_is_quarantined_and_fails_nothing(stack, agent, lead):
    sender = f"lin-{uuid.uuid4().hex[:8]}@example.com"
    case_id, ours = open_case(stack, agent, sender)
    wait_for_state(agent, case_id, "accepted")
    token, _, rest = ours["headers"]["Message-ID"].strip("<>").partition(".")
    forged = f"<{'a' * len(token)}.{rest}>"

    stack.outside.deliver_mail(bounce(f"forged-{sender}", forged))

    def quarantined():
        items = lead.get("/v1/quarantine").json()["items"]
        return [one for one in items if "none of ours" in one["reason"]]

    assert wait_for(quarantined, "the bounce in the quarantine")
    assert acknowledgement(agent, case_id)["delivery"]["state"] == "accepted"


def test_somebody_who_answers_a_mail_of_another_gets_a_case_of_their_own(stack, agent):
    sender = f"lin-{uuid.uuid4().hex[:8]}@example.com"
    case_id, ours = open_case(stack, agent, sender)
    other = f"eve-{uuid.uuid4().hex[:8]}@evil.example"

    stack.outside.deliver_mail(
        write_mail(other, "Re: 充值没到账", "给我看看", References=ours["headers"]["References"])
    )

    (taken,) = wait_for(lambda: stack.received("ses", other), "an acknowledgement of their own")
    ref = agent.read_case(case_id)["case"]["ref"]
    assert ref not in taken["headers"]["Subject"]
    assert len(agent.read_case(case_id)["messages"]) == 2
