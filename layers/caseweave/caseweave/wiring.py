"""What the entry points hand to the use cases, made from the settings of the function."""

import random
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from caseweave.aws.secrets import read_credentials, read_signing_keys
from caseweave.channels.credentials import Credentials
from caseweave.config.threading import deployed_threading
from caseweave.errors import InvalidSignatureError, MissingSecretError
from caseweave.intake import Door
from caseweave.settings import Settings
from caseweave.storage.table import use_table

if TYPE_CHECKING:
    from caseweave.agents.evidence import Archive
    from caseweave.agents.search import Searching
    from caseweave.aws.opensearch import OpenSearch
    from caseweave.daily_digests import Notary
    from caseweave.domain.forms import Form
    from caseweave.domain.privacy import PrivacyRules
    from caseweave.domain.threading import ThreadingPolicy
    from caseweave.domain.web_rules import WebRules
    from caseweave.erasure import Shredder
    from caseweave.evidence_keeping import Vault
    from caseweave.media import Shelf
    from caseweave.platform.answer import Answer
    from caseweave.platform.connector import Connector
    from caseweave.platform.records import Snapshot
    from caseweave.replay import Replayer
    from caseweave.sending import Outlet
    from caseweave.verifications import Codes
    from caseweave.web_desk import WebDesk
    from caseweave.wecom_pull import Source


def start() -> Settings:
    """The settings of this function, with the table bound to them. Called at cold start."""
    settings = Settings.from_env()
    use_table(settings.table_name)
    return settings


def make_door(settings: Settings, threading: "ThreadingPolicy | None" = None) -> Door:
    """By the rules that were deployed, or others. Raises MissingSecretError."""
    return Door(
        settings.default_team,
        signing_keys(settings),
        secrets.token_bytes,
        settings.support_address,
        threading or deployed_threading(),
    )


def signing_keys(settings: Settings) -> Sequence[bytes]:
    """The keys that sign our tokens, the newest first. Raises MissingSecretError."""
    return read_signing_keys(settings.parameter_prefix)


def replayer(settings: Settings, threading: "ThreadingPolicy | None" = None) -> "Replayer":
    """What trying input again needs. Raises MissingSecretError."""
    from caseweave.replay import Replayer  # noqa: PLC0415 - it reads every provider

    return Replayer(
        settings.files_bucket,
        partial(credentials_of, settings),
        make_door(settings, threading),
        settings.retention,
    )


def credentials_of(settings: Settings, provider: str) -> Credentials:
    """Raises MissingSecretError."""
    return read_credentials(settings.parameter_prefix, provider)


def bot_name(settings: Settings) -> str:
    """The Telegram bot's name, "" where the desk has no bot."""
    try:
        return str(credentials_of(settings, "telegram").values.get("bot_username", ""))
    except MissingSecretError:
        return ""


def sign_in_check(settings: Settings) -> Callable[[str], Mapping[str, Any]]:
    """What turns a signed-in customer's JWT into its claims; its key set is kept between calls.

    The code that checks signatures is loaded with the first token, not at cold start.
    """
    keys: list[Any] = []

    def check(token: str) -> Mapping[str, Any]:
        from caseweave.platform.sign_in import KeySet, verify_sign_in  # noqa: PLC0415

        if not settings.platform_jwks_url:
            raise InvalidSignatureError("no platform is configured")
        if not keys:
            keys.append(KeySet(settings.platform_jwks_url))
        return verify_sign_in(token, keys[0], settings.platform_issuer, settings.platform_audience)

    return check


