"""Amazon SNS over HTTPS: an envelope, signed with the key of a certificate that SNS publishes.

https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html

The certificate is fetched at the edge, from an address that `certificate_url` has looked at, and
handed to `verify` among the credentials. That it is Amazon's is proved by the TLS connection to
Amazon's own host, as in Amazon's own validators; its name and dates are checked here.
"""

import re
from base64 import b64decode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from caseweave.channels.credentials import Credentials
from caseweave.channels.json_reading import read_iso_time, text_in
from caseweave.channels.request import WebhookRequest, read_json_object
from caseweave.errors import InvalidSignatureError, UnparseableError

CERTIFICATE = "certificate"
# SNS repeats a delivery for an hour at most, with the time of the first.
OLDEST = timedelta(minutes=75)
_SKEW = timedelta(minutes=5)
_HOST = re.compile(r"sns\.([a-z0-9-]{3,30})\.amazonaws\.com(?:\.cn)?", re.ASCII)
# Regions that came later sign under a name of their own.
_NAME = re.compile(
    r"sns(?:-signing\.[a-z0-9-]+|-[a-z0-9-]+|\.[a-z0-9-]+)?\.amazonaws\.com(?:\.cn)?", re.ASCII
)
_COMMON_NAME = b"\x06\x03\x55\x04\x03"
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    **dict.fromkeys(
        ("SubscriptionConfirmation", "UnsubscribeConfirmation"),
        ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    ),
}


@dataclass(frozen=True, slots=True)
class Envelope:
    """What SNS wraps around a message. Of its own fields only those that it signs."""

    kind: str
    topic: str
    message_id: str
    message: str
    at: datetime | None
    subscribe_url: str = ""


def read_envelope(body: bytes) -> Envelope:
    """Raises UnparseableError."""
    said = read_json_object(body)
    told = {name: text_in(said, name) for name in ("Type", "TopicArn", "MessageId", "Message")}
    if told["Type"] not in _SIGNED or not told["MessageId"]:
        raise UnparseableError("no SNS message")
    return Envelope(
        kind=told["Type"],
        topic=told["TopicArn"],
        message_id=told["MessageId"],
        message=told["Message"],
        at=read_iso_time(text_in(said, "Timestamp")),
        subscribe_url=text_in(said, "SubscribeURL"),
    )


def certificate_url(provider: str, request: WebhookRequest, credentials: Credentials) -> str:
    """Where the certificate of a message is, if the topic is ours and the address is Amazon's.

    Raises InvalidSignatureError, MissingSecretError.
    """
    said = _read(provider, request)
    url, topic = text_in(said, "SigningCertURL"), text_in(said, "TopicArn")
    is_known = topic in credentials.live("topic_arns")
    if not is_known or not _is_of_amazon(url, topic) or not urlsplit(url).path.endswith(".pem"):
        raise InvalidSignatureError(provider)
    return url


def verify_envelope(provider: str, request: WebhookRequest, credentials: Credentials) -> None:
    """Check the signature by the certificate among the credentials, and that the topic is ours.

    Version 2 (SHA-256); version 1 (SHA-1) only where `signature_versions` has it. Raises
    InvalidSignatureError, MissingSecretError.
    """
    from Crypto.Hash import SHA1, SHA256  # noqa: PLC0415 - heavy, and only SNS needs it here
    from Crypto.Signature import pkcs1_15  # noqa: PLC0415

    certificate_url(provider, request, credentials)
    said = _read(provider, request)
    version = text_in(said, "SignatureVersion")
    accepted = credentials.values.get("signature_versions") or ["2"]
    if version not in ("1", "2") or version not in [str(one) for one in accepted]:
        raise InvalidSignatureError(provider)
    signed = (SHA1 if version == "1" else SHA256).new(_signed_text(provider, said))
    try:
        key = _read_certificate(credentials.current(CERTIFICATE)).key
        pkcs1_15.new(key).verify(signed, b64decode(text_in(said, "Signature"), validate=True))
    except (ValueError, TypeError, IndexError) as error:
        raise InvalidSignatureError(provider) from error


