"""SLA clocks: a deadline is a pure function of start, budget, calendar and pauses (promise P8)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import chain, pairwise

from caseweave.domain.calendars import Calendar, Span, working_spans

# A calendar without any working minute in a year is a configuration error, not a long wait.
_HORIZON = timedelta(days=370)


class ClockKind(StrEnum):
    FIRST_REPLY = "first_reply"
    NEXT_REPLY = "next_reply"
    OUTCOME = "outcome"
    # Runs while we wait for the customer, so that a waiting case has a due time too (promise P7).
    FOLLOW_UP = "follow_up"


@dataclass(frozen=True, slots=True)
class Target:
    """What a policy promises for one kind of clock: the time, and how long before to warn."""

    budget: timedelta
    warn_before: timedelta
    calendar: str


@dataclass(frozen=True, slots=True)
class Policy:
    name: str
    targets: Mapping[ClockKind, Target]


@dataclass(frozen=True, slots=True)
class Pause:
    """The clock stood still from `start` to `end`; None while it still does."""

    start: datetime
    end: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class Clock:
    """One running or stopped promise. `due_at` is None while it is paused."""

    kind: ClockKind
    policy: str
    calendar: str
    started_at: datetime
    budget: timedelta
    warn_before: timedelta
    due_at: datetime | None
    pauses: tuple[Pause, ...] = ()
    warned_at: datetime | None = None
    breached_at: datetime | None = None
    stopped_at: datetime | None = None

    @property
    def is_running(self) -> bool:
        return self.stopped_at is None and self.due_at is not None

    @property
    def next_at(self) -> datetime | None:
        """When this clock next wants attention: its warning, then its breach, then nothing.

        There is nobody to warn of a follow-up: it is we who wait.
        """
        if not self.is_running or self.breached_at is not None or self.due_at is None:
            return None
        if self.warned_at is None and self.kind is not ClockKind.FOLLOW_UP:
            return max(self.due_at - self.warn_before, self.started_at)
        return self.due_at


def start_clock(kind: ClockKind, policy: Policy, calendar: Calendar, at: datetime) -> Clock:
    """A clock of *policy* started at *at*; *calendar* is the one its target names."""
    target = policy.targets[kind]
    return Clock(
        kind=kind,
        policy=policy.name,
        calendar=calendar.name,
        started_at=at,
        budget=target.budget,
        warn_before=target.warn_before,
        due_at=find_deadline(at, target.budget, calendar, ()),
    )


def stop_clock(clock: Clock, at: datetime) -> Clock:
    """Met or missed, it no longer runs."""
    return clock if clock.stopped_at is not None else replace(clock, stopped_at=at)


def pause_clock(clock: Clock, at: datetime, reason: str) -> Clock:
    """Stand still from *at*; a breached, stopped or paused clock stays as it is."""
    if not clock.is_running or clock.breached_at is not None:
        return clock
    return replace(clock, pauses=(*clock.pauses, Pause(at, None, reason)), due_at=None)


def resume_clock(clock: Clock, calendar: Calendar, at: datetime) -> Clock:
    """Go on from *at*, the deadline moved by the working time that was paused."""
    if clock.stopped_at is not None or not clock.pauses or clock.pauses[-1].end is not None:
        return clock
    *earlier, last = clock.pauses
    # What ends a pause may have been received just before the pause was written.
    pauses = (*earlier, replace(last, end=max(at, last.start)))
    due_at = find_deadline(clock.started_at, clock.budget, calendar, pauses)
    was_due_at = find_deadline(clock.started_at, clock.budget, calendar, tuple(earlier))
    # A deadline that moved on is worth a warning of its own.
    warned_at = clock.warned_at if due_at == was_due_at else None
    return replace(clock, pauses=pauses, due_at=due_at, warned_at=warned_at)


def find_deadline(
    start: datetime, budget: timedelta, calendar: Calendar, pauses: tuple[Pause, ...]
) -> datetime:
    """The moment at which *budget* of counted time has passed since *start*.

    Raises ValueError for a calendar that never gets there within a year, pauses aside.
    """
    left = budget
    paused = sum((pause.end - pause.start for pause in pauses if pause.end), timedelta())
    for opening, closing in _counted_spans(calendar, start, start + _HORIZON + paused, pauses):
        if closing - opening >= left:
            return opening + left
        left -= closing - opening
    raise ValueError(f"calendar {calendar.name!r} has too little working time for {budget}")


def explain_clock(clock: Clock, calendar: Calendar, until: datetime) -> tuple[Span, ...]:
    """Every stretch from the clock's start to *until*: counted, or skipped and why."""
    working = list(working_spans(calendar, clock.started_at, until))
    marks = {clock.started_at, until, *chain.from_iterable(working)}
    for pause in clock.pauses:
        marks |= {pause.start, pause.end or until}
    inside = sorted(mark for mark in marks if clock.started_at <= mark <= until)
    return _merge(
        [_classify(start, end, calendar, working, clock.pauses) for start, end in pairwise(inside)]
    )


def _counted_spans(
    calendar: Calendar, start: datetime, until: datetime, pauses: tuple[Pause, ...]
) -> Iterator[tuple[datetime, datetime]]:
    for opening, closing in working_spans(calendar, start, until):
        reached = opening
        for pause in pauses:
            pause_end = pause.end or closing
            if pause_end <= reached or pause.start >= closing:
                continue
            if pause.start > reached:
                yield reached, pause.start
            reached = pause_end
        if reached < closing:
            yield reached, closing


def _classify(
    start: datetime,
    end: datetime,
    calendar: Calendar,
    working: list[tuple[datetime, datetime]],
    pauses: tuple[Pause, ...],
) -> Span:
    for pause in pauses:
        if pause.start <= start and (pause.end is None or end <= pause.end):
            return Span(start, end, is_counted=False, reason=pause.reason)
    if any(opening <= start and end <= closing for opening, closing in working):
        return Span(start, end, is_counted=True, reason=f"working time of {calendar.name}")
    return Span(start, end, is_counted=False, reason=f"outside the hours of {calendar.name}")


def _merge(spans: list[Span]) -> tuple[Span, ...]:
    merged: list[Span] = []
    for span in spans:
        if merged and merged[-1].reason == span.reason:
            merged[-1] = replace(merged[-1], end=span.end)
        else:
            merged.append(span)
    return tuple(merged)
