"""SMS of mainland China: nothing is signed, a token in the address is the proof.

https://help.aliyun.com/zh/sms/developer-reference/smsup
https://cloud.tencent.com/document/product/382/42906
"""

import json
import time
import uuid
from collections.abc import Mapping
from typing import Any

from caseweave.cli.outside.delivery import Delivery


def aliyun_sms(account: Mapping[str, Any], phone: str, text: str) -> Delivery:
    """A batch with one SMS of *phone*, a Chinese number without its country code."""
    in_china = time.gmtime(time.time() + 8 * 3600)
    message = {
        "phone_number": phone,
        "content": text,
        "send_time": time.strftime("%Y-%m-%d %H:%M:%S", in_china),
        "dest_code": "1069",
        "sequence_id": str(uuid.uuid4().int % 10**15),
    }
    body = json.dumps([message]).encode()
    return Delivery("sms/aliyun", body, query={"token": account["token"]})


def tencent_sms(account: Mapping[str, Any], phone: str, text: str) -> Delivery:
    """An SMS of *phone*, a Chinese number without its country code."""
    message = {
        "extend": "1",
        "mobile": phone,
        "nationcode": "86",
        "sign": "desk",
        "text": text,
        "time": int(time.time()),
    }
    body = json.dumps(message).encode()
    return Delivery("sms/tencent", body, query={"token": account["token"]})