def check_time(
    provider: str, request: WebhookRequest, credentials: Credentials, now: datetime
) -> None:
    """That the message is not old, and that its certificate is Amazon's and holds now.

    Raises InvalidSignatureError, MissingSecretError.
    """
    at = read_iso_time(text_in(_read(provider, request), "Timestamp"))
    try:
        certificate = _read_certificate(credentials.current(CERTIFICATE))
    except (ValueError, TypeError, IndexError) as error:
        raise InvalidSignatureError(provider) from error
    is_fresh = at is not None and -_SKEW <= now - at <= OLDEST
    is_valid = certificate.begins_at <= now <= certificate.ends_at
    if not is_fresh or not is_valid or not _NAME.fullmatch(certificate.name):
        raise InvalidSignatureError(provider)


def find_subscription(envelope: Envelope) -> str:
    """The address that confirms the subscription which the message offers; "" if it offers none.

    Raises UnparseableError for an address that is not SNS's own for this topic.
    """
    if envelope.kind != "SubscriptionConfirmation":
        return ""
    url = envelope.subscribe_url
    asked = parse_qs(urlsplit(url).query) if _is_of_amazon(url, envelope.topic) else {}
    if (asked.get("Action"), asked.get("TopicArn")) != (["ConfirmSubscription"], [envelope.topic]):
        raise UnparseableError("SubscribeURL confirms no subscription to this topic")
    return url


def _is_of_amazon(url: str, topic: str) -> bool:
    """https, of SNS in the topic's own region; nothing before or after the host."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    host = _HOST.fullmatch(parts.netloc)
    region = (topic.split(":") + [""] * 4)[3]
    return parts.scheme == "https" and host is not None and host[1] == region


def _signed_text(provider: str, said: dict[str, Any]) -> bytes:
    kind = text_in(said, "Type")
    if kind not in _SIGNED:
        raise InvalidSignatureError(provider)
    present = [(name, said[name]) for name in _SIGNED[kind] if said.get(name) is not None]
    if not all(isinstance(value, str) for _, value in present):
        raise InvalidSignatureError(provider)
    return "".join(f"{name}\n{value}\n" for name, value in present).encode()


@dataclass(frozen=True, slots=True)
class _Certificate:
    key: Any
    name: str
    begins_at: datetime
    ends_at: datetime


def _read_certificate(pem: str) -> _Certificate:
    """The RSA key of an X.509 certificate, its name and dates (RFC 5280, 4.1).

    Raises ValueError, TypeError or IndexError for anything else.
    """
    from Crypto.IO import PEM  # noqa: PLC0415 - heavy, and only SNS needs it here
    from Crypto.PublicKey import RSA  # noqa: PLC0415
    from Crypto.Util.asn1 import DerSequence  # noqa: PLC0415

    der, marker, _ = PEM.decode(pem)
    if marker != "CERTIFICATE":
        raise ValueError("no certificate")
    fields = DerSequence().decode(DerSequence().decode(der)[0])
    # The version comes first, which the oldest certificates lack; then serial number, algorithm,
    # issuer, validity, subject.
    start = 1 if isinstance(fields[0], bytes) else 0
    validity = DerSequence().decode(fields[start + 3])
    _, is_named, value = bytes(fields[start + 4]).rpartition(_COMMON_NAME)
    name = value[2 : 2 + value[1]].decode("ascii", "replace") if is_named else ""
    begins_at, ends_at = _der_time(bytes(validity[0])), _der_time(bytes(validity[1]))
    return _Certificate(RSA.import_key(der), name, begins_at, ends_at)


def _der_time(der: bytes) -> datetime:
    """UTCTime (two digits of the year, until 2049) or GeneralizedTime."""
    text = der[2:].decode("ascii", "replace")
    form = "%y%m%d%H%M%SZ" if der[0] == 0x17 else "%Y%m%d%H%M%SZ"
    return datetime.strptime(text, form).replace(tzinfo=UTC)


def _read(provider: str, request: WebhookRequest) -> dict[str, Any]:
    """The envelope as sent; Lambda's spelling of its addresses is SNS's own too."""
    try:
        said = read_json_object(request.body)
    except UnparseableError as error:
        raise InvalidSignatureError(provider) from error
    return {"SigningCertURL": said.get("SigningCertUrl"), **said}
