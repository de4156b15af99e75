"""Replay: what was verified but not understood is tried again, after a fix (promise P1).

It was verified at the door, so it is not verified again. Whatever had been taken in before is known
to the ledger and changes nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from caseweave.aws.mailbox import keep_attachment, read_object
from caseweave.channels import ses
from caseweave.channels.credentials import Credentials
from caseweave.channels.mail_reading import MailPart
from caseweave.channels.mail_registry import MAIL
from caseweave.channels.registry import MESSENGERS, SMS
from caseweave.channels.request import WebhookRequest
from caseweave.domain.message import InboundEvent, MailReport
from caseweave.errors import CaseweaveError, UnparseableError
from caseweave.intake import Door, take_in
from caseweave.returned_mail import find_reported
from caseweave.storage.ledger import (
    LedgerEntry,
    RawInput,
    list_quarantined,
    release_quarantined,
)
from caseweave.webhooks import parse_events

_PROVIDERS = {**SMS, **MESSENGERS}


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of one entry: understood, or why still not."""

    entry: LedgerEntry
    is_understood: bool
    reason: str = ""


def replay_quarantined(
    limit: int,
    files_bucket: str,
    read_credentials: Callable[[str], Credentials],
    door: Door,
    retention: timedelta,
) -> list[Replayed]:
    """Try the newest *limit* quarantined entries again; one that fails does not stop the others."""
    done = []
    for entry in list(list_quarantined(limit)):
        try:
            events, files = parse_events(partial(_understand, entry, read_credentials))
            for event in events:
                if isinstance(event, MailReport):
                    # One that still is about no mail of ours stays where people see it.
                    find_reported(event, door.signing_keys)
            for file in files:
                keep_attachment(files_bucket, file.digest, file.media_type, file.content)
            raw = RawInput(
                entry.provider,
                entry.account,
                entry.received_at,
                retention,
                entry.body,
                entry.body_ref,
                entry.headers,
            )
            take_in(events, raw, door)
            release_quarantined(entry)
        except CaseweaveError as error:
            done.append(Replayed(entry, is_understood=False, reason=str(error)))
        else:
            done.append(Replayed(entry, is_understood=True))
    return done


def _understand(
    entry: LedgerEntry, read_credentials: Callable[[str], Credentials]
) -> tuple[list[InboundEvent], tuple[MailPart, ...]]:
    """The events and files of an entry. Raises UnparseableError."""
    if entry.provider == ses.PROVIDER:
        return ses.parse(_read_body(entry), entry.body_ref.rpartition("/")[2])
    request = WebhookRequest(_read_body(entry), _lower(entry.headers))
    if entry.provider in MAIL:
        credentials = read_credentials(entry.provider)
        return MAIL[entry.provider].parse_mail(request, credentials)
    if entry.provider in _PROVIDERS:
        provider = _PROVIDERS[entry.provider]
        return provider.parse(request, read_credentials(entry.provider)), ()
    raise UnparseableError(f"what {entry.provider} sends is for people to read")


def _read_body(entry: LedgerEntry) -> bytes:
    if not entry.body_ref:
        return entry.body
    bucket, _, key = entry.body_ref.removeprefix("s3://").partition("/")
    return read_object(bucket, key)


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
