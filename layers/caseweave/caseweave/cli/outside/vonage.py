"""Vonage's SMS API: https://developer.vonage.com/en/getting-started/concepts/signing-messages"""

import hmac
import time
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from caseweave.cli.outside.delivery import FORM, Delivery


def vonage_sms(account: Mapping[str, Any], phone: str, text: str, **more: str) -> Delivery:
    """An SMS from *phone*, without its plus sign; *more* are fields of a part of a long one."""
    now = time.time()
    fields = {
        "msisdn": phone,
        "to": account["from"],
        "messageId": uuid.uuid4().hex[:16].upper(),
        "text": text,
        "type": "text",
        "keyword": (text.split() or [""])[0].upper(),
        "message-timestamp": time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(now)),
        "timestamp": str(int(now)),
        "nonce": uuid.uuid4().hex,
        **{name.replace("_", "-"): value for name, value in more.items()},
    }
    # Vonage signs & and = within a value as _.
    clean = {name: value.replace("&", "_").replace("=", "_") for name, value in fields.items()}
    signed = "".join(f"&{name}={clean[name]}" for name in sorted(clean))
    mac = hmac.digest(account["signature_secret"].encode(), signed.encode(), "sha256")
    body = urlencode({**fields, "sig": mac.hex()}).encode()
    return Delivery("sms/vonage", body, FORM)
