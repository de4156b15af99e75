"""Email through Amazon SES: raw MIME objects in, raw MIME out.

SES stores the unmodified message with its own headers on top, its verdicts among them.
https://docs.aws.amazon.com/ses/latest/dg/receiving-email-action-s3.html
https://docs.aws.amazon.com/ses/latest/dg/send-email-raw.html
"""

import re
from collections.abc import Sequence
from email.headerregistry import Address as MailAddress
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from hashlib import sha256

from caseweave.channels.mail_reading import LONGEST_HEADER, Mail, read_mail
from caseweave.channels.parts import write_choices
from caseweave.channels.reply_text import is_forward, split_reply
from caseweave.domain.identity import (
    Address,
    AddressKind,
    Proof,
    ProvenAddress,
    Sender,
    normalise_email,
)
from caseweave.domain.message import Attachment, Channel, InboundMessage, Message, Purpose
from caseweave.domain.tokens import issue_reply_token

PROVIDER = "ses"
# What SES puts into the bucket when a rule is set up; it is no mail.
SETUP_OBJECT = "AMAZON_SES_SETUP_NOTIFICATION"

_DMARC = re.compile(r"\bdmarc=(\w+)")
_HEADER_FROM = re.compile(r"\bheader\.from=([^\s;]+)")
_TOKEN_ADDRESS = re.compile(r"\+([a-z2-7]{42})@", re.IGNORECASE)
_TOKEN_REFERENCE = re.compile(r"<([a-z2-7]{42})\.", re.IGNORECASE)
# Longer or stranger ids than this are not worth risking a broken header for.
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,120}>")
# What can stand in To as it is: no quotes, no brackets, nothing that is decoded.
_PLAIN_ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@[\w.-]+", re.ASCII)
_LONGEST_SUBJECT = 250
_REPLY_PREFIX = re.compile(r"^((re|回复|答复)\s*[:\uff1a]\s*)+", re.IGNORECASE)
_BULK = {"bulk", "junk", "list", "auto_reply"}


def parse(raw: bytes, object_id: str) -> tuple[InboundMessage, Mail]:
    """The message of a mail, and the mail itself (its files are stored by the caller).

    *object_id* is SES's id of the delivery. Raises UnparseableError.
    """
    mail = read_mail(raw)
    sender = _sender(mail, object_id)
    # One mail to two of our addresses is stored once by SES and makes one message; a mail
    # without Message-ID is known by SES's id for it.
    event_id = mail.message_id or object_id
    if mail.message_id:
        event_id = f"{mail.message_id} {sha256(identify(mail)).hexdigest()[:16]}"
    return make_message(PROVIDER, mail, sender, event_id), mail


def make_message(provider: str, mail: Mail, sender: Sender, event_id: str) -> InboundMessage:
    """The message of a mail, whoever delivered it.

    It has no account: one mail to two of our addresses is one message.
    """
    is_sent_on = is_forward(mail.subject, mail.text)
    body, quoted = (mail.text, "") if is_sent_on else split_reply(mail.text)
    return InboundMessage(
        channel=Channel.EMAIL,
        provider=provider,
        account="",
        event_id=event_id,
        provider_id=mail.message_id or event_id,
        sender=sender,
        body=body,
        quoted=quoted,
        page_digest=mail.page.digest if mail.page else "",
        occurred_at=mail.date,
        subject=mail.subject,
        attachments=tuple(
            Attachment(
                name=file.name,
                media_type=file.media_type,
                size=len(file.content),
                digest=file.digest,
                state="stored",
                content_id=file.content_id,
            )
            for file in mail.files
        ),
        context=read_thread(mail),
        fields={"not_read": " ".join(mail.notes)} if mail.notes else {},
        is_automatic=is_automatic(mail),
        reply_tokens=find_reply_tokens(mail),
    )


def read_thread(mail: Mail) -> dict[str, str]:
    """What an answer needs to land in the customer's thread."""
    ids = [
        ref
        for ref in (*mail.references[-5:], mail.message_id)
        if _MESSAGE_ID.fullmatch(ref) and "=?" not in ref
    ]
    return {
        "address": normalise_email(mail.senders[0][1]) if mail.senders else "",
        "message_id": ids[-1] if ids and ids[-1] == mail.message_id else "",
        "references": " ".join(ids),
        "subject": mail.subject[:300],
    }


def is_dmarc_aligned(mail: Mail, address: str) -> bool:
    """Did SES find that the domain of *address* vouches for this mail?"""
    domain = address.rpartition("@")[2].lower()
    return _read_dmarc(mail) == ("pass", domain)


def _read_dmarc(mail: Mail) -> tuple[str, str]:
    """SES's DMARC verdict and the domain it is about; empty where it gave none.

    Only the first Authentication-Results counts: SES adds its own on top, and whoever wrote the
    mail may have put another one below. It quotes what the sender said (envelope-from, helo): a
    second verdict in it, or one cut off, is the mark of somebody who tries, and counts as a fail.
    """
    results = mail.header("authentication-results").lower()
    authority, _, verdicts = results.partition(";")
    if authority.strip() != "amazonses.com":
        return "", ""
    found, domains = _DMARC.findall(verdicts), _HEADER_FROM.findall(verdicts)
    if len(found) > 1 or len(domains) > 1 or len(results) >= LONGEST_HEADER:
        return "fail", ""
    return "".join(found), "".join(domains)


