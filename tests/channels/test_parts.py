"""A message as the requests in which it leaves: files, then words, then what can be answered."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseweave.channels.parts import plan_parts, whole_message, write_choices
from caseweave.channels.request import Abilities
from caseweave.domain.message import Attachment, Delivery, DeliveryState, Progress
from caseweave.domain.splitting import Unit
from tests.channels.samples import NOON, sms

PHOTO = Attachment("shot.png", "image/png", 1000, "a" * 64, "stored")
BOOK = Attachment("book.pdf", "application/pdf", 1000, "b" * 64, "stored")
ABLE = Abilities(
    20, files={"image": 5000}, most_choices=3, longest_choice=5, longest_body_with_choices=10
)


def left(message, progress):
    return replace(message, delivery=Delivery(DeliveryState.QUEUED, NOON, sent=progress))


def shown(parts):
    return [
        (part.number, part.of, part.file.name if part.file else part.body, part.is_link)
        for part in parts
    ]


def test_files_leave_first_and_what_the_provider_cannot_take_is_a_link():
    message = sms(body="See here.", attachments=(PHOTO, BOOK, replace(PHOTO, size=6000)))

    assert shown(plan_parts(message, ABLE)) == [
        (1, 4, "shot.png", False),
        (2, 4, "book.pdf", True),
        (3, 4, "shot.png", True),
        (4, 4, "See here.", False),
    ]


def test_quick_replies_stand_under_the_last_words_which_are_short_enough_for_them():
    message = sms(body="One two three four five", quick_replies=("yes", "no"))

    parts = plan_parts(message, ABLE)

    assert "".join(part.body for part in parts) == message.body
    assert [part.quick_replies for part in parts] == [()] * (len(parts) - 1) + [("yes", "no")]
    assert len(parts[-1].body) <= 10


@pytest.mark.parametrize("choices", [("a", "b", "c", "d"), ("longer",)])
def test_quick_replies_that_the_provider_does_not_know_are_numbered_lines(choices):
    parts = plan_parts(sms(body="Well?", quick_replies=choices), replace(ABLE, longest_body=99))

    assert [part.quick_replies for part in parts] == [()]
    lines = [f"{number}. {choice}" for number, choice in enumerate(choices, 1)]
    assert parts[0].body == "\n".join(["Well?", "", *lines])


def test_without_words_the_lines_stand_alone():
    assert write_choices("", ("yes",)) == "1. yes"
    assert write_choices("Well?", ()) == "Well?"


def test_parts_are_numbered_for_people_only_where_they_may_arrive_in_another_order():
    message = sms(body="one two three four five")

    assert [part.body for part in plan_parts(message, Abilities(19, keeps_order=False))] == [
        "(1/3) one two ",
        "(2/3) three four ",
        "(3/3) five",
    ]
    assert [p.body for p in plan_parts(sms(body="short"), Abilities(19, keeps_order=False))] == [
        "short"
    ]


def test_a_message_with_nothing_to_say_is_still_one_request():
    assert shown(plan_parts(sms(body=""), ABLE)) == [(1, 1, "", False)]
    assert shown(whole_message(sms(body="hi"))) == [(1, 1, "hi", False)]


def test_white_space_alone_is_no_part():
    assert [p.body.strip() for p in plan_parts(sms(body="a" + " " * 50 + "b"), ABLE)] == ["a", "b"]


@given(
    st.text(min_size=1, max_size=120).filter(str.strip),
    st.integers(0, 3),
    st.lists(st.sampled_from(["yes", "no", "maybe so"]), max_size=4, unique=True),
    st.sampled_from(Unit),
)
def test_going_on_after_any_part_is_what_would_have_followed(text, files, choices, unit):
    message = sms(body=text, attachments=(PHOTO, BOOK, PHOTO)[:files], quick_replies=(*choices,))
    able = replace(ABLE, unit=unit)
    parts = plan_parts(message, able)

    assert [part.number for part in parts] == list(range(1, len(parts) + 1))
    for count, part in enumerate(parts[:-1], 1):
        assert part.sent.parts == count
        assert plan_parts(left(message, part.sent), able) == parts[count:]


def test_a_message_that_is_halfway_goes_on_with_its_numbers():
    message = left(sms(body="one two three four five"), Progress(1, 0, 8))

    bodies = [part.body for part in plan_parts(message, Abilities(19, keeps_order=False))]
    assert bodies == ["(2/3) three four ", "(3/3) five"]
