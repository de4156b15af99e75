"""What a WhatsApp message says: its words, and its file.

https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/components#messages-object
"""

import json
from typing import Any

from caseweave.channels.json_reading import objects_in, text_in
from caseweave.channels.request import read_json_object
from caseweave.domain.message import Attachment
from caseweave.errors import UnparseableError

_MEDIA_KINDS = ("image", "video", "audio", "voice", "document", "sticker")
_LONGEST_NAME = 200


def read_attachment(said: dict[str, Any]) -> Attachment | None:
    kind = text_in(said, "type")
    media = said.get(kind)
    reference = text_in(media, "id")
    if kind not in _MEDIA_KINDS or not reference:
        return None
    return Attachment(
        name=(text_in(media, "filename") or kind)[:_LONGEST_NAME],
        media_type=text_in(media, "mime_type") or "application/octet-stream",
        provider_ref=reference,
    )


def read_words(said: dict[str, Any]) -> str:
    """The text, or words for what is none; a file may have none."""
    kind = text_in(said, "type")
    content = said.get(kind)
    words = _words(kind, content if isinstance(content, dict) else {})
    if kind == "contacts":
        words = "\n".join(_card(card) for card in objects_in(said, "contacts"))
    if words or read_attachment(said) or kind == "revoke":
        return words
    # Whoever sent it waits for an answer, whatever it was.
    is_known = kind not in ("", "unknown", "unsupported")
    return f"[{kind[:40]}]" if is_known else "[unsupported message]"


def _words(kind: str, content: dict[str, Any]) -> str:
    if kind in _MEDIA_KINDS:
        return text_in(content, "caption")
    if kind == "location":
        where = [text_in(content, "latitude"), text_in(content, "longitude")]
        parts = [text_in(content, "name"), text_in(content, "address"), ", ".join(where)]
        return "\n".join(part for part in parts if part.strip(", "))
    if kind == "interactive":
        return _choice(content)
    if kind == "order":
        items = [_ordered(item) for item in objects_in(content, "product_items")]
        return "\n".join(filter(None, [text_in(content, "text"), *items]))
    names = {"text": "body", "button": "text", "reaction": "emoji"}
    return text_in(content, names[kind]) if kind in names else ""


def _choice(content: dict[str, Any]) -> str:
    """What was chosen from buttons or a list, or filled into a form."""
    chosen = content.get(text_in(content, "type"))
    filled = _filled(text_in(chosen, "response_json"))
    parts = [text_in(chosen, "title"), text_in(chosen, "description"), filled]
    return "\n".join(filter(None, parts)) or text_in(chosen, "body") or text_in(chosen, "id")


def _filled(response: str) -> str:
    """The fields of a form, without the token that only names it."""
    try:
        # Escapes inside the text were not looked at when the body was read.
        fields = read_json_object(response.encode())
    except UnparseableError:
        return response
    names = [name for name in fields if name != "flow_token"]
    return "\n".join(f"{name}: {_plain(fields[name])}" for name in names)


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _ordered(item: dict[str, Any]) -> str:
    amount, price = text_in(item, "quantity") or "1", text_in(item, "item_price")
    priced = f" ({price} {text_in(item, 'currency')})" if price else ""
    return f"{amount} × {text_in(item, 'product_retailer_id')}{priced}"


def _card(card: dict[str, Any]) -> str:
    name = card.get("name")
    parts = [text_in(name, "formatted_name") or text_in(name, "first_name")]
    parts += [text_in(phone, "phone") for phone in objects_in(card, "phones")]
    parts += [text_in(mail, "email") for mail in objects_in(card, "emails")]
    return " ".join(filter(None, parts))
