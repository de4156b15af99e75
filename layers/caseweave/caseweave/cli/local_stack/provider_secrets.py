"""Secrets of the local stack: made up once, put where the functions look for them.

`secrets.json` is for programs that play the outside world and have to sign as providers do.
The parameters are what the functions read; there a secret may be a list, the newest first.
"""

import json
import secrets
from base64 import b64encode
from pathlib import Path
from typing import Any

from caseweave.cli.local_stack.cloud import CREDENTIALS, local_client
from caseweave.cli.local_stack.errors import LocalStackError
from caseweave.cli.outside.sns import make_up_topic

_PROVIDERS = (
    "aliyun",
    "line",
    "mailgun",
    "meta",
    "postmark",
    "qq",
    "sendgrid",
    "telegram",
    "tencent",
    "twilio",
    "vonage",
    "wechat",
    "wecom",
    "whatsapp",
)


def ensure_secrets(state_dir: Path) -> dict[str, Any]:
    """Read secrets.json; make it, or what it lacks since an earlier version made it."""
    kept = read_secrets(state_dir) if _file(state_dir).exists() else {}
    made = kept if "aws_sms" in kept else {"aws_sms": make_up_topic(), **kept}
    _write(state_dir, {**_make_up(), **made})
    return read_secrets(state_dir)


def read_secrets(state_dir: Path) -> dict[str, Any]:
    """Raise LocalStackError when there are none yet."""
    try:
        found: dict[str, Any] = json.loads(_file(state_dir).read_text())
    except FileNotFoundError as error:
        raise LocalStackError(
            f"There are no secrets in {state_dir}; caseweave up makes them"
        ) from error
    return found


def record_webhook_urls(state_dir: Path, api_url: str) -> dict[str, Any]:
    """Note the addresses that Twilio signs, known only once the API is deployed."""
    found = read_secrets(state_dir)
    found["twilio"]["webhook_url"] = f"{api_url}/intake/sms/twilio"
    found["twilio"]["voice_url"] = f"{api_url}/intake/voice/twilio"
    _write(state_dir, found)
    return found


def put_parameters(endpoint_url: str, prefix: str, found: dict[str, Any]) -> None:
    """Store the secrets as the functions expect them."""
    ssm = local_client("ssm", endpoint_url)
    providers = {f"providers/{name}": found[name] for name in _PROVIDERS}
    # The name `aws` is the local cloud's own keys there; who signs is SNS, not the desk.
    topic = found["aws_sms"]
    providers["providers/aws"] = {name: topic[name] for name in ("topic_arns", "from")}
    own = {name: found[name] for name in ("keys", "platform")}
    for name, value in {**own, **providers}.items():
        ssm.put_parameter(
            Name=f"{prefix}/{name}", Value=json.dumps(value), Type="SecureString", Overwrite=True
        )


def _make_up() -> dict[str, Any]:
    token = secrets.token_urlsafe
    return {
        "twilio": {
            "account_sid": f"AC{secrets.token_hex(16)}",
            "auth_token": secrets.token_hex(16),
            "from": "+15005550006",
            "webhook_url": "",
        },
        "telegram": {
            "bot_id": "7000000001",
            "bot_username": "caseweave_local_bot",
            "bot_token": f"7000000001:{secrets.token_urlsafe(26)}",
            "secret_token": secrets.token_urlsafe(32),
        },
        "line": {"channel_secret": token(24), "channel_access_token": token(32)},
        "meta": {"app_secret": token(24), "verify_token": token(16), "access_token": token(32)},
        "whatsapp": {
            "app_secret": token(24),
            "verify_token": token(16),
            "access_token": token(32),
            "phone_number_id": "106540352242922",
        },
        "vonage": {
            "api_key": secrets.token_hex(4),
            "api_secret": token(16),
            "signature_secret": token(48),
            "signature_method": "sha256",
            "from": "15005550009",
        },
        "wechat": {
            "app_id": "wx5823bf96d3bd56c7",
            "app_secret": secrets.token_hex(16),
            "token": secrets.token_hex(12),
            "encoding_aes_key": b64encode(secrets.token_bytes(32)).decode().rstrip("="),
        },
        "qq": {"app_id": "1020000001", "app_secret": secrets.token_hex(16)},
        "wecom": {
            "corp_id": f"ww{secrets.token_hex(8)}",
            "token": secrets.token_hex(16),
            "encoding_aes_key": b64encode(secrets.token_bytes(32)).decode().rstrip("="),
            "secret": token(32),
        },
        "aliyun": {"token": token(24)},
        "tencent": {"token": token(24)},
        "mailgun": {"signing_key": token(24)},
        "postmark": {"user": "postmark", "password": token(24)},
        "sendgrid": {"user": "sendgrid", "password": token(24)},
        "keys": {"signing": [secrets.token_hex(32)]},
        # what the desk signs its questions to the business's platform with
        "platform": {"secret": [f"whsec_{b64encode(secrets.token_bytes(32)).decode()}"]},
        # the only keys that the local cloud accepts
        "aws": {
            "access_key_id": CREDENTIALS["AWS_ACCESS_KEY_ID"],
            "secret_access_key": CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        },
        # for `caseweave token`; the prefix satisfies any password policy
        "users": {"password": f"Aa1!{secrets.token_urlsafe(18)}"},
    }


def _write(state_dir: Path, found: dict[str, Any]) -> None:
    draft = state_dir / "secrets.json.new"
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(found, indent=2) + "\n")
    draft.replace(_file(state_dir))  # at once: others may be reading


def _file(state_dir: Path) -> Path:
    return state_dir / "secrets.json"
