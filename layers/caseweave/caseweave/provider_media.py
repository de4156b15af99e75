"""Fetching a file from its provider: where it is, with which credentials, and what it answered."""

from collections.abc import Callable
from dataclasses import dataclass

from caseweave.channels.credentials import Credentials
from caseweave.channels.media import MediaRefusal, MediaRequest, refuse_by_status
from caseweave.channels.media_registry import (
    ERROR_TELLERS,
    MEDIA_LOCATORS,
    MEDIA_SOURCES,
    MediaSource,
)
from caseweave.channels.request import ProviderAnswer
from caseweave.domain.media import Shortfall
from caseweave.domain.message import Attachment, Message
from caseweave.downloading import Answered, Bounds, Missed, Network, download
from caseweave.errors import MissingSecretError, UnavailableError
from caseweave.provider_api import find_base_url

# Together well within the function's time (template.yaml).
_SECONDS_TO_LOCATE = 10
_SECONDS_TO_DOWNLOAD = 60
_MOST_BYTES_OF_LOCATION = 65536
# An error that came in place of a file is not longer.
_LONGEST_ERROR = 4096


@dataclass(frozen=True, slots=True)
class Providers:
    """How providers are reached: (provider, account) → credentials, which may turn out stale; and
    one address that stands in for all of them, "" for none.
    """

    resolve_account: Callable[[str, str], Credentials]
    forget_token: Callable[[str, Credentials], None]
    network: Network
    provider_api_url: str = ""


@dataclass(frozen=True, slots=True)
class _Origin:
    """One provider's files, for one account."""

    name: str
    source: MediaSource
    base_url: str
    credentials: Credentials
    providers: Providers

    def locate(self, attachment: Attachment) -> MediaRequest | MediaRefusal | Missed:
        """The request for the bytes; some providers have to be asked for it first."""
        request = self.source.locate_media(attachment, self.base_url, self.credentials)
        if isinstance(request, MediaRefusal) or not request.is_location:
            return request
        answer = self.download(request, _MOST_BYTES_OF_LOCATION, _SECONDS_TO_LOCATE)
        if isinstance(answer, Missed):
            return answer
        told = ProviderAnswer(answer.status, answer.body)
        return MEDIA_LOCATORS[self.name].read_location(told, self.base_url, self.credentials)

    def download(self, request: MediaRequest, most_bytes: int, seconds: float) -> Answered | Missed:
        hosts = (*self.source.MEDIA_HOSTS, *_added_hosts(self.credentials))
        bounds = Bounds(hosts, most_bytes, seconds, self.providers.provider_api_url)
        return download(request, bounds, self.providers.network)


def fetch_from_provider(
    message: Message, attachment: Attachment, most_bytes: int, providers: Providers
) -> bytes | Missed:
    """The bytes of an attachment, or why there are none."""
    name, source = message.provider, MEDIA_SOURCES.get(message.provider)
    if source is None or message.contact is None or not attachment.provider_ref:
        return Missed(Shortfall.NO_SOURCE, f"no file can be fetched from {name}", is_final=True)
    base_url = find_base_url(name, source.MEDIA_URL, providers.provider_api_url)
    try:
        credentials = providers.resolve_account(name, message.contact.account)
        origin = _Origin(name, source, base_url, credentials, providers)
        found = _fetch(origin, attachment, most_bytes)
    except (MissingSecretError, UnavailableError) as error:
        return Missed(Shortfall.REFUSED, str(error), is_final=False)
    if isinstance(found, MediaRefusal):
        if found.is_token_stale:
            providers.forget_token(name, credentials)
        return Missed(found.reason, found.detail, found.is_final)
    return found


def _fetch(
    origin: _Origin, attachment: Attachment, most_bytes: int
) -> bytes | MediaRefusal | Missed:
    request = origin.locate(attachment)
    if not isinstance(request, MediaRequest):
        return request
    answer = origin.download(request, most_bytes, _SECONDS_TO_DOWNLOAD)
    if isinstance(answer, Missed):
        return answer
    return _find_error(origin.name, answer) or answer.body


def _find_error(name: str, answer: Answered) -> MediaRefusal | None:
    """What is wrong with an answer, by its status or, where the provider tells so, by its body."""
    if answer.status == 200:
        teller = ERROR_TELLERS.get(name)
        is_short = len(answer.body) <= _LONGEST_ERROR
        return teller.read_refusal(answer.body) if teller and is_short else None
    return refuse_by_status(answer.status, f"from {name}")


def _added_hosts(credentials: Credentials) -> tuple[str, ...]:
    """What ops allow beyond our own list: which hosts a provider uses is told nowhere."""
    added = credentials.values.get("media_hosts")
    return tuple(str(host).lower() for host in added if host) if isinstance(added, list) else ()
