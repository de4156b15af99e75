"""A long text in parts: one message in the right order, and what is missing is said."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from caseweave.domain.message import Part
from caseweave.domain.parts import PATIENCE, add_part, assemble_message, stand_alone
from tests.domain.samples import at, inbound

NOON = at("2026-11-23 12:00")


def part(number, total=3, body="", **more):
    return inbound(
        body or f"<{number}>",
        event_id=f"E{number}",
        provider_id=f"P{number}",
        part=Part("7", number, total),
        occurred_at=NOON + timedelta(seconds=number),
        **more,
    )


def gather(*parts):
    group = None
    for one in parts:
        group = add_part(group, one, NOON) or group
    return group


@given(st.permutations(range(1, 6)), st.lists(st.integers(1, 5), max_size=8))
def test_any_order_and_any_repetition_give_the_same_text(order, again):
    parts = [part(number, 5) for number in order]
    repeated = [part(number, 5, "other words") for number in again]

    group = gather(*parts, *repeated)

    message = assemble_message(group, "E9")
    assert group.is_whole
    assert (message.body, message.event_id, message.provider_id) == ("<1><2><3><4><5>", "E9", "P1")
    assert (message.occurred_at, message.part) == (NOON + timedelta(seconds=1), None)


def test_what_is_missing_is_said_where_it_is_missing():
    message = assemble_message(gather(part(3), part(1)), "E9")

    assert message.body == "<1>[… 缺第 2/3 段 · part 2 of 3 is missing …]<3>"


def test_parts_wait_for_a_while_from_the_first_one_on():
    group = gather(part(2))

    assert (group.is_whole, group.due_at) == (False, NOON + PATIENCE)


def test_a_part_that_fits_nowhere_says_which_it_is():
    message = stand_alone(part(2))

    assert (message.body, message.part) == ("<2>\n[第 2/3 段 · part 2 of 3]", None)
