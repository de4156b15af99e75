"""Accounts, signatures as the providers' documents describe them, and messages to send."""

import hmac
from base64 import b64encode
from datetime import UTC, datetime
from hashlib import sha1
from urllib.parse import urlencode

from caseweave.channels.credentials import Credentials
from caseweave.channels.request import Outgoing, WebhookRequest
from caseweave.domain.identity import Address, AddressKind
from caseweave.domain.message import Channel, Contact, Direction, Message, Purpose
from caseweave.domain.times import from_rfc3339

WEBHOOK_URL = "https://desk.example.com/prod/intake/sms/twilio"
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
OUTBOX_KEY = "01JDCASE~2026-11-23T05:24:33.120Z~01JDMESSAGE"


def twilio_account(**values):
    known = {
        "account_sid": "AC7f3d2b",
        "auth_token": "b2c0ffee",
        "webhook_url": WEBHOOK_URL,
        "from": "+15550001111",
    }
    return Credentials("twilio", known | values)


def telegram_account(**values):
    known = {"secret_token": "Hook_secret-1", "bot_id": "7100200300", "bot_token": "71:AAbb"}
    return Credentials("telegram", known | values)


def twilio_signature(token, url, pairs):
    """https://www.twilio.com/docs/usage/security#validating-requests"""
    signed = url + "".join(name + value for name, value in pairs)
    return b64encode(hmac.new(token.encode(), signed.encode(), sha1).digest()).decode()


def twilio_request(pairs, *, token="b2c0ffee", url=WEBHOOK_URL, query=()):
    """A form that Twilio signed; *url* is what it called, *query* what the gateway made of it."""
    signature = twilio_signature(token, url, sorted(pairs))
    return WebhookRequest(
        body=urlencode(pairs).encode(), headers={"x-twilio-signature": signature}, query=query
    )


def outbound(channel, provider, address, **changes):
    contact = Contact(
        channel=channel,
        provider=provider,
        account="",
        address=address,
        at=NOON,
        context=changes.pop("context", {}),
    )
    values = {
        "id": "01JDMESSAGE000000000000000",
        "case_id": "01JDCASE000000000000000000",
        "customer_id": "01JDCUSTOMER00000000000000",
        "direction": Direction.OUTBOUND,
        "channel": channel,
        "provider": provider,
        "author": "agent-7",
        "body": "您好，已经补发。",
        "occurred_at": from_rfc3339("2026-11-23T05:24:33.120Z"),
        "received_at": NOON,
        "purpose": Purpose.REPLY,
        "contact": contact,
    }
    return Message(**(values | changes))


def outgoing(message, key, **more):
    """The whole of *message* in one request, or what *more* says instead."""
    return Outgoing(message.contact, key, **({"body": message.body} | more))


def sms(**changes):
    phone = Address(AddressKind.PHONE, "+8613800138000")
    return outbound(Channel.SMS, "twilio", phone, **changes)


def telegram_message(**changes):
    user = Address(AddressKind.TELEGRAM, "5550001")
    return outbound(Channel.MESSENGER, "telegram", user, **changes)
