"""SNS as it posts to a webhook: envelopes, signed with a key whose certificate it publishes.

https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
"""

import json
import uuid
from base64 import b64encode, encodebytes
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from Crypto.Hash import SHA1, SHA256
from Crypto.PublicKey import RSA
from Crypto.Signature import pkcs1_15
from Crypto.Util.asn1 import DerBitString, DerNull, DerObject, DerObjectId, DerSequence, DerSetOf

from caseweave.cli.outside.delivery import Delivery

TOPIC = "arn:aws:sns:us-east-1:000000000000:caseweave-sms"
CERTIFICATE_URL = "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-local.pem"
_SHA256_WITH_RSA = "1.2.840.113549.1.1.11"
_COMMON_NAME = "2.5.4.3"
_SIGNED = ("Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn")


def make_certificate(
    key: RSA.RsaKey, begins_at: datetime, ends_at: datetime, name: str = "sns.amazonaws.com"
) -> str:
    """A self-signed X.509 certificate for *key*, in PEM (RFC 5280, 4.1)."""
    algorithm = DerSequence([DerObjectId(_SHA256_WITH_RSA).encode(), DerNull().encode()]).encode()
    text = DerObject(0x0C, name.encode()).encode()
    relative = DerSequence([DerObjectId(_COMMON_NAME).encode(), text]).encode()
    subject = DerSequence([DerSetOf([relative]).encode()]).encode()
    validity = DerSequence([_time(begins_at), _time(ends_at)]).encode()
    public = key.public_key().export_key("DER")
    signed = DerSequence([1, algorithm, subject, validity, subject, public]).encode()
    signature = DerBitString(pkcs1_15.new(key).sign(SHA256.new(signed))).encode()
    der = DerSequence([signed, algorithm, signature]).encode()
    return f"-----BEGIN CERTIFICATE-----\n{encodebytes(der).decode()}-----END CERTIFICATE-----\n"


def make_up_topic() -> dict[str, Any]:
    """A topic for the local stack, with the key that signs what comes by it."""
    key, now = RSA.generate(2048), datetime.now(UTC)
    ends_at = now + timedelta(days=3650)
    return {
        "topic_arns": [TOPIC],
        "from": "+15005550010",
        "certificate": make_certificate(key, now - timedelta(days=1), ends_at),
        "private_key": key.export_key().decode(),
    }


def seal(
    key: RSA.RsaKey, message: Mapping[str, Any] | str, *, version: str = "2", **more: str
) -> bytes:
    """The body that SNS posts for *message*, a notification unless `Type` says otherwise."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    envelope = {
        "Type": "Notification",
        "MessageId": str(uuid.uuid4()),
        "TopicArn": TOPIC,
        "Message": message if isinstance(message, str) else json.dumps(message),
        "Timestamp": now,
        "SignatureVersion": version,
        "SigningCertURL": CERTIFICATE_URL,
        **more,
    }
    # A subject is signed in notifications only, an address and a token in the others only.
    names = [*_SIGNED, "Type"]
    text = "".join(f"{name}\n{envelope[name]}\n" for name in names if name in envelope)
    digest = (SHA1 if version == "1" else SHA256).new(text.encode())
    signature = b64encode(pkcs1_15.new(key).sign(digest)).decode()
    return json.dumps({**envelope, "Signature": signature}).encode()


def sms_by_sns(account: Mapping[str, Any], phone: str, text: str) -> Delivery:
    """An SMS as AWS End User Messaging publishes it to our topic."""
    sms = {
        "originationNumber": phone,
        "destinationNumber": account["from"],
        "messageKeyword": "KEYWORD",
        "messageBody": text,
        "inboundMessageId": str(uuid.uuid4()),
        "previousPublishedMessageId": "",
    }
    body = seal(RSA.import_key(account["private_key"]), sms)
    return Delivery("sms/aws", body, "text/plain; charset=UTF-8")


def _time(at: datetime) -> bytes:
    """GeneralizedTime."""
    return DerObject(0x18, at.strftime("%Y%m%d%H%M%SZ").encode()).encode()