def platform_connector(settings: Settings) -> "Connector":
    """How the business's platform is asked. To be kept by the process: it remembers for a while
    what it was told, and whether it was answered.
    """
    # Only who asks the platform needs these.
    from caseweave.aws.secrets import read_platform_secrets  # noqa: PLC0415
    from caseweave.domain.ulid import make_ulid  # noqa: PLC0415
    from caseweave.platform.connector import Connector, World  # noqa: PLC0415
    from caseweave.platform.transport import open_url  # noqa: PLC0415

    world = World(
        now=partial(datetime.now, UTC),
        sleep=time.sleep,
        draw=random.SystemRandom().random,
        new_id=lambda: make_ulid(datetime.now(UTC), secrets.token_bytes(10)),
        open_url=open_url,
        read_secrets=partial(read_platform_secrets, settings.parameter_prefix),
    )
    return Connector(settings.platform_url, world)


def make_codes() -> "Codes":
    """What sending a one-time code needs, from now on."""
    from caseweave.config.desk import deployed_desk  # noqa: PLC0415 - reads YAML
    from caseweave.verifications import Codes  # noqa: PLC0415 - few functions send any

    provider = _deployed_web_rules().continuing.sms_provider
    return Codes(deployed_desk(), provider, datetime.now(UTC), secrets.token_bytes)


def media_shelf(settings: Settings) -> "Shelf":
    """Where customers' files are kept and how they are fetched."""
    # Only the media function needs these, and it alone has Pillow.
    from caseweave.config.media import deployed_media_limits  # noqa: PLC0415
    from caseweave.downloading import system_network  # noqa: PLC0415
    from caseweave.media import Shelf  # noqa: PLC0415
    from caseweave.provider_api import forget_token, resolve_account  # noqa: PLC0415
    from caseweave.provider_media import Providers, fetch_from_provider  # noqa: PLC0415

    prefix, own_url = settings.parameter_prefix, settings.provider_api_url
    providers = Providers(
        partial(resolve_account, prefix=prefix, provider_api_url=own_url, now=datetime.now(UTC)),
        partial(forget_token, provider_api_url=own_url),
        system_network(),
        own_url,
    )
    return Shelf(
        settings.files_bucket,
        partial(fetch_from_provider, providers=providers),
        deployed_media_limits().__getitem__,
    )


def evidence_vault(settings: Settings, connector: "Connector") -> "Vault":
    """How evidence of disputed cases is taken; each order may take the platform eight seconds."""
    from caseweave.evidence_keeping import Vault  # noqa: PLC0415 - only who takes it needs it

    def take(order_no: str) -> "Answer[Snapshot]":
        return connector.snapshot(order_no, connector.deadline(timedelta(seconds=8)))

    return Vault(settings.files_bucket, settings.evidence_bucket, take)


def archive(settings: Settings) -> "Archive":
    """What an evidence pack is made from."""
    from caseweave.agents.evidence import Archive  # noqa: PLC0415 - only who exports needs it

    return Archive(settings.files_bucket, settings.evidence_bucket, notary(settings))


def notary(settings: Settings) -> "Notary":
    """What signs for this desk, and where that is anchored."""
    from caseweave.daily_digests import Notary  # noqa: PLC0415 - only who signs needs it

    return Notary(settings.signing_key, settings.anchor_bucket)


def wecom_source(settings: Settings) -> "Source":
    """How the messages of 微信客服 are pulled, from now on."""
    # Only the puller needs these.
    from caseweave.channels.wecom_sending import API_URL  # noqa: PLC0415
    from caseweave.provider_api import (  # noqa: PLC0415
        ask,
        find_base_url,
        forget_token,
        resolve_account,
    )
    from caseweave.wecom_pull import PROVIDER, Source  # noqa: PLC0415

    prefix, own_url = settings.parameter_prefix, settings.provider_api_url
    return Source(
        resolve_account=partial(
            resolve_account,
            PROVIDER,
            prefix=prefix,
            provider_api_url=own_url,
            now=datetime.now(UTC),
        ),
        read_credentials=partial(credentials_of, settings, PROVIDER),
        forget_token=partial(forget_token, PROVIDER, provider_api_url=own_url),
        ask=ask,
        base_url=find_base_url(PROVIDER, API_URL, own_url),
        make_door=partial(make_door, settings),
        retention=settings.retention,
        now=partial(datetime.now, UTC),
    )


