"""Deadlines and their explanation, against a counter that looks at every single minute."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import count, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caseweave.domain.calendars import ALWAYS, Calendar, Span, working_spans
from caseweave.domain.clocks import (
    Clock,
    ClockKind,
    Pause,
    Policy,
    Target,
    explain_clock,
    find_deadline,
    pause_clock,
    resume_clock,
    start_clock,
    stop_clock,
)
from tests.domain.samples import DESK, OFFICE, at

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def fault_clock(kind: ClockKind = ClockKind.FIRST_REPLY) -> Clock:
    return start_clock(kind, DESK.policies["fault"], ALWAYS, at("2026-11-23 09:00"))


# ---------------------------------------------------------------- examples


def test_an_hour_from_half_past_four_on_friday_ends_on_monday_morning():
    assert find_deadline(at("2026-11-20 16:30"), HOUR, OFFICE, ()) == at("2026-11-23 09:30")


def test_a_budget_that_ends_with_the_day_is_due_at_closing_time():
    assert find_deadline(at("2026-11-20 16:00"), HOUR, OFFICE, ()) == at("2026-11-20 17:00")


def test_a_clock_started_before_opening_counts_from_opening():
    assert find_deadline(at("2026-11-23 03:00"), HOUR, OFFICE, ()) == at("2026-11-23 10:00")


def test_hours_are_local_to_the_calendar():
    shanghai = Calendar("cn", "Asia/Shanghai", OFFICE.hours)
    # 16:30 in Shanghai on a Friday is 08:30 UTC.
    assert find_deadline(at("2026-11-20 08:30"), HOUR, shanghai, ()) == at("2026-11-23 01:30")


def test_a_split_shift_leaves_out_the_pause_at_noon():
    split = Calendar("split", hours={0: ((time(9), time(12)), (time(13), time(17)))})
    assert find_deadline(at("2026-11-23 11:30"), HOUR, split, ()) == at("2026-11-23 13:30")


def test_a_night_shift_belongs_to_the_day_on_which_it_starts():
    night = Calendar("night", hours={4: ((time(22), time(6)),)})
    assert find_deadline(at("2026-11-21 05:30"), HOUR, night, ()) == at("2026-11-27 22:30")


def test_a_holiday_closes_the_whole_shift_that_starts_on_it():
    night = Calendar(
        "night",
        hours={day: ((time(22), time(6)),) for day in range(7)},
        holidays=frozenset({date(2026, 11, 24)}),
    )
    # Monday's shift runs to Tuesday 06:00; Tuesday's is off; on Wednesday it starts again.
    assert find_deadline(at("2026-11-24 05:30"), HOUR, night, ()) == at("2026-11-25 22:30")


def test_an_interval_that_ends_when_it_starts_is_a_whole_day():
    day = Calendar("day", hours={0: ((time(8), time(8)),)})
    assert list(working_spans(day, at("2026-11-22 00:00"), at("2026-11-29 00:00"))) == [
        (at("2026-11-23 08:00"), at("2026-11-24 08:00"))
    ]


def test_overlapping_intervals_count_once():
    double = Calendar("double", hours={0: ((time(9), time(12)), (time(11), time(13)))})
    assert find_deadline(at("2026-11-23 09:00"), 4 * HOUR, double, ()) == at("2026-11-23 13:00")


def test_the_night_that_loses_an_hour_counts_an_hour_less():
    night = Calendar("night", "Europe/Berlin", {5: ((time(22), time(6)),)})
    assert list(working_spans(night, at("2026-03-28 12:00"), at("2026-03-30 00:00"))) == [
        (at("2026-03-28 21:00"), at("2026-03-29 04:00"))
    ]


def test_the_night_that_gains_an_hour_counts_an_hour_more():
    night = Calendar("night", "America/New_York", {5: ((time(22), time(6)),)})
    assert list(working_spans(night, at("2026-10-31 12:00"), at("2026-11-02 00:00"))) == [
        (at("2026-11-01 02:00"), at("2026-11-01 11:00"))
    ]


def test_an_interval_whose_opening_the_clocks_skip_never_takes_time_away():
    # On 29 March, Berlin has no 02:30; 03:15 comes before the moment that would have been it.
    early = Calendar("early", "Europe/Berlin", {6: ((time(2, 30), time(3, 15)),)})
    assert list(working_spans(early, at("2026-03-28 00:00"), at("2026-04-06 00:00"))) == [
        (at("2026-04-05 00:30"), at("2026-04-05 01:15"))
    ]


def test_an_interval_that_lies_in_the_skipped_hour_keeps_its_length():
    early = Calendar("early", "Europe/Berlin", {6: ((time(2), time(2, 30)),)})
    assert list(working_spans(early, at("2026-03-28 00:00"), at("2026-03-30 00:00"))) == [
        (at("2026-03-29 01:00"), at("2026-03-29 01:30"))
    ]


def test_working_spans_are_cut_at_both_ends():
    assert list(working_spans(OFFICE, at("2026-11-20 16:30"), at("2026-11-23 10:00"))) == [
        (at("2026-11-20 16:30"), at("2026-11-20 17:00")),
        (at("2026-11-23 09:00"), at("2026-11-23 10:00")),
    ]


def test_a_pause_moves_the_deadline_by_the_working_time_in_it():
    weekend = Pause(at("2026-11-20 16:45"), at("2026-11-23 09:20"), "asked")
    # 15 minutes were counted before the pause, 45 are left.
    assert find_deadline(at("2026-11-20 16:30"), HOUR, OFFICE, (weekend,)) == at("2026-11-23 10:05")


def test_a_pause_outside_the_hours_moves_nothing():
    night = Pause(at("2026-11-20 18:00"), at("2026-11-21 18:00"), "asked")
    assert find_deadline(at("2026-11-20 16:30"), HOUR, OFFICE, (night,)) == at("2026-11-23 09:30")


def test_a_pause_of_more_than_a_year_still_leaves_the_rest_of_the_budget():
    long = Pause(at("2026-11-23 09:30"), at("2028-11-23 09:00"), "asked")
    assert find_deadline(at("2026-11-23 09:00"), HOUR, ALWAYS, (long,)) == at("2028-11-23 09:30")


def test_a_calendar_that_never_opens_is_an_error_and_not_an_endless_wait():
    with pytest.raises(ValueError, match="calendar 'never' has too little working time for 1:00"):
        find_deadline(at("2026-11-23 09:00"), HOUR, Calendar("never"), ())


def test_a_started_clock_says_what_was_promised_and_when_it_is_due():
    assert fault_clock() == Clock(
        kind=ClockKind.FIRST_REPLY,
        policy="fault",
        calendar="always",
        started_at=at("2026-11-23 09:00"),
        budget=timedelta(minutes=10),
        warn_before=timedelta(minutes=3),
        due_at=at("2026-11-23 09:10"),
    )


def test_a_clock_wants_its_warning_then_its_breach_then_nothing():
    clock = fault_clock()
    warned = replace(clock, warned_at=at("2026-11-23 09:07"))
    breached = replace(warned, breached_at=at("2026-11-23 09:10"))
    assert [c.next_at for c in (clock, warned, breached)] == [
        at("2026-11-23 09:07"),
        at("2026-11-23 09:10"),
        None,
    ]


def test_a_warning_is_not_due_before_the_clock_starts():
    policy = Policy("p", {ClockKind.OUTCOME: Target(HOUR, 2 * HOUR, "always")})
    clock = start_clock(ClockKind.OUTCOME, policy, ALWAYS, at("2026-11-23 09:00"))
    assert clock.next_at == at("2026-11-23 09:00")


def test_a_follow_up_wants_nothing_before_it_is_due_whatever_its_warning():
    policy = Policy("p", {ClockKind.FOLLOW_UP: Target(2 * HOUR, HOUR, "always")})
    clock = start_clock(ClockKind.FOLLOW_UP, policy, ALWAYS, at("2026-11-23 09:00"))
    assert clock.next_at == at("2026-11-23 11:00")


def test_a_stopped_clock_wants_nothing_and_stops_only_once():
    stopped = stop_clock(fault_clock(), at("2026-11-23 09:05"))
    assert stopped == replace(fault_clock(), stopped_at=at("2026-11-23 09:05"))
    assert stopped.next_at is None
    assert stop_clock(stopped, at("2026-11-23 10:00")) == stopped


def test_a_paused_clock_has_no_deadline_until_it_goes_on():
    paused = pause_clock(fault_clock(), at("2026-11-23 09:04"), "asked")
    assert (paused.due_at, paused.next_at, paused.is_running) == (None, None, False)
    assert paused.pauses == (Pause(at("2026-11-23 09:04"), None, "asked"),)
    resumed = resume_clock(paused, ALWAYS, at("2026-11-23 10:00"))
    assert resumed.due_at == at("2026-11-23 10:06")
    assert resumed.pauses == (Pause(at("2026-11-23 09:04"), at("2026-11-23 10:00"), "asked"),)


def test_a_clock_is_paused_and_resumed_once_at_a_time():
    paused = pause_clock(fault_clock(), at("2026-11-23 09:04"), "asked")
    assert pause_clock(paused, at("2026-11-23 09:05"), "again") == paused
    resumed = resume_clock(paused, ALWAYS, at("2026-11-23 10:00"))
    assert resume_clock(resumed, ALWAYS, at("2026-11-23 11:00")) == resumed
    assert resume_clock(fault_clock(), ALWAYS, at("2026-11-23 11:00")) == fault_clock()


def test_a_breached_or_stopped_clock_is_not_paused():
    breached = replace(fault_clock(), breached_at=at("2026-11-23 09:10"))
    stopped = stop_clock(fault_clock(), at("2026-11-23 09:05"))
    assert pause_clock(breached, at("2026-11-23 09:20"), "asked") == breached
    assert pause_clock(stopped, at("2026-11-23 09:20"), "asked") == stopped


def test_a_pause_that_ends_before_it_was_written_takes_no_time():
    # The customer's message was received just before the agent's pause was written.
    paused = pause_clock(fault_clock(), at("2026-11-23 09:04"), "asked")
    resumed = resume_clock(paused, ALWAYS, at("2026-11-23 09:03"))
    assert resumed.due_at == at("2026-11-23 09:10")
    assert resumed.pauses == (Pause(at("2026-11-23 09:04"), at("2026-11-23 09:04"), "asked"),)


def test_a_deadline_that_moved_is_warned_of_again():
    warned = replace(fault_clock(), warned_at=at("2026-11-23 09:07"))
    paused = pause_clock(warned, at("2026-11-23 09:08"), "asked")
    resumed = resume_clock(paused, ALWAYS, at("2026-11-23 11:00"))
    assert (resumed.warned_at, resumed.next_at) == (None, at("2026-11-23 10:59"))


def test_a_deadline_that_did_not_move_is_not_warned_of_again():
    clock = start_clock(
        ClockKind.OUTCOME, DESK.policies["ordinary"], OFFICE, at("2026-11-20 10:00")
    )
    assert clock.due_at == at("2026-11-23 10:00")
    warned = replace(clock, warned_at=at("2026-11-20 16:00"))
    paused = pause_clock(warned, at("2026-11-20 20:00"), "asked")
    resumed = resume_clock(paused, OFFICE, at("2026-11-22 20:00"))
    assert resumed.due_at == at("2026-11-23 10:00")
    assert resumed.warned_at == at("2026-11-20 16:00")


def test_the_explanation_of_a_deadline_names_every_stretch():
    clock = start_clock(
        ClockKind.NEXT_REPLY, DESK.policies["ordinary"], OFFICE, at("2026-11-20 16:30")
    )
    paused = pause_clock(clock, at("2026-11-20 16:45"), "the case was pending")
    resumed = resume_clock(paused, OFFICE, at("2026-11-23 09:20"))
    assert resumed.due_at == at("2026-11-23 10:05")
    assert explain_clock(resumed, OFFICE, at("2026-11-23 10:05")) == (
        Span(at("2026-11-20 16:30"), at("2026-11-20 16:45"), True, "working time of office"),
        Span(at("2026-11-20 16:45"), at("2026-11-23 09:20"), False, "the case was pending"),
        Span(at("2026-11-23 09:20"), at("2026-11-23 10:05"), True, "working time of office"),
    )


def test_time_outside_the_hours_is_explained_as_that():
    clock = start_clock(
        ClockKind.NEXT_REPLY, DESK.policies["ordinary"], OFFICE, at("2026-11-20 16:30")
    )
    assert explain_clock(clock, OFFICE, at("2026-11-23 09:30")) == (
        Span(at("2026-11-20 16:30"), at("2026-11-20 17:00"), True, "working time of office"),
        Span(at("2026-11-20 17:00"), at("2026-11-23 09:00"), False, "outside the hours of office"),
        Span(at("2026-11-23 09:00"), at("2026-11-23 09:30"), True, "working time of office"),
    )


def test_an_open_pause_is_explained_up_to_now():
    paused = pause_clock(fault_clock(), at("2026-11-23 09:04"), "asked")
    assert explain_clock(paused, ALWAYS, at("2026-11-24 09:00")) == (
        Span(at("2026-11-23 09:00"), at("2026-11-23 09:04"), True, "working time of always"),
        Span(at("2026-11-23 09:04"), at("2026-11-24 09:00"), False, "asked"),
    )


def test_there_is_nothing_to_explain_before_the_start():
    assert explain_clock(fault_clock(), ALWAYS, at("2026-11-23 09:00")) == ()


# ---------------------------------------------------------------- against the counter

# No clock of these zones jumps at one of these times.
_EDGES = st.builds(
    time, st.sampled_from([0, *range(4, 24)]), st.sampled_from([0, 10, 15, 30, 45, 59])
)
# Days just before a change of clocks in one of the zones, and one far from any.
_DAYS = st.sampled_from(
    [date(2026, 3, 6), date(2026, 3, 27), date(2026, 6, 10), date(2026, 10, 23), date(2026, 10, 30)]
)
_ZONES = ["UTC", "Asia/Shanghai", "Asia/Kolkata", "Europe/Berlin", "America/New_York"]


@st.composite
def _calendars(draw: st.DrawFn) -> Calendar:
    intervals = st.lists(st.tuples(_EDGES, _EDGES), min_size=1, max_size=2)
    weekdays = draw(st.lists(st.integers(0, 6), min_size=3, max_size=7, unique=True))
    offsets = draw(st.lists(st.integers(-2, 9), max_size=3))
    first = draw(_DAYS)
    return Calendar(
        "drawn",
        draw(st.sampled_from(_ZONES)),
        {weekday: tuple(draw(intervals)) for weekday in weekdays},
        frozenset(first + timedelta(days=offset) for offset in offsets),
    )


@st.composite
def _starts(draw: st.DrawFn) -> datetime:
    midnight = datetime.combine(draw(_DAYS), time(), UTC)
    return midnight + draw(st.integers(0, 4 * 24 * 60)) * MINUTE


# Minutes from the end of one pause to the start of the next, and how long it lasts.
_PAUSES = st.lists(st.tuples(st.integers(0, 900), st.integers(0, 3000)), max_size=3)
_BUDGETS = st.integers(1, 500)


def _place(start: datetime, drawn: list[tuple[int, int]]) -> tuple[Pause, ...]:
    pauses = []
    for wait, length in drawn:
        begin = start + wait * MINUTE
        start = begin + length * MINUTE
        pauses.append(Pause(begin, start, "asked"))
    return tuple(pauses)


def _is_open(calendar: Calendar, minute: datetime) -> bool:
    """What the clock on the wall says, read as a person would."""
    wall = minute.astimezone(ZoneInfo(calendar.timezone)).replace(tzinfo=None)
    for day in (wall.date(), wall.date() - timedelta(days=1)):
        if day in calendar.holidays:
            continue
        for opening, closing in calendar.hours.get(day.weekday(), ()):
            last_day = day + timedelta(days=closing <= opening)
            if datetime.combine(day, opening) <= wall < datetime.combine(last_day, closing):
                return True
    return False


def _counts(calendar: Calendar, pauses: tuple[Pause, ...], minute: datetime) -> bool:
    is_paused = any(pause.start <= minute < (pause.end or minute) for pause in pauses)
    return not is_paused and _is_open(calendar, minute)


def _count_to_deadline(
    start: datetime, budget: int, calendar: Calendar, pauses: tuple[Pause, ...]
) -> datetime:
    for passed in count():
        if _counts(calendar, pauses, start + passed * MINUTE):
            budget -= 1
        if budget == 0:
            return start + (passed + 1) * MINUTE
    raise AssertionError("count never ends")


@given(_starts(), _BUDGETS, _calendars(), _PAUSES)
@settings(max_examples=80, deadline=None)
def test_every_deadline_is_where_counting_minutes_arrives(start, budget, calendar, drawn):
    pauses = _place(start, drawn)
    due_at = find_deadline(start, budget * MINUTE, calendar, pauses)
    assert due_at == _count_to_deadline(start, budget, calendar, pauses)


@given(_starts(), _BUDGETS, _calendars(), _PAUSES)
@settings(max_examples=80, deadline=None)
def test_pausing_and_resuming_arrives_where_counting_minutes_does(start, budget, calendar, drawn):
    policy = Policy("p", {ClockKind.OUTCOME: Target(budget * MINUTE, MINUTE, "drawn")})
    clock = start_clock(ClockKind.OUTCOME, policy, calendar, start)
    pauses = _place(start, drawn)
    for pause in pauses:
        clock = pause_clock(clock, pause.start, pause.reason)
        assert clock.due_at is None
        clock = resume_clock(clock, calendar, pause.start + (pause.end - pause.start))
    assert clock.pauses == pauses
    assert clock.due_at == _count_to_deadline(start, budget, calendar, pauses)


@given(_starts(), _BUDGETS, _calendars(), _PAUSES)
@settings(max_examples=80, deadline=None)
def test_counted_segments_sum_to_the_budget_at_the_deadline(start, budget, calendar, drawn):
    clock = _clock(start, budget, calendar, drawn)
    spans = explain_clock(clock, calendar, clock.due_at)
    counted = sum((s.end - s.start for s in spans if s.is_counted), timedelta())
    assert counted == budget * MINUTE
    assert spans[-1].is_counted


@given(_starts(), _BUDGETS, _calendars(), _PAUSES, st.integers(1, 6000))
@settings(max_examples=80, deadline=None)
def test_segments_tile_the_time_and_say_of_every_minute_what_counting_says(
    start, budget, calendar, drawn, length
):
    clock = _clock(start, budget, calendar, drawn)
    until = start + length * MINUTE
    spans = explain_clock(clock, calendar, until)
    assert (spans[0].start, spans[-1].end) == (start, until)
    assert all(before.end == after.start for before, after in pairwise(spans))
    assert all(before.reason != after.reason for before, after in pairwise(spans))
    for span in spans:
        for passed in range(int((span.end - span.start) / MINUTE)):
            assert span.is_counted == _counts(
                calendar, clock.pauses, span.start + passed * MINUTE
            ), span


def _clock(start: datetime, budget: int, calendar: Calendar, drawn: list[tuple[int, int]]) -> Clock:
    pauses = _place(start, drawn)
    return Clock(
        kind=ClockKind.OUTCOME,
        policy="p",
        calendar="drawn",
        started_at=start,
        budget=budget * MINUTE,
        warn_before=MINUTE,
        due_at=find_deadline(start, budget * MINUTE, calendar, pauses),
        pauses=pauses,
    )
