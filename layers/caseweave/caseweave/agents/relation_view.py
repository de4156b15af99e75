"""How the API shows what belongs to a case: links, merged cases, and who else looks at it."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from caseweave.agents.view import SignLinks, describe_case, describe_event, describe_message
from caseweave.discretion import mask_shown
from caseweave.domain.case import Case
from caseweave.domain.case_links import BY_HAND, CaseLink, LinkKind
from caseweave.domain.media import show_attachments
from caseweave.domain.message import Message, timeline_place
from caseweave.domain.presence import Presence
from caseweave.domain.times import to_rfc3339
from caseweave.storage.cases import CaseFile
from caseweave.storage.relations import Family

_SHOWN = (*BY_HAND, LinkKind.SPLIT_FROM, LinkKind.SPLIT_INTO)


def describe_family(family: Family, sign_links: SignLinks) -> dict[str, Any]:
    """A case with the messages of all that were merged into it, by time of occurrence, each with
    the reference of its own case; its events by number; and what it is linked to.
    """
    files = (family.file, *family.merged)
    placed = [(message, file) for file in files for message in file.messages]
    placed.sort(key=lambda one: timeline_place(one[0]))
    return {
        "case": describe_case(family.file.case),
        "messages": [_describe_placed(message, file, sign_links) for message, file in placed],
        "events": [describe_event(event) for event in family.file.events],
        "merged": [describe_case(file.case) for file in family.merged],
        "links": describe_links([link for file in files for link in file.links], family.linked),
    }


def _describe_placed(message: Message, file: CaseFile, sign_links: SignLinks) -> dict[str, Any]:
    complete = replace(message, attachments=show_attachments(message, file.files))
    return {**describe_message(complete, sign_links), "case_ref": file.case.ref}


def describe_links(links: Iterable[CaseLink], heads: Mapping[str, Case]) -> list[dict[str, Any]]:
    """What each other case is to this one. Merged ones are shown by themselves."""
    shown = [one for one in links if one.kind in _SHOWN and one.other_id in heads]
    return [
        {
            "kind": str(one.kind),
            "case": describe_briefly(heads[one.other_id]),
            "at": to_rfc3339(one.at),
            "actor": str(one.actor),
        }
        for one in sorted(shown, key=lambda one: (one.at, one.kind, one.other_id))
    ]


def describe_briefly(case: Case) -> dict[str, Any]:
    return {
        "id": case.id,
        "ref": case.ref,
        "state": str(case.state),
        "subject": mask_shown(case.subject).text,
        "merged_into": case.merged_into or None,
    }


def describe_presences(
    presences: Iterable[Presence], viewer: str, now: datetime
) -> list[dict[str, Any]]:
    """The others who are believed to be there; what has expired is not shown, removed or not."""
    others = [one for one in presences if one.agent != viewer and one.is_believed(now)]
    return [
        describe_presence(one) for one in sorted(others, key=lambda one: (one.since, one.agent))
    ]


def describe_presence(presence: Presence) -> dict[str, Any]:
    return {
        "agent": presence.agent,
        "doing": str(presence.doing),
        "since": to_rfc3339(presence.since),
        "until": to_rfc3339(presence.until),
    }
