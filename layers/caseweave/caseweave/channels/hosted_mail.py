"""Mail that a hosted service received for us, as raw MIME or taken apart, to an InboundMessage.

What is the same for Mailgun, Postmark and SendGrid. Answers leave through SES, so everything a
message brings for its answer is what `ses.py` finds in a mail.
"""

import hmac
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from email.utils import getaddresses
from hashlib import sha256

from caseweave.channels import ses
from caseweave.channels.credentials import Credentials
from caseweave.channels.identities import identify_email
from caseweave.channels.mail_reading import MOST_PARTS, Mail, MailPart, read_mail
from caseweave.channels.mail_reports import read_report
from caseweave.channels.request import WebhookRequest
from caseweave.domain.identity import (
    Address,
    AddressKind,
    Proof,
    ProvenAddress,
    Sender,
    normalise_email,
)
from caseweave.domain.message import InboundEvent
from caseweave.errors import InvalidSignatureError

_LONGEST_NAME = 200
_LONGEST_ADDRESS = 320
# RFC 6838; it becomes an HTTP header of the stored file.
_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,127}/[a-z0-9!#$&^_.+-]{1,127}")
_CHARSET = re.compile(r"[A-Za-z0-9_.:+-]{1,40}")
_HEADER_NAME = re.compile(r"[!-9;-~]{1,200}")


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the service itself says of a mail.

    `sender` is None where it does not tell it, and "" for a mail that wants no answer (a bounce).
    `proven_domains` are those whose own checks (DKIM, SPF) the service found to hold. `verdicts` is
    what it says of the mail (spf, dkim, spam), in the words of `ses_verdicts`.
    """

    recipients: tuple[str, ...] = ()
    sender: str | None = None
    proven_domains: frozenset[str] = frozenset()
    verdicts: Mapping[str, str] = field(default_factory=dict)


def read_envelope_address(written: str) -> str:
    """The bare address, normalised: services write it with brackets or without."""
    return normalise_email(written.strip().removeprefix("<").removesuffix(">"))[:_LONGEST_ADDRESS]


def verify_basic(provider: str, request: WebhookRequest, credentials: Credentials) -> None:
    """Compare the Authorization header with the live user and passwords.

    Raises InvalidSignatureError.
    """
    given = request.headers.get("authorization", "").encode("utf-8", "replace")
    passwords, users = credentials.live("password"), credentials.live("user")
    known = [f"{user}:{password}".encode() for user in users for password in passwords]
    # Encoded ones are compared: there are many ways to write the same base64, and all at once,
    # so that the time does not tell which one was near.
    matches = [hmac.compare_digest(b"Basic " + b64encode(one), given) for one in known]
    if not any(matches):
        raise InvalidSignatureError(provider)


def write_head(headers: Iterable[tuple[str, str]]) -> bytes:
    """A header block of pairs that a service read for us, one line each."""
    lines = [
        f"{name}: {' '.join(value.split())}"
        for name, value in headers
        if _HEADER_NAME.fullmatch(name)
    ]
    return "\r\n".join(lines).encode("utf-8", "replace")


def assemble(
    head: bytes,
    plain: bytes,
    html: bytes,
    files: Iterable[MailPart] = (),
    charsets: tuple[str, str] = ("utf-8", "utf-8"),
) -> Mail:
    """A mail whose parts a service took apart; one reader decides which of its texts counts.

    *charsets* are those of *plain* and *html*. Raises UnparseableError.
    """
    texts = read_mail(
        b'Content-Type: multipart/alternative; boundary="="\r\n\r\n'
        + _text_part(b"plain", charsets[0], plain)
        + _text_part(b"html", charsets[1], html)
        + b"--=--\r\n"
    )
    # A head that has a blank line in it ends there: what follows is nobody's words.
    outer = read_mail(head.strip(b"\r\n") + b"\r\n\r\n")
    return replace(
        outer,
        text=texts.text,
        page=texts.page,
        notes=texts.notes,
        files=(*files, *texts.files)[:MOST_PARTS],
    )


def _text_part(kind: bytes, charset: str, content: bytes) -> bytes:
    charset = charset if _CHARSET.fullmatch(charset) else "utf-8"
    head = b"--=\r\nContent-Type: text/" + kind + b"; charset=" + charset.encode("ascii")
    # In one line: the encoded text needs no folding here and cannot be taken for a boundary.
    return head + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + b64encode(content) + b"\r\n"


def file_part(number: int, name: str, media_type: str, content: bytes) -> MailPart:
    """A file as `read_mail` would give it."""
    kind = media_type.partition(";")[0].strip().lower()
    plain = " ".join(name.replace("/", "_").replace("\\", "_").split())[:_LONGEST_NAME]
    return MailPart(
        name=plain or f"part-{number}",
        media_type=kind if _MEDIA_TYPE.fullmatch(kind) else "application/octet-stream",
        content=content,
    )


def understand(
    provider: str, mail: Mail, envelope: Envelope, event_id: str = ""
) -> tuple[list[InboundEvent], tuple[MailPart, ...]]:
    """The one event of a mail, and the files that its message mentions.

    *event_id* is the service's own id of the delivery, for a mail that has none itself.
    """
    event_id = ses.name_event(mail) or event_id or _digest(mail)
    report = read_report(provider, mail, event_id, is_null_sender=envelope.sender == "")
    if report is not None:
        return [report], ()
    # Who is addressed in the envelope alone (a blind copy, a forwarding) may carry our token.
    addressed = replace(mail, recipients=(*envelope.recipients, *mail.recipients))
    sender = _sender(provider, mail, envelope.proven_domains, event_id)
    message = ses.make_message(provider, addressed, sender, event_id, envelope.verdicts)
    is_automatic = message.is_automatic or envelope.sender == ""
    return [replace(message, is_automatic=is_automatic)], mail.kept_files


def reads_as_spam(mail: Mail, *names: str) -> bool:
    """Does a header of that name call this mail spam? Its sender can add one, but not take away
    the service's own.
    """
    told = {value.lower().lstrip() for key, value in mail.headers if key in names}
    return any(value.startswith("yes") for value in told)


def _digest(mail: Mail) -> str:
    """What is the same whenever the service delivers this mail again, and for no other mail."""
    identity = sha256(ses.identify(mail))
    # Somebody may write "ok" twice; the headers of the way tell the two apart.
    told = [*map(str, mail.headers), *(file.digest for file in mail.files)]
    identity.update("\x1f".join(told).encode("utf-8", "replace"))
    return identity.hexdigest()


def _sender(provider: str, mail: Mail, proven_domains: frozenset[str], event_id: str) -> Sender:
    """Proven is only a single From address, of exactly a domain that vouches for this mail."""
    digest = sha256(f"{provider} {event_id}".encode("utf-8", "replace")).hexdigest()[:32]
    unproven = ProvenAddress(Address(AddressKind.UNPROVEN, f"mail.{digest}"), Proof.NONE)
    if not mail.senders:
        return Sender(proven=(unproven,))
    name, written = mail.senders[0]
    address = Address(AddressKind.EMAIL, identify_email(written)[:_LONGEST_ADDRESS])
    domain = normalise_email(written).rpartition("@")[2]
    if len(mail.senders) == 1 and domain and domain in proven_domains:
        return Sender(proven=(ProvenAddress(address, Proof.DMARC),), name=name[:200])
    return Sender(proven=(unproven,), claims=(address,), name=name[:200])


def bare_addresses(written: str) -> tuple[str, ...]:
    """The addresses in a list as people write it, at most ten."""
    try:
        found = getaddresses([written[:4_000]])
    except (RecursionError, IndexError, ValueError):
        return ()
    return tuple(address for _, address in found if "@" in address)[:10]
