"""Sixteen writers at the same cases: nothing is lost, stale writes are refused, no circles."""

from collections import Counter
from contextlib import suppress
from datetime import timedelta

import pytest

from caseweave.agents.cases import assign, change_state, note, reply
from caseweave.agents.relations import link, merge, split, unmerge
from caseweave.domain.media import FileOutcome, FileState
from caseweave.domain.message import Attachment, Delivery, DeliveryState
from caseweave.errors import InvalidRequestError, StaleVersionError
from caseweave.notifier import NOTIFIER
from caseweave.storage import cases
from caseweave.storage.media import FileKey, read_file_of, settle_file
from caseweave.storage.outbox import outbox_key, settle_message
from tests.audit import audit, find_double_cases, read_records
from tests.conftest import clear_table
from tests.usecases.cases_apart import (
    EXCERPT,
    MEI,
    NUMBER,
    Time,
    first_message,
    merge_into,
    move,
    open_case,
    split_off,
    write_more,
)
from tests.usecases.world import NOON, at_once, receive, sms

WRITERS = 16


@pytest.fixture
def table(shared_table):
    clear_table(shared_table)
    return shared_table


@pytest.fixture
def case(table, door, desk):
    return open_case(door, desk)


@pytest.fixture
def tick():
    return Time()


@pytest.fixture(autouse=True)
def sound(table, dump):
    yield
    assert audit(dump()) == []


def outcomes(work, count=WRITERS):
    """How many of *count* writers at once were done, and how often each refusal came."""

    def attempt(number):
        try:
            work(number)
        except (StaleVersionError, InvalidRequestError) as refusal:
            return type(refusal).__name__
        return "done"

    return Counter(at_once(attempt, count))


@pytest.mark.parametrize("what", ["note", "reply", "assign", "state", "merge", "split"])
def test_of_sixteen_agents_who_saw_one_version_exactly_one_writes(case, door, desk, tick, what):
    other = split_off(case, desk, tick())
    case = cases.read_head(case.id)
    excerpt = {"message": first_message(case).id, "excerpt": EXCERPT}
    works = {
        "note": lambda n, v, m: note(case.id, {"body": f"{n}"}, v, MEI, desk, m),
        "reply": lambda n, v, m: reply(
            case.id, {"body": f"{n}"}, v, MEI, desk, m, lambda *_: None
        ),
        "assign": lambda n, v, m: assign(case.id, {"agent": f"a{n}"}, v, MEI, desk, m),
        "state": lambda n, v, m: change_state(
            case.id, {"state": "pending", "reason": f"{n}"}, v, MEI, desk, m
        ),
        "merge": lambda n, v, m: merge(case.id, {"into": other.id}, v, MEI, desk, m),
        "split": lambda n, v, m: split(case.id, excerpt, v, MEI, desk, m),
    }  # fmt: skip

    found = outcomes(lambda n: works[what](n, case.version, tick()))

    assert found == {"done": 1, "StaleVersionError": WRITERS - 1}
    assert cases.read_head(case.id).version == case.version + 1


def test_agents_customers_and_receipts_at_once_lose_nothing(case, door, desk, tick):
    said = reply(case.id, {"body": "we look"}, None, MEI, desk, tick(), lambda *_: None)
    (sent,) = [m for m in cases.list_messages(case.id)[0] if m.id == said["message_id"]]

    def work(number):
        if number == 0:
            taken = Delivery(DeliveryState.DELIVERED, NOON + timedelta(minutes=2), "SM-out")
            settle_message(outbox_key(sent), taken, NOTIFIER)
        elif number % 2:
            note(case.id, {"body": f"note {number}"}, None, MEI, desk, tick())
        else:
            # Two webhooks bring each of these.
            event = f"SM-{number % 8}"
            receive(sms(NUMBER, event, event), door, NOON + timedelta(minutes=3))

    at_once(work, WRITERS)

    bodies = Counter(m.body for m in cases.list_messages(case.id)[0])
    written = {f"note {n}": 1 for n in range(1, WRITERS, 2)} | {f"SM-{n}": 1 for n in (0, 2, 4, 6)}
    assert written.items() <= bodies.items()
    assert max(bodies.values()) == 1


