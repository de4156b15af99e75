"""Files of Twilio's messages: an address of its API that redirects to where the bytes are.

https://www.twilio.com/docs/messaging/api/media-resource#fetch-a-media-resource
"""

from base64 import b64encode

from caseweave.channels.credentials import Credentials
from caseweave.channels.media import MediaRefusal, MediaRequest, host_of
from caseweave.domain.message import Attachment

MEDIA_URL = "https://api.twilio.com"
# The last is where Twilio leaves what an account does not protect with authentication.
MEDIA_HOSTS: tuple[str, ...] = ("api.twilio.com", "twiliocdn.com", "s3-external-1.amazonaws.com")


def locate_media(
    attachment: Attachment, base_url: str, credentials: Credentials
) -> MediaRequest | MediaRefusal:
    """Our password goes to Twilio's API alone, not to any other address in a message."""
    url = attachment.provider_ref
    if host_of(url) != host_of(base_url):
        return MediaRequest(url)
    account = f"{credentials.current('account_sid')}:{credentials.current('auth_token')}"
    return MediaRequest(url, {"Authorization": f"Basic {b64encode(account.encode()).decode()}"})
