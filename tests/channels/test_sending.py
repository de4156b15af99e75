"""Files, quick replies and answers to one message, as each provider is asked to send them."""

import json
from datetime import timedelta
from urllib.parse import parse_qsl

import pytest

from caseweave.channels import (
    line_sending,
    meta_sending,
    telegram_sending,
    twilio_sending,
    vonage_sending,
    whatsapp_sending,
)
from caseweave.channels.credentials import Credentials
from caseweave.channels.parts import takes_file
from caseweave.channels.registry import SENDERS
from caseweave.channels.request import MediaLink, ProviderAnswer, read_retry_after
from caseweave.domain.identity import Address, AddressKind
from caseweave.domain.message import Channel
from tests.channels.samples import outbound, outgoing, sms, telegram_account, twilio_account

URL = "https://files.example/shot.png?signature=x"
PHOTO = MediaLink("shot.png", "image/png", 1000, URL)
BOOK = MediaLink("book.pdf", "application/pdf", 1000, URL)
MB = 2**20


def message(provider, kind, address, **context):
    return outbound(Channel.MESSENGER, provider, Address(kind, address), context=context)


TELEGRAM = message("telegram", AddressKind.TELEGRAM, "555", chat_id="555")
LINE = message("line", AddressKind.LINE, "U1.U7", user_id="U7", quote_token="q3Plx")
MESSENGER = message("meta", AddressKind.MESSENGER, "1.7", account_id="1", user_id="7")
INSTAGRAM = message("meta", AddressKind.INSTAGRAM, "2.8", account_id="2", user_id="8")
WHATSAPP = message("whatsapp", AddressKind.PHONE, "+8613800138000", to="8613800138000")
VIA_VONAGE = message("vonage", AddressKind.PHONE, "+86138", to="1500", channel="whatsapp")
ACCOUNTS = {
    "telegram": telegram_account(),
    "line": Credentials("line", {"channel_access_token": "t"}),
    "meta": Credentials("meta", {"access_token": "t"}),
    "whatsapp": Credentials("whatsapp", {"access_token": "t", "phone_number_id": "1050"}),
    "vonage": Credentials("vonage", {"api_key": "k", "api_secret": "s", "from": "1500"}),
    "twilio": twilio_account(),
}


def ask(module, one, **more):
    more = {"body": ""} | more if "media" in more else more
    return module.build_send(outgoing(one, "key", **more), "", ACCOUNTS[one.provider])


def said(module, one, **more):
    return json.loads(ask(module, one, **more).body)


@pytest.mark.parametrize(
    ("media_type", "method", "name"),
    [
        ("image/png", "sendPhoto", "photo"),
        ("image/gif", "sendDocument", "document"),
        ("application/pdf", "sendDocument", "document"),
        ("audio/mpeg", "sendAudio", "audio"),
        ("video/mp4", "sendVideo", "video"),
    ],
)
def test_telegram_fetches_a_file_by_the_method_of_its_kind(media_type, method, name):
    request = ask(telegram_sending, TELEGRAM, media=MediaLink("x", media_type, 1, URL))

    assert request.url == f"/bot71:AAbb/{method}"
    assert json.loads(request.body) == {"chat_id": "555", name: URL}


def test_telegram_offers_keys_and_answers_one_message():
    asked = said(
        telegram_sending, TELEGRAM, body="Well?", quick_replies=("好", "不"), reply_to="555.41"
    )

    assert asked == {
        "chat_id": "555",
        "text": "Well?",
        "reply_markup": {
            "keyboard": [[{"text": "好"}], [{"text": "不"}]],
            "one_time_keyboard": True,
            "resize_keyboard": True,
        },
        "reply_parameters": {"message_id": 41, "allow_sending_without_reply": True},
    }


def test_telegram_does_not_answer_what_is_no_message_of_a_chat():
    assert "reply_parameters" not in said(telegram_sending, TELEGRAM, reply_to="555.button.x")


def test_line_sends_a_picture_offers_keys_and_quotes():
    picture = said(line_sending, LINE, media=PHOTO)["messages"]
    assert picture == [{"type": "image", "originalContentUrl": URL, "previewImageUrl": URL}]

    (text,) = said(line_sending, LINE, body="?", quick_replies=("好",), reply_to="44")["messages"]
    action = {"type": "message", "label": "好", "text": "好"}
    assert text == {
        "type": "text",
        "text": "?",
        "quoteToken": "q3Plx",
        "quickReply": {"items": [{"type": "action", "action": action}]},
    }
    assert "quoteToken" not in said(line_sending, LINE, body="?")["messages"][0]


@pytest.mark.parametrize(("media", "kind"), [(PHOTO, "image"), (BOOK, "file")])
def test_messenger_attaches_a_file(media, kind):
    payload = {"url": URL, "is_reusable": False}
    assert said(meta_sending, MESSENGER, media=media)["message"] == {
        "attachment": {"type": kind, "payload": payload}
    }


