"""What a message of 微信客服 says in words.

https://developer.work.weixin.qq.com/document/path/94670
"""

from collections.abc import Mapping
from typing import Any

from caseweave.channels.json_reading import object_in, text_in
from caseweave.channels.request import read_json_object
from caseweave.errors import UnparseableError

MEDIA_TYPES = {
    "image": "image/jpeg",
    "voice": "audio/amr",
    "video": "video/mp4",
    "file": "application/octet-stream",
}
# What is told of the kinds that are neither text nor media, in this order.
_NAMES = {
    "link": ("title", "desc", "url"),
    "business_card": ("userid",),
    "miniprogram": ("title", "pagepath"),
    "msgmenu": ("head_content", "tail_content"),
    "channels": ("nickname", "title"),
    "channels_shop_product": ("title", "sales_price", "product_id", "shop_nickname"),
    "channels_shop_order": (
        "order_id",
        "product_titles",
        "price_wording",
        "state",
        "shop_nickname",
    ),
}
# Those that need no word for what they are.
_PLAIN = {"link"}
_MOST_MERGED = 100
_LONGEST_ORDER = 100


def describe(kind: str, content: Mapping[str, Any]) -> str:
    """The text, or words for a message that has none; "" for media, which speak for themselves."""
    if kind == "text":
        return text_in(content, "content")
    if kind in MEDIA_TYPES:
        return ""
    if kind == "location":
        place = f"{text_in(content, 'latitude')}, {text_in(content, 'longitude')}"
        return _join(text_in(content, "name"), text_in(content, "address"), place)
    if kind == "merged_msg":
        return _join(f"[{kind}] {text_in(content, 'title')}".strip(), *_merged(content))
    told = [text_in(content, name) for name in _NAMES.get(kind, ())]
    if kind in _PLAIN:
        return _join(*told)
    return f"[{kind or 'nothing'}] {_join(*told)}".strip()


def find_order(kind: str, content: Mapping[str, Any]) -> str:
    """The order that a shop's card is about; "" for any other message."""
    is_order = kind == "channels_shop_order"
    return text_in(content, "order_id")[:_LONGEST_ORDER] if is_order else ""


def _merged(content: Mapping[str, Any]) -> list[str]:
    """A forwarded chat, a line for each of its messages."""
    items = content.get("item")
    found = items[:_MOST_MERGED] if isinstance(items, list) else []
    return [_merged_line(item) for item in found if isinstance(item, dict)]


def _merged_line(item: Mapping[str, Any]) -> str:
    try:
        # A message as JSON, inside of JSON.
        said = read_json_object(text_in(item, "msg_content").encode())
    except UnparseableError:
        said = {}
    words = text_in(object_in(said, "text"), "content") or f"[{text_in(item, 'msgtype')}]"
    return f"{text_in(item, 'sender_name')}: {words}"


def _join(*lines: str) -> str:
    return "\n".join(filter(None, lines))
