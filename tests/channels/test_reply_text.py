"""What a customer wrote, apart from what the mailer repeated below it."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseweave.channels.reply_text import is_forward, split_reply

HEADERS = [
    "On Mon, Nov 23, 2026 at 10:00 AM Support <support@desk.example.com> wrote:\n> hello",
    (
        "On Mon, Nov 23, 2026 at 10:00 AM Support Desk of the Company\n"
        "<support@desk.example.com> wrote:\n\n> hello"
    ),
    "On 23 Nov 2026, at 10:00, Support <support@desk.example.com> wrote:\n\nhello",
    "Am 23.11.2026 um 10:00 schrieb Support <support@desk.example.com>:\n> hello",
    "Le lun. 23 nov. 2026 à 10:00, Support <support@desk.example.com> a écrit :\n> hello",
    "El lun, 23 nov 2026 a las 10:00, Support (<support@desk.example.com>) escribió:\n> hello",
    "在 2026年11月23日，上午10:00，Support <support@desk.example.com> 写道：\n> 您好",
    '在 2026-11-23 10:00:00，"Support" <support@desk.example.com> 写道：\n您好',
    'At 2026-11-23 10:00:00, "Support" <support@desk.example.com> wrote:\nhello',
    "Support <support@desk.example.com> 于2026年11月23日周一 10:00写道：\n> 您好",
    "Support <support@desk.example.com> 於 2026年11月23日 週一 上午10:00寫道：\n> 您好",
    "2026年11月23日(月) 10:00 Support <support@desk.example.com>:\n> hello",
    "-----Original Message-----\nFrom: Support\nSent: Monday\nTo: Lin\nSubject: Re: order\n\nhello",
    (
        "________________________________\nFrom: Support <s@desk.example.com>\nSent: Monday\n"
        "To: Lin\nSubject: Re: order\n\nhello"
    ),
    "From: Support\nDate: Monday\nTo: Lin\nSubject: Re: order\n\nhello",
    "*From:* Support\n*Sent:* Monday\n*To:* Lin\n*Subject:* Re: order\n\nhello",
    (
        "发件人: Support <s@desk.example.com>\n发送时间: 2026年11月23日 10:00\n收件人: Lin\n"
        "主题: Re: 订单\n\n您好"
    ),
    "发件人：Support\n日期：2026年11月23日\n收件人：Lin\n主题：订单\n您好",
    "寄件者: Support\n寄件日期: 2026年11月23日\n收件者: Lin\n主旨: 訂單\n您好",
    '------------------ 原始邮件 ------------------\n发件人: "Support";\n您好',
    "------------------\N{NO-BREAK SPACE}原始邮件\N{NO-BREAK SPACE}------------------\n您好",
    "---- 回复的原邮件 ----\n| 发件人 | Support |\n| 日期 | 2026年11月23日 |\n您好",
    "---- Replied Message ----\n| From | Support |\n| Date | 11/23/2026 |\nhello",
    "Von: Support\nGesendet: Montag\nAn: Lin\nBetreff: Re: order\n\nhello",
    "> hello\n> there",
    "On Nov 23, 2026,\nat 10:00,\nSupport <support@desk.example.com> wrote:\n\n> hello",
    "---- On Mon, 23 Nov 2026 10:00:00 +0800 support@desk.example.com wrote ----\n\nhello",
    '23.11.2026, 10:00, "Support" <support@desk.example.com>:\nhello',
    "ma 23. marrask. 2026 klo 10.00 Support\n<support@desk.example.com> kirjoitti:\n\nhello",
]


@pytest.mark.parametrize("quoted", HEADERS)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_what_a_mailer_repeats_below_is_quoted(quoted, end):
    answer = f"Still not there.\n\n{quoted}\n".replace("\n", end)

    assert split_reply(answer) == ("Still not there.", answer.removeprefix("Still not there."))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "Hello,\n\nno refund yet.\n",
        "> only\n> quotes\n",
        "On Monday I wrote:\nno refund yet.",
        "On 23 Nov 2026 I wrote you about A1\nand nobody answered.",
        "My friend wrote:\nthey are slow",
        "From: Beijing\nTo: Shanghai is my route, the ticket is lost.",
        "收件人: 王琳\n这个地址写错了。",
        # The answers stand below and between what they answer.
        "On Mon, 23 Nov 2026 10:00, S <s@x.example> wrote:\n> Which order?\n\nA1\n",
        "Hi\n> Which order?\nA1\n> Which card?\nthe red one\n",
        # The signature is the customer's.
        "Thanks\n-- \nLin Wang\nSent from my iPhone",
        "谢谢\n\n发自我的iPhone\n",
        # What is sent on is meant to be read.
        (
            "See below\n\n---------- Forwarded message ---------\nFrom: Shop <a@b.example>\n"
            "Date: Mon\nSubject: order\nTo: Lin\n\nYour code is 17."
        ),
        "请看\n\nBegin forwarded message:\n\nFrom: Shop\nDate: Mon\nTo: Lin\n\n17",
        "-------- 转发邮件信息 --------\n发件人：Shop\n发送日期：11-23\n收件人：Lin\n主题：17\n",
    ],
)
def test_everything_else_is_new(text):
    assert split_reply(text) == (text, "")


def test_a_signature_above_the_quote_stays_with_the_answer():
    text = "It works.\n\n-- \nLin\n\nOn Mon, 23 Nov 2026 at 10:00, S <s@x.example> wrote:\n> Well?"

    assert split_reply(text)[0] == "It works.\n\n-- \nLin"


def test_answers_between_quotes_stay_and_the_rest_goes():
    text = "> Which order?\nA1\n> Which card?\nred\n> Yours, S\n> -- \n> Support\n"

    assert split_reply(text) == (
        "> Which order?\nA1\n> Which card?\nred",
        "\n> Yours, S\n> -- \n> Support\n",
    )


@pytest.mark.parametrize(
    ("subject", "text", "is_sent_on"),
    [
        ("Fwd: order", "", True),
        ("FW: order", "", True),
        ("转发：订单", "", True),
        ("Re: Fwd: order", "", True),
        ("order", "\n---------- Forwarded message ---------\nFrom: x", True),
        ("Re: order", "forwarded message", True),
        ("Re: order", "It works", False),
        ("Forwarding fee", "why", False),
    ],
)
def test_a_mail_that_was_sent_on_is_known(subject, text, is_sent_on):
    assert is_forward(subject, text) is is_sent_on


LINES = st.sampled_from(
    [*"\n".join(HEADERS).split("\n"), "", ">", "answer", "\r", "\x0b", "\u2028"]
)


@given(st.lists(LINES | st.text(max_size=5), max_size=30), st.sampled_from(["\n", "\r\n", "\r"]))
def test_no_character_is_lost(lines, end):
    text = end.join(lines)

    assert "".join(split_reply(text)) == text


@pytest.mark.parametrize(
    "piece",
    [
        *("> ", ">", "\n", ">\n", "From: ", "From:\n", "wrote:\n", "On 2026, wrote: ", "-", "_ "),
        *(
            "On 2026-11-23 10:00\n",
            "<a@",
            "2026-",
            "schrieb ",
            "2026-<a@b>: ",
            "* ",
            "|",
            "Sent:\n",
        ),
        *("\n\n\n\n> ", "2026/ <", "10:00, a@b wrote:\nx\n"),
    ],
)
def test_splitting_takes_no_longer_than_reading(piece):
    text = piece * (400_000 // len(piece))
    started = time.process_time()

    assert "".join(split_reply(text)) == text
    assert time.process_time() - started < 4
