"""Files of WhatsApp: an id leads to an address that is good for five minutes.

https://developers.facebook.com/docs/whatsapp/cloud-api/reference/media#retrieve-media-url
"""

from urllib.parse import quote

from caseweave.channels.credentials import Credentials
from caseweave.channels.json_reading import text_in
from caseweave.channels.media import MediaRefusal, MediaRequest, refuse_by_status
from caseweave.channels.meta_graph import GRAPH_URL
from caseweave.channels.request import ProviderAnswer, read_said
from caseweave.domain.message import Attachment

MEDIA_URL = GRAPH_URL
MEDIA_HOSTS: tuple[str, ...] = ("graph.facebook.com", "fbsbx.com", "fbcdn.net", "whatsapp.net")


def locate_media(
    attachment: Attachment, base_url: str, credentials: Credentials
) -> MediaRequest | MediaRefusal:
    media_id = quote(attachment.provider_ref, safe="")
    return MediaRequest(f"{base_url}/{media_id}", _bearer(credentials), is_location=True)


def read_location(
    answer: ProviderAnswer,
    base_url: str,  # noqa: ARG001 - the whole address is told
    credentials: Credentials,
) -> MediaRequest | MediaRefusal:
    """Where the file is; the address wants the token too. 400: there is no such file any more."""
    said = read_said(answer)
    url = text_in(said, "url")
    if answer.status == 200 and url:
        return MediaRequest(url, _bearer(credentials))
    return refuse_by_status(answer.status, text_in(said.get("error"), "message"))


def _bearer(credentials: Credentials) -> dict[str, str]:
    return {"Authorization": f"Bearer {credentials.current('access_token')}"}
