"""What a provider's parameter holds, and which address of ours is entered there.

The one list of it: `caseweave doctor`, the local stack's secrets and the setting-up pages are held
against it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Use(StrEnum):
    """What a field is needed for. Without what is `RECEIVE`, the door stays shut."""

    RECEIVE = "receive"
    SEND = "send"
    OPTIONAL = "optional"


@dataclass(frozen=True, slots=True)
class Field:
    """One named value. `rotates`: it may be a list, the newest first.

    `names_account`: under `accounts`, the account's own name stands for it. `unless`: these
    fields together do as well. `path`: it is our address, the part after the stack's own.
    """

    name: str
    use: Use = Use.RECEIVE
    rotates: bool = False
    names_account: bool = False
    unless: tuple[str, ...] = ()
    path: str = ""
    choices: tuple[str, ...] = ()


# Every provider may have these.
SHARED = ("accounts", "media_hosts")

_SEND, _OPTIONAL = Use.SEND, Use.OPTIONAL
_SIGN_IN = (Field("user", _OPTIONAL, rotates=True), Field("password", _OPTIONAL, rotates=True))

# Where the provider's webhooks are received, after the stack's address.
PATHS: Mapping[str, str] = {
    "aliyun": "/intake/sms/aliyun",
    "aws": "/intake/sms/aws",
    "line": "/intake/messenger/line",
    "mailgun": "/intake/mail/mailgun",
    "meta": "/intake/messenger/meta",
    "postmark": "/intake/mail/postmark",
    "qq": "/intake/messenger/qq",
    "sendgrid": "/intake/mail/sendgrid",
    "telegram": "/intake/messenger/telegram",
    "tencent": "/intake/sms/tencent",
    "twilio": "/intake/sms/twilio",
    "voice": "/intake/voice/twilio",
    "vonage": "/intake/sms/vonage",
    "wechat": "/intake/messenger/wechat",
    "wecom": "/intake/messenger/wecom",
    "whatsapp": "/intake/messenger/whatsapp",
}

FIELDS: Mapping[str, tuple[Field, ...]] = {
    "aliyun": (Field("token", rotates=True),),
    "aws": (
        Field("topic_arns", rotates=True),
        Field("from", _SEND),
        Field("configuration_set", _OPTIONAL),
        Field("signature_versions", _OPTIONAL, rotates=True, choices=("1", "2")),
    ),
    "human_check": (
        Field("site_key"),
        Field("secret", rotates=True),
        Field("url", _OPTIONAL),
        Field("least_score", _OPTIONAL),
    ),
    "line": (
        Field("channel_secret", rotates=True),
        Field("channel_access_token", _SEND, rotates=True),
    ),
    "mailgun": (Field("signing_key", rotates=True), Field("api_key", _OPTIONAL)),
    "meta": (
        Field("app_secret", rotates=True),
        Field("verify_token", rotates=True),
        Field("access_token", _SEND, rotates=True),
    ),
    "postmark": (Field("user", rotates=True), Field("password", rotates=True)),
    "qq": (Field("app_id"), Field("app_secret", rotates=True)),
    "sendgrid": (Field("public_key", rotates=True, unless=("user", "password")), *_SIGN_IN),
    "telegram": (
        Field("bot_id", names_account=True),
        Field("secret_token", rotates=True),
        Field("bot_token", _SEND, rotates=True),
        Field("bot_username", _OPTIONAL),
    ),
    "tencent": (Field("token", rotates=True),),
    "twilio": (
        Field("auth_token", rotates=True),
        Field("webhook_url", path=PATHS["twilio"]),
        Field("voice_url", _OPTIONAL, path=PATHS["voice"]),
        Field("account_sid", _SEND),
        Field("from", _SEND),
        Field("caller_numbers", _OPTIONAL, choices=("trusted",)),
    ),
    "vonage": (
        Field("signature_secret", rotates=True),
        Field(
            "signature_method",
            _OPTIONAL,
            rotates=True,
            choices=("md5hash", "md5", "sha1", "sha256", "sha512"),
        ),
        Field("api_key", _SEND),
        Field("api_secret", _SEND, rotates=True),
        Field("from", _SEND, names_account=True),
    ),
    "wechat": (
        Field("app_id"),
        Field("token", rotates=True),
        Field("encoding_aes_key", _OPTIONAL, rotates=True),
        Field("app_secret", _SEND),
        Field("token_api", _OPTIONAL, choices=("token", "stable_token")),
    ),
    "wecom": (
        Field("corp_id", rotates=True),
        Field("token", rotates=True),
        Field("encoding_aes_key", rotates=True),
        Field("secret", _SEND, rotates=True),
    ),
    "whatsapp": (
        Field("app_secret", rotates=True),
        Field("verify_token", rotates=True),
        Field("access_token", _SEND, rotates=True),
        Field("phone_number_id", _SEND, names_account=True),
    ),
}
