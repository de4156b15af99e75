"""Telegram: https://core.telegram.org/bots/api#setwebhook"""

import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from caseweave.cli.outside.delivery import Delivery


def telegram_message(
    account: Mapping[str, Any], user: Mapping[str, Any], text: str, update_id: int = 0
) -> Delivery:
    """A private message of *user* (`id`, `first_name`, …)."""
    number = update_id or uuid.uuid4().int % 10**9
    message = {
        "message_id": number % 100_000,
        "from": {"is_bot": False, **user},
        "chat": {"id": user["id"], "type": "private"},
        "date": int(datetime.now(UTC).timestamp()),
        "text": text,
    }
    return telegram_update(account["secret_token"], {"update_id": number, "message": message})


def telegram_update(secret: str, update: Any) -> Delivery:
    """Any update, or any bytes, sent under any secret ("" for none)."""
    body = update if isinstance(update, bytes) else json.dumps(update).encode()
    headers = {"X-Telegram-Bot-Api-Secret-Token": secret} if secret else {}
    return Delivery("messenger/telegram", body, headers=headers)
