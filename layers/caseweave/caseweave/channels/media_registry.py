"""Whose files can be fetched, and how. Modules are the values, as in `registry.py`."""

from typing import Protocol

from caseweave.channels import (
    line_media,
    meta_media,
    qq_media,
    telegram_media,
    twilio_media,
    vonage_media,
    wechat_media,
    wecom_media,
    whatsapp_media,
)
from caseweave.channels.credentials import Credentials
from caseweave.channels.media import MediaRefusal, MediaRequest
from caseweave.channels.request import ProviderAnswer
from caseweave.domain.message import Attachment


class MediaSource(Protocol):
    """What a module offers from whose provider files can be fetched.

    MEDIA_HOSTS are all the hosts that files may come from, each with its subdomains; ops can add
    some as `media_hosts` of the provider's parameter.
    """

    MEDIA_URL: str
    MEDIA_HOSTS: tuple[str, ...]

    def locate_media(
        self, attachment: Attachment, base_url: str, credentials: Credentials
    ) -> MediaRequest | MediaRefusal: ...


class MediaLocator(Protocol):
    """What the module of a provider offers that has to be asked first where a file is."""

    def read_location(
        self, answer: ProviderAnswer, base_url: str, credentials: Credentials
    ) -> MediaRequest | MediaRefusal: ...


class ErrorTeller(Protocol):
    """What the module of a provider offers that tells errors with status 200, in place of bytes."""

    def read_refusal(self, body: bytes) -> MediaRefusal | None: ...


MEDIA_SOURCES: dict[str, MediaSource] = {
    "line": line_media,
    "meta": meta_media,
    "qq": qq_media,
    "telegram": telegram_media,
    "twilio": twilio_media,
    "vonage": vonage_media,
    "wechat": wechat_media,
    "wecom": wecom_media,
    "whatsapp": whatsapp_media,
}
MEDIA_LOCATORS: dict[str, MediaLocator] = {
    "telegram": telegram_media,
    "whatsapp": whatsapp_media,
}
ERROR_TELLERS: dict[str, ErrorTeller] = {"wechat": wechat_media, "wecom": wecom_media}
