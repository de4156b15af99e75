"""What is attached to a message of Messenger or Instagram: files, and words for what is none.

https://developers.facebook.com/docs/messenger-platform/reference/webhook-events/messages
"""

from typing import Any
from urllib.parse import unquote, urlsplit

from caseweave.channels.json_reading import text_in
from caseweave.domain.message import Attachment

_LONGEST_NAME = 100
# What an attachment can be that has no file to it.
_WORDS_ONLY = ("fallback", "template", "location")


def read_attachment(part: dict[str, Any]) -> Attachment | None:
    kind, payload = text_in(part, "type"), part.get("payload")
    url = text_in(payload, "url")
    if not url or kind in _WORDS_ONLY:
        return None
    is_sticker = bool(text_in(payload, "sticker_id"))
    name = "sticker" if is_sticker else _file_name(url) or kind or "file"
    # What is told is the sort of file, not its type.
    return Attachment(name[:_LONGEST_NAME], "application/octet-stream", provider_ref=url)


def _file_name(url: str) -> str:
    try:
        return unquote(urlsplit(url).path.rpartition("/")[2]).replace("\0", "")
    except ValueError:
        return ""


def describe_part(part: dict[str, Any]) -> str:
    """Words for a link, a place, a template; the title of a post that was shared."""
    payload = part.get("payload")
    title = text_in(part, "title") or text_in(payload, "title")
    if text_in(part, "type") not in _WORDS_ONLY:
        return title
    place = payload.get("coordinates") if isinstance(payload, dict) else None
    latitude, longitude = text_in(place, "lat"), text_in(place, "long")
    where = f"{latitude}, {longitude}" if latitude and longitude else ""
    url = text_in(part, "url") or text_in(payload, "url")
    return "\n".join(filter(None, [title, where, url]))
