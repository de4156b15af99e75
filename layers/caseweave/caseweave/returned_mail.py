"""Mail of ours that comes back: bounces, complaints, and our own mails themselves.

Whoever can write a mail can write a bounce. It settles a message of ours only if it brings the
signed id of that very message, or the id by which SES sent it together with its recipient: both
are unguessable, and only who got the mail, or had to pass it on, knows them (promise P4).
"""

from collections.abc import Sequence
from dataclasses import replace

from caseweave.channels.identities import identify_email
from caseweave.domain.event import Actor
from caseweave.domain.message import (
    Channel,
    Delivery,
    Direction,
    InboundMessage,
    MailReport,
    MailTrace,
    Message,
)
from caseweave.domain.outbound import MAIL_SENDER, find_mail_address
from caseweave.domain.tokens import find_traces, name_replied_case, read_reply_token
from caseweave.errors import NotFoundError
from caseweave.quarantine import keep_quarantined
from caseweave.storage.cases import list_messages
from caseweave.storage.ledger import LedgerState, RawInput, keep_without_message
from caseweave.storage.outbox import (
    OutboxKey,
    find_sent,
    outbox_key,
    read_outbound,
    settle_message,
)


def keep_report(report: MailReport, raw: RawInput, keys: Sequence[bytes]) -> bool:
    """Settle the message that a report is about. One that is about none of ours is quarantined,
    for people to see; it is never answered and opens no case. False if it was kept before.
    """
    own = replace(raw, provider=report.provider, account=report.account)
    try:
        key = find_reported(report, keys)
    except NotFoundError as error:
        reason = f"{error} It says: {report.detail}"
        return keep_quarantined(own, report.event_id, reason)
    if report.state is None:
        reason = f"nothing is settled for message {key.message_id} yet: {report.detail}"
        return keep_without_message(own, report.event_id, LedgerState.IGNORED, reason)
    delivery = Delivery(report.state, raw.received_at, error=report.detail)
    settle_message(key, delivery, Actor("provider", report.provider))
    return keep_without_message(own, report.event_id, LedgerState.PARSED, "")


def find_reported(report: MailReport, keys: Sequence[bytes]) -> OutboxKey:
    """The message that a report proves to be about. Raises NotFoundError."""
    for trace in report.traces:
        if found := _find_signed(trace, keys):
            return outbox_key(found)
    for sent_id in report.sent_ids:
        try:
            key = find_sent(MAIL_SENDER, sent_id)
            message = read_outbound(key)
        except NotFoundError:
            continue
        if find_mail_address(message.contact) in report.recipients:
            return key
    raise NotFoundError("This report on a mail proves to be about none of ours.")


def is_own_mail(inbound: InboundMessage, keys: Sequence[bytes]) -> bool:
    """Is it a mail that we wrote, with the signed id that we gave it?"""
    if inbound.channel is not Channel.EMAIL:
        return False
    return any(_find_signed(trace, keys) for trace in find_traces(inbound.provider_id))


def _find_signed(trace: MailTrace, keys: Sequence[bytes]) -> Message | None:
    """The message of ours that has this id, if the token in it was issued to its recipient."""
    case_id = name_replied_case(trace.token)
    if case_id is None:
        return None
    messages, _ = list_messages(case_id)
    for message in messages:
        if message.id == trace.message_id and message.direction is Direction.OUTBOUND:
            address = identify_email(find_mail_address(message.contact))
            is_signed = read_reply_token(trace.token, address, keys) == case_id
            return message if is_signed else None
    return None
