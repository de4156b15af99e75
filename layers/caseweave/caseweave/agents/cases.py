"""Cases as agents work them: list, read, reply, note, assign, change state."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from caseweave.agents.caller import ROLES, WRITERS, Caller, Moment
from caseweave.agents.fields import (
    read_channel,
    read_limit,
    read_names,
    read_state,
    read_states,
    read_text,
)
from caseweave.agents.relation_view import describe_family, describe_presences
from caseweave.agents.uploads import KeepUpload, take_uploads
from caseweave.agents.versions import require_version, retry_at_version
from caseweave.agents.view import (
    SignLinks,
    cursor_to_start,
    describe_case,
    start_to_cursor,
)
from caseweave.agents.warnings import warn_of
from caseweave.discretion import find_shown
from caseweave.domain.case import Case, CaseState
from caseweave.domain.desk import Desk
from caseweave.domain.escalation import tick_case
from caseweave.domain.event import CaseChange
from caseweave.domain.handling import assign_case, set_state
from caseweave.domain.message import Message
from caseweave.domain.replying import Enclosure, add_note, reply_to_customer
from caseweave.errors import InvalidRequestError
from caseweave.storage import cases
from caseweave.storage.relations import find_message, read_family_file


def list_cases(query: Mapping[str, str], caller: Caller, desk: Desk) -> dict[str, Any]:
    """A page of cases: of a customer, of an assignee, or of worklists."""
    caller.require(*ROLES)
    limit = read_limit(query.get("limit", "50"))
    start = cursor_to_start(query.get("cursor", ""))
    states = read_states(query.get("state", ""))
    if query.get("customer"):
        page = cases.list_of_customer(query["customer"], limit, start)
    elif query.get("assignee"):
        page = cases.list_assigned(query["assignee"], states, limit, start)
    else:
        teams = [query["team"]] if query.get("team") else sorted(desk.teams)
        page = cases.list_worklists(teams, states, limit, start)
    shown = [case for case in page.items if _fits(case, states, query)]
    return {"items": [describe_case(case) for case in shown], "next": start_to_cursor(page.next)}


def read_case(name: str, caller: Caller, sign_links: SignLinks, now: datetime) -> dict[str, Any]:
    """A case with its timeline, events and links, and who else looks at it; by id or reference.

    Of a case that was merged, the one that it was merged into, with the messages of all, and what
    is left of the one that was asked for.
    """
    caller.require(*ROLES)
    named = cases.read_file(cases.find_named_id(name))
    current = cases.follow_merges(named.case)
    file = named if current is named.case else cases.read_file(current.id)
    shown = describe_family(read_family_file(file), sign_links)
    return {
        **shown,
        "present": describe_presences(file.presences, caller.name, now),
        "asked_for": None if file is named else describe_case(named.case),
    }


def reply(
    name: str,
    said: Mapping[str, Any],
    version: int | None,
    caller: Caller,
    desk: Desk,
    moment: Moment,
    keep_upload: KeepUpload,
) -> dict[str, Any]:
    caller.require(*WRITERS)
    body = read_text(said, "body") if "body" in said else ""
    channel = read_channel(said.get("channel"))
    case, message_id = cases.read_current(cases.find_named_id(name)), moment.new_id()
    require_version(case, version)
    enclosure = Enclosure(
        take_uploads(case.id, said, keep_upload),
        read_names(said, "quick_replies"),
        _find_answered(case, said),
    )
    written = _write(
        case.id,
        version,
        desk,
        moment.now,
        lambda case: reply_to_customer(
            case, body, channel, caller.actor, moment.now, message_id, enclosure
        ),
    )
    return {**written, "warnings": warn_of(find_shown(body))}


def _find_answered(case: Case, said: Mapping[str, Any]) -> Message | None:
    if "reply_to" not in said:
        return None
    found = find_message(case, read_text(said, "reply_to"))
    if found is None:
        advice = "write the id of a message of this case, or leave it out"
        raise InvalidRequestError("There is no such message.", (("reply_to", advice),))
    return found


def note(
    name: str,
    said: Mapping[str, Any],
    version: int | None,
    caller: Caller,
    desk: Desk,
    moment: Moment,
) -> dict[str, Any]:
    caller.require(*WRITERS)
    body, message_id = read_text(said, "body"), moment.new_id()
    return _write(
        name,
        version,
        desk,
        moment.now,
        lambda case: add_note(case, body, caller.actor, moment.now, message_id),
    )


def assign(
    name: str,
    said: Mapping[str, Any],
    version: int | None,
    caller: Caller,
    desk: Desk,
    moment: Moment,
) -> dict[str, Any]:
    caller.require(*WRITERS)
    team = read_text(said, "team") if "team" in said else None
    agent = read_text(said, "agent") if "agent" in said else None
    return _write(
        name,
        version,
        desk,
        moment.now,
        lambda case: assign_case(case, team, agent, desk, caller.actor, moment.now),
    )


def change_state(
    name: str,
    said: Mapping[str, Any],
    version: int | None,
    caller: Caller,
    desk: Desk,
    moment: Moment,
) -> dict[str, Any]:
    caller.require(*WRITERS)
    state = read_state(read_text(said, "state"))
    reason = read_text(said, "reason") if "reason" in said else ""
    message_id = moment.new_id()
    return _write(
        name,
        version,
        desk,
        moment.now,
        lambda case: set_state(case, state, reason, desk, caller.actor, moment.now, message_id),
    )


def _write(
    name: str,
    version: int | None,
    desk: Desk,
    now: datetime,
    decide: Callable[[Case], CaseChange],
) -> dict[str, Any]:
    """Decide on the case as it is, and write. With a *version*, only on that one.

    What is due by now is recorded first, in the same transaction: a deadline that was missed since
    the last sweep does not vanish because an agent came just before the next. Raises
    StaleVersionError when the case has moved on from the version the caller saw.
    """
    case_id = cases.find_named_id(name)

    def attempt() -> CaseChange:
        case = cases.read_current(case_id)
        require_version(case, version)
        due = tick_case(case, desk, now)
        decided = decide(due.after)
        change = due.then(decided) if not decided.is_empty else decided
        cases.commit_change(change)
        return change

    change = retry_at_version(attempt, version)
    message = change.messages[0].id if change.messages else None
    return {"case": describe_case(change.after), "message_id": message}


def _fits(case: Case, states: Sequence[CaseState], query: Mapping[str, str]) -> bool:
    """The filters that the index in use does not answer by itself."""
    asked_states = not query.get("state") or case.state in states
    return (
        asked_states
        and query.get("team", case.team) == case.team
        and query.get("assignee", case.assignee) == case.assignee
    )
