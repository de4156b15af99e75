"""Long SMS in parts: one message, nothing lost, in any order, twice, or with a part too few."""

from contextlib import suppress
from datetime import timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from caseweave.domain.message import Channel, Part
from caseweave.domain.parts import PATIENCE
from caseweave.errors import UnavailableError
from caseweave.intake import take_in
from caseweave.parts import sweep_parts
from caseweave.storage import cases
from caseweave.sweeping import SweepError
from tests.depth import DEPTH
from tests.usecases.world import NOON, YEAR, crash_at_call, message, phone, proven, raw

_numbers = count(13_900_000_000)
SECOND = timedelta(seconds=1)
LATE = NOON + PATIENCE + timedelta(minutes=1)


class Texter:
    """Somebody with a number of their own, whose long texts come in parts."""

    def __init__(self, door):
        self.door, self.number = door, f"+86{next(_numbers)}"

    def send(self, number, total=3, *, at=NOON, ref="7", event=""):
        part = message(
            Channel.SMS,
            "vonage",
            proven(phone(self.number)),
            f"<{number}>",
            event or f"{self.number}-{ref}-{number}",
            context={"to": "15550001111"},
            part=Part(ref, number, total),
        )
        return take_in([part], raw(at), self.door)


@pytest.fixture
def texter(table, door):
    return Texter(door)


def bodies(dump, texter=None):
    author = f"phone:{texter.number}" if texter else None
    found = [item for item in dump() if item["kind"]["S"] == "message"]
    return [i["body"]["S"] for i in found if not author or i["author"]["S"] == author]


def waiting(dump):
    return [item for item in dump() if item["kind"]["S"] == "parts"]


def test_parts_in_any_order_are_one_message_when_the_last_is_there(texter, dump):
    assert texter.send(2) == 1
    assert texter.send(3) == 1
    assert bodies(dump) == []
    assert len(waiting(dump)) == 1

    assert texter.send(1, at=NOON + SECOND) == 1

    assert bodies(dump) == ["<1><2><3>"]
    assert waiting(dump) == []
    ledger = [item for item in dump() if item["kind"]["S"] == "ledger"]
    assert len(ledger) == 3


@settings(
    max_examples=5 * DEPTH,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    order=st.permutations([1, 2, 3]), again=st.lists(st.integers(1, 3), max_size=3), data=st.data()
)
def test_redeliveries_at_any_place_add_nothing(table, door, dump, order, again, data):
    deliveries = list(order)
    for number in again:
        place = data.draw(st.integers(deliveries.index(number) + 1, len(deliveries)))
        deliveries.insert(place, number)
    texter = Texter(door)

    kept = [texter.send(number) for number in deliveries]

    assert bodies(dump, texter) == ["<1><2><3>"]
    assert sum(kept) == 3


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", range(1, 6))
def test_dying_at_any_store_call_loses_and_doubles_nothing(texter, dump, number, after):
    texter.send(1)
    with crash_at_call(number, after=after):
        for part in (2, 3):
            try:
                texter.send(part)
            except UnavailableError:
                texter.send(part)

    assert bodies(dump) == ["<1><2><3>"]
    assert waiting(dump) == []


def test_what_is_not_whole_in_time_is_a_message_with_a_note(texter, door, dump):
    texter.send(1)
    texter.send(3)
    assert sweep_parts(door, YEAR, NOON + PATIENCE - SECOND) == 0

    assert sweep_parts(door, YEAR, LATE) == 1

    assert bodies(dump) == ["<1>[… 缺第 2/3 段 · part 2 of 3 is missing …]<3>"]
    assert waiting(dump) == []
    before = dump()
    assert sweep_parts(door, YEAR, LATE) == 0
    assert dump() == before


def test_the_missing_part_that_comes_too_late_is_a_message_too(texter, door, dump):
    texter.send(1)
    sweep_parts(door, YEAR, LATE)
    texter.send(2, total=3, at=LATE)
    texter.send(1, at=LATE)

    assert sweep_parts(door, YEAR, LATE + PATIENCE) == 1

    assert sorted(bodies(dump)) == [
        "<1>[… 缺第 2/3 段 · part 2 of 3 is missing …][… 缺第 3/3 段 · part 3 of 3 is missing …]",
        "[… 缺第 1/3 段 · part 1 of 3 is missing …]<2>[… 缺第 3/3 段 · part 3 of 3 is missing …]",
    ]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", range(1, 5))
def test_a_sweep_that_dies_is_made_good_by_the_next(texter, door, dump, number, after):
    texter.send(1, total=2)
    with crash_at_call(number, after=after), suppress(SweepError, UnavailableError):
        sweep_parts(door, YEAR, LATE)

    sweep_parts(door, YEAR, LATE)

    assert bodies(dump) == ["<1>[… 缺第 2/2 段 · part 2 of 2 is missing …]"]
    assert waiting(dump) == []


def test_two_texts_of_one_sender_do_not_mix(texter, dump):
    texter.send(1, 2, ref="7")
    texter.send(1, 2, ref="8")
    texter.send(2, 2, ref="8")
    texter.send(2, 2, ref="7")

    assert bodies(dump) == ["<1><2>", "<1><2>"]


def test_another_text_of_the_same_reference_stands_by_itself(texter, dump):
    texter.send(1, 2)
    texter.send(1, 2, event="another text")
    texter.send(2, 2)

    assert sorted(bodies(dump)) == ["<1>\n[第 1/2 段 · part 1 of 2]", "<1><2>"]


def test_the_whole_message_is_the_senders_in_their_case(texter, dump):
    texter.send(1, 2)
    texter.send(2, 2)

    (item,) = [item for item in dump() if item["kind"]["S"] == "message"]
    (kept,) = cases.read_file(item["pk"]["S"].removeprefix("CASE#")).messages
    assert kept.author == f"phone:{texter.number}"
    assert kept.contact.context == {"to": "15550001111"}
    assert kept.provider_id == f"{texter.number}-7-1"
