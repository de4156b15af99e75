"""What the environment says. Read once, by the entry points; everything else gets values."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Self


@dataclass(frozen=True, slots=True)
class Settings:
    """The variables that `template.yaml` sets. A missing one is a KeyError at cold start."""

    table_name: str
    parameter_prefix: str
    support_address: str
    default_team: str = "frontline"
    mail_configuration_set: str = ""
    files_bucket: str = ""
    bus_name: str = ""
    queue_urls: Mapping[str, str] = field(default_factory=dict)
    media_queue_url: str = ""
    pull_queue_url: str = ""
    evidence_queue_url: str = ""
    evidence_bucket: str = ""
    anchor_bucket: str = ""
    signing_key: str = ""
    index_queue_url: str = ""
    opensearch_url: str = ""
    provider_api_url: str = ""
    public_url: str = ""
    platform_url: str = ""
    platform_jwks_url: str = ""
    platform_issuer: str = ""
    platform_audience: str = ""
    retention: timedelta = timedelta(days=400)
    is_local: bool = False
    web_origins: tuple[str, ...] = ()
    trusted_proxies: int = 0
    human_check: str = "none"
    human_check_unreachable: str = "closed"

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> Self:
        found = os.environ if env is None else env
        queues = {
            channel: found[f"OUTBOUND_{channel.upper()}_QUEUE_URL"]
            for channel in ("web", "email", "sms", "messenger", "voice")
            if f"OUTBOUND_{channel.upper()}_QUEUE_URL" in found
        }
        return cls(
            table_name=found["TABLE_NAME"],
            parameter_prefix=found["PARAMETER_PREFIX"],
            support_address=found.get("SUPPORT_ADDRESS", ""),
            default_team=found.get("DEFAULT_TEAM", "frontline"),
            mail_configuration_set=found.get("MAIL_CONFIGURATION_SET", ""),
            files_bucket=found.get("FILES_BUCKET", ""),
            bus_name=found.get("BUS_NAME", ""),
            queue_urls=queues,
            media_queue_url=found.get("MEDIA_QUEUE_URL", ""),
            pull_queue_url=found.get("PULL_QUEUE_URL", ""),
            evidence_queue_url=found.get("EVIDENCE_QUEUE_URL", ""),
            evidence_bucket=found.get("EVIDENCE_BUCKET", ""),
            anchor_bucket=found.get("ANCHOR_BUCKET", ""),
            signing_key=found.get("SIGNING_KEY", ""),
            index_queue_url=found.get("INDEX_QUEUE_URL", ""),
            opensearch_url=found.get("OPENSEARCH_URL", "").rstrip("/"),
            provider_api_url=found.get("PROVIDER_API_URL", ""),
            public_url=found.get("PUBLIC_URL", ""),
            platform_url=found.get("PLATFORM_URL", "").rstrip("/"),
            platform_jwks_url=found.get("PLATFORM_JWKS_URL", ""),
            platform_issuer=found.get("PLATFORM_ISSUER", ""),
            platform_audience=found.get("PLATFORM_AUDIENCE", ""),
            retention=timedelta(days=int(found.get("RAW_RETENTION_DAYS", "400"))),
            is_local=found.get("LOCAL_CLOUD") == "true",
            web_origins=tuple(filter(None, found.get("WEB_ORIGINS", "").split(","))),
            trusted_proxies=int(found.get("TRUSTED_PROXIES", "0")),
            human_check=found.get("HUMAN_CHECK", "none"),
            human_check_unreachable=found.get("HUMAN_CHECK_UNREACHABLE", "closed"),
        )
