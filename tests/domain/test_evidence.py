import json
from datetime import timedelta
from hashlib import sha256

from hypothesis import given, settings
from hypothesis import strategies as st

from caseweave.domain.event import EventKind, begin_change
from caseweave.domain.evidence import (
    GENESIS,
    canonical_json,
    chain_digest,
    find_broken_link,
)
from caseweave.domain.routing import route_message
from caseweave.domain.wording import Wording
from tests.domain.samples import AGENT, DESK, at, link, opened, wrote

FEW = settings(max_examples=60, deadline=None)
VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.lists(st.integers())
RECORDS = st.dictionaries(st.text(max_size=3), VALUES, max_size=3)
CHAINS = st.lists(RECORDS, min_size=1, max_size=5).map(lambda records: chain(records))  # noqa: PLW0108 - defined below


def chain(records):
    links, previous = [], GENESIS
    for record in records:
        digest = chain_digest(previous, record)
        links.append((previous, digest, record))
        previous = digest
    return links


def test_a_value_has_one_byte_string():
    assert canonical_json({"b": [1, None], "a": "字"}) == '{"a":"字","b":[1,null]}'.encode()


def test_a_link_is_the_sha_256_of_the_one_before_and_the_record():
    record = {"seq": 1, "data": {"字": True}}
    said = GENESIS + '\n{"data":{"字":true},"seq":1}'
    assert chain_digest(GENESIS, record) == sha256(said.encode()).hexdigest()


def test_the_chain_of_a_real_case_holds():
    case, message = opened("充值没到账")
    route = route_message(case, message, DESK, Wording(), at("2026-11-23 09:00"), "R1")
    links = [link(event) for event in route.events]
    assert find_broken_link([(GENESIS, *links[0][1:])]) == 0
    start = [(case.chain, "", {})]
    assert [one[0] for one in links] == [start[0][0], *(one[1] for one in links[:-1])]


def test_no_events_are_no_broken_chain():
    assert find_broken_link([]) is None


@FEW
@given(CHAINS)
def test_an_untouched_chain_holds(links):
    assert find_broken_link(links) is None


@FEW
@given(CHAINS, st.data())
def test_any_change_of_a_record_is_found_where_it_is(links, data):
    place = data.draw(st.integers(0, len(links) - 1))
    previous, digest, record = links[place]
    changed = data.draw(
        RECORDS.filter(lambda other: canonical_json(other) != canonical_json(record))
    )
    links[place] = (previous, digest, changed)
    assert find_broken_link(links) == place


@FEW
@given(CHAINS, st.data())
def test_flipping_any_bit_of_a_record_is_found(links, data):
    place = data.draw(st.integers(0, len(links) - 1))
    raw = bytearray(canonical_json(links[place][2]))
    bit = data.draw(st.integers(0, len(raw) * 8 - 1))
    raw[bit // 8] ^= 1 << bit % 8
    try:
        flipped = json.loads(raw)
    except ValueError:
        return  # no JSON any more: whoever verifies sees that at once
    if not isinstance(flipped, dict) or flipped == links[place][2]:
        return
    links[place] = (*links[place][:2], flipped)
    assert find_broken_link(links) == place


@FEW
@given(CHAINS, st.data())
def test_a_changed_record_with_a_fresh_digest_breaks_the_next_link(links, data):
    place = data.draw(st.integers(0, len(links) - 1))
    changed = {**links[place][2], "forged": True}
    links[place] = (links[place][0], chain_digest(links[place][0], changed), changed)
    # The last one has no next: the digest kept in the case's head tells.
    assert find_broken_link(links) == (place + 1 if place + 1 < len(links) else None)


@FEW
@given(CHAINS, st.data())
def test_removing_any_but_the_last_is_found(links, data):
    place = data.draw(st.integers(0, len(links) - 1))
    del links[place]
    assert find_broken_link(links) == (place if place < len(links) else None)


@FEW
@given(CHAINS, st.data())
def test_any_other_order_is_found(links, data):
    shuffled = data.draw(st.permutations(links))
    broken = find_broken_link(shuffled)
    assert (broken is None) is (shuffled == links)


@FEW
@given(CHAINS, RECORDS, st.data())
def test_an_inserted_record_is_found(links, record, data):
    place = data.draw(st.integers(0, len(links) - 1))
    previous = links[place][0]
    links.insert(place, (previous, chain_digest(previous, record), record))
    # Where it says the same as the one it pushed back, the second of the two is the odd one out.
    assert find_broken_link(links) == place + 1


def test_every_field_of_an_event_is_covered_by_its_digest():
    case, _ = opened("hello there")
    case, _ = wrote(case, "again", "2026-11-23 09:01", "M2")
    [event] = (
        begin_change(case)
        .record(EventKind.NOTE_ADDED, AGENT, at("2026-11-23 09:02"), {"a": 1})
        .events
    )
    _, digest, record = link(event)
    assert chain_digest(case.chain, record) == digest
    for field, other in {
        "case_id": "C2",
        "seq": 5,
        "at": "2026-11-23T09:02:00.001Z",
        "actor": "agent:wei",
        "kind": "state_changed",
        "data": {"a": 2},
    }.items():
        assert record[field] != other
        assert chain_digest(case.chain, {**record, field: other}) != digest
    assert set(record) == {"case_id", "seq", "at", "actor", "kind", "data"}
    assert event.at + timedelta(0) == at("2026-11-23 09:02")
