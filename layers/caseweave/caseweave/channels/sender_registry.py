"""By whom answers can leave, and whose access tokens have to be fetched for it."""

from caseweave.channels import (
    line_sending,
    meta_sending,
    qq,
    telegram_sending,
    twilio_sending,
    vonage_sending,
    wechat,
    wecom_sending,
    whatsapp_sending,
)
from caseweave.channels.protocols import Sender, TokenIssuer

SENDERS: dict[str, Sender] = {
    "line": line_sending,
    "meta": meta_sending,
    "qq": qq,
    "telegram": telegram_sending,
    "twilio": twilio_sending,
    "vonage": vonage_sending,
    "wechat": wechat,
    "wecom": wecom_sending,
    "whatsapp": whatsapp_sending,
}
TOKEN_ISSUERS: dict[str, TokenIssuer] = {
    "qq": qq,
    "wechat": wechat,
    "wecom": wecom_sending,
}
# Sent by an API of AWS, which signs requests by itself.
SENT_BY_AWS = frozenset({"aws"})
