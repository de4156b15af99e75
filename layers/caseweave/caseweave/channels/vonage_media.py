"""Files of Vonage's messages: addresses that are good for two days.

Fetched without credentials: what an application protects with *Secure Inbound Media* would need a
token signed by its private key, and is shown as refused.

https://developer.vonage.com/en/messages/concepts/secure-inbound-media
"""

from caseweave.channels.credentials import Credentials
from caseweave.channels.media import MediaRefusal, MediaRequest
from caseweave.domain.message import Attachment

MEDIA_URL = "https://api.nexmo.com"
MEDIA_HOSTS: tuple[str, ...] = ("nexmo.com", "vonage.com")


def locate_media(
    attachment: Attachment,
    base_url: str,  # noqa: ARG001 - the whole address is told
    credentials: Credentials,  # noqa: ARG001 - and nothing else is needed
) -> MediaRequest | MediaRefusal:
    return MediaRequest(attachment.provider_ref)
