"""Email through Amazon SES: raw MIME objects in, raw MIME out.

SES stores the unmodified message with its own headers on top, its verdicts among them.
https://docs.aws.amazon.com/ses/latest/dg/receiving-email-action-s3.html
https://docs.aws.amazon.com/ses/latest/dg/send-email-raw.html
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from email.headerregistry import Address as MailAddress
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from hashlib import sha256

from caseweave.channels.identities import identify_email
from caseweave.channels.mail_reading import Mail, MailPart, read_mail
from caseweave.channels.mail_reports import read_report
from caseweave.channels.mail_rules import (
    find_references,
    find_reply_tokens,
    is_automatic,
    read_thread,
)
from caseweave.channels.parts import write_choices
from caseweave.channels.reply_text import is_forward, split_reply
from caseweave.channels.ses_verdicts import read_dmarc, read_envelope_recipient, read_verdicts
from caseweave.domain.identity import (
    Address,
    AddressKind,
    Proof,
    ProvenAddress,
    Sender,
    normalise_email,
)
from caseweave.domain.message import (
    Attachment,
    Channel,
    InboundEvent,
    InboundMessage,
    Message,
    Purpose,
)
from caseweave.domain.outbound import find_mail_address
from caseweave.domain.tokens import issue_reply_token

PROVIDER = "ses"
# What SES puts into the bucket when a rule is set up; it is no mail.
SETUP_OBJECT = "AMAZON_SES_SETUP_NOTIFICATION"

# What can stand in To as it is: no quotes, no brackets, nothing that is decoded.
_PLAIN_ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@[\w.-]+", re.ASCII)
_LONGEST_SUBJECT = 250
_REPLY_PREFIX = re.compile(r"^((re|回复|答复)\s*[:\uff1a]\s*)+", re.IGNORECASE)


def parse(raw: bytes, object_id: str) -> tuple[list[InboundEvent], tuple[MailPart, ...]]:
    """The one event of a mail, and the files that its message mentions (the caller keeps them).

    *object_id* is SES's id of the delivery. Raises UnparseableError.
    """
    mail = read_mail(raw)
    # One mail to two of our addresses is stored once by SES and makes one message; a mail
    # without Message-ID is known by SES's id for it.
    event_id = name_event(mail) or object_id
    report = read_report(PROVIDER, mail, event_id)
    if report is not None:
        return [report], ()
    # A reply token in the envelope counts, whatever To says.
    envelope = read_envelope_recipient(mail)
    addressed = replace(mail, recipients=(envelope, *mail.recipients)) if envelope else mail
    sender, verdicts = _sender(mail, object_id), read_verdicts(mail)
    return [make_message(PROVIDER, addressed, sender, event_id, verdicts)], mail.kept_files


def name_event(mail: Mail) -> str:
    """What is the same whenever this mail comes; "" if it has no Message-ID."""
    if not mail.message_id:
        return ""
    return f"{mail.message_id} {sha256(identify(mail)).hexdigest()[:16]}"


def make_message(
    provider: str,
    mail: Mail,
    sender: Sender,
    event_id: str,
    verdicts: Mapping[str, str] | None = None,
) -> InboundMessage:
    """The message of a mail, whoever delivered it; *verdicts* are the provider's own on it.

    It has no account: one mail to two of our addresses is one message.
    """
    is_sent_on = is_forward(mail.subject, mail.text)
    body, quoted = (mail.text, "") if is_sent_on else split_reply(mail.text)
    fields = dict(verdicts or {})
    return InboundMessage(
        channel=Channel.EMAIL,
        provider=provider,
        account="",
        event_id=event_id,
        provider_id=mail.message_id or event_id,
        sender=sender,
        body=body,
        quoted=quoted,
        page_digest=mail.page.digest if mail.page and fields.get("virus") != "fail" else "",
        occurred_at=mail.date,
        subject=mail.subject,
        attachments=tuple(_attach(file, fields.get("virus", "")) for file in mail.files),
        context=read_thread(mail, is_proven=sender.proven[0].proof is Proof.DMARC),
        fields=fields | ({"not_read": " ".join(mail.notes)} if mail.notes else {}),
        is_automatic=is_automatic(mail),
        reply_tokens=find_reply_tokens(mail),
        references=find_references(mail),
    )


def _attach(file: MailPart, virus: str) -> Attachment:
    is_blocked = virus == "fail"
    return Attachment(
        name=file.name,
        media_type=file.media_type,
        size=len(file.content),
        digest=file.digest,
        content_id=file.content_id,
        state="blocked" if is_blocked else "stored",
        reason="virus" if is_blocked else "",
    )


def find_recipient(message: Message) -> str:
    """Where an answer goes: the address the customer's mail was from; "" if it had none."""
    return find_mail_address(message.contact)


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
    # Whoever answers a code is perhaps a stranger: that token is good for no address.
    admitted = "" if message.purpose is Purpose.VERIFICATION else identify_email(to)
    token = issue_reply_token(message.case_id, admitted, keys)
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
        mail["X-Loop"] = support_address
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
    dmarc, domain = read_dmarc(mail)
    proof = Proof.REFUTED if dmarc == "fail" else Proof.NONE
    unproven = ProvenAddress(Address(AddressKind.UNPROVEN, f"mail.{object_id}"), proof)
    if not mail.senders:
        return Sender(proven=(unproven,))
    name, written = mail.senders[0]
    address = Address(AddressKind.EMAIL, identify_email(written)[:320])
    is_aligned = dmarc == "pass" and domain == normalise_email(written).rpartition("@")[2]
    is_proven = len(mail.senders) == 1 and is_aligned
    if is_proven:
        return Sender(proven=(ProvenAddress(address, Proof.DMARC),), name=name[:200])
    return Sender(proven=(unproven,), claims=(address,), name=name[:200])


def identify(mail: Mail) -> bytes:
    """What tells two mails with the same Message-ID apart: a copied id must not lose a mail."""
    return "\x1f".join([str(mail.senders), mail.subject, mail.header("date"), mail.text]).encode(
        "utf-8", "replace"
    )