def web_desk(settings: Settings, verify_token: Callable[[str], Mapping[str, Any]]) -> "WebDesk":
    """What the web channel needs. Raises MissingSecretError."""
    from caseweave.channels.human_check import PROVIDER  # noqa: PLC0415 - web only
    from caseweave.human_checks import HumanCheck  # noqa: PLC0415 - web only
    from caseweave.web_desk import WebDesk  # noqa: PLC0415 - web only

    base_url = f"{settings.provider_api_url}/{PROVIDER}" if settings.provider_api_url else ""
    return WebDesk(
        door=make_door(settings),
        retention=settings.retention,
        verify_token=verify_token,
        read_forms=_deployed_forms,
        read_rules=_deployed_web_rules,
        human_check=HumanCheck(
            verifier=settings.human_check,
            passes_unreachable=settings.human_check_unreachable == "open",
            read_credentials=partial(credentials_of, settings, PROVIDER),
            base_url=base_url,
        ),
        files_bucket=settings.files_bucket,
        trusted_proxies=settings.trusted_proxies,
        make_codes=make_codes,
    )


def _deployed_forms() -> "Mapping[str, Form]":
    from caseweave.config.forms import deployed_forms  # noqa: PLC0415 - reads YAML

    return deployed_forms()


def _deployed_web_rules() -> "WebRules":
    from caseweave.config.web import deployed_web_rules  # noqa: PLC0415 - reads YAML

    return deployed_web_rules()


def searching(settings: Settings) -> "Searching":
    """What search needs, from now on. Raises MissingSecretError, InvalidConfigError."""
    # Only search needs these.
    from caseweave.agents.search import OPENSEARCH, TABLE, Searching  # noqa: PLC0415
    from caseweave.config.desk import deployed_desk  # noqa: PLC0415
    from caseweave.text_search import find_in_engine, find_in_table  # noqa: PLC0415

    engine, name = text_engine(settings), TABLE
    find_text = find_in_table
    if engine is not None:
        find_text, name = partial(find_in_engine, engine), OPENSEARCH
    return Searching(
        desk=deployed_desk(),
        keys=make_door(settings).signing_keys,
        find_text=find_text,
        index=name,
        now=datetime.now(UTC),
    )


def text_engine(settings: Settings) -> "OpenSearch | None":
    """The engine that keeps the words of messages, where the desk has one."""
    if not settings.opensearch_url:
        return None
    from caseweave.aws.opensearch import OpenSearch  # noqa: PLC0415 - only where there is one

    return OpenSearch(settings.opensearch_url)


def outlet(settings: Settings) -> "Outlet":
    """How messages leave, from now on. Raises MissingSecretError."""
    from caseweave.outgoing_files import outgoing_files  # noqa: PLC0415 - only the notifier
    from caseweave.sending import Outlet  # noqa: PLC0415 - only the notifier needs it

    keys, now = signing_keys(settings), datetime.now(UTC)
    return Outlet(
        prefix=settings.parameter_prefix,
        provider_api_url=settings.provider_api_url,
        support_address=settings.support_address,
        signing_keys=keys,
        files=outgoing_files(settings.files_bucket, settings.public_url, keys, now),
        now=now,
        mail_configuration_set=settings.mail_configuration_set,
    )


def make_shredder(
    settings: Settings, rules: "PrivacyRules", has_time: Callable[[], bool]
) -> "Shredder":
    """What deletes, from now on."""
    from caseweave.erasure import Shredder  # noqa: PLC0415 - one function may delete
    from caseweave.indexing import forget_message  # noqa: PLC0415 - the same

    return Shredder(
        settings.files_bucket,
        settings.evidence_bucket,
        rules.deletion_log,
        partial(datetime.now, UTC),
        partial(forget_message, engine=text_engine(settings)),
        has_time,
    )
