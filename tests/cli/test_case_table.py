from io import StringIO

import pytest
from rich.console import Console

from caseweave.cli.case_events import describe_event, is_telling
from caseweave.cli.case_table import render_file, render_list
from caseweave.cli.case_timeline import render_timeline
from caseweave.cli.labels import LABELS, label
from caseweave.domain.case import CaseState
from caseweave.domain.case_links import BY_HAND, LinkKind
from caseweave.domain.event import EventKind
from caseweave.domain.media import Shortfall
from caseweave.domain.message import Channel, DeliveryState, Remark
from caseweave.domain.presence import Doing
from tests.cli.case_file import CASE, EVENTS, FILE, MESSAGES, attachment


def show(renderable, width=100):
    shown = StringIO()
    Console(file=shown, width=width).print(renderable)
    return "\n".join(line.rstrip() for line in shown.getvalue().splitlines()).strip("\n")


SHOWN = """
╭─ C-3QB4-A366  充值没到账 ────────────────────────────────────────────────────────────────────────╮
│ State     open                                  Priority  high                                   │
│ Category  topup_fault                           Team      seniors · Level 2                      │
│ Customer  01M83GCF7RGDJNVV92SV10E3DY            Assignee  zhou.min@caseweave.local               │
│ Channels  Web · SMS · Messenger · Email         Due       2026-11-23 10:09                       │
│ Opened    2026-11-23 06:09                      Incident  –                                      │
╰──────────────────────────────────────────────────────────────────────────────────────────────────╯
Timeline

 UTC       Channel     Author              Text                                           Delivery
 ──────────────────────────────────────────────────────────────────────────────────────────────────
 06:09:01  → Web       u-1001              充值没到账
                       proof: login        半小时还没到账
 06:09:02  ← Web       system:router       已收到                                         delivered
 06:09:03  → Telegram  5001                [bold]你好[/x] �[2J
                       proof: signed_link
 06:09:04  → Email     unknown sender      见附件
                       proof: none         [file] 截图.png (image/png, 501 B)
 06:09:05  Note        zhou.min            查订单
 06:09:06  ← SMS       zhou.min            在补发                                         failed

What happened

 #  UTC       Event       What                                                        By
 ──────────────────────────────────────────────────────────────────────────────────────────────────
 1  06:10:01  opened      C-3QB4-A366                                                 Customer
 3  06:10:03  triaged     topup_fault, high (form topup); first_reply 06:19:01        system:router
 4  06:10:04  linked      telegram:5001 (proof: signed_link)                          system:sla
 5  06:10:05  suggestion  phone:+8613800138000 → X1 (claimed, not proven)             system:sla
 6  06:10:06  SLA breach  fault.first_reply, 600 s, office                            system:sla
                          counted 06:09:01 – 06:19:01 working time
                          skipped 06:19:01 – 06:29:01
 7  06:10:07  escalated   frontline · Level 1 · normal → seniors · Level 2 · high     system:sla
 8  06:10:08  state       new → open                                                  a
 9  06:10:09  not sent    SMS: 21610 unsubscribed                                     system:sla
"""


def test_a_case_shows_head_timeline_and_what_happened():
    assert show(render_file(FILE, "en")) == SHOWN.strip("\n")


def test_chinese_labels_go_around_the_same_content():
    shown = show(render_file(FILE, "zh-CN"))

    for text in ("状态", "时间线", "→ 网页", "已送达", "时限违约", "计入 06:09:01 – 06:19:01"):
        assert text in shown
    assert "Delivery" not in shown


@pytest.mark.parametrize("width", [60, 80, 100, 140])
def test_no_line_is_wider_than_the_terminal(width):
    from rich.cells import cell_len  # noqa: PLC0415

    lines = show(render_file(FILE, "zh-CN"), width).splitlines()

    assert max(map(cell_len, lines)) <= width


def test_a_list_has_a_line_for_each_case():
    waiting = CASE | {"ref": "C-0000-0001", "assignee": "", "due_at": None, "channels": ["sms"]}

    lines = show(render_list([CASE, waiting], "en"), 140).splitlines()

    assert lines[0].split() == [
        *("Case", "State", "Priority", "Team", "Assignee", "Due", "Channels", "Subject")
    ]
    assert lines[-1].split() == [
        *("C-0000-0001", "open", "high", "seniors", "–", "–", "SMS", "充值没到账")
    ]


