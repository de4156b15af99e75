"""The readable page of an evidence pack: Chinese and English, no script, everything escaped.

It is made of the entries alone, so that whoever verifies a pack makes it again and compares.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

_STYLE = (
    "body{font:14px/1.5 system-ui,sans-serif;margin:2em;max-width:70em}"
    "table{border-collapse:collapse;width:100%;margin:0 0 2em}"
    "td,th{border:1px solid #bbb;padding:.3em .5em;text-align:left;vertical-align:top;"
    "overflow-wrap:anywhere}pre{white-space:pre-wrap;margin:0}"
)
# Whatever was smuggled in, a browser runs and fetches nothing.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_WORDS = {
    "title": ("工单证据", "Evidence of case"),
    "how": (
        "本页仅为便于阅读。请用 caseweave evidence verify 验证整个文件。",
        "This page is for reading only. Verify the whole file: caseweave evidence verify.",
    ),
    "case": ("工单", "Case"),
    "messages": ("消息", "Messages"),
    "events": ("事件链", "Chain of events"),
    "files": ("附件", "Files"),
    "snapshots": ("平台快照", "Snapshots of the platform"),
    "digests": ("每日摘要", "Daily digests"),
    "missing": ("已无法取得的文件", "Files that are no longer to be had"),
    "erased": ("个人内容已按要求删除", "Personal contents were erased on request"),
    "time": ("时间", "Time"),
    "from": ("发送者", "From"),
    "channel": ("渠道", "Channel"),
    "text": ("内容", "Text"),
    "kind": ("类型", "Kind"),
    "actor": ("操作者", "Actor"),
    "details": ("详情", "Details"),
    "digest": ("摘要值", "Digest"),
    "size": ("字节", "Bytes"),
    "state": ("状态", "State"),
    "reference": ("编号", "Reference"),
    "category": ("分类", "Category"),
    "opened": ("创建时间", "Opened"),
    "customer": ("客户", "Customer"),
    "day": ("日期", "Day"),
    "covers": ("覆盖至事件", "Covers up to event"),
}


def write_summary(entries: Mapping[str, bytes], case_ids: Sequence[str]) -> bytes:
    """The page of the entries of a pack, for the cases in their order."""
    parts = [
        "<!doctype html><html lang=zh-CN><meta charset=utf-8>",
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        f"<title>{_both('title')}</title><style>{_STYLE}</style>",
        f"<h1>{_both('title')}</h1><p>{_both('how')}</p>",
    ]
    for case_id in case_ids:
        parts += _write_case(entries, f"cases/{case_id}/")
    return "\n".join(parts).encode()


def _write_case(entries: Mapping[str, bytes], folder: str) -> list[str]:
    own = {
        name.removeprefix(folder): one
        for name, one in entries.items()
        if name[: len(folder)] == folder
    }
    head = _load(own.get("head.json", b"{}"))
    inner = head.get("head") or {}
    parts = [f"<h2>{_both('case')} {_text(head.get('ref', ''))}</h2>"]
    if not inner.get("seal"):
        parts.append(f"<p><strong>{_both('erased')}</strong></p>")
    facts = {
        "reference": head.get("ref"),
        "state": head.get("state"),
        "category": inner.get("category"),
        "opened": inner.get("opened_at"),
        "customer": head.get("customer_id"),
        "digest": inner.get("chain"),
    }
    parts.append(_table((), [[_both(name), _text(value)] for name, value in facts.items()]))
    parts += _section("messages", ("time", "from", "channel", "text"), _list_messages(own))
    parts += _section("events", ("kind", "time", "actor", "details", "digest"), _list_events(own))
    parts += _section("files", ("digest", "size"), _list_blobs(own, "attachments/"))
    parts += _section("snapshots", ("digest", "details"), _list_snapshots(own))
    missing = _load(own.get("missing.json", b"{}")).get("missing", [])
    parts += _section("missing", ("digest",), [[_text(digest)] for digest in missing])
    return parts + _section("digests", ("day", "covers"), _list_proofs(own))


def _list_messages(own: Mapping[str, bytes]) -> list[list[str]]:
    found = [_load(one) for name, one in own.items() if name[:9] == "messages/"]
    found.sort(key=lambda one: (str(one.get("occurred_at")), str(one.get("message_id"))))
    return [
        [
            _text(one.get("occurred_at")),
            _text(one.get("author")),
            _text(f"{one.get('direction')} · {one.get('channel')}"),
            _pre("\n".join(filter(None, [_subject(one), str(one.get("body") or "")]))),
        ]
        for one in found
    ]


def _subject(message: Mapping[str, Any]) -> str:
    return str((message.get("details") or {}).get("subject") or "")


def _list_events(own: Mapping[str, bytes]) -> list[list[str]]:
    found = [(name, _load(own[name])) for name in sorted(own) if name[:7] == "events/"]
    return [
        [
            _text(f"{name[7:15].lstrip('0')} {one.get('event')}"),
            _text(one.get("at")),
            _text(one.get("actor")),
            _pre(_pretty({**(one.get("data") or {}), **(one.get("private") or {})})),
            _text(one.get("digest")),
        ]
        for name, one in found
    ]


def _list_blobs(own: Mapping[str, bytes], folder: str) -> list[list[str]]:
    names = sorted(name for name in own if name[: len(folder)] == folder)
    return [[_text(name[len(folder) :]), _text(len(own[name]))] for name in names]


def _list_snapshots(own: Mapping[str, bytes]) -> list[list[str]]:
    names = sorted(name for name in own if name[:10] == "snapshots/")
    return [[_text(name[10:]), _pre(own[name].decode("utf-8", "replace"))] for name in names]


def _list_proofs(own: Mapping[str, bytes]) -> list[list[str]]:
    found = [(name, _load(own[name])) for name in sorted(own) if name[:7] == "proofs/"]
    return [[_text(name[7:17]), _text((one.get("leaf") or {}).get("seq"))] for name, one in found]


def _section(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    shown = list(rows)
    return [f"<h3>{_both(title)}</h3>", _table(columns, shown)] if shown else []


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{_both(name)}</th>" for name in columns)
    lines = ["<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows]
    return "\n".join(["<table>", f"<tr>{head}</tr>" if head else "", *lines, "</table>"])


def _both(name: str) -> str:
    return " / ".join(escape(word) for word in _WORDS[name])


def _text(value: Any) -> str:
    return escape("" if value is None else str(value))


def _pre(text: str) -> str:
    return f"<pre>{escape(text)}</pre>" if text else ""


def _pretty(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1) if value else ""


def _load(content: bytes) -> dict[str, Any]:
    """What no verified pack has is shown as nothing."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
