"""The promise in one page: four channels, one case, over HTTP with real signatures."""

import itertools
import os
import random
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

from caseweave.cli.outside.customers import write_mail
from caseweave.cli.outside.http import call_json
from caseweave.domain.evidence import find_broken_link
from tests.stack.conftest import wait_for

_numbers = itertools.count(10_000_000)


def new_phone():
    return f"+86139{next(_numbers)}"


def ledger_count(stack, case_id):
    return sum(
        item["pk"]["S"].startswith("IN#") and item.get("case_id", {}).get("S") == case_id
        for item in stack.items()
    )


def find_case_of(stack, agent, body):
    """The case that holds the message with exactly this body."""
    found = [item for item in stack.items() if item.get("body", {}).get("S") == body]
    return agent.read_case(found[0]["pk"]["S"].removeprefix("CASE#")) if found else None


def outbound(file, purpose=None):
    return [
        m
        for m in file["messages"]
        if m["direction"] == "outbound" and purpose in (None, m["purpose"])
    ]


def test_four_channels_become_one_case_that_answers_on_each(stack, agent):
    outside = stack.outside
    form = {"message": "充值没到账", "order_no": "T20261123-7731", "product": "game-topup"}
    sent = outside.send_form("topup", form, outside.sign_in("u-2001")).json()
    reference = sent["reference"]
    page = wait_for(
        lambda: [
            one
            for one in outside.read_answers(sent["session"]).json()["items"]
            if one["direction"] == "outbound"
        ],
        "the acknowledgement on the customer's page",
    )
    assert reference in page[0]["body"]
    token = page[0]["body"].split("start=")[1].split()[0]

    assert outside.send_sms("+8613800138021", "还没到账").status == 200
    assert outside.send_telegram({"id": 5001, "first_name": "雨"}, f"/start {token}").status == 200
    outside.deliver_mail(write_mail("haiyan.zhao@xinghuo.example", "截图", "见附件"))

    file = wait_for(
        lambda: next(
            (
                f
                for f in [agent.read_case(reference)]
                if len([m for m in outbound(f) if m["delivery"]["provider_id"]]) == 4
            ),
            None,
        ),
        "four acknowledgements that providers took",
    )
    assert sorted(file["case"]["channels"]) == ["email", "messenger", "sms", "web"]
    assert [m["purpose"] for m in outbound(file)] == ["acknowledgement"] * 4
    (sms,) = stack.received("twilio", "+8613800138021")
    (telegram,) = stack.received("telegram", "5001")
    (mail,) = stack.received("ses", "haiyan.zhao@xinghuo.example")
    assert all(reference in one["body"] for one in (sms, telegram, mail))
    assert mail["headers"]["Auto-Submitted"] == "auto-replied"
    assert file["case"]["category"] == "topup_fault"


def test_sixteen_first_messages_at_once_make_one_case_with_sixteen_messages(stack, agent):
    phone = new_phone()
    with ThreadPoolExecutor(16) as pool:
        replies = list(pool.map(lambda n: stack.outside.send_sms(phone, f"消息 {n}"), range(16)))

    assert [reply.status for reply in replies] == [200] * 16
    (address,) = [i for i in stack.items() if i["pk"]["S"] == f"ADDR#phone#{phone}"]
    page = agent.get(f"/v1/cases?customer={address['customer_id']['S']}").json()
    (case,) = page["items"]
    inbound = [m for m in agent.read_case(case["id"])["messages"] if m["direction"] == "inbound"]
    assert sorted(m["body"] for m in inbound) == sorted(f"消息 {n}" for n in range(16))


def test_everything_delivered_three_times_and_shuffled_is_kept_once(stack, agent):
    phone, telegram = new_phone(), next(_numbers)
    mail = write_mail(f"c{telegram}@example.org", "一封邮件", f"mail {phone}")
    deliveries = [
        lambda: stack.outside.send_sms(phone, "一", sid=f"SM{telegram}a"),
        lambda: stack.outside.send_sms(phone, "二", sid=f"SM{telegram}b"),
        lambda: stack.outside.send_telegram({"id": telegram, "first_name": "T"}, "三", telegram),
        lambda: stack.outside.send_form("contact", {"message": f"四 {phone}"}, key=f"key-{phone}"),
        lambda: stack.outside.deliver_mail(mail),
    ] * 3
    random.Random(7).shuffle(deliveries)
    with ThreadPoolExecutor(5) as pool:
        list(pool.map(lambda deliver: deliver(), deliveries))

    wait_for(lambda: find_case_of(stack, agent, f"mail {phone}\n"), "the mail's case")
    time.sleep(1)
    bodies = [
        item.get("body", {}).get("S")
        for item in stack.items()
        if item["pk"]["S"].startswith("CASE#") and item.get("direction", {}).get("S") == "inbound"
    ]
    for body in (f"四 {phone}", f"mail {phone}\n"):
        assert bodies.count(body) == 1
    (by_sms,) = [i for i in stack.items() if i["pk"]["S"] == f"ADDR#phone#{phone}"]
    file = agent.read_case(by_sms["case_id"]["S"])
    assert sorted(m["body"] for m in file["messages"] if m["direction"] == "inbound") == [
        "一",
        "二",
    ]
    assert ledger_count(stack, file["case"]["id"]) == 2


