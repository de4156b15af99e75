"""SendGrid Inbound Parse: mail as a form, raw or taken apart. Answers leave through SES.

https://www.twilio.com/docs/sendgrid/for-developers/parsing-email/setting-up-the-inbound-parse-webhook
https://www.twilio.com/docs/sendgrid/for-developers/parsing-email/securing-your-parse-webhooks
"""

import binascii
import json
import re
from base64 import b64decode, b64encode
from typing import Any

from Crypto.Hash import SHA256
from Crypto.PublicKey import ECC
from Crypto.Signature import DSS

from caseweave.channels.credentials import Credentials
from caseweave.channels.hosted_mail import (
    Envelope,
    assemble,
    file_part,
    read_envelope_address,
    understand,
    verify_basic,
    write_head,
)
from caseweave.channels.mail_reading import Mail, MailPart, read_mail
from caseweave.channels.multipart import Form, read_parts
from caseweave.channels.request import WebhookRequest
from caseweave.domain.message import InboundEvent
from caseweave.errors import InvalidSignatureError, MissingSecretError, UnparseableError

PROVIDER = "sendgrid"
ACKNOWLEDGED = ("application/json", "{}")
API_URL = "https://api.sendgrid.com"
_SIGNATURE = "x-twilio-email-event-webhook-signature"
_TIMESTAMP = "x-twilio-email-event-webhook-timestamp"
_CURVE = "NIST P-256"
_LONGEST_PROOF = 200
# SpamAssassin's own threshold; the score is only there where its check is switched on.
_SPAM_FROM = 5.0
_SCORE = re.compile(r"\d{1,6}(\.\d{1,6})?")
_MOST_RECIPIENTS = 10
# One signature, of a domain. Of several, each may have been written into the identity of another.
_DKIM_PASS = re.compile(r"\{@([A-Za-z0-9.-]{1,253}) ?: ?pass\}")


def verify(request: WebhookRequest, credentials: Credentials) -> None:
    """Check the ECDSA signature over the time and the body, or, where no `public_key` is set,
    the user and password in the URL. Raises InvalidSignatureError.
    """
    try:
        keys = credentials.live("public_key")
    except MissingSecretError as missing:
        if not (credentials.values.get("password") and credentials.values.get("user")):
            raise
        try:
            verify_basic(PROVIDER, request, credentials)
        except MissingSecretError:
            raise missing from None
        return
    given, timestamp = request.headers.get(_SIGNATURE, ""), request.headers.get(_TIMESTAMP, "")
    signature = _decode(given)
    digest = SHA256.new(timestamp.encode("utf-8", "replace") + request.body)
    if not signature or not timestamp or not any(_signed(key, digest, signature) for key in keys):
        raise InvalidSignatureError(PROVIDER)


def _decode(given: str) -> bytes:
    """There are many ways to write the same base64; SendGrid uses one."""
    try:
        decoded = b64decode(given, validate=True) if len(given) <= _LONGEST_PROOF else b""
    except (binascii.Error, ValueError):
        return b""
    return decoded if b64encode(decoded) == given.encode("utf-8", "replace") else b""


def _signed(public_key: str, digest: SHA256.SHA256Hash, signature: bytes) -> bool:
    """Nothing secret is compared here: who has the public key may know how long it takes."""
    try:
        key = ECC.import_key(b64decode("".join(public_key.split()), validate=True))
        if key.curve != _CURVE:
            return False
        DSS.new(key, "fips-186-3", encoding="der").verify(digest, signature)
    except (ValueError, TypeError, IndexError):
        return False
    return True


def parse(request: WebhookRequest, credentials: Credentials) -> list[InboundEvent]:
    """The one mail of a request. Raises UnparseableError."""
    return parse_mail(request, credentials)[0]


def parse_mail(
    request: WebhookRequest,
    credentials: Credentials,  # noqa: ARG001 - nothing of the account is needed to read a mail
) -> tuple[list[InboundEvent], tuple[MailPart, ...]]:
    """The one event, and the files that came with it. Raises UnparseableError."""
    form = read_parts(request)
    mail = _read(form)
    sender, recipients = _envelope(form)
    proven_domains = _proven_domains(form, sender or "")
    envelope = Envelope(recipients, sender, proven_domains, _verdicts(form))
    return understand(PROVIDER, mail, envelope)


def _envelope(form: Form) -> tuple[str | None, tuple[str, ...]]:
    told = _object(form.first("envelope"))
    sender, recipients = told.get("from"), told.get("to")
    return (
        read_envelope_address(sender) if isinstance(sender, str) else None,
        tuple(one for one in recipients if isinstance(one, str))[:_MOST_RECIPIENTS]
        if isinstance(recipients, list)
        else (),
    )


def _proven_domains(form: Form, envelope_from: str) -> frozenset[str]:
    """The domains that vouch for the mail: of its one signature that holds, and of an envelope
    that came from where SPF allows it.

    SendGrid's boundary is always the same, so that whoever writes a mail can write parts of the
    form into it. They come beside SendGrid's own and make the form unclean; then nothing counts,
    nor where one of the three is missing, nor where From is not told as it was written.
    """
    is_complete = all(form.find(name) for name in ("dkim", "SPF", "envelope"))
    if not (form.is_clean and is_complete and (form.find("email") or form.find("headers"))):
        return frozenset()
    found = set()
    if signed := _DKIM_PASS.fullmatch(form.first("dkim").strip()):
        found.add(signed.group(1).lower())
    if form.first("SPF").strip().lower() == "pass" and envelope_from.count("@") == 1:
        found.add(envelope_from.rpartition("@")[2])
    return frozenset(found - {""})


def _verdicts(form: Form) -> dict[str, str]:
    """What SendGrid found. The sender can add a worse score, but not take away SendGrid's own."""
    verdicts = {}
    if form.is_clean and form.find("SPF") and form.find("dkim"):
        spf = form.first("SPF").strip().lower()
        signed = _DKIM_PASS.fullmatch(form.first("dkim").strip())
        verdicts = {"spf": spf[:20], "dkim": "pass" if signed else "none"}
    scores = [part.text.strip()[:20] for part in form.parts if part.name == "spam_score"]
    if any(_SCORE.fullmatch(score) and float(score) >= _SPAM_FROM for score in scores):
        verdicts["spam"] = "fail"
    return {name: verdict for name, verdict in verdicts.items() if verdict}


def _read(form: Form) -> Mail:
    raw = form.find("email")
    if raw is not None and raw.content.strip():
        return read_mail(raw.content)
    plain, html, head = form.find("text"), form.find("html"), form.find("headers")
    if plain is None and html is None and head is None:
        raise UnparseableError("neither email nor headers nor text nor html")
    charsets = _object(form.first("charsets"))
    return assemble(
        head.content if head else _head(form),
        plain.content if plain else b"",
        html.content if html else b"",
        _files(form),
        (str(charsets.get("text")), str(charsets.get("html"))),
    )


def _head(form: Form) -> bytes:
    return write_head((name, form.first(name)) for name in ("from", "to", "cc", "subject"))


def _files(form: Form) -> list[MailPart]:
    return [
        file_part(number, part.file_name or "", part.media_type, part.content)
        for number, part in enumerate((p for p in form.parts if p.file_name is not None), 1)
    ]


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
