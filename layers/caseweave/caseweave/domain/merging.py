"""Two cases that turn out to be one: a redirect that can be taken back, nothing is moved."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from caseweave.domain.case import Case, CaseState, Priority
from caseweave.domain.clocks import Clock, ClockKind, resume_clock, stop_clock
from caseweave.domain.desk import Desk
from caseweave.domain.event import Actor, CaseChange, Event, EventKind, begin_change
from caseweave.domain.handling import clocks_in_state
from caseweave.domain.message import Channel, Contact
from caseweave.domain.state_change import change_state, describe_due
from caseweave.errors import InvalidRequestError

# Each is one query more whenever the case is read.
MOST_MERGED = 40
_BY_URGENCY = (Priority.URGENT, Priority.HIGH, Priority.NORMAL, Priority.LOW)
# A reply stops either, and a case owes one reply at a time.
_PROMISES = {
    ClockKind.FIRST_REPLY: "reply",
    ClockKind.NEXT_REPLY: "reply",
    ClockKind.OUTCOME: "outcome",
}


def merge_cases(
    source: Case, target: Case, reason: str, desk: Desk, actor: Actor, now: datetime
) -> tuple[CaseChange, CaseChange]:
    """Close *source* as merged into *target*, which from now on answers for both.

    The target takes over how to reach the customer, where it lacks that, the higher priority, and
    of each promise the one that is due earlier; it wakes if the source waits for us. Raises
    InvalidRequestError for a case and itself, for one that was merged, or a closed target.
    """
    _require_mergeable(source, target)
    leaving = _leave(source, target, reason, actor, now)
    return leaving, _take_in(leaving.after, source, target, reason, desk, actor, now)


def _require_mergeable(source: Case, target: Case) -> None:
    if source.id == target.id:
        advice = "name another case; these names lead to one and the same"
        raise InvalidRequestError("A case is not merged into itself.", (("into", advice),))
    if source.merged_into:
        advice = "merge the case that it was merged into"
        raise InvalidRequestError(f"{source.ref} was merged already.", (("into", advice),))
    if not target.is_active:
        advice = "merge into an open case, or link the two as duplicate"
        raise InvalidRequestError(f"{target.ref} is closed.", (("into", advice),))
    if len(target.merged) + len(source.merged) >= MOST_MERGED:
        advice = f"at most {MOST_MERGED} cases are merged into one; link it as duplicate instead"
        raise InvalidRequestError(f"{target.ref} took in too many cases.", (("into", advice),))


def _leave(source: Case, target: Case, reason: str, actor: Actor, now: datetime) -> CaseChange:
    change = begin_change(source)
    before: dict[str, Any] = {"state": str(source.state), "state_seq": source.state_seq}
    if source.is_active:
        clocks = tuple(stop_clock(clock, now) for clock in source.clocks)
        before["stopped"] = [
            place for place, clock in enumerate(source.clocks) if clock.stopped_at is None
        ]
        change = change_state(change, CaseState.CLOSED, "merged", actor, now, clocks)
    return change.record(
        EventKind.CASE_MERGED,
        actor,
        now,
        {"into": target.id, "ref": target.ref, "before": before},
        {"reason": reason},
        merged_into=target.id,
        # The target's state may change first.
        merged_seq=target.seq + 1,
    )


def _take_in(
    left: Case, source: Case, target: Case, reason: str, desk: Desk, actor: Actor, now: datetime
) -> CaseChange:
    """*left* is the *source* as it is closed; the event in the target vouches for its chain."""
    clocks = _join_clocks(source, target, desk, now)
    contacts, last_channel = _join_contacts(source, target)
    priority = min(source.priority, target.priority, key=_BY_URGENCY.index)
    change = begin_change(target).record(
        EventKind.CASE_JOINED,
        actor,
        now,
        {
            "case_id": source.id,
            "ref": source.ref,
            "seq": left.seq,
            "chain": left.chain,
            "priority": {"before": str(target.priority), "after": str(priority)},
            "due": {str(clock.kind): describe_due(clock) for clock in clocks if clock.is_running},
        },
        {"reason": reason},
        merged=(*target.merged, source.id, *source.merged),
        priority=priority,
        category=target.category or source.category,
        channels=tuple(dict.fromkeys((*target.channels, *source.channels))),
        contacts=contacts,
        last_channel=last_channel,
        acknowledged=tuple(dict.fromkeys((*target.acknowledged, *source.acknowledged))),
        clocks=clocks,
    )
    if not _wakes(source, target):
        return change
    return change_state(change, CaseState.OPEN, "the merged case waits for us", actor, now, clocks)


def _wakes(source: Case, target: Case) -> bool:
    return target.is_waiting and source.is_active and not source.is_waiting


def _join_contacts(source: Case, target: Case) -> tuple[Mapping[Channel, Contact], Channel | None]:
    """Its own way to the customer on each channel, the source's on those that it lacks; and the
    channel on which the customer was heard from last.
    """
    contacts = {**source.contacts, **target.contacts}
    last = [case.last_channel for case in (target, source) if case.last_channel in case.contacts]
    latest = max(
        (channel for channel in last if channel is not None),
        key=lambda channel: max(
            case.contacts[channel].at for case in (source, target) if channel in case.contacts
        ),
        default=target.last_channel,
    )
    return contacts, latest


def _join_clocks(source: Case, target: Case, desk: Desk, now: datetime) -> tuple[Clock, ...]:
    """The target's clocks, but of each promise that both keep, the one that is due earlier."""
    clocks = target.clocks
    if _wakes(source, target):
        clocks = clocks_in_state(target, CaseState.OPEN, desk, now)
    elif target.is_waiting:
        return clocks
    for theirs in source.clocks:
        promise = _PROMISES.get(theirs.kind)
        if theirs.stopped_at is None and promise is not None:
            taken = resume_clock(theirs, desk.calendar(theirs.calendar), now)
            clocks = _keep_earlier(clocks, taken, promise)
    return clocks


