"""Files of WeCom and its customer service: kept for three days, under a media id.

https://developer.work.weixin.qq.com/document/path/90254
"""

from caseweave.channels.wechat_media import locate_media, read_refusal

__all__ = ["MEDIA_HOSTS", "MEDIA_URL", "locate_media", "read_refusal"]

MEDIA_URL = "https://qyapi.weixin.qq.com"
MEDIA_HOSTS: tuple[str, ...] = ("qyapi.weixin.qq.com", "qpic.cn", "qlogo.cn")
