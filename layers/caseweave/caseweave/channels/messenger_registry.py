"""Which messengers there are, and which of them greet a webhook before they use it."""

from caseweave.channels import line, meta, qq, telegram, wechat, wecom, whatsapp
from caseweave.channels.protocols import Greeter, Provider

MESSENGERS: dict[str, Provider] = {
    "line": line,
    "meta": meta,
    "qq": qq,
    "telegram": telegram,
    "wechat": wechat,
    "wecom": wecom,
    "whatsapp": whatsapp,
}
GREETERS: dict[str, Greeter] = {
    "meta": meta,
    "wechat": wechat,
    "wecom": wecom,
    "whatsapp": whatsapp,
}
