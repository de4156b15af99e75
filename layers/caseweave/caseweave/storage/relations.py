"""Changes of two cases that belong together: each is one transaction, whole or not at all."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from caseweave.domain.case import Case
from caseweave.domain.case_links import CaseLink, LinkKind
from caseweave.domain.event import Actor, CaseChange
from caseweave.domain.media import FileOutcome
from caseweave.domain.message import Message
from caseweave.domain.times import to_rfc3339
from caseweave.errors import ContentionError, InvalidRequestError
from caseweave.storage import table
from caseweave.storage.case_links import (
    Ancestor,
    check_ancestors,
    delete_links,
    put_links,
)
from caseweave.storage.cases import (
    CaseFile,
    list_messages,
    put_changes,
    put_entities,
    read_file,
    read_head,
)
from caseweave.storage.items import IS_THERE, batch_get
from caseweave.storage.moved import put_moved
from caseweave.storage.rows import outcome_item, read_case
from caseweave.storage.transaction import RefusedError, Transaction

# What a transaction of the store holds.
_MOST_RECORDS = 100


@dataclass(frozen=True, slots=True)
class Family:
    """A case whole: with the files of all that were merged into it, and the heads of those that it
    is linked to.
    """

    file: CaseFile
    merged: tuple[CaseFile, ...]
    linked: dict[str, Case]


def read_family_file(file: CaseFile) -> Family:
    """One query for each merged case, and one read for all that are linked."""
    merged = tuple(read_file(case_id) for case_id in file.case.merged)
    others = {link.other_id for one in (file, *merged) for link in one.links}
    return Family(file, merged, read_heads(others))


def find_message(case: Case, message_id: str) -> Message | None:
    """A message of the case, or of one that was merged into it; a query for each, at most."""
    for case_id in (case.id, *case.merged):
        for message in list_messages(case_id)[0]:
            if message.id == message_id:
                return message
    return None


def read_heads(case_ids: Iterable[str]) -> dict[str, Case]:
    """The heads of those that are there, in one read; none for none."""
    keys = [table.case_key(case_id) for case_id in case_ids]
    found = batch_get(keys, consistent=False) if keys else ()
    heads = [read_case(values) for _, values in found]
    return {head.id: head for head in heads}


def read_path(case_id: str) -> list[Case]:
    """The case, and each case that it was merged into, to the last one. Raises NotFoundError."""
    path = [read_head(case_id)]
    while path[-1].merged_into:
        path.append(read_head(path[-1].merged_into))
    return path


def commit_merge(source: CaseChange, target: CaseChange, actor: Actor) -> None:
    """Raises ContentionError when either has changed meanwhile."""
    write = Transaction()
    put_changes(write, (source, target))
    put_links(write, _between(source, LinkKind.MERGED_INTO, target, actor))
    _commit(write)


def commit_unmerge(changes: Sequence[CaseChange], target_id: str) -> None:
    """Raises ContentionError when any has changed meanwhile."""
    write = Transaction()
    put_changes(write, changes)
    delete_links(write, changes[0].after.id, LinkKind.MERGED_INTO, target_id)
    _commit(write)


def commit_split(
    case: CaseChange, opened: CaseChange, entities: Sequence[tuple[str, str]], actor: Actor
) -> None:
    """*entities* are what the new case mentions."""
    write = Transaction()
    put_changes(write, (case, opened))
    put_entities(write, opened.after, entities)
    put_links(write, _between(opened, LinkKind.SPLIT_FROM, case, actor))
    _commit(write)


def commit_move(
    case: CaseChange,
    opened: CaseChange,
    messages: Sequence[Message],
    files: Sequence[FileOutcome],
    actor: Actor,
) -> None:
    """*messages* and what became of their *files* leave the case, in which they were, for the one
    that is opened. Raises InvalidRequestError for more than one transaction holds.
    """
    write = Transaction()
    put_changes(write, (case, opened))
    put_links(write, _between(opened, LinkKind.SPLIT_FROM, case, actor))
    for one in messages:
        key = table.message_key(one.case_id, to_rfc3339(one.occurred_at), one.id)
        write.delete("message", key, IS_THERE)
    for outcome in files:
        place = outcome.message_id, outcome.index
        write.delete("file", table.file_key(case.after.id, *place), IS_THERE)
        write.put_new("file", outcome_item(opened.after.id, outcome))
    put_moved(write, case.after.id, [one.id for one in messages], opened.after.id)
    if len(write) > _MOST_RECORDS:
        advice = "move fewer messages at once; each of their files counts too"
        raise InvalidRequestError("That is too much for one move.", (("messages", advice),))
    _commit(write)


def commit_link(
    one: CaseChange,
    kind: LinkKind,
    other: CaseChange,
    actor: Actor,
    ancestors: list[Ancestor],
) -> None:
    """*ancestors* are those that must not have changed meanwhile."""
    write = Transaction()
    put_changes(write, (one, other))
    put_links(write, _between(one, kind, other, actor))
    written = (one.after.id, other.after.id)
    check_ancestors(write, [above for above in ancestors if above.id not in written])
    _commit(write)


def commit_unlink(one: CaseChange, kind: LinkKind, other: CaseChange) -> None:
    write = Transaction()
    put_changes(write, (one, other))
    delete_links(write, one.after.id, kind, other.after.id)
    _commit(write)


def _between(
    one: CaseChange, kind: LinkKind, other: CaseChange, actor: Actor
) -> tuple[CaseLink, CaseLink]:
    return CaseLink.between(one.after, kind, other.after, actor, one.after.updated_at)


def _commit(write: Transaction) -> None:
    try:
        write.commit()
    except RefusedError as error:
        raise ContentionError(str(error)) from error