def is_automatic(mail: Mail) -> bool:
    """Was this written by a machine? Such mail is kept, flagged, and never answered.

    RFC 3834, and what mailers do beside it.
    """
    submitted = mail.header("auto-submitted").partition(";")[0].strip().lower()
    return (
        submitted not in ("", "no")
        or mail.header("precedence").strip().lower() in _BULK
        or mail.header("x-auto-response-suppress").strip().lower() == "all"
        or mail.header("return-path").strip() == "<>"
        or bool(mail.header("list-unsubscribe"))
        or mail.header("content-type").lower().startswith("multipart/report")
    )


def find_reply_tokens(mail: Mail) -> tuple[str, ...]:
    """The signed tokens in the addresses and references of a mail, as yet unverified."""
    found = [match.group(1) for to in mail.recipients for match in _TOKEN_ADDRESS.finditer(to)]
    found += [m.group(1) for ref in mail.references for m in _TOKEN_REFERENCE.finditer(ref)]
    return tuple(dict.fromkeys(token.lower() for token in found))[:5]


def find_recipient(message: Message) -> str:
    """Where an answer goes: the address the customer's mail was from; "" if it had none."""
    if message.contact is None:
        return ""
    written = message.contact.context.get("address", "")
    is_email = message.contact.address.kind is AddressKind.EMAIL
    return written or (message.contact.address.value if is_email else "")


def compose_mail(
    message: Message,
    support_address: str,
    keys: Sequence[bytes],
    enclosed: Sequence[tuple[Attachment, bytes]] = (),
    links: Sequence[tuple[str, str]] = (),
) -> bytes:
    """The MIME message that answers the mail of *message*'s contact in its thread, with files
    *enclosed* and *links* (name, address) to those that are too large for that.

    SES replaces Message-ID, so our signed id travels in References, where the customer's mailer
    keeps it; the reply address carries the token too. Raises ValueError for an address that no
    mail can be written to.
    """
    to = find_recipient(message)
    if message.contact is None or not to:
        raise ValueError(f"message {message.id} has nobody to go to")
    if not _PLAIN_ADDRESS.fullmatch(to) or "=?" in to:
        raise ValueError("not an address that every mail server takes")
    context = message.contact.context
    local, _, domain = support_address.rpartition("@")
    token = issue_reply_token(message.case_id, normalise_email(to), keys)
    mail = EmailMessage()
    mail["From"] = MailAddress(display_name="Support", username=local, domain=domain)
    mail["To"] = to
    mail["Reply-To"] = f"{local}+{token}@{domain}"
    mail["Subject"] = _subject(context.get("subject") or message.subject, message)
    mail["Date"] = format_datetime(message.occurred_at)
    mail["Message-ID"] = f"<{token}.{message.id}@{domain}>"
    if context.get("message_id"):
        mail["In-Reply-To"] = _one_line(context["message_id"])
    mail["References"] = _one_line(f"{context.get('references', '')} {mail['Message-ID']}")
    if message.purpose is not Purpose.REPLY:
        mail["Auto-Submitted"] = "auto-replied"
        mail["X-Auto-Response-Suppress"] = "All"
        mail["Precedence"] = "auto_reply"
    mail.set_content(_words(message, links), cte="base64")
    for file, content in enclosed:
        kind, _, subtype = file.media_type.partition("/")
        mail.add_attachment(content, maintype=kind, subtype=subtype, filename=_one_line(file.name))
    # Folded at 78, a long id would be taken apart as an encoded word, and no mailer knows it then.
    return mail.as_bytes(policy=SMTP.clone(max_line_length=900))


def _words(message: Message, links: Sequence[tuple[str, str]]) -> str:
    """The text, what can be answered in numbered lines, and where files are."""
    body = write_choices(message.body, message.quick_replies)
    return "\n\n".join([body, *(f"{name}\n{address}" for name, address in links)])


def _subject(subject: str, message: Message) -> str:
    reference = message.fields.get("reference", "")
    line = _REPLY_PREFIX.sub("", _one_line(subject))[:_LONGEST_SUBJECT]
    if reference and reference not in line:
        line = f"{line} [{reference}]".strip()
    return f"Re: {line}"


def _one_line(text: str) -> str:
    """*text* as a header says it. An encoded word must not be in it: EmailMessage decodes it, and
    a line break inside becomes one of the header.
    """
    return " ".join(text.split()).replace("=?", "= ?")


def _sender(mail: Mail, object_id: str) -> Sender:
    """Proven is only a single From address that passed DMARC; any other is a claim, and one
    whose own domain disowns the mail is refuted.
    """
    proof = Proof.REFUTED if _read_dmarc(mail)[0] == "fail" else Proof.NONE
    unproven = ProvenAddress(Address(AddressKind.UNPROVEN, f"mail.{object_id}"), proof)
    if not mail.senders:
        return Sender(proven=(unproven,))
    name, written = mail.senders[0]
    address = Address(AddressKind.EMAIL, normalise_email(written)[:320])
    is_proven = len(mail.senders) == 1 and is_dmarc_aligned(mail, address.value)
    if is_proven:
        return Sender(proven=(ProvenAddress(address, Proof.DMARC),), name=name[:200])
    return Sender(proven=(unproven,), claims=(address,), name=name[:200])


def identify(mail: Mail) -> bytes:
    """What tells two mails with the same Message-ID apart: a copied id must not lose a mail."""
    return "\x1f".join([str(mail.senders), mail.subject, mail.header("date"), mail.text]).encode(
        "utf-8", "replace"
    )
