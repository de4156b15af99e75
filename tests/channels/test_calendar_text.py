"""Invitations as people read them."""

import time

import pytest

from caseweave.channels.calendar_text import describe_invitation


def calendar(*lines, method="METHOD:REQUEST"):
    return "\r\n".join(
        ["BEGIN:VCALENDAR", method, "BEGIN:VEVENT", *lines, "END:VEVENT", "END:VCALENDAR", ""]
    )


def test_an_invitation_tells_what_when_where_and_by_whom():
    source = calendar(
        "SUMMARY;LANGUAGE=en:Refund\\, part\r\n  two",
        'DTSTART;TZID="Asia/Shanghai":20261123T100000',
        "DTEND;TZID=Asia/Shanghai:20261123T110000",
        "LOCATION:Room 1\\nFloor 2",
        'ORGANIZER;CN="Wang, Lin":mailto:lin@example.com',
    )

    assert describe_invitation(source) == (
        "日程邀请 Invitation (REQUEST): Refund, part two"
        " · 时间 when: 2026-11-23 10:00 – 11:00 (Asia/Shanghai)"
        " · 地点 where: Room 1 Floor 2"
        " · 组织者 organiser: Wang, Lin <lin@example.com>"
    )


@pytest.mark.parametrize(
    ("lines", "when"),
    [
        (["DTSTART:20261123T100000Z", "DTEND:20261124T110000Z"],
         "2026-11-23 10:00 UTC – 2026-11-24 11:00 UTC"),
        (["DTSTART;VALUE=DATE:20261123"], "2026-11-23"),
        (["DTSTART:soon"], "soon"),
    ],
)  # fmt: skip
def test_times_are_told_as_the_invitation_tells_them(lines, when):
    assert describe_invitation(calendar(*lines, method="X:y")) == (
        f"日程邀请 Invitation: — · 时间 when: {when}"
    )


@pytest.mark.parametrize(
    "source", ["", "BEGIN:VEVENT", "END:VEVENT\nSUMMARY:a", "\0", "BEGIN:VTODO"]
)
def test_what_is_no_event_is_no_line(source):
    assert describe_invitation(source) == ""


@pytest.mark.parametrize(
    "piece", [";a", 'X;a="', "X:y\n ", "BEGIN:VEVENT\nEND:VEVENT\n", "\\", '"']
)
def test_the_worst_calendar_is_read_in_seconds(piece):
    started = time.process_time()

    describe_invitation(calendar(f"SUMMARY{piece * 200_000}"))

    assert time.process_time() - started < 3
