"""Meta's products: Messenger, Instagram, WhatsApp.

https://developers.facebook.com/docs/messenger-platform/webhooks#validate-payloads
"""

import hmac
import json
import time
import uuid
from collections.abc import Mapping
from typing import Any

from caseweave.cli.outside.delivery import Delivery

PAGE, INSTAGRAM = "page", "instagram"


def sign_batch(account: Mapping[str, Any], name: str, batch: Mapping[str, Any]) -> Delivery:
    """Anything that Meta posts to the webhook *name*: `meta`, or `whatsapp`."""
    body = json.dumps(batch).encode()
    mac = hmac.digest(account["app_secret"].encode(), body, "sha256").hex()
    return Delivery(f"messenger/{name}", body, headers={"X-Hub-Signature-256": f"sha256={mac}"})


def messaging_event(
    account: Mapping[str, Any], event: Mapping[str, Any], product: str = PAGE
) -> Delivery:
    entry = [{"id": event["recipient"]["id"], "time": 1, "messaging": [event]}]
    return sign_batch(account, "meta", {"object": product, "entry": entry})


def messenger_message(
    account: Mapping[str, Any],
    user: str,
    text: str,
    product: str = PAGE,
    to: str = "page-1",
    picture: str = "",
) -> Delivery:
    """What *user* (a PSID, or an IGSID) writes to the page or the Instagram account *to*."""
    message: dict[str, Any] = {"mid": f"m_{uuid.uuid4().hex}", "text": text}
    if picture:
        message["attachments"] = [{"type": "image", "payload": {"url": picture}}]
    event = {
        "sender": {"id": user},
        "recipient": {"id": to},
        "timestamp": int(time.time() * 1000),
        "message": message,
    }
    return messaging_event(account, event, product)


def whatsapp_change(account: Mapping[str, Any], value: Mapping[str, Any]) -> Delivery:
    entry = [{"id": "waba", "changes": [{"field": "messages", "value": value}]}]
    batch = {"object": "whatsapp_business_account", "entry": entry}
    return sign_batch(account, "whatsapp", batch)


def whatsapp_message(
    account: Mapping[str, Any], wa_id: str, text: str, name: str, number_id: str = "1065"
) -> Delivery:
    """What the holder of the number *wa_id*, without its plus sign, writes."""
    message = {
        "from": wa_id,
        "id": f"wamid.{uuid.uuid4().hex}",
        "timestamp": str(int(time.time())),
        "type": "text",
        "text": {"body": text},
    }
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550001", "phone_number_id": number_id},
        "contacts": [{"profile": {"name": name}, "wa_id": wa_id}],
        "messages": [message],
    }
    return whatsapp_change(account, value)
