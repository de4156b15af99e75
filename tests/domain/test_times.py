from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseweave.domain.times import from_rfc3339, optional_rfc3339, optional_time, to_rfc3339
from tests.domain.samples import at

MOMENTS = st.datetimes(timezones=st.just(UTC))


def test_times_are_written_in_utc_with_milliseconds():
    berlin = timezone(timedelta(hours=1))
    moment = datetime(2026, 11, 23, 6, 24, 33, 120999, tzinfo=berlin)
    assert to_rfc3339(moment) == "2026-11-23T05:24:33.120Z"


@given(MOMENTS)
def test_what_was_written_is_read_to_the_millisecond(moment):
    whole = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    assert from_rfc3339(to_rfc3339(moment)) == whole


@given(MOMENTS, MOMENTS)
def test_text_order_is_time_order(one, other):
    if to_rfc3339(one) < to_rfc3339(other):
        assert one < other


def test_any_offset_is_read():
    assert from_rfc3339("2026-11-23T17:00:00+08:00") == at("2026-11-23 09:00")
    assert from_rfc3339("2026-11-23T09:00:00Z").tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "2026-11-23", "2026-11-23T09:00:00", "2026-13-01T00:00:00Z",
     "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"],
)  # fmt: skip
def test_what_is_no_moment_is_refused(text):
    with pytest.raises(ValueError, match=r".*"):
        from_rfc3339(text)


def test_no_time_stays_none():
    assert (optional_rfc3339(None), optional_time(None)) == (None, None)
    assert optional_time("2026-11-23T09:00:00.000Z") == at("2026-11-23 09:00")
    assert optional_rfc3339(at("2026-11-23 09:00")) == "2026-11-23T09:00:00.000Z"
