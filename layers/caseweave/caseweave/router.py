"""The router: each new inbound message of the table's stream is triaged and acknowledged."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import quote

from caseweave.domain.desk import Desk
from caseweave.domain.event import CaseChange
from caseweave.domain.identity import AddressKind
from caseweave.domain.message import Message
from caseweave.domain.routing import route_message
from caseweave.domain.tokens import issue_link_token
from caseweave.domain.triage import find_entities
from caseweave.domain.ulid import derive_ulid
from caseweave.domain.wording import Wording
from caseweave.storage.cases import CaseFile, commit_change, read_file
from caseweave.storage.customers import has_address_of_kind
from caseweave.storage.transaction import retry_on_contention

LINK_LIFETIME = timedelta(days=7)


def route_case(
    case_id: str, message_sort_key: str, desk: Desk, bot: str, keys: Sequence[bytes], now: datetime
) -> CaseChange:
    """Route the message that a stream record is about; an empty change if it was routed before.

    One transaction, so that dying anywhere in here changes nothing and the record comes again.
    *bot* is the Telegram bot's name, "" for none.
    """
    message_id = message_sort_key.rpartition("#")[2]

    def attempt(_: int) -> CaseChange:
        file = read_file(case_id)
        message = next((m for m in file.messages if m.id == message_id), None)
        if message is None:
            return CaseChange(before=file.case, after=file.case)
        wording = Wording(telegram_link=_make_link(file, bot, keys, now))
        reply_id = derive_ulid(now, "acknowledgement", case_id, message_id)
        change = route_message(file.case, message, desk, wording, now, reply_id)
        commit_change(change, find_entities(message, desk))
        return change

    return retry_on_contention(attempt)


def _make_link(file: CaseFile, bot: str, keys: Sequence[bytes], now: datetime) -> str:
    """A Telegram deep link for a customer who has no Telegram linked yet.

    Whoever opens it becomes this customer, so it only goes to an address that is proven.
    """
    if not bot or not _is_proven(file.messages):
        return ""
    if has_address_of_kind(file.case.customer_id, AddressKind.TELEGRAM):
        return ""
    token = issue_link_token(file.case.customer_id, now + LINK_LIFETIME, keys)
    return f"https://t.me/{quote(bot)}?start={token}"


def _is_proven(messages: Sequence[Message]) -> bool:
    return any(message.proof not in ("", "none") for message in messages)
