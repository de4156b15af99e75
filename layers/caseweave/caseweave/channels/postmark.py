"""Postmark inbound: mail as JSON. Inbound only; answers leave through SES.

https://postmarkapp.com/developer/webhooks/inbound-webhook
https://postmarkapp.com/developer/user-guide/inbound/parse-an-email
"""

from base64 import b64decode
from dataclasses import replace
from typing import Any

from caseweave.channels.credentials import Credentials
from caseweave.channels.hosted_mail import (
    Envelope,
    assemble,
    bare_addresses,
    file_part,
    reads_as_spam,
    understand,
    verify_basic,
    write_head,
)
from caseweave.channels.mail_reading import MOST_PARTS, Mail, MailPart, read_mail
from caseweave.channels.request import WebhookRequest, read_json_object
from caseweave.domain.message import InboundEvent
from caseweave.errors import UnparseableError

PROVIDER = "postmark"
ACKNOWLEDGED = ("application/json", "{}")
API_URL = "https://api.postmarkapp.com"
_LONGEST_ID = 200
_MOST_ADDRESSES = 50
_LONGEST_ADDRESS = 320


def verify(request: WebhookRequest, credentials: Credentials) -> None:
    """Postmark signs nothing: the user and password in the URL we gave it are all there is.

    Raises InvalidSignatureError.
    """
    verify_basic(PROVIDER, request, credentials)


def parse(request: WebhookRequest, credentials: Credentials) -> list[InboundEvent]:
    """The one mail of a request. Raises UnparseableError."""
    return parse_mail(request, credentials)[0]


def parse_mail(
    request: WebhookRequest,
    credentials: Credentials,  # noqa: ARG001 - nothing of the account is needed to read a mail
) -> tuple[list[InboundEvent], tuple[MailPart, ...]]:
    """The one event, and the files that came with it. Raises UnparseableError.

    The sender stays unproven: Postmark tells no verdict on DKIM or DMARC but in headers of the
    mail (`Received-SPF`, `X-Spam-Tests`), where whoever wrote the mail may have put them.
    """
    said = read_json_object(request.body)
    event_id = _text(said, "MessageID")
    if not event_id or len(event_id) > _LONGEST_ID:
        raise UnparseableError("no MessageID")
    mail = _read(said)
    envelope = Envelope(
        recipients=bare_addresses(_text(said, "OriginalRecipient")),
        verdicts={"spam": "fail"} if reads_as_spam(mail, "x-spam-status") else {},
    )
    return understand(PROVIDER, mail, envelope, event_id)


def _read(said: dict[str, Any]) -> Mail:
    raw = _text(said, "RawEmail")
    # Bytes that were no UTF-8 are lost in JSON; the fields were read before that.
    if raw.strip() and "\ufffd" not in raw:
        return read_mail(raw.encode("utf-8", "replace"))
    if not any(isinstance(said.get(name), str) for name in ("TextBody", "HtmlBody")):
        raise UnparseableError("neither RawEmail nor TextBody nor HtmlBody")
    mail = assemble(
        write_head(_headers(said)),
        _text(said, "TextBody").encode(),
        _text(said, "HtmlBody").encode(),
        _files(said),
    )
    # These come apart already. Written into a header, a name could be read as an address.
    recipients = (*_people(said, "ToFull"), *_people(said, "CcFull"), *_people(said, "BccFull"))
    return replace(
        mail,
        senders=_people({"": [said.get("FromFull")]}, "") or mail.senders,
        recipients=tuple(address for _, address in recipients) or mail.recipients,
    )


def _headers(said: dict[str, Any]) -> list[tuple[str, str]]:
    """Postmark leaves out of `Headers` what it tells in fields."""
    told = said.get("Headers")
    found = [
        (_text(one, "Name"), _text(one, "Value"))
        for one in (told if isinstance(told, list) else [])
        if isinstance(one, dict)
    ]
    names = {name.lower() for name, _ in found}
    own = [(name, _text(said, name)) for name in ("From", "To", "Cc", "Subject", "Date")]
    return [*found, *((name, value) for name, value in own if name.lower() not in names)]


def _people(said: dict[str, Any], name: str) -> tuple[tuple[str, str], ...]:
    told = said.get(name)
    return tuple(
        (_one_line(one, "Name"), _one_line(one, "Email")[:_LONGEST_ADDRESS])
        for one in (told[:_MOST_ADDRESSES] if isinstance(told, list) else [])
        if isinstance(one, dict) and "@" in _text(one, "Email")
    )


def _files(said: dict[str, Any]) -> list[MailPart]:
    told = said.get("Attachments")
    return [
        file_part(number, _text(one, "Name"), _text(one, "ContentType"), _content(one))
        for number, one in enumerate((told if isinstance(told, list) else [])[:MOST_PARTS], 1)
        if isinstance(one, dict)
    ]


def _content(attachment: dict[str, Any]) -> bytes:
    """The bytes; what is no base64 is kept as it came, so that nothing is lost."""
    written = _text(attachment, "Content")
    try:
        return b64decode("".join(written.split()), validate=True)
    except ValueError:
        return written.encode()


def _text(said: dict[str, Any], name: str) -> str:
    value = said.get(name)
    return value if isinstance(value, str) else ""


def _one_line(said: dict[str, Any], name: str) -> str:
    return " ".join(_text(said, name).split())
