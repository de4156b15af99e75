"""Twilio: https://www.twilio.com/docs/usage/security#validating-requests"""

import hmac
import uuid
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha1
from typing import Any
from urllib.parse import urlencode

from caseweave.cli.outside.delivery import FORM, Delivery

# Which of our addresses Twilio calls and signs, by the name it has among the secrets.
SMS, VOICE = "webhook_url", "voice_url"
_PATHS = {SMS: "sms/twilio", VOICE: "voice/twilio"}


def twilio_sms(account: Mapping[str, Any], phone: str, text: str, **more: str) -> Delivery:
    """An SMS; with `whatsapp:` before both numbers, a message by WhatsApp."""
    form = {
        "MessageSid": f"SM{uuid.uuid4().hex}",
        "AccountSid": account["account_sid"],
        "From": phone,
        "To": account["from"],
        "Body": text,
        "NumMedia": "0",
        "SmsStatus": "received",
        "ApiVersion": "2010-04-01",
        **more,
    }
    return sign_form(account, form)


def twilio_call(account: Mapping[str, Any], phone: str, **more: str) -> Delivery:
    """A phone call, or with *more* what follows it."""
    form = {
        "CallSid": f"CA{uuid.uuid4().hex}",
        "AccountSid": account["account_sid"],
        "From": phone,
        "To": account["from"],
        "CallStatus": "ringing",
        "Direction": "inbound",
        "StirVerstat": "TN-Validation-Passed-A",
        "ApiVersion": "2010-04-01",
        **more,
    }
    return sign_form(account, form, VOICE)


def sign_form(
    account: Mapping[str, Any],
    form: Mapping[str, str],
    address: str = SMS,
    signature: str | None = None,
) -> Delivery:
    """Any form, with the right signature unless another, or none (""), is given."""
    if signature is None:
        signed = account[address] + "".join(name + form[name] for name in sorted(form))
        mac = hmac.digest(account["auth_token"].encode(), signed.encode(), sha1)
        signature = b64encode(mac).decode()
    headers = {"X-Twilio-Signature": signature} if signature else {}
    return Delivery(_PATHS[address], urlencode(form).encode(), FORM, headers)
