"""Files of Messenger and Instagram: signed addresses that end after a while.

https://developers.facebook.com/docs/messenger-platform/reference/webhook-events/messages#payload
"""

from caseweave.channels.credentials import Credentials
from caseweave.channels.media import MediaRefusal, MediaRequest
from caseweave.channels.meta_graph import GRAPH_URL
from caseweave.domain.message import Attachment

MEDIA_URL = GRAPH_URL
MEDIA_HOSTS: tuple[str, ...] = ("fbcdn.net", "fbsbx.com", "cdninstagram.com")


def locate_media(
    attachment: Attachment,
    base_url: str,  # noqa: ARG001 - the whole address is told
    credentials: Credentials,  # noqa: ARG001 - and nothing else is needed
) -> MediaRequest | MediaRefusal:
    return MediaRequest(attachment.provider_ref)
