from io import StringIO

import pytest
from rich.cells import cell_len
from rich.console import Console

from caseweave.cli.customer_table import describe_customer, render_customer
from caseweave.cli.labels import LABELS
from caseweave.domain.clocks import ClockKind
from caseweave.platform.answer import State, Trouble
from tests.cli.case_file import CASE

VIEW = {
    "customer": {
        "id": "01M83GCF7RGDJNVV92SV10E3DY",
        "members": ["01M83GCF7RGDJNVV92SV10E3DY"],
        "names": ["林小雨", "[bold]小雨"],
        "tier": "vip",
        "role": "consumer",
        "locale": "zh-CN",
        "region": "CN",
        "known_since": "2026-11-23T06:09:01.000Z",
    },
    "links": [
        {"kind": "platform", "value": "u-1001", "proof": "login"},
        {"kind": "phone", "value": "+8613800138000", "proof": "provider"},
    ],
    "cases": {"open": [CASE], "past": [], "has_more": True},
    "topics": [{"category": "topup_fault", "cases": 3}],
    "promises": [
        {
            "ref": "C-3QB4-A366",
            "kind": "first_reply",
            "due_at": "2026-11-23T06:19:01.000Z",
            "is_breached": True,
        },
        {"ref": "C-3QB4-A366", "kind": "outcome", "due_at": None, "is_breached": False},
    ],
    "satisfaction": None,
    "account": {
        "is_frozen": True,
        "frozen_reason": "stolen_account",
        "wallets": [{"id": "w-1", "currency": "CNY", "balance": "86.50", "is_frozen": True}],
    },
    "orders": [
        {
            "order_no": "T20261123-7731",
            "title": "星海远征 6480 星晶",
            "amount": "648.00",
            "currency": "CNY",
            "state": "processing",
            "placed_at": "2026-11-23T11:02:11.000Z",
            "dispute": None,
        }
    ],
    "warnings": [{"kind": "account_frozen", "about": "u-1001", "detail": "stolen_account"}],
    "platform": {
        "state": "ok",
        "since": "2026-11-23T12:00:00.000Z",
        "reason": None,
        "detail": None,
        "user": "u-1001",
    },
}
DOWN = {
    **VIEW,
    "account": None,
    "orders": None,
    "warnings": [],
    "platform": {
        "state": "unavailable",
        "since": "2026-11-23T11:58:00.000Z",
        "reason": "timeout",
        "detail": "no answer in time",
        "user": "u-1001",
    },
}
SHOWN = """
╭─ 林小雨 · [bold]小雨  01M83GCF7RGDJNVV92SV10E3DY ────────────────────────────────────────────────╮
│ Who          vip · consumer · CN · zh-CN                                                         │
│ Known since  2026-11-23 06:09                                                                    │
│ Addresses    platform:u-1001 (login) · phone:+8613800138000 (provider)                           │
│ Came for     topup_fault × 3                                                                     │
│ Waits for    C-3QB4-A366 first reply 2026-11-23 06:19 late                                       │
│              C-3QB4-A366 outcome paused                                                          │
│ Wallets      86.50 CNY (frozen)                                                                  │
│ Platform     ok                                                                                  │
╰──────────────────────────────────────────────────────────────────────────────────────────────────╯
! The account is frozen · u-1001 · stolen_account

 Order           Placed            State           Amount  What
 ──────────────────────────────────────────────────────────────────────────────────────────────────
 T20261123-7731  2026-11-23 11:02  processing  648.00 CNY  星海远征 6480 星晶


 Case         State  Priority  Team     Assignee  Due    Channels         Subject
 ──────────────────────────────────────────────────────────────────────────────────────────────────
 C-3QB4-A366  open   high      seniors  zhou.min  10:09  Web SMS          充值没到账
                                                         Messenger Email

There are older cases.
"""


def show(view, language="en", width=100):
    shown = StringIO()
    Console(file=shown, width=width).print(render_customer(view, language))
    return "\n".join(line.rstrip() for line in shown.getvalue().splitlines()).strip("\n")


def test_a_customer_is_shown_with_orders_warnings_and_cases():
    assert show(VIEW) == SHOWN.strip("\n")


def test_without_the_platform_the_rest_is_shown_and_why():
    shown = show(DOWN)

    assert "Platform     unavailable · since 2026-11-23 11:58 UTC · no answer in time" in shown
    assert "C-3QB4-A366" in shown
    assert "T20261123-7731" not in shown
    assert "Wallets" not in shown


def test_chinese_labels_go_around_the_same_content():
    shown = show(VIEW, "zh-CN")

    for text in ("身份", "待办承诺", "账户已冻结", "首次回复 2026-11-23 06:19 已超时", "业务平台"):
        assert text in shown
    assert "Wallets" not in shown


@pytest.mark.parametrize("width", [60, 80, 140])
def test_no_line_is_wider_than_the_terminal(width):
    assert max(map(cell_len, show(VIEW, "zh-CN", width).splitlines())) <= width


@pytest.mark.parametrize(
    ("view", "line"),
    [
        (
            VIEW,
            (
                "林小雨 · [bold]小雨 · vip · consumer · CN · open 1 · past 0"
                " · T20261123-7731 processing · Platform: ok"
            ),
        ),
        (
            DOWN,
            "林小雨 · [bold]小雨 · vip · consumer · CN · open 1 · past 0 · Platform: unavailable",
        ),
    ],
)
def test_a_customer_in_one_line(view, line):
    assert describe_customer(view, "en") == line


def test_every_word_that_the_view_may_say_has_a_label():
    assert {*State, *Trouble, *ClockKind, "no_user", "unknown_user"} <= LABELS.keys()
