"""Cases that belong together, as agents say so: merged, split, linked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from caseweave.agents.caller import ROLES, WRITERS, Caller, Moment
from caseweave.agents.fields import read_names, read_text
from caseweave.agents.relation_view import describe_links
from caseweave.agents.versions import require_version, retry_at_version
from caseweave.agents.view import describe_case
from caseweave.domain.case import Case
from caseweave.domain.case_links import (
    BY_HAND,
    LinkKind,
    link_cases,
    require_tree,
    unlink_cases,
)
from caseweave.domain.desk import Desk
from caseweave.domain.dividing import (
    choose_playbook,
    move_messages,
    quote_message,
    require_movable,
    split_message,
)
from caseweave.domain.escalation import tick_case
from caseweave.domain.event import Actor, CaseChange
from caseweave.domain.evidence import SEAL_SIZE
from caseweave.domain.merging import merge_cases, unmerge_case
from caseweave.domain.message import Direction, Message
from caseweave.domain.opening import NewCase
from caseweave.domain.reference import make_reference
from caseweave.domain.triage import find_entities
from caseweave.errors import InvalidRequestError
from caseweave.storage import cases, relations
from caseweave.storage.case_links import Ancestor, list_ancestors, list_links
from caseweave.storage.customers import read_family

_LONGEST_REASON = 500


def merge(
    name: str,
    said: Mapping[str, Any],
    version: int | None,
    caller: Caller,
    desk: Desk,
    moment: Moment,
) -> dict[str, Any]:
    """Merge the case into another one of the same customer; merged there before, nothing changes.

    Raises InvalidRequestError with what to do instead.
    """
    caller.require(*WRITERS)
    into, reason = read_text(said, "into"), _read_reason(said)
    source_id, target_id = cases.find_named_id(name), cases.find_case_id(into)

    def attempt() -> tuple[Case, Case]:
        source, target = cases.read_head(source_id), cases.read_current(target_id)
        require_version(source, version)
        if source.merged_into and cases.follow_merges(source).id == target.id:
            return source, target
        _require_one_customer(source, target)
        # What is due by now is recorded first: no missed deadline vanishes with its clock.
        due = [tick_case(case, desk, moment.now) for case in (source, target)]
        changes = merge_cases(due[0].after, due[1].after, reason, desk, caller.actor, moment.now)
        left, joined = (one.then(two) for one, two in zip(due, changes, strict=True))
        relations.commit_merge(left, joined, caller.actor)
        return left.after, joined.after

    left, joined = retry_at_version(attempt, version)
    return {"case": describe_case(joined), "merged": describe_case(left)}


def unmerge(
    name: str,
    said: Mapping[str, Any],
    version: int | None,
    caller: Caller,
    moment: Moment,
) -> dict[str, Any]:
    """Give a merged case back the state that it had. *name* is the merged one's own."""
    caller.require(*WRITERS)
    case_id, reason = cases.find_named_id(name), _read_reason(said)

    def attempt() -> Sequence[CaseChange]:
        path = relations.read_path(case_id)
        require_version(path[0], version)
        events = cases.read_file(case_id).events
        changes = unmerge_case(path, events, reason, caller.actor, moment.now)
        relations.commit_unmerge(changes, path[1].id)
        return changes

    returned, *_, last = retry_at_version(attempt, version)
    return {"case": describe_case(returned.after), "from": describe_case(last.after)}


def split(
    name: str,
    said: Mapping[str, Any],
    version: int | None,
    caller: Caller,
    desk: Desk,
    moment: Moment,
) -> dict[str, Any]:
    """Open a case beside this one: for what an excerpt of one message says, or with messages that
    move there. Raises InvalidRequestError, which says what to write instead.
    """
    caller.require(*WRITERS)
    category = read_text(said, "category") if "category" in said else None
    case_id, note_id, new = cases.find_named_id(name), moment.new_id(), _name_case(desk, moment)
    moved = tuple(dict.fromkeys(read_names(said, "messages")))
    message_id, excerpt = ("", "") if moved else _read_excerpt(said)

    def attempt() -> tuple[Case, Case]:
        case = cases.read_current(case_id)
        require_version(case, version)
        due = tick_case(case, desk, moment.now)
        division = _Division(due, category, new, desk, caller.actor, moment.now)
        if moved:
            return division.move(moved)
        return division.quote(message_id, excerpt, note_id)

    case, opened = retry_at_version(attempt, version)
    return {"case": describe_case(case), "new": describe_case(opened)}