def test_a_case_without_messages_or_events_is_shown():
    assert "C-3QB4-A366" in show(render_file({**FILE, "messages": [], "events": []}, "en"))


def test_what_belongs_to_a_case_is_shown_with_it_and_who_looks_at_it():
    other = {"id": "01", "ref": "C-0000-0001", "state": "closed", "subject": "again [bold]"}
    link = {"kind": "caused-by", "case": other | {"ref": "C-0000-0002", "state": "open"}}
    seen = {"agent": "wei@b.c", "doing": "typing", "since": "2026-11-23T06:09:44.000Z"}
    theirs = MESSAGES[0] | {"case_ref": "C-0000-0001"}
    file = {
        **FILE, "messages": [theirs], "merged": [other], "links": [link],
        "present": [seen], "asked_for": other,
    }  # fmt: skip

    shown = show(render_file(file, "en"))

    assert "C-0000-0001 → C-3QB4-A366: merged into" in shown
    assert "wei is typing (06:09:44)" in shown
    assert "[C-0000-0001]" in shown
    rows = [line.split() for line in shown.splitlines()]
    assert ["merged", "C-0000-0001", "closed", "again", "[bold]"] in rows
    assert ["caused", "by", "C-0000-0002", "open", "again", "[bold]"] in rows


@pytest.mark.parametrize(
    ("kind", "data", "line"),
    [
        ("case_merged", {"into": "01", "ref": "C-1", "reason": "same order"}, "C-1: same order"),
        ("case_unmerged", {"ref": "C-1", "reason": ""}, "C-1"),
        ("case_linked", {"kind": "parent", "case_id": "01", "ref": "C-1"}, "parent C-1"),
        ("case_split", {"ref": "C-1", "case_id": "01", "message_id": "M1"}, "C-1"),
        (
            "customer_changed",
            {"customer_id": "B", "before": "A", "messages": []},
            "A → B",
        ),
        (
            "customer_changed",
            {"customer_id": "A", "before": "A", "messages": ["M1"]},
            "A: 1 messages",
        ),
        ("messages_moved_in", {"ref": "C-1", "messages": [{}, {}]}, "C-1: 2 messages"),
    ],
)
def test_what_agents_did_with_cases_is_told_in_a_line(kind, data, line):
    assert describe_event({"kind": kind, "data": data, "private": {}}, "en") == line


def test_there_is_a_word_for_all_that_a_case_can_show():
    kinds = [kind for kind in EventKind if is_telling({"kind": kind})]

    shown = {*BY_HAND, LinkKind.SPLIT_FROM, LinkKind.SPLIT_INTO, LinkKind.MERGED_FROM, *Doing}
    names = {*kinds, *shown, *CaseState, *DeliveryState, *Channel, *Remark, *Shortfall}

    assert names <= LABELS.keys()


def test_an_agent_sees_which_files_there_are_and_why_one_is_not_there():
    files = [
        attachment("a.png", state="pending", size=0),
        attachment("b.mp4", state="unavailable", reason="too_large", size=90),
        attachment("c.exe", media_type="text/plain", is_executable=True),
    ]

    shown = [line[line.index("[file]") :] for line in _timeline_of(files, "en")[-3:]]

    assert shown == [
        "[file] a.png (image/png, being fetched)",
        "[file] b.mp4 (image/png, 90 B, unavailable, too large)",
        "[file] c.exe (text/plain, claimed to be image/png, 501 B, executable: do not open)",
    ]
    chinese = "\n".join(_timeline_of(files, "zh-CN"))
    assert "[附件] b.mp4 (image/png, 90 B, 不可用, 文件过大)" in chinese


def _timeline_of(files, language):
    said = next(message for message in MESSAGES if message["attachments"]) | {"attachments": files}
    return show(render_timeline([said], language, CASE["ref"]), 220).strip().splitlines()


def test_every_label_is_there_in_both_languages():
    assert all(label(name, "en") and label(name, "zh-CN") for name in LABELS)


def test_the_literal_case_uses_each_shape_of_a_row():
    assert {message["direction"] for message in MESSAGES} == {"inbound", "outbound", "note"}
    assert not all(map(is_telling, EVENTS))
