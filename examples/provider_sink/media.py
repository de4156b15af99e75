"""Files that customers sent, as the providers hand them out: by an id, in two steps.

https://core.telegram.org/bots/api#getfile
https://developers.facebook.com/docs/whatsapp/cloud-api/reference/media
"""

import base64
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from examples.provider_sink.accounts import Accounts
from examples.provider_sink.exchange import (
    MalformedBodyError,
    Request,
    Response,
    is_authorized,
    json_response,
    read_query,
    text_in,
)

_GET_FILE = re.compile(r"/telegram/bot(?P<token>[^/]+)/getFile")
_TELEGRAM_FILE = re.compile(r"/telegram/file/bot(?P<token>[^/]+)/media/(?P<id>[^/]+)")
_WHATSAPP_MEDIA = re.compile(r"/whatsapp/(?P<id>[^/]+)")
_WHATSAPP_FILE = re.compile(r"/whatsapp/files/(?P<id>[^/]+)")


@dataclass(frozen=True, slots=True)
class File:
    content: bytes
    media_type: str


@dataclass(slots=True)
class Files:
    """What there is to be handed out, by the provider's id."""

    _files: dict[str, File] = field(default_factory=dict)
    _troubles: dict[str, int] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def add(self, said: Mapping[str, Any]) -> None:
        try:
            content = base64.b64decode(text_in(said, "content"), validate=True)
        except ValueError as error:
            raise MalformedBodyError("content must be the file in base64") from error
        troubles = said.get("troubles", 0)
        if not text_in(said, "id"):
            raise MalformedBodyError("id must be the provider's id of the file")
        if type(troubles) is not int or troubles < 0:
            raise MalformedBodyError("troubles must be how many requests fail before one succeeds")
        media_type = text_in(said, "media_type") or "application/octet-stream"
        with self._lock:
            self._files[text_in(said, "id")] = File(content, media_type)
            self._troubles[text_in(said, "id")] = troubles

    def is_in_trouble(self, file_id: str) -> bool:
        """Uses up one of the file's troubles."""
        with self._lock:
            left = self._troubles.get(file_id, 0)
            self._troubles[file_id] = max(0, left - 1)
        return left > 0

    def find(self, file_id: str) -> File | None:
        with self._lock:
            return self._files.get(file_id)


def answer(files: Files, request: Request, accounts: Accounts) -> Response | None:
    """The answer to a request for a file; None if it is none."""
    for path, hand_out in _ROUTES:
        match = path.fullmatch(request.path)
        if match and request.method == "GET":
            return hand_out(files, request, accounts, match.groupdict())
    return None


def _tell_path(
    files: Files, request: Request, accounts: Accounts, named: Mapping[str, str]
) -> Response:
    if not _knows_bot(accounts, named["token"]):
        return _refuse(401, "Unauthorized")
    file_id = read_query(request.query).get("file_id", "")
    file = files.find(file_id)
    if files.is_in_trouble(file_id):
        return _refuse(500, "Internal Server Error")
    if file is None:
        return _refuse(400, "Bad Request: wrong file_id or the file is temporarily unavailable")
    result = {"file_id": file_id, "file_size": len(file.content), "file_path": f"media/{file_id}"}
    return json_response(200, {"ok": True, "result": result})


def _give_telegram_file(
    files: Files, request: Request, accounts: Accounts, named: Mapping[str, str]
) -> Response:
    file = files.find(named["id"]) if _knows_bot(accounts, named["token"]) else None
    return _give(file) if file else _refuse(404, "Not Found")


def _tell_address(
    files: Files, request: Request, accounts: Accounts, named: Mapping[str, str]
) -> Response:
    file = files.find(named["id"])
    if not is_authorized(request, "Bearer", accounts.tokens.get("whatsapp")):
        return json_response(401, {"error": {"message": "Invalid OAuth access token", "code": 190}})
    if files.is_in_trouble(named["id"]):
        return json_response(500, {"error": {"message": "Something went wrong", "code": 131000}})
    if file is None:
        message = f"Unsupported get request. Object with ID '{named['id']}' does not exist"
        return json_response(400, {"error": {"message": message, "code": 100}})
    url = f"http://{request.headers.get('Host')}/whatsapp/files/{named['id']}"
    said = {"url": url, "mime_type": file.media_type, "file_size": len(file.content)}
    return json_response(200, {**said, "id": named["id"], "messaging_product": "whatsapp"})


def _give_whatsapp_file(
    files: Files, request: Request, accounts: Accounts, named: Mapping[str, str]
) -> Response:
    is_known = is_authorized(request, "Bearer", accounts.tokens.get("whatsapp"))
    file = files.find(named["id"]) if is_known else None
    return _give(file) if file else json_response(404, {})


def _give(file: File) -> Response:
    return Response(200, file.content, file.media_type)


def _refuse(code: int, description: str) -> Response:
    return json_response(code, {"ok": False, "error_code": code, "description": description})


def _knows_bot(accounts: Accounts, token: str) -> bool:
    bot = accounts.telegram
    return bot is not None and hmac.compare_digest(token.encode(), bot.token.encode())


_HandOut = Callable[[Files, Request, Accounts, Mapping[str, str]], Response]
_ROUTES: tuple[tuple[re.Pattern[str], _HandOut], ...] = (
    (_GET_FILE, _tell_path),
    (_TELEGRAM_FILE, _give_telegram_file),
    (_WHATSAPP_FILE, _give_whatsapp_file),
    (_WHATSAPP_MEDIA, _tell_address),
)
