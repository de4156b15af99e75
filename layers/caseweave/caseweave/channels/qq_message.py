"""The text and the files of a QQ message.

https://bot.q.qq.com/wiki/develop/api-v2/server-inter/message/send-receive/event.html
https://bot.q.qq.com/wiki/develop/api-v2/server-inter/message/trans/text-chain.html
"""

import re
from base64 import b64decode
from typing import Any

from caseweave.channels.json_reading import objects_in, text_in
from caseweave.channels.request import read_json
from caseweave.domain.message import Attachment
from caseweave.errors import UnparseableError

LONGEST_ID = 200
_LONGEST_URL = 2000
_MOST_FILES = 50

_MENTION = re.compile(r"\A\s*<@!?[0-9A-Za-z]{1,64}>")
_FACE = re.compile(r'<faceType=[0-9]{1,3},faceId="[^"<>]{0,40}",ext="([^"<>]{0,2000})">')
# What QQ calls a file that has no media type.
_MEDIA_TYPES = {"voice": "audio/silk", "file": "application/octet-stream"}


def read_text(content: str) -> str:
    """Without the mention of the bot in front, and with words for faces."""
    return _FACE.sub(_name_face, _MENTION.sub("", content)).strip()


def _name_face(face: re.Match[str]) -> str:
    try:
        name = text_in(read_json(b64decode(face[1])), "text")
    except (ValueError, UnparseableError):
        name = ""
    return f"[{name or 'emoji'}]"


def read_files(said: dict[str, Any]) -> tuple[str, tuple[Attachment, ...]]:
    """What QQ understood of the voices, and the files."""
    files = objects_in(said, "attachments")
    heard = [text_in(one, "asr_refer_text").strip() for one in files]
    return "\n".join(filter(None, heard)), tuple(map(_file, files[:_MOST_FILES]))


def _file(told: dict[str, Any]) -> Attachment:
    kind, size = text_in(told, "content_type"), told.get("size")
    wave = text_in(told, "voice_wav_url")
    media_type = kind if "/" in kind else _MEDIA_TYPES.get(kind, "application/octet-stream")
    return Attachment(
        name=text_in(told, "filename")[:LONGEST_ID] or kind[:LONGEST_ID] or "file",
        media_type="audio/wav" if wave else media_type[:LONGEST_ID],
        size=size if type(size) is int and 0 <= size < 2**53 else 0,
        provider_ref=_web_address(wave or text_in(told, "url")),
    )


def _web_address(url: str) -> str:
    """In guilds QQ leaves the scheme out."""
    if not url or url.startswith(("https://", "http://")):
        return url[:_LONGEST_URL]
    return f"https://{url.lstrip('/')}"[:_LONGEST_URL]