def _keep_earlier(clocks: tuple[Clock, ...], other: Clock, promise: str) -> tuple[Clock, ...]:
    for place, own in enumerate(clocks):
        if own.stopped_at is None and _PROMISES.get(own.kind) == promise:
            earlier = min(own, other, key=lambda clock: clock.due_at or clock.started_at)
            return (*clocks[:place], earlier, *clocks[place + 1 :])
    return (*clocks, other)


def unmerge_case(
    path: Sequence[Case], events: Iterable[Event], reason: str, actor: Actor, now: datetime
) -> tuple[CaseChange, ...]:
    """Give the first case of *path* back the state in which it was merged; what was written to the
    case that it was merged into since then, stays there.

    *path* leads from the case to the last one, and *events* are the case's. Raises
    InvalidRequestError for a case that was not merged.
    """
    source, *above = path
    if not above:
        advice = "name the case that was merged, not the one that it was merged into"
        raise InvalidRequestError(f"{source.ref} is not merged.", (("case", advice),))
    gone = (source.id, *source.merged)
    merged = next(e for e in reversed(list(events)) if e.kind is EventKind.CASE_MERGED)
    return (
        _return(source, above[0], merged, reason, actor, now),
        *(_let_go(case, source, gone, reason, actor, now) for case in above),
    )


def _return(
    source: Case, target: Case, merged: Event, reason: str, actor: Actor, now: datetime
) -> CaseChange:
    change = begin_change(source).record(
        EventKind.CASE_UNMERGED,
        actor,
        now,
        {"from": target.id, "ref": target.ref},
        {"reason": reason},
        merged_into="",
        merged_seq=0,
    )
    before = merged.data["before"]
    state = CaseState(before["state"])
    if state is CaseState.CLOSED:
        return change
    clocks = tuple(
        replace(clock, stopped_at=None) if place in before["stopped"] else clock
        for place, clock in enumerate(source.clocks)
    )
    change = change_state(change, state, "no longer merged", actor, now, clocks)
    # What was settled before the merge is settled, and nothing else.
    return replace(change, after=replace(change.after, state_seq=before["state_seq"]))


def _let_go(
    case: Case, source: Case, gone: Sequence[str], reason: str, actor: Actor, now: datetime
) -> CaseChange:
    return begin_change(case).record(
        EventKind.CASE_SEPARATED,
        actor,
        now,
        {"case_id": source.id, "ref": source.ref},
        {"reason": reason},
        merged=tuple(one for one in case.merged if one not in gone),
    )
