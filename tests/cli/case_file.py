"""A case as the API gives it: four channels, a note, a file, a breach."""

from typing import Any

CUSTOMER = "01M83GCF7RGDJNVV92SV10E3DY"


def message(number: int, direction: str, channel: str, **values: Any) -> dict[str, Any]:
    return {
        "id": f"M{number}",
        "direction": direction,
        "channel": channel,
        "provider": "form",
        "author": "system:router",
        "subject": "",
        "body": "",
        "proof": "none",
        "occurred_at": f"2026-11-23T06:09:{number:02}.000Z",
        "attachments": [],
        "delivery": None,
        "case_ref": "C-3QB4-A366",
        **values,
    }


def event(seq: int, kind: str, data: dict[str, Any], actor: str = "system:sla") -> dict[str, Any]:
    at = f"2026-11-23T06:10:{seq:02}.000Z"
    return {"seq": seq, "at": at, "actor": actor, "kind": kind, "data": data, "private": {}}


def attachment(name: str, **values: Any) -> dict[str, Any]:
    told = {"media_type": "image/png", "declared_type": "image/png", "size": 501}
    state = {"state": "stored", "reason": None, "detail": None, "is_executable": False}
    return {"name": name, **told, **state, **values}


CASE = {
    "id": "01M83GCF7RAANB4D2G2492XWPD",
    "ref": "C-3QB4-A366",
    "state": "open",
    "category": "topup_fault",
    "priority": "high",
    "level": 2,
    "team": "seniors",
    "assignee": "zhou.min@caseweave.local",
    "customer_id": CUSTOMER,
    "channels": ["web", "sms", "messenger", "email"],
    "subject": "充值没到账",
    "language": "zh-CN",
    "incident_id": None,
    "opened_at": "2026-11-23T06:09:01.000Z",
    "due_at": "2026-11-23T10:09:01.000Z",
    "version": 9,
}
MESSAGES = [
    message(
        1,
        "inbound",
        "web",
        author="platform:u-1001",
        proof="login",
        subject="充值没到账",
        body="半小时还没到账",
    ),
    message(2, "outbound", "web", body="已收到", delivery={"state": "delivered"}),
    message(
        3,
        "inbound",
        "messenger",
        provider="telegram",
        author="telegram:5001",
        proof="signed_link",
        body="[bold]你好[/x] \x1b[2J",
    ),
    message(
        4,
        "inbound",
        "email",
        author="unproven:mail.17",
        body="见附件",
        attachments=[attachment("截图.png")],
    ),
    message(5, "note", "email", author="agent:zhou.min@caseweave.local", body="查订单"),
    message(
        6,
        "outbound",
        "sms",
        author="agent:zhou.min@caseweave.local",
        body="在补发",
        delivery={"state": "failed"},
    ),
]
EVENTS = [
    event(1, "case_opened", {"ref": "C-3QB4-A366"}, f"customer:{CUSTOMER}"),
    event(2, "message_received", {"message_id": "M1"}, f"customer:{CUSTOMER}"),
    event(
        3,
        "case_triaged",
        {
            "category": "topup_fault",
            "priority": "high",
            "signs": ["form topup"],
            "due": {"first_reply": "2026-11-23T06:19:01.000Z"},
        },
        "system:router",
    ),
    event(4, "address_linked", {"address": "telegram:5001", "proof": "signed_link"}),
    event(
        5,
        "customer_suggested",
        {"address": "phone:+8613800138000", "customer_id": "X1", "reason": "claimed, not proven"},
    ),
    event(
        6,
        "sla_breached",
        {
            "clock": "first_reply",
            "policy": "fault",
            "calendar": "office",
            "budget_seconds": 600,
            "segments": [
                {
                    "from": "2026-11-23T06:09:01.000Z",
                    "to": "2026-11-23T06:19:01.000Z",
                    "counted": True,
                    "reason": "working time",
                },
                {
                    "from": "2026-11-23T06:19:01.000Z",
                    "to": "2026-11-23T06:29:01.000Z",
                    "counted": False,
                    "reason": "",
                },
            ],
        },
    ),
    event(
        7,
        "case_escalated",
        {
            "before": {"level": 1, "team": "frontline", "priority": "normal"},
            "after": {"level": 2, "team": "seniors", "priority": "high"},
        },
    ),
    event(8, "state_changed", {"before": "new", "after": "open", "reason": ""}, "agent:a@b.c"),
    event(9, "message_failed", {"channel": "sms", "error": "21610 unsubscribed"}),
]
ALONE = {"merged": [], "links": [], "present": [], "asked_for": None}
FILE = {"case": CASE, "messages": MESSAGES, "events": EVENTS, **ALONE}
