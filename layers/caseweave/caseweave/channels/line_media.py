"""Files of LINE, under the id of their message.

https://developers.line.biz/en/reference/messaging-api/#get-content
"""

from urllib.parse import quote

from caseweave.channels.credentials import Credentials
from caseweave.channels.media import MediaRefusal, MediaRequest, is_address
from caseweave.domain.message import Attachment

MEDIA_URL = "https://api-data.line.me"
MEDIA_HOSTS: tuple[str, ...] = ("api-data.line.me", "line-scdn.net")


def locate_media(
    attachment: Attachment, base_url: str, credentials: Credentials
) -> MediaRequest | MediaRefusal:
    """What lies outside LINE is fetched, without our token, where ops have allowed its host."""
    reference = attachment.provider_ref
    if is_address(reference):
        return MediaRequest(reference)
    token = credentials.current("channel_access_token")
    return MediaRequest(
        f"{base_url}/v2/bot/message/{quote(reference, safe='')}/content",
        {"Authorization": f"Bearer {token}"},
    )
