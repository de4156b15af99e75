"""What is masked, shown on demand: no text without the event that says who saw it, and why."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from caseweave.agents.caller import WRITERS, Caller, Moment
from caseweave.agents.fields import read_text
from caseweave.agents.view import SignLinks, describe_in_full
from caseweave.domain.event import EventKind, begin_change
from caseweave.domain.media import show_attachments
from caseweave.domain.message import Message
from caseweave.errors import InvalidRequestError, NotFoundError
from caseweave.storage import cases
from caseweave.storage.transaction import retry_on_contention

_LONGEST_REASON = 500


def reveal_message(
    name: str,
    message_id: str,
    said: Mapping[str, Any],
    caller: Caller,
    moment: Moment,
    sign_links: SignLinks,
) -> dict[str, Any]:
    """A message as it came, once the event is in the chain of its case.

    Raises ForbiddenError, NotFoundError, InvalidRequestError without a reason, and ContentionError
    or UnavailableError where the event could not be written.
    """
    caller.require(*WRITERS)
    reason = read_text(said, "reason").strip()
    if not 1 <= len(reason) <= _LONGEST_REASON:
        advice = f"write why you need to see it, in at most {_LONGEST_REASON} characters"
        raise InvalidRequestError("There is no usable reason.", (("reason", advice),))
    message = _find_message(cases.find_case_id(name), message_id)
    retry_on_contention(lambda _: _record(message, reason, caller, moment))
    _, files = cases.list_messages(message.case_id)
    shown = replace(message, attachments=show_attachments(message, files))
    return {"message": describe_in_full(shown, sign_links)}


def _find_message(case_id: str, message_id: str) -> Message:
    """Of the case, or of one that was merged into it."""
    for one in (case_id, *cases.read_head(case_id).merged):
        for message in cases.list_messages(one)[0]:
            if message.id == message_id:
                return message
    raise NotFoundError(f"There is no message {message_id} in this case.")


def _record(message: Message, reason: str, caller: Caller, moment: Moment) -> None:
    case = cases.read_head(message.case_id)
    change = begin_change(case).record(
        EventKind.CONTENT_REVEALED,
        caller.actor,
        moment.now,
        {"message_id": message.id},
        {"reason": reason},
    )
    cases.commit_change(change)
