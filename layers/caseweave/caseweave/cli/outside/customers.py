"""Customers on each channel: what reaches the webhooks when they write."""

import hmac
import json
import uuid
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from hashlib import sha1
from secrets import randbelow
from typing import Any
from urllib.parse import urlencode

from caseweave.cli.local_stack import local_client
from caseweave.cli.outside.http import Reply, call, call_json


@dataclass(frozen=True, slots=True)
class Outside:
    """Everything a client needs to reach the stack: `outputs.json` and `secrets.json`."""

    outputs: Mapping[str, str]
    secrets: Mapping[str, Any]

    def sign_in(self, user_id: str) -> str:
        """The business's own JWT for one of its users."""
        reply = call_json("POST", f"{self.outputs['PlatformUrl']}/login", {"user_id": user_id})
        return str(reply.json()["token"])

    def send_form(
        self,
        form: str,
        fields: Mapping[str, Any],
        token: str = "",
        key: str = "",
    ) -> Reply:
        """Submit a web form, signed in with *token* or anonymous, from an address of its own.

        The local cloud believes X-Forwarded-For; API Gateway does not.
        """
        address = f"10.{randbelow(256)}.{randbelow(256)}.{randbelow(256)}"
        headers = {"Idempotency-Key": key or uuid.uuid4().hex, "X-Forwarded-For": address}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        url = f"{self.outputs['ApiUrl']}/intake/web/forms/{form}"
        return call_json("POST", url, dict(fields), headers)

    def read_answers(self, session: str, after: str = "") -> Reply:
        """What the customer's page polls for."""
        url = f"{self.outputs['ApiUrl']}/intake/web/chat/{session}/messages"
        return call("GET", f"{url}?after={after}" if after else url)

    def send_sms(self, phone: str, body: str, sid: str = "", **more: str) -> Reply:
        """Twilio's webhook for a received SMS, signed."""
        form = {
            "MessageSid": sid or f"SM{uuid.uuid4().hex}",
            "AccountSid": self.secrets["twilio"]["account_sid"],
            "From": phone,
            "To": self.secrets["twilio"]["from"],
            "Body": body,
            "NumMedia": "0",
            "SmsStatus": "received",
            "ApiVersion": "2010-04-01",
            **more,
        }
        return self.post_twilio(form)

    def call_hotline(self, phone: str, sid: str = "", **more: str) -> Reply:
        """Twilio's webhook for a phone call, or with *more* for what follows it, signed."""
        form = {
            "CallSid": sid or f"CA{uuid.uuid4().hex}",
            "AccountSid": self.secrets["twilio"]["account_sid"],
            "From": phone,
            "To": self.secrets["twilio"]["from"],
            "CallStatus": "ringing",
            "Direction": "inbound",
            "StirVerstat": "TN-Validation-Passed-A",
            "ApiVersion": "2010-04-01",
            **more,
        }
        return self.post_twilio(form, address="voice_url")

    def post_twilio(
        self, form: Mapping[str, str], signature: str | None = None, address: str = "webhook_url"
    ) -> Reply:
        """Any form to a Twilio webhook, with the right signature unless another is given.

        https://www.twilio.com/docs/usage/security#validating-requests
        """
        url = self.secrets["twilio"][address]
        if signature is None:
            signed = url + "".join(name + form[name] for name in sorted(form))
            key = self.secrets["twilio"]["auth_token"].encode()
            signature = b64encode(hmac.digest(key, signed.encode(), sha1)).decode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if signature:
            headers["X-Twilio-Signature"] = signature
        return call("POST", url, urlencode(form).encode(), headers)

    def send_telegram(self, user: Mapping[str, Any], text: str, update_id: int = 0) -> Reply:
        """Telegram's webhook for a private message of *user* (`id`, `first_name`, …)."""
        number = update_id or uuid.uuid4().int % 10**9
        message = {
            "message_id": number % 100_000,
            "from": {"is_bot": False, **user},
            "chat": {"id": user["id"], "type": "private"},
            "date": int(datetime.now(UTC).timestamp()),
            "text": text,
        }
        return self.post_telegram({"update_id": number, "message": message})

    def post_telegram(self, update: Any, secret: str | None = None) -> Reply:
        """Any update to the Telegram webhook, with the right secret unless another is given."""
        url = f"{self.outputs['ApiUrl']}/intake/messenger/telegram"
        token = self.secrets["telegram"]["secret_token"] if secret is None else secret
        headers = {"Content-Type": "application/json"}
        if token:
            headers["X-Telegram-Bot-Api-Secret-Token"] = token
        body = update if isinstance(update, bytes) else json.dumps(update).encode()
        return call("POST", url, body, headers)

    def deliver_mail(self, mail: EmailMessage | bytes, dmarc: str = "pass") -> str:
        """Put a mail into the mail bucket as SES does, its verdict on top; the object's key."""
        raw = mail if isinstance(mail, bytes) else bytes(mail)
        domain = "" if isinstance(mail, bytes) else str(mail["From"]).rpartition("@")[2].strip(">")
        verdict = (
            f"Authentication-Results: amazonses.com; spf={dmarc}; dkim={dmarc};"
            f" dmarc={dmarc} header.from={domain};\r\n"
        )
        key = uuid.uuid4().hex
        local_client("s3", self.outputs["EndpointUrl"]).put_object(
            Bucket=self.outputs["MailBucket"], Key=key, Body=verdict.encode() + raw
        )
        return key


def write_mail(
    sender: str, subject: str, body: str, to: str = "support@desk.example", **headers: str
) -> EmailMessage:
    """A mail as a customer's mailer writes it; *headers* take `_` for `-`."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, to, subject
    mail["Date"] = format_datetime(datetime.now(UTC))
    mail["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2].strip(">"))
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(body)
    return mail
