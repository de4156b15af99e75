"""The credentials the sink accepts, from the secrets file that the desk is set up with."""

import hmac
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any


@dataclass(frozen=True, slots=True)
class TwilioAccount:
    sid: str
    auth_token: str
    number: str


@dataclass(frozen=True, slots=True)
class TelegramBot:
    bot_id: int
    username: str
    token: str


@dataclass(frozen=True, slots=True)
class VonageAccount:
    api_key: str
    api_secret: str


@dataclass(frozen=True, slots=True)
class App:
    """An account whose sender asks for a token first."""

    app_id: str
    app_secret: str

    @property
    def access_token(self) -> str:
        """The same as long as the secret is."""
        return hmac.new(self.app_secret.encode(), self.app_id.encode(), "sha256").hexdigest()


@dataclass(frozen=True, slots=True)
class Accounts:
    twilio: TwilioAccount | None = None
    telegram: TelegramBot | None = None
    vonage: VonageAccount | None = None
    # The access tokens of the providers that ask for nothing else, by provider.
    tokens: Mapping[str, str] = field(default_factory=dict)
    apps: Mapping[str, App] = field(default_factory=dict)
    sns_certificate: str = ""
    # Of the apps at Meta, by provider.
    app_secrets: Mapping[str, str] = field(default_factory=dict)
    # Where the desk is.
    api_url: str = ""


class Secrets:
    """The secrets file, read again whenever it changes; without it nobody is let in."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._read_at: tuple[int, int] | None = None
        self._accounts = Accounts()

    def accounts(self) -> Accounts:
        with self._lock:
            try:
                status = self._path.stat()
            except FileNotFoundError:
                self._read_at, self._accounts = None, Accounts()
                return self._accounts
            version = (status.st_mtime_ns, status.st_size)
            if version != self._read_at:
                self._read(version)
            return self._accounts

    def _read(self, version: tuple[int, int]) -> None:
        try:
            self._accounts = parse_accounts(json.loads(self._path.read_bytes()))
            self._read_at = version
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            # Perhaps half written just now: go on with what was known and look again next time.
            print(f"secrets file not understood, keeping the last: {error!r}", file=sys.stderr)


def parse_accounts(secrets: dict[str, Any]) -> Accounts:
    twilio, telegram, vonage = (secrets.get(name) for name in ("twilio", "telegram", "vonage"))
    return Accounts(
        twilio=twilio
        and TwilioAccount(twilio["account_sid"], twilio["auth_token"], twilio["from"]),
        telegram=telegram
        and TelegramBot(int(telegram["bot_id"]), telegram["bot_username"], telegram["bot_token"]),
        vonage=VonageAccount(vonage["api_key"], vonage["api_secret"])
        if vonage and vonage.get("api_key")
        else None,
        tokens=_tokens(secrets),
        apps=_apps(secrets),
        sns_certificate=(secrets.get("aws_sms") or {}).get("certificate", ""),
        app_secrets={
            name: (secrets.get(name) or {}).get("app_secret", "") for name in ("meta", "whatsapp")
        },
        api_url=(twilio or {}).get("webhook_url", "").partition("/intake/")[0],
    )


def _apps(secrets: dict[str, Any]) -> dict[str, App]:
    names = {
        "qq": ("app_id", "app_secret"),
        "wechat": ("app_id", "app_secret"),
        "wecom": ("corp_id", "secret"),
    }
    return {
        provider: App(secrets[provider][name], secrets[provider][secret])
        for provider, (name, secret) in names.items()
        if (secrets.get(provider) or {}).get(secret)
    }


def _tokens(secrets: dict[str, Any]) -> dict[str, str]:
    """Leave out those without a token: an account may be set up to receive only."""
    found = {
        (provider, name): (secrets.get(provider) or {}).get(name)
        for provider, name in (
            ("line", "channel_access_token"),  # as LINE and the desk call it
            ("line", "access_token"),
            ("whatsapp", "access_token"),
            ("meta", "access_token"),
        )
    }
    return {provider: token for (provider, _), token in found.items() if token}
