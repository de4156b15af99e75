"""LINE: https://developers.line.biz/en/docs/messaging-api/verify-webhook-signature/"""

import hmac
import json
import time
import uuid
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from caseweave.cli.outside.delivery import Delivery


def line_message(account: Mapping[str, Any], user: str, text: str, group: str = "") -> Delivery:
    """A text of a user, said in private or in a group."""
    place = {"type": "group", "groupId": group} if group else {"type": "user"}
    event = {
        "type": "message",
        "mode": "active",
        "timestamp": int(time.time() * 1000),
        "source": {**place, "userId": user},
        "webhookEventId": uuid.uuid4().hex,
        "deliveryContext": {"isRedelivery": False},
        "replyToken": uuid.uuid4().hex,
        "message": {"id": str(uuid.uuid4().int % 10**18), "type": "text", "text": text},
    }
    body = json.dumps({"destination": "Ubot", "events": [event]}).encode()
    mac = hmac.digest(account["channel_secret"].encode(), body, "sha256")
    return Delivery("messenger/line", body, headers={"X-Line-Signature": b64encode(mac).decode()})
