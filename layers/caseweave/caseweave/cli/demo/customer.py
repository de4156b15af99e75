"""Act 1: one customer on four channels, one case."""

import re
import secrets
from typing import Any

from caseweave.cli.demo.arrival import Opened, find_inbound, open_case, wait_page, wait_settled
from caseweave.cli.demo.stage import DemoError, Stage, require, require_status
from caseweave.cli.outside.customers import write_mail
from caseweave.cli.outside.screenshot import draw_screenshot

USER, PHONE, EMAIL = "u-1001", "+8613800138000", "xiaoyu.lin@example.com"
# The latest one that the platform knows of her.
ORDER = "T20261123-7731"
_LINK = re.compile(r"[?&]start=([\w-]+)")


def play_customer(stage: Stage) -> Opened:
    stage.act(1, "customer_act")
    again = _fill_form(f"T20261123-{secrets.randbelow(9000) + 1000}")
    opened = open_case(stage, USER, "topup", _fill_form(ORDER), "form", again)
    with stage.step("page_answer"):
        answer = wait_page(stage, opened, opened.ref)["body"]
    stage.tell(answer, "dim")
    with stage.step("sms"):
        require_status(
            stage.outside.send_sms(PHONE, "我已经等了半个小时了,还没到账,请尽快处理"), 200
        )
        received = stage.wait_received(PHONE, opened.ref)
    stage.tell_received(received)
    _write_telegram(stage, opened, answer)
    _write_mail(stage, opened)
    _check_unified(stage, opened)
    return opened


def _fill_form(order: str) -> dict[str, str]:
    return {
        "subject": "充值没到账",
        "message": f"订单 {order} 付款成功半小时了,6480 星晶还没到账,麻烦帮忙查一下。",
        "order_no": order,
        "product": "game-topup",
    }


def _write_telegram(stage: Stage, opened: Opened, answer: str) -> None:
    """A customer gets a link while no Telegram is linked: in the first run on a stack."""
    link = _LINK.search(answer)
    number = secrets.randbelow(9 * 10**9) + 10**9 if link else _find_telegram_id(stage, opened)
    user = {"id": number, "first_name": "小雨", "language_code": "zh-hans"}
    stage.let_second_pass()
    with stage.step("link" if link else "linked_before"):
        start = f"/start {link.group(1)}" if link else "/start"
        require_status(stage.outside.send_telegram(user, start), 200)
        received = stage.wait_received(str(number), opened.ref)
    stage.tell_received(received)
    stage.let_second_pass()
    with stage.step("question"):
        text = "你好,我刚才在网页和短信里说的充值问题,现在有进展吗?"
        require_status(stage.outside.send_telegram(user, text), 200)
        wait_settled(stage, opened.ref, 4)


def _find_telegram_id(stage: Stage, opened: Opened) -> int:
    """From the newest of her cases in which she wrote on Telegram."""
    cases = list(stage.agent.list_cases(customer=opened.customer_id, limit="200"))
    for case in reversed(cases):
        if "messenger" not in case["channels"]:
            continue
        for message in stage.agent.read_case(case["ref"])["messages"]:
            if message["author"].startswith("telegram:"):
                return int(message["author"].partition(":")[2])
    raise DemoError(
        f"The acknowledgement of {opened.ref} has no Telegram link, and no earlier case of hers "
        "has a Telegram message. Is bot_username set in the stack's Telegram secret?"
    )


def _write_mail(stage: Stage, opened: Opened) -> None:
    stage.let_second_pass()
    order = opened.fields["order_no"]
    mail = write_mail(
        f"林小雨 <{EMAIL}>",
        "充值未到账的付款截图",
        f"您好,\n\n附件是订单 {order} 的付款截图,扣款已经成功,请帮我核实到账情况。\n\n林小雨\n",
    )
    mail.add_attachment(draw_screenshot(), "image", "png", filename="付款截图.png")
    with stage.step("mail"):
        stage.outside.deliver_mail(mail)
        received = stage.wait_received(EMAIL, opened.ref)
    stage.tell_received(received)


def _check_unified(stage: Stage, opened: Opened) -> None:
    file = wait_settled(stage, opened.ref, 5)
    case: dict[str, Any] = file["case"]
    came = find_inbound(file)
    require(
        case["channels"] == ["web", "sms", "messenger", "email"],
        "the four channels in one case",
        case["channels"],
    )
    require(case["category"] == "topup_fault", "category topup_fault", case["category"])
    proofs = [message["proof"] for message in came]
    require("none" not in proofs, "every message proven to be hers", proofs)
    files = [file["media_type"] for message in came for file in message["attachments"]]
    require(files == ["image/png"], "one screenshot", files)
    failed = [m for m in file["messages"] if m["delivery"] and m["delivery"]["state"] == "failed"]
    require(not failed, "every answer delivered", failed)
    stage.tell_key("one_case", "bold green", messages=len(came), ref=opened.ref)
