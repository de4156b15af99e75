"""Which case a message joins, over HTTP: several matters of one customer, and closed cases."""

import itertools

from caseweave.cli.outside.customers import write_mail
from tests.stack.conftest import wait_for
from tests.stack.numbers import new_phone

_numbers = itertools.count(20_000_000)
# Nobody else signs in as this one.
USER = "u-5003"


def joined(file):
    """How each message of the customer came to be in the case, in order."""
    return [e["data"]["joined"] for e in file["events"] if e["kind"] == "message_received"]


def triaged(agent, reference):
    file = agent.read_case(reference)
    return file if file["case"]["category"] else None


def close(agent, reference):
    reply = agent.post(f"/v1/cases/{reference}/state", {"state": "closed", "reason": "done"})
    assert reply.status == 200, reply.body


def test_a_customer_with_two_matters_has_two_cases_and_each_word_finds_its_own(stack, agent):
    outside, token = stack.outside, stack.outside.sign_in(USER)
    order = "TP20261123-7702"
    topup = outside.send_form("topup", {"message": f"订单 {order} 没到账"}, token).json()
    dispute = outside.send_form("dispute", {"message": "charged twice"}, token).json()
    again = outside.send_form("topup", {"message": "still nothing"}, token).json()
    named = outside.send_form("contact", {"message": f"{order} 怎么样了"}, token).json()
    assert outside.send_chat(dispute["session"], "and now?").status == 201

    assert topup["reference"] == again["reference"] == named["reference"]
    assert dispute["reference"] != topup["reference"]
    first, second = (agent.read_case(one["reference"]) for one in (topup, dispute))
    assert [one["rule"] for one in joined(first)] == ["new", "topic", "entity"]
    assert [one["rule"] for one in joined(second)] == ["new", "reference"]
    opened = second["events"][0]
    assert opened["data"]["relatives"] == [first["case"]["id"]]
    assert first["case"]["customer_id"] == second["case"]["customer_id"]


def test_a_word_opens_a_closed_case_again_and_the_clocks_of_its_policy_run(stack, agent):
    phone = new_phone()
    stack.outside.send_sms(phone, f"充值没到账 {phone}")
    reference = wait_for(lambda: _find_reference(stack, phone), "the case")
    wait_for(lambda: triaged(agent, reference), "triage")
    close(agent, reference)

    stack.outside.send_sms(phone, "还是没有")

    def promised():
        """Receipts of the acknowledgement may come after it."""
        file = agent.read_case(reference)
        started = [one for one in file["events"] if one["kind"] == "sla_started"]
        return (file, started[-1]) if started else None

    file, started = wait_for(promised, "the clocks of the policy")
    assert file["case"]["state"] == "open"
    assert file["case"]["due_at"] == started["data"]["due"]["next_reply"]
    rule, because = joined(file)[-1].values()
    assert rule == "conversation"
    assert because.endswith("opened again within 7d")


def _find_reference(stack, phone):
    """The reference of the case with the message that repeats the number."""
    bodies = [one for one in stack.items() if phone in one.get("body", {}).get("S", "")]
    if not bodies:
        return None
    return next(
        one["ref"]["S"]
        for one in stack.items()
        if one["pk"]["S"] == bodies[0]["pk"]["S"] and one["sk"]["S"] == "CASE"
    )


def test_a_guessed_reference_and_a_forged_reply_join_nothing(stack, agent):
    sender = f"victim{next(_numbers)}@example.com"
    mail = write_mail(sender, "Top-up", f"first {sender}")
    stack.outside.deliver_mail(mail)
    reference = wait_for(lambda: _find_reference(stack, f"first {sender}"), "the case")

    forged = write_mail(
        sender, f"Re: [{reference}]", f"forged {sender}", In_Reply_To=mail["Message-ID"]
    )
    stack.outside.deliver_mail(forged, dmarc="fail")
    other = wait_for(lambda: _find_reference(stack, f"forged {sender}"), "the forged mail")

    assert other != reference
    assert joined(agent.read_case(other)) == [{"rule": "new", "because": "no case is open"}]
    assert len(joined(agent.read_case(reference))) == 1
