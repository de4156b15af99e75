"""The indexer: the words of messages are made searchable, after and apart from taking them in."""

import logging
from collections.abc import Mapping, Sequence
from typing import Protocol

from caseweave.domain.message import Message
from caseweave.domain.search_rules import SearchRules
from caseweave.domain.terms import searched_texts, terms_of
from caseweave.errors import NotFoundError, UnavailableError
from caseweave.storage import table
from caseweave.storage.cases import read_messages
from caseweave.storage.outbox import parse_outbox_key
from caseweave.storage.postings import delete_postings, put_postings

logger = logging.getLogger(__name__)


class TextEngine(Protocol):
    """A search engine beside the table."""

    def put(self, messages: Sequence[Message]) -> frozenset[str]:
        """Take these in, each once; the ids of those it did not take. Raises UnavailableError."""

    def delete(self, message_ids: Sequence[str]) -> frozenset[str]:
        """Forget these; the ids of those it still knows. Raises UnavailableError."""


def index_entries(
    entries: Mapping[str, str], rules: SearchRules, engine: TextEngine | None
) -> list[str]:
    """Index the messages that queue entries name; the names of the entries that must come again.

    What is indexed is what is stored now: an entry that comes late, or twice, changes nothing, and
    of an erased message nothing comes back.
    """
    keys = {name: key for name, body in entries.items() if (key := _read_entry(body))}
    unreadable = entries.keys() - keys.keys()
    try:
        stored = read_messages(keys.values(), consistent=True)
        wanted = [one for one in stored.values() if rules.covers(one.seq) and searched_texts(one)]
        refused = _index(wanted, rules, engine)
    except UnavailableError:
        logger.exception("nothing could be indexed")
        return list(entries)
    return [
        name
        for name in entries
        if name in unreadable or (keys[name] in stored and stored[keys[name]].id in refused)
    ]


def forget_message(message: Message, engine: TextEngine | None) -> None:
    """Take everything that the indexes know of the message's words away, before it is erased.

    Every term of it, not only those that the rules of today would index. Raises UnavailableError.
    """
    delete_postings(message, terms_of(message))
    if engine is not None and engine.delete([message.id]):
        raise UnavailableError(f"the search engine still knows message {message.id}")


def _read_entry(body: str) -> table.Key | None:
    try:
        key = parse_outbox_key(body)
    except NotFoundError:
        logger.exception("an entry of the index queue names no message")
        return None
    return table.message_key(key.case_id, key.occurred_at, key.message_id)


def _index(
    messages: Sequence[Message], rules: SearchRules, engine: TextEngine | None
) -> frozenset[str]:
    """The ids of the messages that could not be indexed. Raises UnavailableError."""
    if engine is not None:
        return engine.put(messages)
    refused = set()
    for message in messages:
        try:
            terms = terms_of(message)[: rules.most_terms]
            put_postings(message, terms, message.received_at + rules.kept)
        except UnavailableError:
            logger.exception("message %s could not be indexed", message.id)
            refused.add(message.id)
    return frozenset(refused)
