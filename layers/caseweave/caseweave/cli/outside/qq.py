"""QQ bots: https://bot.q.qq.com/wiki/develop/api-v2/dev-prepare/interface-framework/sign.html"""

import json
import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from Crypto.Signature import eddsa

from caseweave.cli.outside.delivery import Delivery


def sign(secret: str, at: str, body: bytes) -> str:
    """Ed25519 in hexadecimal; the secret, repeated up to 32 bytes, is the seed."""
    seed = (secret * 32).encode()[:32]
    return eddsa.new(eddsa.import_private_key(seed), "rfc8032").sign(at.encode() + body).hex()


def qq_message(
    account: Mapping[str, Any], openid: str, text: str, group: str = "", seconds: int = 0
) -> Delivery:
    """A text of a friend, or of a member of a group who names the bot; *seconds* is when."""
    at = seconds or int(time.time())
    said: dict[str, Any] = {
        "id": f"ROBOT1.0_{uuid.uuid4().hex}",
        "author": {"member_openid": openid} if group else {"user_openid": openid},
        "content": text,
        "timestamp": datetime.fromtimestamp(at, UTC).isoformat(),
    }
    if group:
        said["group_openid"] = group
    kind = "GROUP_AT_MESSAGE_CREATE" if group else "C2C_MESSAGE_CREATE"
    body = json.dumps({"id": uuid.uuid4().hex, "op": 0, "t": kind, "d": said}).encode()
    headers = {
        "X-Bot-Appid": account["app_id"],
        "X-Signature-Timestamp": str(at),
        "X-Signature-Ed25519": sign(account["app_secret"], str(at), body),
    }
    return Delivery("messenger/qq", body, headers=headers)