def test_messenger_offers_quick_replies_and_answers_one_message():
    asked = said(meta_sending, MESSENGER, body="Well?", quick_replies=("好",), reply_to="m_1")

    assert asked["message"] == {
        "text": "Well?",
        "quick_replies": [{"content_type": "text", "title": "好", "payload": "好"}],
    }
    assert asked["reply_to"] == {"mid": "m_1"}
    assert "reply_to" not in said(meta_sending, INSTAGRAM, body="?", reply_to="m_1")


def test_whatsapp_links_a_file_and_names_a_document():
    picture = said(whatsapp_sending, WHATSAPP, media=PHOTO, reply_to="wamid.1")
    document = said(whatsapp_sending, WHATSAPP, media=BOOK)

    assert (picture["type"], picture["image"]) == ("image", {"link": URL})
    assert picture["context"] == {"message_id": "wamid.1"}
    assert document["document"] == {"link": URL, "filename": "book.pdf"}
    assert "context" not in document


def test_whatsapp_has_buttons_for_a_few_short_choices_and_a_list_for_more():
    few = said(whatsapp_sending, WHATSAPP, body="?", quick_replies=("好", "不", "等"))
    many = said(whatsapp_sending, WHATSAPP, body="?", quick_replies=("1", "2", "3", "4"))
    long = said(whatsapp_sending, WHATSAPP, body="?", quick_replies=("x" * 21,))

    assert few["interactive"] == {
        "type": "button",
        "body": {"text": "?"},
        "action": {
            "buttons": [
                {"type": "reply", "reply": {"id": str(n), "title": title}}
                for n, title in enumerate("好不等", 1)
            ]
        },
    }
    assert many["interactive"]["action"]["sections"] == [
        {"rows": [{"id": n, "title": n} for n in "1234"]}
    ]
    assert long["interactive"]["type"] == "list"


def test_twilio_sends_a_picture_by_its_address():
    request = ask(twilio_sending, sms(), media=PHOTO)

    form = dict(parse_qsl(request.body.decode()))
    assert form["MediaUrl"] == URL
    assert "Body" not in form


def test_twilio_answers_whatsapp_by_whatsapp():
    written = sms(context={"to": "whatsapp:+15550001111"})

    form = dict(parse_qsl(ask(twilio_sending, written, body="hi").body.decode()))
    assert (form["From"], form["To"]) == ("whatsapp:+15550001111", "whatsapp:+8613800138000")


def test_vonage_sends_files_and_answers_where_whatsapp_does():
    picture = said(vonage_sending, VIA_VONAGE, media=PHOTO, reply_to="aaaa-1")
    document = said(vonage_sending, VIA_VONAGE, media=BOOK)

    assert (picture["message_type"], picture["image"]) == ("image", {"url": URL})
    assert picture["context"] == {"message_uuid": "aaaa-1"}
    assert document["file"] == {"url": URL, "name": "book.pdf"}


@pytest.mark.parametrize(
    ("one", "media_type", "size", "takes"),
    [
        (TELEGRAM, "image/png", 5 * MB, True),
        (TELEGRAM, "image/png", 5 * MB + 1, False),
        (TELEGRAM, "text/plain", 1, False),
        (LINE, "image/jpeg", 10**6, True),
        (LINE, "image/jpeg", 10**6 + 1, False),
        (LINE, "application/pdf", 1, False),
        (MESSENGER, "text/plain", 25 * MB, True),
        (MESSENGER, "text/plain", 25 * MB + 1, False),
        (INSTAGRAM, "text/plain", 1, False),
        (WHATSAPP, "image/webp", 1, True),
        (WHATSAPP, "image/png", 5 * MB + 1, False),
        (WHATSAPP, "text/plain", 100 * MB, True),
        (sms(), "image/png", 1, False),
        (sms(context={"to": "whatsapp:+1555"}), "image/png", 1, True),
        (VIA_VONAGE, "application/pdf", 1, True),
    ],
)
def test_what_a_provider_takes_is_known_before_it_is_asked(one, media_type, size, takes):
    abilities = SENDERS[one.provider].abilities(one.contact)

    assert takes_file(abilities, media_type, size) is takes


@pytest.mark.parametrize(
    ("header", "wait"),
    [("30", 30), (" 7 ", 7), ("", None), ("-1", None), ("9" * 50, None), ("Wed, 21 Oct", None)],
)
def test_a_wait_that_is_asked_for_in_seconds_is_known(header, wait):
    answer = ProviderAnswer(429, b"", {"retry-after": header})

    assert read_retry_after(answer) == (None if wait is None else timedelta(seconds=wait))


@pytest.mark.parametrize("module", [line_sending, meta_sending, vonage_sending, twilio_sending])
def test_a_throttled_answer_says_how_long(module):
    refused = module.read_answer(ProviderAnswer(429, b"{}", {"retry-after": "12"}))

    assert refused.retry_after == timedelta(seconds=12)


def test_a_refusal_in_a_receipt_is_told_by_its_code():
    assert twilio_sending.read_refusal("63016") == "window_closed"
    assert twilio_sending.read_refusal("21610") == "opted_out"
    assert [twilio_sending.read_refusal(code) for code in ("", "30003", "x", "20429")] == [""] * 4
    assert vonage_sending.read_refusal("1340") == "window_closed"
    assert vonage_sending.read_refusal("1000") == ""
