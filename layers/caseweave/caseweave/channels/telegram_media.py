"""Files of Telegram: an id leads to a path, the path to the bytes; up to 20 MB.

https://core.telegram.org/bots/api#getfile
"""

from urllib.parse import quote

from caseweave.channels.credentials import Credentials
from caseweave.channels.json_reading import text_in
from caseweave.channels.media import MediaRefusal, MediaRequest, refuse_by_status
from caseweave.channels.request import ProviderAnswer, read_said
from caseweave.domain.media import Shortfall
from caseweave.domain.message import Attachment

MEDIA_URL = "https://api.telegram.org"
MEDIA_HOSTS: tuple[str, ...] = ("api.telegram.org",)


def locate_media(
    attachment: Attachment, base_url: str, credentials: Credentials
) -> MediaRequest | MediaRefusal:
    token, file_id = credentials.current("bot_token"), quote(attachment.provider_ref, safe="")
    return MediaRequest(f"{base_url}/bot{token}/getFile?file_id={file_id}", is_location=True)


def read_location(
    answer: ProviderAnswer, base_url: str, credentials: Credentials
) -> MediaRequest | MediaRefusal:
    """Where the file is. 400: Telegram does not know the id, or the file is too big for bots."""
    said = read_said(answer)
    path = text_in(said.get("result"), "file_path")
    if answer.status == 200 and path:
        token = credentials.current("bot_token")
        return MediaRequest(f"{base_url}/file/bot{token}/{quote(path)}")
    detail = text_in(said, "description")
    if answer.status == 400 and "too big" in detail:
        return MediaRefusal(Shortfall.TOO_LARGE, f"400 {detail}"[:200], is_final=True)
    return refuse_by_status(answer.status, detail)
