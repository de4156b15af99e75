"""Customers on each channel: what reaches the webhooks when they write."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from secrets import randbelow
from typing import Any
from urllib.parse import urlencode

from caseweave.cli.local_stack import local_client
from caseweave.cli.outside.delivery import Delivery
from caseweave.cli.outside.http import Reply, call, call_json
from caseweave.cli.outside.telegram import telegram_message, telegram_update
from caseweave.cli.outside.twilio import SMS, sign_form, twilio_call, twilio_sms


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

    def start_chat(self, message: str, token: str = "") -> Reply:
        """The first message of a live chat; the answer names the session."""
        url = f"{self.outputs['ApiUrl']}/intake/web/chat"
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return call_json("POST", url, {"message": message}, headers)

    def send_chat(self, session: str, message: str) -> Reply:
        """The next message of a live chat."""
        url = f"{self.outputs['ApiUrl']}/intake/web/chat/{session}/messages"
        return call_json("POST", url, {"message": message})

    def read_answers(self, session: str, after: str = "") -> Reply:
        """What the customer's page polls for."""
        url = f"{self.outputs['ApiUrl']}/intake/web/chat/{session}/messages"
        return call("GET", f"{url}?after={after}" if after else url)

    def send_sms(self, phone: str, body: str, sid: str = "", **more: str) -> Reply:
        """An SMS by Twilio."""
        named = {"MessageSid": sid} if sid else {}
        return self.post(twilio_sms(self.secrets["twilio"], phone, body, **named, **more))

    def call_hotline(self, phone: str, sid: str = "", **more: str) -> Reply:
        """A phone call by Twilio, or with *more* what follows it."""
        named = {"CallSid": sid} if sid else {}
        return self.post(twilio_call(self.secrets["twilio"], phone, **named, **more))

    def post_twilio(
        self, form: Mapping[str, str], signature: str | None = None, address: str = SMS
    ) -> Reply:
        """Any form to a Twilio webhook, with the right signature unless another is given."""
        return self.post(sign_form(self.secrets["twilio"], form, address, signature))

    def send_telegram(self, user: Mapping[str, Any], text: str, update_id: int = 0) -> Reply:
        """A private message of *user* (`id`, `first_name`, …)."""
        return self.post(telegram_message(self.secrets["telegram"], user, text, update_id))

    def post_telegram(self, update: Any, secret: str | None = None) -> Reply:
        """Any update to the Telegram webhook, with the right secret unless another is given."""
        token = self.secrets["telegram"]["secret_token"] if secret is None else secret
        return self.post(telegram_update(token, update))

    def post(self, delivery: Delivery) -> Reply:
        query = f"?{urlencode(delivery.query)}" if delivery.query else ""
        headers = {"Content-Type": delivery.content_type, **delivery.headers}
        url = f"{self.outputs['ApiUrl']}/intake/{delivery.path}{query}"
        return call("POST", url, delivery.body, headers)

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
