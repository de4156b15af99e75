"""Telegram's updates in, its API out."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from caseweave.channels import telegram, telegram_sending
from caseweave.channels.request import ProviderAnswer, Refusal, Refused, Sent, WebhookRequest
from caseweave.domain.identity import Address, AddressKind, Proof, ProvenAddress, Sender
from caseweave.domain.message import Attachment, Channel, IgnoredEvent, InboundMessage, Remark
from caseweave.errors import MissingSecretError, UnparseableError
from tests.channels.samples import outgoing, telegram_account, telegram_message

# https://core.telegram.org/bots/api#user and #chat; ids take more than 32 bits.
LIN = {
    "id": 5_550_001_234,
    "is_bot": False,
    "first_name": "琳",
    "last_name": "Wang",
    "username": "lin",
    "language_code": "zh-hans",
}
CHAT = {"id": 5_550_001_234, "first_name": "琳", "type": "private"}
SENDER = Sender(
    proven=(ProvenAddress(Address(AddressKind.TELEGRAM, "5550001234"), Proof.PROVIDER),),
    name="琳 Wang",
    locale="zh-hans",
)


def said(**content):
    return {"message_id": 41, "from": LIN, "chat": CHAT, "date": 1_795_411_473, **content}


def parse_update(**update):
    body = json.dumps({"update_id": 870_001, **update}).encode()
    (event,) = telegram.parse(WebhookRequest(body=body), telegram_account())
    return event


def ignored(reason):
    return IgnoredEvent("telegram", "7100200300", "870001", reason)


def test_a_text_becomes_a_message_of_a_proven_account():
    assert parse_update(message=said(text="还没到账 😡")) == InboundMessage(
        channel=Channel.MESSENGER,
        provider="telegram",
        account="7100200300",
        event_id="870001",
        provider_id="5550001234.41",
        sender=SENDER,
        body="还没到账 😡",
        occurred_at=datetime(2026, 11, 23, 5, 24, 33, tzinfo=UTC),
        context={"chat_id": "5550001234", "message_id": "41"},
    )


def test_an_edit_is_a_message_of_its_own_that_says_so():
    event = parse_update(edited_message=said(text="订单 18", edit_date=1_795_411_500))

    assert event == InboundMessage(
        channel=Channel.MESSENGER,
        provider="telegram",
        account="7100200300",
        event_id="870001",
        provider_id="5550001234.41",
        sender=SENDER,
        body="订单 18",
        occurred_at=datetime(2026, 11, 23, 5, 25, tzinfo=UTC),
        context={"chat_id": "5550001234", "message_id": "41"},
        remark=Remark.EDIT,
        about="5550001234.41",
    )


def test_a_reaction_is_a_message_about_another():
    told = {"chat": CHAT, "message_id": 40, "user": LIN, "date": 1_795_411_473}
    given = [{"type": "emoji", "emoji": "👍"}, {"type": "custom_emoji"}]

    assert parse_update(message_reaction=told | {"new_reaction": given}) == InboundMessage(
        channel=Channel.MESSENGER,
        provider="telegram",
        account="7100200300",
        event_id="870001",
        provider_id="5550001234.reaction.870001",
        sender=SENDER,
        body="👍 [emoji]",
        occurred_at=datetime(2026, 11, 23, 5, 24, 33, tzinfo=UTC),
        context={"chat_id": "5550001234", "message_id": "40"},
        is_automatic=True,
        remark=Remark.REACTION,
        about="5550001234.40",
    )
    for nobody in (told | {"new_reaction": []}, {"chat": CHAT, "new_reaction": given}):
        assert parse_update(message_reaction=nobody) == ignored(
            "a reaction taken back, or of nobody"
        )


def test_each_deleted_message_of_a_business_chat_is_a_remark_about_it():
    told = {"business_connection_id": "b", "chat": CHAT, "message_ids": [7, 8]}
    body = json.dumps({"update_id": 870_001, "deleted_business_messages": told}).encode()

    found = telegram.parse(WebhookRequest(body=body), telegram_account())

    assert [(one.event_id, one.remark, one.about, one.body) for one in found] == [
        ("870001.0", Remark.DELETION, "5550001234.7", ""),
        ("870001.1", Remark.DELETION, "5550001234.8", ""),
    ]
    assert [one.sender.proven for one in found] == [SENDER.proven] * 2


@pytest.mark.parametrize("kind", ["group", "supergroup", None])
def test_a_group_has_a_case_of_its_own_that_names_who_spoke(kind):
    chat = {"id": -100, "title": "Merchants", **({"type": kind} if kind else {})}
    sender = Sender(
        proven=(
            ProvenAddress(Address(AddressKind.GROUP, "telegram.7100200300.-100"), Proof.PROVIDER),
        ),
        name="Merchants",
    )

    found = parse_update(message=said(chat=chat, text="/start Zm9v-bar_1"))

    assert found == InboundMessage(
        channel=Channel.MESSENGER,
        provider="telegram",
        account="7100200300",
        event_id="870001",
        provider_id="-100.41",
        sender=sender,
        # A link that somebody posted there links nobody.
        body="/start Zm9v-bar_1",
        occurred_at=datetime(2026, 11, 23, 5, 24, 33, tzinfo=UTC),
        context={"chat_id": "-100", "message_id": "41"},
        fields={"member": "琳 Wang"},
    )
    pressed = {"id": "1", "from": LIN, "data": "yes", "message": said(chat=chat)}
    assert parse_update(callback_query=pressed).sender == sender


def test_a_button_becomes_a_message():
    event = parse_update(
        callback_query={
            "id": "90210777",
            "from": LIN,
            "message": {**said(text="Which order?"), "from": {"id": 7100200300, "is_bot": True}},
            "chat_instance": "-58",
            "data": "order:17",
        }
    )

    assert event == InboundMessage(
        channel=Channel.MESSENGER,
        provider="telegram",
        account="7100200300",
        event_id="870001",
        provider_id="5550001234.button.90210777",
        sender=SENDER,
        body="order:17",
        context={"chat_id": "5550001234", "message_id": "41"},
    )


@pytest.mark.parametrize(
    ("media", "attachment"),
    [
        (
            {"photo": [{"file_id": "S", "file_size": 9}, {"file_id": "L", "file_size": 900}]},
            Attachment("photo.jpg", "image/jpeg", 900, provider_ref="L"),
        ),
        (
            {
                "document": {
                    "file_id": "D",
                    "file_name": "发票.pdf",
                    "mime_type": "application/pdf",
                    "file_size": 12,
                }
            },
            Attachment("发票.pdf", "application/pdf", 12, provider_ref="D"),
        ),
        (
            {"voice": {"file_id": "V", "duration": 3, "mime_type": "audio/ogg"}},
            Attachment("voice", "audio/ogg", 0, provider_ref="V"),
        ),
        (
            {"sticker": {"file_id": "T", "emoji": "😀"}},
            Attachment("sticker", "application/octet-stream", 0, provider_ref="T"),
        ),
        (
            {"video_note": {"file_id": "N", "file_size": -1}},
            Attachment("video_note", "application/octet-stream", 0, provider_ref="N"),
        ),
    ],
)
def test_files_are_kept_as_pending_attachments_with_the_caption_as_text(media, attachment):
    event = parse_update(message=said(**media, caption="看图"))

    assert (event.body, event.attachments) == ("看图", (attachment,))


@pytest.mark.parametrize(
    ("content", "body"),
    [
        ({"location": {"latitude": 31.23, "longitude": 121.47}}, "31.23, 121.47"),
        ({"contact": {"first_name": "Bo", "phone_number": "+8613"}}, "Bo +8613"),
        ({"contact": {"first_name": "Bo"}}, "Bo"),
        (
            {
                "venue": {"title": "Shop", "address": "Road 1"},
                "location": {"latitude": 1, "longitude": 2},
            },
            "Shop\nRoad 1\n1, 2",
        ),
        ({"sticker": {"file_id": "T", "emoji": "😀"}}, "[sticker] 😀"),
        ({"poll": {"id": "1", "question": "When?"}}, "[poll] When?"),
        ({"dice": {"emoji": "🎲", "value": 3}}, "[dice] 🎲"),
        ({"kind_of_next_year": {}}, "[kind_of_next_year]"),
        ({}, "[nothing]"),
    ],
)
def test_what_is_no_text_is_described(content, body):
    assert parse_update(message=said(**content)).body == body


def test_the_token_of_a_deep_link_opens_a_case_and_stands_in_no_timeline():
    event = parse_update(message=said(text="/start Zm9v-bar_1"))

    assert (event.body, event.link_token) == ("/start", "Zm9v-bar_1")


@pytest.mark.parametrize(
    ("update", "reason"),
    [
        ({"message": said(chat={"id": -1001, "type": "channel"})}, "a channel chat"),
        ({"message": said(**{"from": {**LIN, "is_bot": True}})}, "not sent by a person"),
        ({"message": said(**{"from": None})}, "not sent by a person"),
        ({"message": said(new_chat_members=[LIN])}, "service: new_chat_members"),
        ({"channel_post": said(text="news")}, "update of channel_post"),
        ({"my_chat_member": {"chat": CHAT}}, "update of my_chat_member"),
        ({"kind_of_next_year": {}}, "update of kind_of_next_year"),
        ({}, "update of nothing"),
        ({"callback_query": {"id": "1", "from": LIN}}, "a button without its message"),
        ({"x" * 1000: 1}, "update of " + "x" * 190),
    ],
)
def test_what_is_not_for_us_is_kept_and_ignored(update, reason):
    assert parse_update(**update) == ignored(reason)


def test_a_chat_of_unknown_type_is_private_if_it_is_no_group():
    assert parse_update(message=said(chat={"id": 5}, text="hi")).sender == SENDER


@pytest.mark.parametrize(
    "update",
    [
        {"update_id": None},
        {"update_id": "870001"},
        {"update_id": True},
        {"update_id": 1.5},
        {"message": {"message_id": 1, "from": LIN, "date": 1}},
        {"message": said(chat=[])},
        {"message": said(chat={"id": "5", "type": "private"})},
        {"message": said(message_id=None)},
        {"message": said(**{"from": {"id": "5"}})},
        {"message": said(**{"from": {"id": True}})},
    ],
)
def test_an_update_without_its_ids_is_unparseable(update):
    with pytest.raises(UnparseableError, match=r"^no "):
        parse_update(**update)


@pytest.mark.parametrize("date", [None, "today", 10**30, -(10**30), 1.5, {}])
def test_a_date_that_is_none_is_none(date):
    assert parse_update(message=said(date=date, text="hi")).occurred_at is None


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"7", b"null", b"{", b"\xff", b"\xef\xbb\xbf{}", b'{"update_id": NaN}']
)
def test_a_body_that_is_no_object_with_an_id_is_unparseable(body):
    with pytest.raises(UnparseableError):
        telegram.parse(WebhookRequest(body=body), telegram_account())


def test_half_a_surrogate_pair_is_replaced_and_a_whole_one_is_kept():
    body = json.dumps({"update_id": 1, "message": said(text="a\ud83d b😀 \\ud83d")}).encode()

    (event,) = telegram.parse(WebhookRequest(body=body), telegram_account())

    assert event.body == "a? b😀 \\ud83d"


def test_without_the_bots_id_nothing_is_parsed():
    with pytest.raises(MissingSecretError):
        telegram.parse(WebhookRequest(body=b"{}"), telegram_account(bot_id=""))


def test_a_message_is_sent_to_its_chat():
    message = telegram_message(context={"chat_id": "5550001234"})

    request = telegram_sending.build_send(
        outgoing(message, "key"), "https://api.telegram.org", telegram_account()
    )

    assert request.url == "https://api.telegram.org/bot71:AAbb/sendMessage"
    assert request.headers == {"Content-Type": "application/json"}
    assert json.loads(request.body) == {"chat_id": "5550001234", "text": "您好，已经补发。"}


def test_without_a_chat_it_is_sent_to_the_user():
    request = telegram_sending.build_send(
        outgoing(telegram_message(), "key"), "https://api.telegram.org", telegram_account()
    )

    assert json.loads(request.body)["chat_id"] == "5550001"


@pytest.mark.parametrize(
    ("status", "body", "result"),
    [
        (
            200,
            b'{"ok": true, "result": {"message_id": 7, "chat": {"id": 5550001234}}}',
            Sent("5550001234.7"),
        ),
        (200, b"", Refused(Refusal.UNKNOWN, "200")),
        (200, b'{"ok": false}', Refused(Refusal.UNKNOWN, "200")),
        (
            200,
            b'{"ok": true}',
            Refused(Refusal.UNKNOWN, "an answer without the ids of chat and message"),
        ),
        (
            200,
            b'{"ok": true, "result": true}',
            Refused(Refusal.UNKNOWN, "an answer without the ids of chat and message"),
        ),
        (
            200,
            b'{"ok": true, "result": ["message_id"]}',
            Refused(Refusal.UNKNOWN, "an answer without the ids of chat and message"),
        ),
        (
            200,
            b'{"ok": true, "result": {"message_id": 7, "chat": 5}}',
            Refused(Refusal.UNKNOWN, "an answer without the ids of chat and message"),
        ),
        (200, b"[" * 100_000, Refused(Refusal.UNKNOWN, "200")),
        (200, b"[1]", Refused(Refusal.UNKNOWN, "200")),
        (201, b"{}", Refused(Refusal.UNKNOWN, "201")),
        (
            400,
            b'{"ok": false, "error_code": 400, "description": "Bad Request: chat not found"}',
            Refused(Refusal.PERMANENT, "400 Bad Request: chat not found"),
        ),
        (401, b'{"ok": false, "description": []}', Refused(Refusal.TRANSIENT, "401")),
        (
            403,
            b'{"ok": false, "description": "Forbidden: bot was blocked by the user"}',
            Refused(Refusal.OPTED_OUT, "403 Forbidden: bot was blocked by the user"),
        ),
        (
            429,
            b'{"ok": false, "description": "Too Many Requests", "parameters": {"retry_after": 5}}',
            Refused(Refusal.THROTTLED, "429 Too Many Requests", timedelta(seconds=5)),
        ),
        (
            403,
            b'{"ok": false, "description": "Forbidden: user is deactivated"}',
            Refused(Refusal.PERMANENT, "403 Forbidden: user is deactivated"),
        ),
        # What a wrong token gets.
        (
            404,
            b'{"ok": false, "description": "Not Found"}',
            Refused(Refusal.TRANSIENT, "404 Not Found"),
        ),
        (
            429,
            b'{"ok": false, "parameters": {"retry_after": "soon"}}',
            Refused(Refusal.THROTTLED, "429"),
        ),
        (500, b"\xff", Refused(Refusal.UNKNOWN, "500")),
        (502, b"<html>", Refused(Refusal.UNKNOWN, "502")),
    ],
)
def test_an_answer_tells_what_became_of_the_message(status, body, result):
    assert telegram_sending.read_answer(ProviderAnswer(status, body)) == result
