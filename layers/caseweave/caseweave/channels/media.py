"""Where a provider keeps the files of its messages, as requests that somebody else makes."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from caseweave.domain.media import Shortfall


@dataclass(frozen=True, slots=True)
class MediaRequest:
    """What to GET. `is_location`: the answer only tells where the file is.

    The headers go to the host in `url` and to no other, wherever it redirects to.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    is_location: bool = False


@dataclass(frozen=True, slots=True)
class MediaRefusal:
    """The provider does not give the file. `is_final`: not later either. `is_token_stale`: it was
    the access token that was refused, so the next try needs another.
    """

    reason: Shortfall
    detail: str
    is_final: bool = False
    is_token_stale: bool = False


def refuse_by_status(
    status: int, detail: str = "", gone: Collection[int] = (400, 404, 410)
) -> MediaRefusal:
    """What a status says where nothing else does; those in *gone* will not change any more."""
    words = f"{status} {detail}".strip()[:200]
    if status in gone:
        return MediaRefusal(Shortfall.GONE, words, is_final=True)
    is_refused = status in (401, 403)
    return MediaRefusal(Shortfall.REFUSED if is_refused else Shortfall.UNREACHABLE, words)


def is_address(reference: str) -> bool:
    """Is this the address of a file, rather than a provider's id of it?"""
    return reference.startswith(("https://", "http://"))


def host_of(url: str) -> str:
    """The host with its port, if it names one; "" for what is no address."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    return f"{host}:{port}" if port else host