@pytest.mark.parametrize("again", range(3))
def test_merges_in_both_directions_at_once_end_in_exactly_one(case, desk, tick, again):
    other = split_off(case, desk, tick())
    pair = (case, other)

    found = outcomes(lambda n: merge_into(pair[n % 2], pair[1 - n % 2], desk, tick()))

    heads = [cases.read_head(one.id) for one in pair]
    assert sorted(head.is_active for head in heads) == [False, True]
    # The same merge again is no error, the one the other way round is.
    assert found == {"done": WRITERS // 2, "InvalidRequestError": WRITERS // 2}


def test_a_ring_of_merges_ends_in_one_case_and_no_circle(case, desk, tick):
    ring = [case, *(split_off(case, desk, tick()) for _ in range(5))]

    found = outcomes(lambda n: merge_into(ring[n], ring[(n + 1) % 6], desk, tick()), 6)

    assert found == {"done": 5, "InvalidRequestError": 1}
    last = {cases.read_current(one.id).id for one in ring}
    assert len(last) == 1
    assert len(cases.read_head(last.pop()).merged) == 5


def test_what_a_customer_writes_while_cases_merge_is_in_one_of_them(case, door, desk, tick):
    other = split_off(case, desk, tick())

    def work(number):
        if number == 3:
            merge_into(case, other, desk, tick())
        elif number == 9:
            with suppress(InvalidRequestError):
                unmerge(case.id, {}, None, MEI, tick())
        else:
            inbound = sms(NUMBER, f"m{number}", f"SM-{number}", session_case_id=case.id)
            receive(inbound, door, NOON + timedelta(minutes=3))

    at_once(work, WRITERS)

    kept = [m.body for one in (case, other) for m in cases.list_messages(one.id)[0]]
    assert {f"m{n}" for n in range(WRITERS) if n not in (3, 9)} <= set(kept)


def test_messages_that_many_want_to_move_move_once(case, door, desk, tick):
    landed = write_more(case, door, 4)

    found = outcomes(lambda n: move(case, landed[1:], desk, tick()))

    assert found == {"done": 1, "InvalidRequestError": WRITERS - 1}


def test_files_that_settle_while_their_message_moves_are_where_it_is(case, door, desk, tick):
    files = tuple(Attachment(f"{n}.png", "image/png") for n in range(6))
    (landed,) = write_more(case, door, attachments=files)
    (there,) = [m for m in cases.list_messages(case.id)[0] if m.id == landed.message_id]
    moved = []

    def work(number):
        if number == 2:
            moved.append(move(case, [landed], desk, tick()))
        elif number < 7:
            index = number - (number > 2)
            done = FileOutcome(there.id, index, FileState.STORED, digest="ab" * 32, size=3)
            settle_file(case.id, done, NOON)

    at_once(work, 7)

    assert all(read_file_of(FileKey.of(there, n))[1] for n in range(6))
    assert len(cases.read_file(moved[0].id).files) == 6
    assert cases.read_file(case.id).files == ()


def test_a_ring_of_parents_never_closes(case, desk, tick):
    ring = [case, *(split_off(case, desk, tick()) for _ in range(5))]

    def work(number):
        said = {"case": ring[(number + 1) % 6].id, "kind": "parent"}
        link(ring[number % 6].id, said, None, MEI, tick())

    found = outcomes(work, 12)

    # Each is asked for twice; five take place, and the one that would close the ring does not.
    assert found == {"done": 10, "InvalidRequestError": 2}


def test_first_messages_of_one_customer_at_once_make_one_case(table, door, dump):
    landed = at_once(
        lambda n: receive(sms("+8613900139000", f"m{n}", f"SM-{n % 8}"), door), WRITERS
    )

    assert len({one.case_id for one in landed}) == 1
    assert sum(one.is_new for one in landed) == 8
    assert list(find_double_cases(read_records(dump()))) == []
