"""Files of WeChat's official accounts: kept for three days, under a media id.

https://developers.weixin.qq.com/doc/offiaccount/Asset_Management/Get_temporary_materials.html
https://developers.weixin.qq.com/doc/offiaccount/Getting_Started/Global_Return_Code.html
"""

from urllib.parse import quote

from caseweave.channels.credentials import Credentials
from caseweave.channels.media import MediaRefusal, MediaRequest, is_address
from caseweave.channels.request import read_json_object
from caseweave.domain.media import Shortfall
from caseweave.domain.message import Attachment
from caseweave.errors import UnparseableError

MEDIA_URL = "https://api.weixin.qq.com"
MEDIA_HOSTS: tuple[str, ...] = (
    "api.weixin.qq.com",
    "file.api.weixin.qq.com",
    "qpic.cn",
    "qlogo.cn",
)
_STALE_TOKEN = (40001, 40014, 41001, 42001)
# No such file: never was, or not any more.
_NO_FILE = (40004, 40007, 40009, 43007)


def locate_media(
    attachment: Attachment, base_url: str, credentials: Credentials
) -> MediaRequest | MediaRefusal:
    """Of a picture WeChat may tell only the address, and that without TLS, which it can do too."""
    reference = attachment.provider_ref
    if is_address(reference):
        return MediaRequest(reference.replace("http://", "https://", 1))
    token = quote(credentials.current("access_token"), safe="")
    media_id = quote(reference, safe="")
    return MediaRequest(f"{base_url}/cgi-bin/media/get?access_token={token}&media_id={media_id}")


def read_refusal(body: bytes) -> MediaRefusal | None:
    """The error that comes with status 200 in place of a file; None if this is no such thing."""
    try:
        said = read_json_object(body)
    except UnparseableError:
        return None
    code = said.get("errcode")
    if not isinstance(code, int) or isinstance(code, bool) or code == 0:
        return None
    words = said.get("errmsg")
    detail = f"{code} {words if isinstance(words, str) else ''}".strip()[:200]
    if code in _NO_FILE:
        return MediaRefusal(Shortfall.GONE, detail, is_final=True)
    return MediaRefusal(Shortfall.REFUSED, detail, is_token_stale=code in _STALE_TOKEN)
