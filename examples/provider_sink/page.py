"""The page a person looks at: every message as the customer's phone or inbox would show it."""

import secrets
from collections.abc import Iterable
from html import escape
from pathlib import Path
from string import Template

from examples.provider_sink.exchange import Response
from examples.provider_sink.faults import PROVIDERS
from examples.provider_sink.received import Received

MOST_SHOWN = 300
ALWAYS_SHOWN = ("twilio", "telegram", "ses")

_PAGE = Template((Path(__file__).parent / "page.html").read_text(encoding="utf-8"))
_COLUMN = Template('<section class="$provider"><h2>$name<span>$count</span></h2>$threads</section>')
_THREAD = Template('<article><h3>$to</h3><p class="from">$from_label</p>$messages</article>')
_BUBBLE = Template('<div class="bubble $status">$subject<p dir="auto">$body</p>$foot</div>')
_FOOT = Template('<footer><span class="chip">$status</span>$error<time>$time</time></footer>')

WORDS = {
    "en": {
        "lang": "en",
        "title": "What customers received",
        "lead": "A stand-in for the providers on this machine. Nothing leaves it.",
        "twilio": "SMS",
        "telegram": "Telegram",
        "ses": "Email",
        "line": "LINE",
        "whatsapp": "WhatsApp",
        "meta": "Messenger & Instagram",
        "vonage": "Vonage",
        "wechat": "WeChat",
        "qq": "QQ",
        "wecom": "WeCom",
        "accepted": "Accepted",
        "refused": "Refused",
        "from": "from",
        "nobody": "unknown recipient",
        "empty": "Nothing yet.",
        "other": "中文",
        "other_lang": "zh-CN",
        "shown": "accepted",
        "live": "Updates by itself",
    },
    "zh-CN": {
        "lang": "zh-CN",
        "title": "客户收到的消息",
        "lead": "本机上的服务商替身。消息不会离开本机。",
        "twilio": "短信",
        "telegram": "Telegram",
        "ses": "邮件",
        "line": "LINE",
        "whatsapp": "WhatsApp",
        "meta": "Messenger 与 Instagram",
        "vonage": "Vonage",
        "wechat": "微信公众号",
        "qq": "QQ 机器人",
        "wecom": "企业微信",
        "accepted": "已接收",
        "refused": "已拒绝",
        "from": "发件方",
        "nobody": "未知收件人",
        "empty": "暂无消息。",
        "other": "English",
        "other_lang": "en",
        "shown": "条已接收",
        "live": "自动刷新",
    },
}


def choose_language(asked: str, accepted: str) -> str:
    """Prefer what was asked for; else the browser's best-liked of the two."""
    for language in (asked, *_by_preference(accepted)):
        if language.lower().startswith("zh"):
            return "zh-CN"
        if language.lower().startswith("en"):
            return "en"
    return "en"


def render(messages: list[Received], language: str) -> Response:
    words = WORDS[language]
    nonce = secrets.token_urlsafe(12)
    latest = messages[-MOST_SHOWN:]
    html = _PAGE.substitute(
        {name: escape(word) for name, word in words.items()},
        nonce=nonce,
        total=str(sum(message.status == "accepted" for message in messages)),
        columns="".join(_column(name, latest, words) for name in _shown(latest)),
    )
    policy = (
        f"default-src 'none'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        f"style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'"
    )
    headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store"}
    return Response(200, html.encode(), "text/html; charset=utf-8", headers)


def _shown(messages: Iterable[Received]) -> list[str]:
    """Choose the columns: the others come as soon as there is something to see in them."""
    used = {message.provider for message in messages}
    return [name for name in PROVIDERS if name in ALWAYS_SHOWN or name in used]


def _by_preference(accepted: str) -> list[str]:
    """Order an Accept-Language header; a weight that is not a number counts as none."""
    weighted = []
    for choice in accepted.split(","):
        language, _, weight = choice.strip().partition(";q=")
        is_number = weight.replace(".", "", 1).isdecimal()
        weighted.append((-float(weight) if is_number else -1.0, language))
    return [language for _, language in sorted(weighted, key=lambda pair: pair[0])]


def _column(provider: str, messages: Iterable[Received], words: dict[str, str]) -> str:
    threads: dict[str, list[Received]] = {}
    for message in messages:
        if message.provider == provider:
            threads.setdefault(", ".join(message.to) or words["nobody"], []).append(message)
    newest_first = sorted(threads.items(), key=lambda thread: -thread[1][-1].n)
    return _COLUMN.substitute(
        provider=provider,
        name=escape(words[provider]),
        count=str(sum(map(len, threads.values()))),
        threads="".join(_thread(to, thread, words) for to, thread in newest_first)
        or f'<p class="empty">{escape(words["empty"])}</p>',
    )


def _thread(to: str, messages: list[Received], words: dict[str, str]) -> str:
    sender = messages[-1].sender
    return _THREAD.substitute(
        to=escape(to),
        from_label=f"{escape(words['from'])} {escape(sender)}" if sender else "",
        messages="".join(_bubble(message, words) for message in messages),
    )


def _bubble(message: Received, words: dict[str, str]) -> str:
    foot = _FOOT.substitute(
        status=escape(words[message.status]),
        error=f"<em>{escape(message.error)}</em>" if message.error else "",
        time=message.at.astimezone().strftime("%H:%M:%S"),
    )
    return _BUBBLE.substitute(
        status=message.status,
        subject=f"<h4>{escape(message.mail.subject)}</h4>" if message.mail else "",
        body=escape(message.body.strip()),
        foot=foot,
    )
