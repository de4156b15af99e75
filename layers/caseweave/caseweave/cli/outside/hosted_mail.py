"""Mail that a hosted provider received for us and posts.

https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks
https://postmarkapp.com/developer/webhooks/inbound-webhook
https://www.twilio.com/docs/sendgrid/for-developers/parsing-email/setting-up-the-inbound-parse-webhook
"""

import hmac
import json
import time
import uuid
from base64 import b64encode
from collections.abc import Mapping
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlencode

from caseweave.cli.outside.delivery import FORM, Delivery

# The same for every mail, as SendGrid has it.
_BOUNDARY = "xYzZY"


def mailgun_mail(account: Mapping[str, Any], mail: EmailMessage) -> Delivery:
    """The raw mail, as a route with an address that ends in `mime` forwards it."""
    at, token = str(int(time.time())), uuid.uuid4().hex
    fields: dict[str, str | bytes] = {
        "recipient": str(mail["To"]),
        "sender": str(mail["From"]),
        "timestamp": at,
        "token": token,
        "signature": hmac.digest(
            account["signing_key"].encode(), f"{at}{token}".encode(), "sha256"
        ).hex(),
        "body-mime": bytes(mail),
    }
    return Delivery("mail/mailgun/mime", urlencode(fields).encode(), FORM)


def postmark_mail(account: Mapping[str, Any], mail: EmailMessage) -> Delivery:
    return postmark_fields(account, RawEmail=bytes(mail).decode("utf-8", "replace"))


def postmark_fields(account: Mapping[str, Any], **said: Any) -> Delivery:
    """A mail that Postmark took apart, or has as `RawEmail`."""
    body = json.dumps({"MessageID": str(uuid.uuid4()), **said}).encode()
    return Delivery("mail/postmark", body, headers=_sign_in(account))


def sendgrid_mail(account: Mapping[str, Any], mail: EmailMessage) -> Delivery:
    """The raw mail beside what SendGrid found out; signed in by the address, without a policy."""
    sender, recipient = str(mail["From"]), str(mail["To"])
    domain = sender.rpartition("@")[2].strip(">")
    fields = {
        "to": recipient.encode(),
        "from": sender.encode(),
        "dkim": f"{{@{domain} : pass}}".encode(),
        "SPF": b"pass",
        "envelope": json.dumps({"to": [recipient], "from": sender}).encode(),
        "email": bytes(mail),
    }
    parts = [
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + value
        for name, value in fields.items()
    ]
    body = b"\r\n".join([*parts, f"--{_BOUNDARY}--\r\n".encode()])
    kind = f"multipart/form-data; boundary={_BOUNDARY}"
    return Delivery("mail/sendgrid", body, kind, _sign_in(account))


def _sign_in(account: Mapping[str, Any]) -> dict[str, str]:
    basic = b64encode(f"{account['user']}:{account['password']}".encode()).decode()
    return {"Authorization": f"Basic {basic}"}
