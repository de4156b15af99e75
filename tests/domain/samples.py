"""A small desk and the cases that its tests start from: literal values, made by the rules."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

from caseweave.domain.calendars import Calendar
from caseweave.domain.case import Case, Priority
from caseweave.domain.clocks import ClockKind, Policy, Target
from caseweave.domain.desk import Desk, Playbook
from caseweave.domain.event import COMMITMENT, Actor, CaseChange, Event, event_record
from caseweave.domain.evidence import find_broken_link
from caseweave.domain.identity import Address, AddressKind, Proof, ProvenAddress, Sender
from caseweave.domain.message import Channel, InboundMessage, Message
from caseweave.domain.opening import NewCase, append_message, keep_message, open_case

AGENT = Actor("agent", "ling")
PHONE = Address(AddressKind.PHONE, "+8613800138000")
CASE_ID = "01KAQ0000000000000000000AA"
CUSTOMER_ID = "01KAQ0000000000000000000BB"
SEAL = "5e" * 32


def at(text: str) -> datetime:
    """`at("2026-11-23 09:00")`, in UTC; that day is a Monday."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _minutes(within: int, warn: int, calendar: str = "always") -> Target:
    return Target(timedelta(minutes=within), timedelta(minutes=warn), calendar)


OFFICE = Calendar(
    "office",
    hours={weekday: ((time(9), time(17)),) for weekday in range(5)},
)
QUESTION = Playbook("question", "frontline", Priority.NORMAL, "ordinary")
FAULT = Playbook(
    "fault",
    "frontline",
    Priority.HIGH,
    "fault",
    signs=("没到账", "充值", "not arrived", "top-up"),
    forms=("topup",),
)
SECURITY = Playbook(
    "security",
    "security",
    Priority.URGENT,
    "fault",
    signs=("盗号", "hacked"),
    forms=("account",),
    acknowledgement="security_acknowledgement",
)
DESK = Desk(
    playbooks=(FAULT, SECURITY),
    fallback=QUESTION,
    policies={
        "fault": Policy(
            "fault",
            {
                ClockKind.FIRST_REPLY: _minutes(10, 3),
                ClockKind.NEXT_REPLY: _minutes(30, 10),
                ClockKind.OUTCOME: _minutes(240, 60),
            },
        ),
        "ordinary": Policy(
            "ordinary",
            {
                ClockKind.FIRST_REPLY: _minutes(10, 3, "office"),
                ClockKind.NEXT_REPLY: _minutes(60, 15, "office"),
                ClockKind.OUTCOME: _minutes(480, 120, "office"),
            },
        ),
        "waiting_pending": Policy(
            "waiting_pending", {ClockKind.FOLLOW_UP: _minutes(2 * 24 * 60, 0)}
        ),
        "waiting_resolved": Policy(
            "waiting_resolved", {ClockKind.FOLLOW_UP: _minutes(3 * 24 * 60, 0)}
        ),
    },
    calendars={"office": OFFICE},
    teams={"frontline": "seniors", "security": "seniors", "seniors": ""},
    texts={
        "acknowledgement": {
            "zh-CN": "已收到 $reference\n继续:$telegram_link",
            "en": "Received: $reference.\nGo on: $telegram_link",
        },
        "security_acknowledgement": {"zh-CN": "最优先 $reference", "en": "First: $reference."},
        "continued": {"zh-CN": "已并入 $reference", "en": "Added to $reference."},
        "incident_notice": {"zh-CN": "通知:$notice", "en": "Notice: $notice"},
        "resolved": {"zh-CN": "$reference 是否已解决?", "en": "Is $reference solved?"},
    },
    products={"wallet": ("钱包", "wallet"), "game-topup": ("游戏充值", "game top-up")},
)


def inbound(body: str, **fields: Any) -> InboundMessage:
    """A text by SMS from a proven phone number, unless *fields* say otherwise."""
    values: dict[str, Any] = {
        "channel": Channel.SMS,
        "provider": "twilio",
        "account": "AC1",
        "event_id": "SM1",
        "provider_id": "SM1",
        "sender": Sender((ProvenAddress(PHONE, Proof.PROVIDER),)),
    }
    return InboundMessage(body=body, **{**values, **fields})


def message(body: str, received: str, message_id: str = "M1", **fields: Any) -> Message:
    return keep_message(inbound(body, **fields), CASE_ID, CUSTOMER_ID, message_id, at(received))


def opened(body: str, received: str = "2026-11-23 09:00", **fields: Any) -> tuple[Case, Message]:
    """A new case and its first message, as stored."""
    change = open_case(
        NewCase(CASE_ID, "C-7K3F-9Q2M", "frontline", SEAL), message(body, received, **fields), ""
    )
    return change.after, change.messages[0]


def wrote(
    case: Case, body: str, received: str, message_id: str, **fields: Any
) -> tuple[Case, Message]:
    """The case with one more message of the customer, and that message as stored."""
    change = append_message(case, message(body, received, message_id, **fields))
    return change.after, change.messages[0]


def link(event: Event) -> tuple[str, str, dict[str, Any]]:
    """An event as evidence: what it follows, its digest, and what the digest covers."""
    record = event_record(event.owner, event.seq, event.at, event.actor, event.kind, event.data)
    return event.previous, event.digest, record


def told(event: Event) -> dict[str, Any]:
    """What an event says, in the open and in private."""
    return {
        **{name: value for name, value in event.data.items() if name != COMMITMENT},
        **event.private,
    }


def is_chained(*changes: CaseChange) -> bool:
    """Do the events of these changes, from a case's first on, make one chain up to its head?"""
    events = [event for change in changes for event in change.events]
    head = changes[-1].after
    return (
        find_broken_link(link(event) for event in events) is None
        and [event.seq for event in events] == list(range(1, len(events) + 1))
        and (head.chain, head.seq) == (events[-1].digest, len(events))
    )
