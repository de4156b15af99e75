from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseweave.domain.ulid import (
    ALPHABET,
    derive_ulid,
    earliest_ulid,
    encode_base32,
    make_ulid,
    ulid_bytes,
    ulid_from_bytes,
    ulid_time,
)
from tests.domain.samples import at

MICROSECOND = timedelta(microseconds=1)
ENTROPY = st.binary(min_size=10, max_size=10)
MOMENTS = st.integers(0, 10**16).map(lambda us: datetime.fromtimestamp(0, UTC) + us * MICROSECOND)


def test_the_ulid_of_the_specification():
    # https://github.com/ulid/spec: time 1469918176385 is 01ARYZ6S41
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=1469918176385)
    assert make_ulid(moment, bytes(10)) == "01ARYZ6S410000000000000000"


@given(MOMENTS, ENTROPY, ENTROPY, st.integers(1, 10**9))
def test_ulids_sort_by_their_millisecond(moment, first, second, later):
    after = moment + timedelta(milliseconds=later)
    assert make_ulid(moment, first) < make_ulid(after, second)


@given(st.integers(0, 2**45), ENTROPY)
def test_a_ulid_holds_its_very_millisecond(milliseconds, entropy):
    moment = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=milliseconds)
    assert ulid_bytes(make_ulid(moment, entropy))[:6] == milliseconds.to_bytes(6)


@given(MOMENTS, ENTROPY)
def test_nothing_of_a_moment_sorts_before_its_earliest(moment, entropy):
    assert earliest_ulid(moment) <= make_ulid(moment, entropy)
    assert make_ulid(moment, entropy) < earliest_ulid(moment + timedelta(milliseconds=1))


@given(MOMENTS, ENTROPY)
def test_a_ulid_survives_its_sixteen_bytes(moment, entropy):
    ulid = make_ulid(moment, entropy)
    packed = ulid_bytes(ulid)
    assert (len(ulid), len(packed), packed[6:]) == (26, 16, entropy)
    assert ulid_from_bytes(packed) == ulid
    assert set(ulid) <= set(ALPHABET)


def test_the_same_seed_makes_the_same_id_and_any_other_makes_another():
    seed = ("twilio", "AC1", "SM1")
    moment = at("2026-11-23 09:00")
    made = derive_ulid(moment, *seed)
    assert made == derive_ulid(moment, *seed)
    others = [
        derive_ulid(moment, "twilio", "AC1", "SM2"),
        derive_ulid(moment, "twilio", "AC1SM1"),
        derive_ulid(moment, "twilioAC1", "SM1"),
        derive_ulid(moment, "message", *seed),
    ]
    assert len({made, *others}) == 5
    assert {one[:10] for one in others} == {made[:10]}


def test_a_derived_id_stays_what_it_was_when_the_ledger_is_replayed():
    # Written down: another value here means that a replay makes other records.
    assert derive_ulid(at("2026-11-23 09:00"), "message", "twilio", "AC1", "SM1") == (
        "01M83T4CM0RWJ1CRSC4QDRSYHW"
    )


@pytest.mark.parametrize("length", [0, 9, 11])
def test_a_ulid_takes_exactly_ten_bytes(length):
    with pytest.raises(ValueError, match=f"takes 10 bytes of entropy, got {length}"):
        make_ulid(at("2026-11-23 09:00"), bytes(length))


def test_base_32_is_crockfords():
    assert encode_base32(0, 2) == "00"
    assert encode_base32(31, 2) == "0Z"
    assert encode_base32(32, 2) == "10"
    assert not set("ILOU") & set(ALPHABET)


@given(MOMENTS, ENTROPY)
def test_a_ulid_tells_its_millisecond(moment, entropy):
    told = ulid_time(make_ulid(moment, entropy))

    assert told == moment.replace(microsecond=moment.microsecond // 1000 * 1000)
