"""Files of QQ's bots: addresses that end after a while.

https://bot.q.qq.com/wiki/develop/api-v2/server-inter/message/type/media.html
"""

from caseweave.channels.credentials import Credentials
from caseweave.channels.media import MediaRefusal, MediaRequest
from caseweave.domain.message import Attachment

MEDIA_URL = "https://api.sgroup.qq.com"
MEDIA_HOSTS: tuple[str, ...] = ("qpic.cn", "nt.qq.com", "nt.qq.com.cn")


def locate_media(
    attachment: Attachment,
    base_url: str,  # noqa: ARG001 - the whole address is told
    credentials: Credentials,  # noqa: ARG001 - and nothing else is needed
) -> MediaRequest | MediaRefusal:
    return MediaRequest(attachment.provider_ref.replace("http://", "https://", 1))
