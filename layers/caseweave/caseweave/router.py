"""The router: each new inbound message of the table's stream is triaged and acknowledged."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import quote

from caseweave.channels.identities import identify_email
from caseweave.domain.case import Case
from caseweave.domain.consent import Verdict, judge_keyword, obey_keyword
from caseweave.domain.desk import AnswerRules, Desk
from caseweave.domain.event import CaseChange, begin_change
from caseweave.domain.identity import Address, AddressKind
from caseweave.domain.keywords import Heard, Keyword, hear_keyword
from caseweave.domain.mentions import NAME, find_names
from caseweave.domain.message import Channel, Message
from caseweave.domain.outbound import find_mail_address
from caseweave.domain.routing import find_objection, route_message, wants_acknowledgement
from caseweave.domain.search_rules import FIRST_MESSAGE
from caseweave.domain.tokens import issue_link_token
from caseweave.domain.triage import find_entities
from caseweave.domain.ulid import derive_ulid
from caseweave.domain.wording import Wording, fill_text
from caseweave.errors import ContentionError, NotFoundError
from caseweave.storage.answers import put_answer, read_answers
from caseweave.storage.cases import commit_change, follow_merges, note_entities, read_message_of
from caseweave.storage.consent import put_consent, read_consent
from caseweave.storage.customers import has_address_of_kind, read_customer_of
from caseweave.storage.moved import find_place
from caseweave.storage.transaction import RefusedError, Transaction, retry_on_contention
from caseweave.verifications import hear_message

LINK_LIFETIME = timedelta(days=7)
HELP_TEXT = "sms_help"
_CONFIRMATIONS = {Keyword.STOP: "sms_stopped", Keyword.START: "sms_started"}


def route_case(
    case_id: str, message_sort_key: str, desk: Desk, bot: str, keys: Sequence[bytes], now: datetime
) -> CaseChange:
    """Route the message that a stream record is about; an empty change if it was routed before.

    One transaction (and another before, if the message proves an address by a code), so that dying
    anywhere in here changes nothing and the record comes again.
    *bot* is the Telegram bot's name, "" for none. Raises NotFoundError for a record of no message.
    """
    reply_id = derive_ulid(now, "acknowledgement", case_id, message_sort_key)

    def attempt(number: int) -> CaseChange:
        case, message = _find(case_id, message_sort_key)
        if number == 0:
            # Whole in itself, and done once; the address may be the customer's when they are
            # answered. If it changes the case, the next attempt sees that.
            hear_message(case, message, keys, now)
        heard = hear_keyword(message, desk.keywords)
        if heard is not None:
            obeyed = _obey(heard, case, message, desk, now, reply_id)
            if obeyed is not None:
                return obeyed
        wording, withheld, write = Wording(), "", Transaction()
        if wants_acknowledgement(case, message):
            withheld = _count_answer(write, case, message, desk.mail_answers, now)
            if not withheld:
                wording = Wording(telegram_link=_make_link(message, bot, keys, now))
        answer = HELP_TEXT if heard == Heard(Keyword.HELP) else ""
        change = route_message(case, message, desk, wording, now, reply_id, answer, withheld)
        entities = _name_entities(message, desk, keys)
        if change.is_empty:
            # Somebody is at it already: what the customer names now leads to the case as well.
            note_entities(case, entities)
        else:
            commit_change(change, entities, write)
        return change

    return retry_on_contention(attempt)


def _find(case_id: str, message_sort_key: str) -> tuple[Case, Message]:
    """The message, and the case that answers for it: another one, if it moved or was merged.

    Raises NotFoundError.
    """
    found = read_message_of(case_id, message_sort_key)
    if found is None:
        place = find_place(case_id, message_sort_key.rpartition("#")[2])
        found = read_message_of(place, message_sort_key)
    if found is None:
        raise NotFoundError(f"There is no message {message_sort_key} in case {case_id}.")
    case, message = found
    current = follow_merges(case)
    # Its number is of another chain then; and the merge has woken the case that it had to wake.
    return current, message if current is case else replace(message, seq=0)


def _name_entities(message: Message, desk: Desk, keys: Sequence[bytes]) -> list[tuple[str, str]]:
    """What leads to the case from now on; with its first message, the customer's name too."""
    found = list(find_entities(message, desk, keys[0]))
    names = {message.fields.get("member", "")}
    if message.seq == FIRST_MESSAGE:
        # Whoever was erased meanwhile has no name.
        with suppress(NotFoundError):
            names.add(read_customer_of(message.customer_id).name)
    return [*found, *((NAME, one) for name in sorted(names) for one in find_names(name))]


def _obey(
    heard: Heard, case: Case, message: Message, desk: Desk, now: datetime, reply_id: str
) -> CaseChange | None:
    """STOP or START, obeyed once and in one transaction; None if it is a message as any other."""
    if message.contact is None:
        return None
    known = read_consent(message.contact)
    verdict = judge_keyword(heard, message, known)
    if verdict is Verdict.ORDINARY:
        return None
    if verdict is Verdict.SETTLED:
        return begin_change(case)
    text = desk.text(_CONFIRMATIONS[heard.keyword], case.language)
    body = fill_text(text, case, Wording())
    change, consent = obey_keyword(case, message, heard, body, now, reply_id)
    write = Transaction()
    put_consent(write, message.contact, consent, known)
    try:
        commit_change(change, transaction=write)
    except RefusedError as error:
        raise ContentionError(str(error)) from error
    return change


def _count_answer(
    write: Transaction, case: Case, message: Message, rules: AnswerRules, now: datetime
) -> str:
    """Count the answer that a mail is to get, in the same transaction; or why it gets none."""
    address = identify_email(find_mail_address(case.contacts.get(Channel.EMAIL)))
    if message.channel is not Channel.EMAIL or not address:
        return ""
    known = read_answers(Address(AddressKind.EMAIL, address))
    withheld = find_objection(address, rules, len(known.since(now - rules.within)))
    if not withheld:
        put_answer(write, known, now, rules.within)
    return withheld


def _make_link(message: Message, bot: str, keys: Sequence[bytes], now: datetime) -> str:
    """A Telegram deep link for a customer who has no Telegram linked yet.

    Whoever opens it becomes this customer, so it only goes to where a proven message came from.
    """
    is_group = message.contact is not None and message.contact.address.kind is AddressKind.GROUP
    if not bot or not message.proof.holds or is_group:
        return ""
    if has_address_of_kind(message.customer_id, AddressKind.TELEGRAM):
        return ""
    token = issue_link_token(message.customer_id, now + LINK_LIFETIME, keys)
    return f"https://t.me/{quote(bot)}?start={token}"
