"""Working calendars: which moments count for a clock, and why the others do not."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Calendar:
    """Opening hours by weekday (Monday is 0), local to *timezone*, less the holidays.

    An interval whose end is not after its start reaches into the next day. `is_always` counts
    every moment and ignores the rest. A time that the clocks skip in spring is the moment it would
    have been without the change; one that they show twice in autumn is the first of the two.
    """

    name: str
    timezone: str = "UTC"
    hours: Mapping[int, tuple[tuple[time, time], ...]] = field(default_factory=dict)
    holidays: frozenset[date] = frozenset()
    is_always: bool = False


ALWAYS = Calendar("always", is_always=True)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a clock's time, counted or not, and the reason."""

    start: datetime
    end: datetime
    is_counted: bool
    reason: str


def working_spans(
    calendar: Calendar, start: datetime, until: datetime
) -> Iterator[tuple[datetime, datetime]]:
    """The working intervals between *start* and *until*, in order, in UTC."""
    if calendar.is_always:
        yield start, until
        return
    zone = ZoneInfo(calendar.timezone)
    # An interval of the day before may still be running past midnight.
    day = start.astimezone(zone).date() - timedelta(days=1)
    last = until.astimezone(zone).date()
    reached = start
    while day <= last:
        for opening, closing in _intervals(calendar, day, zone):
            begins, ends = max(opening, reached), min(closing, until)
            # Also false for an interval whose opening alone is skipped when the clocks change.
            if begins < ends:
                yield begins, ends
                reached = ends
        day += timedelta(days=1)


def _intervals(calendar: Calendar, day: date, zone: ZoneInfo) -> list[tuple[datetime, datetime]]:
    if day in calendar.holidays:
        return []
    intervals = []
    for opening, closing in calendar.hours.get(day.weekday(), ()):
        end_day = day if closing > opening else day + timedelta(days=1)
        intervals.append(
            (
                datetime.combine(day, opening, zone).astimezone(UTC),
                datetime.combine(end_day, closing, zone).astimezone(UTC),
            )
        )
    return sorted(intervals)