@dataclass(frozen=True, slots=True)
class _Division:
    """One attempt to divide a case, as it is after what was due."""

    due: CaseChange
    category: str | None
    new: NewCase
    desk: Desk
    actor: Actor
    now: datetime

    def quote(self, message_id: str, excerpt: str, note_id: str) -> tuple[Case, Case]:
        case = self.due.after
        message = _find_message(case, message_id)
        quoted = quote_message(message, excerpt)
        finding = choose_playbook(quoted, self.category, self.desk)
        change, opened = split_message(
            case, message, quoted, self.new, finding, self.desk, self.actor, self.now, note_id
        )
        change = self.due.then(change)
        entities = find_entities(quoted, self.desk)
        relations.commit_split(change, opened, entities, self.actor)
        return change.after, opened.after

    def move(self, wanted: Sequence[str]) -> tuple[Case, Case]:
        case = self.due.after
        timeline = cases.read_timeline(case.id)
        require_movable(case, timeline.messages, wanted)
        messages = [one for one in timeline.messages if one.id in wanted]
        files = [one for one in timeline.files if one.message_id in wanted]
        first = next((m for m in messages if m.direction is Direction.INBOUND), messages[0])
        finding = choose_playbook(first, self.category, self.desk)
        change, opened = move_messages(
            case, messages, self.new, finding, self.desk, self.actor, self.now
        )
        change = self.due.then(change)
        relations.commit_move(change, opened, messages, files, self.actor)
        return change.after, opened.after


def _name_case(desk: Desk, moment: Moment) -> NewCase:
    ref, seal = make_reference(moment.entropy(5)), moment.entropy(SEAL_SIZE).hex()
    return NewCase(moment.new_id(), ref, desk.fallback.team, seal)


def _find_message(case: Case, message_id: str) -> Message:
    message = relations.find_message(case, message_id)
    if message is not None:
        return message
    advice = f"write the id of a message of {case.ref}"
    raise InvalidRequestError("There is no such message.", (("message", advice),))


def read_links(name: str, caller: Caller) -> dict[str, Any]:
    caller.require(*ROLES)
    case = cases.read_current(cases.find_named_id(name))
    return _show_links(case)


def link(
    name: str,
    said: Mapping[str, Any],
    version: int | None,
    caller: Caller,
    moment: Moment,
) -> dict[str, Any]:
    """Make the case named in `case` a parent, child, duplicate, … of this one, or with `remove` no
    longer. Both chains say so; the same again is no change.
    """
    caller.require(*WRITERS)
    kind, is_removal = _read_kind(said), _read_removal(said)
    case_id = cases.find_named_id(name)
    other_id = cases.find_case_id(read_text(said, "case"))

    def attempt() -> Case:
        case, other = cases.read_current(case_id), cases.read_current(other_id)
        require_version(case, version)
        is_there = any(one.other_id == other.id for one in list_links(case.id, kind))
        if is_there is not is_removal:
            return case
        if is_removal:
            one, two = unlink_cases(case, kind, other, caller.actor, moment.now)
            relations.commit_unlink(one, kind, two)
        else:
            above = _look_above(case, kind, other)
            one, two = link_cases(case, kind, other, caller.actor, moment.now)
            relations.commit_link(one, kind, two, caller.actor, above)
        return one.after

    return _show_links(retry_at_version(attempt, version))


def _look_above(case: Case, kind: LinkKind, other: Case) -> list[Ancestor]:
    """What stands above the future parent. Raises InvalidRequestError if it must not be one."""
    if kind not in (LinkKind.PARENT, LinkKind.CHILD) or case.id == other.id:
        return []
    child, parent = (case, other) if kind is LinkKind.PARENT else (other, case)
    own = [one.other_id for one in list_links(child.id, LinkKind.PARENT)]
    above = list_ancestors(parent.id)
    require_tree(child, parent, own, [one.id for one in above])
    return above


def _show_links(case: Case) -> dict[str, Any]:
    links = list_links(case.id)
    heads = relations.read_heads(link.other_id for link in links)
    return {"case": describe_case(case), "items": describe_links(links, heads)}


def _require_one_customer(source: Case, target: Case) -> None:
    if source.customer_id == target.customer_id:
        return
    roots = {read_family(case.customer_id).root for case in (source, target)}
    if len(roots) > 1:
        advice = (
            f"merge the customers first, if {source.customer_id} and {target.customer_id} are one;"
            " else link the two cases"
        )
        raise InvalidRequestError("These are cases of two customers.", (("into", advice),))


def _read_reason(said: Mapping[str, Any]) -> str:
    reason = read_text(said, "reason") if "reason" in said else ""
    if len(reason) > _LONGEST_REASON:
        advice = f"write at most {_LONGEST_REASON} characters"
        raise InvalidRequestError("The reason is too long.", (("reason", advice),))
    return reason


def _read_excerpt(said: Mapping[str, Any]) -> tuple[str, str]:
    if "message" not in said:
        advice = 'write "message" and "excerpt", or "messages": ["…"] to move them'
        raise InvalidRequestError("What is to be split off?", (("message", advice),))
    return read_text(said, "message"), read_text(said, "excerpt")


def _read_kind(said: Mapping[str, Any]) -> LinkKind:
    name = read_text(said, "kind")
    if name not in BY_HAND:
        advice = f"use one of: {', '.join(BY_HAND)}"
        raise InvalidRequestError("There is no such link.", (("kind", advice),))
    return LinkKind(name)


def _read_removal(said: Mapping[str, Any]) -> bool:
    wanted = said.get("remove", False)
    if not isinstance(wanted, bool):
        raise InvalidRequestError(
            "remove is not usable.", (("remove", "write true, or leave it out"),)
        )
    return wanted
