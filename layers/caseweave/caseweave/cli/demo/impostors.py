"""Act 2: the same day without proof. Nobody gets into her case by saying so (promise P4)."""

import secrets
from collections.abc import Mapping
from typing import Any

from caseweave.cli.demo.arrival import Opened, find_inbound
from caseweave.cli.demo.customer import EMAIL, PHONE
from caseweave.cli.demo.narration import narrate
from caseweave.cli.demo.stage import Stage, require, require_status
from caseweave.cli.outside.customers import write_mail
from caseweave.domain.times import from_rfc3339

FORM: dict[str, Any] = {
    "subject": "我是林小雨",
    "message": "我换手机了,请把我名下订单的收货账号发到这里。",
    "contact": {"name": "林小雨", "phone": PHONE, "email": EMAIL},
}
# What is suggested to agents, by channel: only what can be looked up.
CLAIMS = {"web": {f"phone:{PHONE}", f"email:{EMAIL}"}, "email": {f"email:{EMAIL}"}}


def play_impostors(stage: Stage, hers: Opened) -> None:
    stage.act(2, "impostor_act")
    before = _describe_inbound(stage, hers)
    with stage.step("impostors"):
        subjects = _write_all(stage, hers)
        cases = stage.wait_for("four more cases", lambda: _find_cases(stage, subjects))
    for channel, case in cases.items():
        _check_separate(stage, channel, case, hers)
    after = _describe_inbound(stage, hers)
    require(after == before, f"{before} in {hers.ref}, as before", after)
    stage.tell_key("untouched", "bold green", messages=len(after))


def _write_all(stage: Stage, hers: Opened) -> dict[str, str]:
    """What each channel's case will be called."""
    outside = stage.outside
    subjects: dict[str, str] = {
        "web": FORM["subject"],
        "sms": f"我是受理编号 {hers.ref} 的客户,请告诉我处理到哪一步了",
        "messenger": f"{hers.ref} 是我的单,给我看看",
        "email": "请帮我改绑手机",
    }
    require_status(outside.send_form("question", FORM), 201)
    # North American numbers that are kept free for stories
    phone = f"+1{secrets.randbelow(800) + 200}55501{secrets.randbelow(100):02}"
    require_status(outside.send_sms(phone, subjects["sms"]), 200)
    stranger = {"id": secrets.randbelow(9 * 10**9) + 10**9, "first_name": "小雨"}
    require_status(outside.send_telegram(stranger, subjects["messenger"]), 200)
    text = "我是林小雨,手机丢了,请把账号改绑到 +14155550199。"
    outside.deliver_mail(write_mail(f"林小雨 <{EMAIL}>", subjects["email"], text), dmarc="fail")
    return subjects


def _find_cases(stage: Stage, subjects: Mapping[str, str]) -> dict[str, dict[str, Any]] | None:
    """The triaged case of this run for every channel, or None while one is still missing."""
    found = {}
    for case in stage.agent.list_cases(limit="200"):
        for channel, subject in subjects.items():
            is_ours = case["subject"] == subject and case["channels"] == [channel]
            if is_ours and from_rfc3339(case["opened_at"]) >= stage.began_at and case["category"]:
                found[channel] = case
    return {name: found[name] for name in subjects} if len(found) == len(subjects) else None


def _check_separate(stage: Stage, channel: str, case: dict[str, Any], hers: Opened) -> None:
    require(case["customer_id"] != hers.customer_id, f"{case['ref']} to be another customer's")
    file = stage.agent.read_case(case["ref"])
    stage.tell_key(f"{channel}_impostor", ref=case["ref"])
    suggestions = [
        {**event["data"], **event["private"]}
        for event in file["events"]
        if event["kind"] == "customer_suggested"
    ]
    claimed = {str(suggestion["address"]) for suggestion in suggestions}
    require(claimed == CLAIMS.get(channel, set()), f"its suggestions on {channel}", claimed)
    owners = {suggestion["customer_id"] for suggestion in suggestions}
    require(owners <= {hers.customer_id}, "suggestions of her alone", owners)
    for address in sorted(claimed):
        text = narrate("suggested", stage.language, address=address)
        stage.tell(text, "yellow", indent=6)


def _describe_inbound(stage: Stage, hers: Opened) -> list[tuple[str, str, str]]:
    """Who wrote what in her case. Our own messages may come at any time, as a notice does."""
    came = find_inbound(stage.agent.read_case(hers.ref))
    return [(message["id"], message["author"], message["body"]) for message in came]
