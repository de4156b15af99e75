"""Reading kept input once more, by today's parsers. It was verified at the door, so it is not
verified again; all that a parser needs beside the provider's account was kept with it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from caseweave.agents.contacts import PROVIDER as DESK
from caseweave.aws.mailbox import keep_attachment, read_ref
from caseweave.channels import connect, ses, ses_events, web_form
from caseweave.channels.credentials import Credentials
from caseweave.channels.kept_message import restore_message
from caseweave.channels.kept_request import restore_request
from caseweave.channels.mail_reading import LARGEST_MAIL, MailPart
from caseweave.channels.mail_registry import MAIL
from caseweave.channels.registry import MESSENGERS, SMS
from caseweave.channels.request import read_json_object
from caseweave.domain.message import InboundEvent
from caseweave.errors import UnparseableError
from caseweave.storage.ledger import LedgerEntry
from caseweave.webhooks import parse_events

_PROVIDERS = {**SMS, **MESSENGERS}
_OUR_OWN = (web_form.PROVIDER, web_form.CHAT, DESK)


@dataclass(frozen=True, slots=True)
class Reading:
    """Every event of the request that an entry was a part of, and the files of its messages."""

    events: Sequence[InboundEvent]
    files: Sequence[MailPart] = ()

    def keep_files(self, files_bucket: str) -> None:
        """Before the message that mentions them, as at the door. Raises UnavailableError."""
        for file in self.files:
            keep_attachment(files_bucket, file.digest, file.media_type, file.content)


def reread(entry: LedgerEntry, read_credentials: Callable[[str], Credentials]) -> Reading:
    """Raises UnparseableError; MissingSecretError without the provider's account; NotFoundError
    where the raw input is gone; UnavailableError.
    """
    return parse_events(partial(_read, entry, read_credentials))


def _read(entry: LedgerEntry, read_credentials: Callable[[str], Credentials]) -> Reading:
    name = entry.provider
    if name in _OUR_OWN:
        return Reading([restore_message(entry.headers)])
    if name == ses.PROVIDER:
        return _read_ses(entry)
    if name == connect.PROVIDER:
        return Reading([_read_connect(entry)])
    request = restore_request(_read_body(entry), entry.headers)
    if name in MAIL:
        return Reading(*MAIL[name].parse_mail(request, read_credentials(name)))
    if name in _PROVIDERS:
        return Reading(_PROVIDERS[name].parse(request, read_credentials(name)))
    raise UnparseableError(f"nothing that {name} said was kept")


def _read_ses(entry: LedgerEntry) -> Reading:
    """A mail comes as an object; what SES tells of our own mails, as an event."""
    if entry.body_ref:
        return Reading(*ses.parse(_read_body(entry), entry.body_ref.rpartition("/")[2]))
    return Reading(ses_events.parse_event(read_json_object(entry.body)))


def _read_connect(entry: LedgerEntry) -> InboundEvent:
    if entry.body_ref:
        return connect.parse_transcript(_read_body(entry), entry.body_ref)
    return connect.replay(read_json_object(entry.body), entry.headers)


def _read_body(entry: LedgerEntry) -> bytes:
    """As much as the door reads: of a larger mail, one byte more, so that the reader knows."""
    return read_ref(entry.object_ref, LARGEST_MAIL + 1) if entry.object_ref else entry.body
