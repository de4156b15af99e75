"""What `caseweave search` and `caseweave timeline` print, in both languages."""

import pytest

from caseweave.cli.customer_timeline import render_customer_timeline
from caseweave.cli.labels import LABELS
from caseweave.cli.search_table import render_found
from caseweave.domain.query_reading import SEARCH_KINDS
from caseweave.domain.search_rules import Scope
from tests.cli.case_file import CASE
from tests.cli.test_case_table import show

COVERS = {
    "index": "table",
    "messages": "all",
    "most_terms": 100,
    "since": "2026-11-23T06:00:00.000Z",
    "is_cut": True,
    "entries_read": 12,
}
TEXT = {
    "kind": "text",
    "message_id": "M1",
    "at": "2026-11-23T06:09:01.000Z",
    "channel": "sms",
    "direction": "inbound",
    "excerpt": "半小时还没到账",
}
FOUND = {
    "read_as": [{"kind": "name", "value": "没到账"}],
    "items": [{"case": CASE, "matches": [TEXT]}],
    "next": "abc",
    "covers": COVERS,
}
BY_CARD = {
    "read_as": [{"kind": "card", "value": None}],
    "items": [{"case": CASE, "matches": [{"kind": "card", "value": None}]}],
    "next": None,
    "covers": None,
}
EXPECTED = """
Looked for: name 没到账

 Case         State  Opened            Subject              Found by
 ──────────────────────────────────────────────────────────────────────────────────────────────────
 C-3QB4-A366  open   2026-11-23 06:09  充值没到账           半小时还没到账

words of all messages; since 2026-11-23 06:00; the first 100 terms of each; stopped early, page on
for the rest
There are more; use a larger --limit.
"""
REF = {"id": "X", "ref": "C-3QB4-A366", "state": "closed", "category": "", "subject": "s"}
MESSAGE = {
    "id": "M1",
    "direction": "inbound",
    "provider": "telegram",
    "subject": "",
    "body": "[bold]你好[/x] \x1b[2J",
    "is_cut": False,
    "attachments": [{"name": "截图.png", "media_type": "image/png", "size": 501}],
}
ITEMS = [
    {"kind": "case_opened", "at": "2026-11-23T06:09:01.000Z", "reason": None},
    {
        "kind": "message",
        "at": "2026-11-23T06:09:02.000Z",
        "reason": None,
        "channel": "messenger",
        "message": MESSAGE,
    },
    {
        "kind": "message",
        "at": "2026-11-23T06:10:02.000Z",
        "reason": None,
        "channel": "sms",
        "message": {**MESSAGE, "direction": "outbound", "body": "在查" * 200, "attachments": []},
    },
    {"kind": "case_closed", "at": "2026-11-23T07:09:01.000Z", "reason": "refunded"},
]
HISTORY = [{"case": REF, "message": None, "channel": None, **item} for item in ITEMS]


def test_what_was_found_is_shown_with_why_and_what_was_looked_through():
    assert show(render_found(FOUND, "en")).strip() == EXPECTED.strip()


def test_a_card_is_not_shown():
    shown = show(render_found(BY_CARD, "zh-CN"))

    assert shown.startswith("查找: 卡号 •••")
    assert "卡号 •••" in shown.splitlines()[-1]


def test_where_nothing_was_found_it_says_so():
    nothing = {**FOUND, "items": [], "next": None, "covers": {**COVERS, "messages": "off"}}

    assert show(render_found(nothing, "zh-CN")).splitlines()[1:] == [
        "没有受理单。",
        "本服务台未开启文字检索; 自 2026-11-23 06:00; 每条消息前 100 个词; 本页提前结束,翻页可继续",
    ]


def test_a_history_names_case_channel_and_what_was_said():
    shown = show(render_customer_timeline(HISTORY, "en"))

    assert "C-3QB4-A366" in shown
    assert "→ Telegram" in shown
    assert "[bold]你好[/x] \N{REPLACEMENT CHARACTER}[2J" in shown
    assert "[file] 截图.png (image/png)" in shown
    assert "← SMS" in shown
    assert "…" in shown
    assert "— case closed: refunded" in shown


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_both_languages_have_every_word(language):
    assert {f"by_{kind}" for kind in SEARCH_KINDS} <= LABELS.keys()
    assert {f"covers_{scope}" for scope in Scope} <= LABELS.keys()
    assert show(render_customer_timeline(HISTORY, language))
