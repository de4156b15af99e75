"""Act 5: an outage is declared; the customers it touches are told before they ask, each once."""

from datetime import datetime, timedelta, timezone

from caseweave.cli.demo.arrival import Opened, find_on_page, open_case, wait_page, wait_settled
from caseweave.cli.demo.customer import EMAIL
from caseweave.cli.demo.narration import narrate
from caseweave.cli.demo.stage import Stage, require, require_status
from caseweave.cli.outside.customers import write_mail
from caseweave.cli.outside.http import call_json
from caseweave.cli.outside.scheduler import run_schedule
from caseweave.domain.times import to_rfc3339

PRODUCT = "game-topup"
USER, USER_EMAIL = "u-1004", "siqi.chen@mail.example"
QUESTION = {"subject": "钱包余额", "message": "请问钱包余额的有效期是多久?", "product": "wallet"}
ANSWER = "您好,钱包余额长期有效,请放心。"
REPAIR = timedelta(minutes=30)


def write_notice(expected_at: datetime) -> dict[str, str]:
    """The time in it also tells the notices of this run from those of another."""
    there = expected_at.astimezone(timezone(timedelta(hours=8)))
    return {
        "zh-CN": f"游戏充值到账延迟,正在抢修,您的款项安全,预计 {there:%H:%M} 前恢复。",
        "en": (
            "game top-ups arrive late. Your money is safe, and we expect them to be back "
            f"by {expected_at:%H:%M} UTC."
        ),
    }


def play_outage(stage: Stage, hers: Opened, mayas: Opened) -> None:
    stage.act(5, "outage_act")
    customer_id = _settle_question(stage)
    notice = write_notice(stage.began_at + REPAIR)
    incident_id = _declare(stage, notice)
    with stage.step("told"):
        run_schedule(stage.outside.outputs, "OutagesFunction")
        messages = [stage.wait_received(to, notice["zh-CN"]) for to in (EMAIL, USER_EMAIL)]
        shown = wait_page(stage, mayas, notice["en"])
    for message in messages:
        stage.tell_received(message)
    stage.tell(narrate("page", stage.language, name="Maya"), "green")
    stage.tell(shown["body"], "dim", indent=6)
    run_schedule(stage.outside.outputs, "OutagesFunction")
    for ref in (hers.ref, mayas.ref, _find_notice_case(stage, customer_id, incident_id)):
        _check_told_once(stage, ref, incident_id, notice["en" if ref == mayas.ref else "zh-CN"])
    counts = [len(stage.find_received(to, notice["zh-CN"])) for to in (EMAIL, USER_EMAIL)]
    counts.append(len(find_on_page(stage, mayas, notice["en"])))
    require(counts == [1, 1, 1], "one notice for each customer", counts)
    stage.tell_key("told_again", "bold green", notices=len(counts))


def _settle_question(stage: Stage) -> str:
    """A customer without an open case, whom the desk knows by form and mail; her id."""
    opened = open_case(stage, USER, "question", QUESTION, "asked")
    mail = write_mail(f"陈思琪 <{USER_EMAIL}>", "钱包余额", "补充一下:余额是上周充的。")
    with stage.step("settled"):
        wait_page(stage, opened, opened.ref)
        stage.outside.deliver_mail(mail)
        stage.wait_received(USER_EMAIL, opened.ref)
        stage.agent.act(opened.ref, "messages", {"body": ANSWER})
        stage.wait_received(USER_EMAIL, ANSWER)
        wait_settled(stage, opened.ref, 2)
        stage.agent.act(opened.ref, "state", {"state": "closed", "reason": "answered"})
    return opened.customer_id


def _declare(stage: Stage, notice: dict[str, str]) -> str:
    url = f"{stage.outside.outputs['PlatformUrl']}/affected"
    reply = require_status(call_json("POST", url, {"product": PRODUCT}), 200)
    users: list[str] = reply.json()["users"]
    stage.tell_key("affected", users=", ".join(users))
    with stage.step("declared"):
        declared = stage.lead.declare_incident(
            {
                "title": "游戏充值到账延迟 / top-ups delayed",
                "products": [PRODUCT],
                "platform_users": users,
                "notice": notice,
                "started_at": to_rfc3339(stage.began_at),
            }
        )
    return str(declared["id"])


def _find_notice_case(stage: Stage, customer_id: str, incident_id: str) -> str:
    """The case, born closed, that keeps the notice to a customer who had none open."""
    found = [
        case["ref"]
        for case in stage.agent.list_cases(customer=customer_id, limit="200")
        if case["incident_id"] == incident_id
    ]
    require(len(found) == 1, f"one case that keeps the notice of {incident_id}", found)
    return str(found[0])


def _check_told_once(stage: Stage, ref: str, incident_id: str, notice: str) -> None:
    file = stage.agent.read_case(ref)
    require(file["case"]["incident_id"] == incident_id, f"{incident_id} noted in {ref}")
    told = [message for message in file["messages"] if notice in message["body"]]
    require(len(told) == 1, f"one notice in {ref}", len(told))