def test_killing_the_router_in_the_middle_loses_nothing(stack, agent):
    phones = [new_phone() for _ in range(12)]
    for number, phone in enumerate(phones):
        assert stack.outside.send_sms(phone, f"充值没到账 {phone}").status == 200
        if number in (2, 5, 8):
            kill_workers(stack, "RouterFunction")

    def all_acknowledged():
        done = {one["to"] for one in stack.received("twilio")}
        return set(phones) <= done

    wait_for(all_acknowledged, "an acknowledgement to every customer", 60)
    for phone in phones:
        file = find_case_of(stack, agent, f"充值没到账 {phone}")
        assert file["case"]["category"] == "topup_fault"
        assert len(outbound(file)) == 1
        assert len(stack.received("twilio", phone)) == 1


def kill_workers(stack, function):
    """Kill the processes that run a function, as if their machine died."""
    found = subprocess.run(
        ["pgrep", "-f", f"{stack.state_dir}.*{function}"],
        capture_output=True,
        text=True,
        check=False,
    )
    for process in found.stdout.split():
        os.kill(int(process), signal.SIGKILL)


def test_without_proof_everything_stays_apart_with_suggestions(stack, agent):
    outside = stack.outside
    known = outside.send_form(
        "topup", {"message": "top-up not arrived"}, outside.sign_in("u-1007")
    ).json()
    before = agent.read_case(known["reference"])
    typed = {"email": "lucas.weber@example.com", "phone": "+61491570156"}
    claimed = outside.send_form("contact", {"message": "it is me", "contact": typed}).json()
    outside.send_sms(new_phone(), f"my case is {known['reference']}")
    forged = write_mail("lucas.weber@example.com", "codes", f"forged {known['reference']}")
    outside.deliver_mail(forged, dmarc="fail")

    by_mail = wait_for(
        lambda: find_case_of(stack, agent, f"forged {known['reference']}\n"), "the forged mail"
    )
    by_form = agent.read_case(claimed["reference"])
    for file in (by_mail, by_form):
        suggested = [e["data"] for e in file["events"] if e["kind"] == "customer_suggested"]
        assert {one["customer_id"] for one in suggested} == {before["case"]["customer_id"]}
        assert {one["reason"] for one in suggested} == {"claimed, not proven"}
    after = agent.read_case(known["reference"])
    inbound = [m["body"] for m in after["messages"] if m["direction"] == "inbound"]
    assert inbound == ["top-up not arrived"]


def test_a_mail_reply_comes_back_into_its_case_without_dmarc(stack, agent):
    """The reply address carries a signed token, bound to the address it was sent to."""
    sender = f"bob{next(_numbers)}@small.example.net"
    stack.outside.deliver_mail(write_mail(sender, "Question", f"first {sender}"), dmarc="none")
    (sent,) = wait_for(lambda: stack.received("ses", sender), "the acknowledgement by mail")
    reply = write_mail(sender, "Re: Question", f"second {sender}", to=sent["headers"]["Reply-To"])
    stack.outside.deliver_mail(reply, dmarc="none")

    file = wait_for(lambda: find_case_of(stack, agent, f"second {sender}\n"), "the reply")
    inbound = [(m["body"], m["proof"]) for m in file["messages"] if m["direction"] == "inbound"]
    assert inbound == [(f"first {sender}\n", "none"), (f"second {sender}\n", "reply_token")]


def test_the_chain_of_a_worked_case_holds(stack, agent):
    reply = stack.outside.send_form("contact", {"message": "chain me"}).json()
    wait_for(lambda: outbound(agent.read_case(reply["reference"])), "the acknowledgement")
    events = agent.read_case(reply["reference"])["events"]
    links = [
        (
            e["previous"],
            e["digest"],
            {
                "case_id": agent.read_case(reply["reference"])["case"]["id"],
                "seq": e["seq"],
                "at": e["at"],
                "actor": e["actor"],
                "kind": e["kind"],
                "data": e["data"],
            },
        )
        for e in events
    ]
    assert find_broken_link(links) is None


def test_a_page_goes_on_in_its_session_and_opens_the_case_again_that_was_closed(stack, agent):
    first = stack.outside.send_form("contact", {"message": "how do I redeem?"}).json()
    url = stack.outside.outputs["ApiUrl"] + first["messages"]

    second = call_json("POST", url, {"message": "nobody there?"}, {"Idempotency-Key": "k"})
    again = call_json("POST", url, {"message": "nobody there?"}, {"Idempotency-Key": "k"})

    assert (second.status, again.status) == (201, 200)
    assert second.json()["reference"] == again.json()["reference"] == first["reference"]
    inbound = [
        (m["body"], m["proof"])
        for m in agent.read_case(first["reference"])["messages"]
        if m["direction"] == "inbound"
    ]
    assert inbound == [("how do I redeem?", "none"), ("nobody there?", "session")]

    agent.post(f"/v1/cases/{first['reference']}/state", {"state": "closed"})
    third = call_json("POST", url, {"message": "and another thing"}).json()
    assert third["reference"] == first["reference"]
    assert agent.read_case(first["reference"])["case"]["state"] == "open"
    assert call_json("POST", url.replace(first["session"], "A" * 43), {}).status == 404
