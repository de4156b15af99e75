"""Several accounts of one provider: each is let in, and answered from where it was written to."""

import hmac
import json
from base64 import b64encode
from hashlib import sha256

import pytest

from caseweave.channels import line, meta, telegram, whatsapp
from caseweave.channels.credentials import Credentials
from caseweave.channels.request import WebhookRequest
from caseweave.errors import InvalidSignatureError

BOTS = Credentials(
    "telegram",
    {
        "accounts": {
            "71": {"secret_token": "hook-1", "bot_token": "71:AA"},
            "72": {"secret_token": ["hook-3", "hook-2"], "bot_token": "72:BB"},
        }
    },
)
CHANNELS = Credentials(
    "line",
    {
        "accounts": {
            "U1": {"channel_secret": "one", "channel_access_token": "t1"},
            "U2": {"channel_secret": "two", "channel_access_token": "t2"},
        }
    },
)
PAGES = Credentials(
    "meta",
    {
        "app_secret": "shared",
        "accounts": {"1": {"access_token": "t1"}, "2": {"access_token": "t2"}},
    },
)
NUMBERS = Credentials(
    "whatsapp",
    {
        "app_secret": "shared",
        "access_token": "t0",
        "accounts": {"1065": {"access_token": "t1"}, "1066": {"app_secret": "own"}},
    },
)


def told_telegram(secret):
    message = {
        "message_id": 1,
        "from": {"id": 5, "is_bot": False},
        "chat": {"id": 5, "type": "private"},
        "date": 1,
        "text": "hi",
    }
    body = json.dumps({"update_id": 9, "message": message}).encode()
    return WebhookRequest(body, {"x-telegram-bot-api-secret-token": secret})


def told_line(secret, bot):
    event = {
        "type": "message",
        "mode": "active",
        "timestamp": 1,
        "source": {"type": "user", "userId": "U7"},
        "webhookEventId": "E1",
        "message": {"id": "1", "type": "text", "text": "hi"},
    }
    body = json.dumps({"destination": bot, "events": [event]}).encode()
    mac = b64encode(hmac.digest(secret.encode(), body, sha256)).decode()
    return WebhookRequest(body, {"x-line-signature": mac})


def told_meta(secret, said):
    body = json.dumps(said).encode()
    mac = hmac.new(secret.encode(), body, "sha256").hexdigest()
    return WebhookRequest(body, {"x-hub-signature-256": f"sha256={mac}"})


def told_page(page):
    event = {"sender": {"id": "7"}, "recipient": {"id": page}, "timestamp": 1}
    event["message"] = {"mid": "m_1", "text": "hi"}
    entry = [{"id": page, "time": 1, "messaging": [event]}]
    return told_meta("shared", {"object": "page", "entry": entry})


def told_number(number_id, secret="shared"):
    message = {"from": "8613800138000", "id": "w1", "timestamp": "1", "type": "text"}
    value = {
        "metadata": {"phone_number_id": number_id},
        "messages": [message | {"text": {"body": "hi"}}],
    }
    entry = [{"id": "waba", "changes": [{"field": "messages", "value": value}]}]
    return told_meta(secret, {"object": "whatsapp_business_account", "entry": entry})


@pytest.mark.parametrize(
    ("module", "request_", "credentials", "account", "name", "token"),
    [
        (telegram, told_telegram("hook-1"), BOTS, "71", "bot_token", "71:AA"),
        (telegram, told_telegram("hook-2"), BOTS, "72", "bot_token", "72:BB"),
        (line, told_line("one", "U1"), CHANNELS, "U1", "channel_access_token", "t1"),
        (line, told_line("two", "U2"), CHANNELS, "U2", "channel_access_token", "t2"),
        (meta, told_page("1"), PAGES, "1", "access_token", "t1"),
        (meta, told_page("2"), PAGES, "2", "access_token", "t2"),
        (whatsapp, told_number("1065"), NUMBERS, "1065", "access_token", "t1"),
        (whatsapp, told_number("1066", "own"), NUMBERS, "1066", "access_token", "t0"),
    ],
)
def test_an_answer_leaves_from_the_account_that_was_written_to(
    module, request_, credentials, account, name, token
):
    module.verify(request_, credentials)
    (message,) = module.parse(request_, credentials)

    assert message.account == account
    assert credentials.of_account(message.account).current(name) == token


@pytest.mark.parametrize(
    ("module", "request_", "credentials"),
    [
        (telegram, told_telegram("hook-4"), BOTS),
        (telegram, told_telegram(""), BOTS),
        (line, told_line("three", "U1"), CHANNELS),
        (whatsapp, told_number("1065", "wrong"), NUMBERS),
    ],
)
def test_with_several_accounts_a_stranger_is_still_refused(module, request_, credentials):
    with pytest.raises(InvalidSignatureError):
        module.verify(request_, credentials)
