"""WhatsApp's webhooks in, its API out."""

import json
import time
from dataclasses import asdict
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caseweave.channels import whatsapp, whatsapp_sending
from caseweave.channels.credentials import Credentials
from caseweave.channels.request import (
    Outgoing,
    ProviderAnswer,
    ProviderRequest,
    Refusal,
    Refused,
    Sent,
    WebhookRequest,
)
from caseweave.domain.identity import Address, AddressKind, Proof, ProvenAddress, Sender
from caseweave.domain.message import (
    Attachment,
    Channel,
    DeliveryState,
    IgnoredEvent,
    InboundMessage,
    NumberChange,
    Receipt,
    Remark,
)
from caseweave.domain.times import optional_rfc3339
from caseweave.errors import MissingSecretError, UnparseableError
from tests.channels.samples import OUTBOX_KEY, outbound, outgoing

ACCOUNT = Credentials(
    "whatsapp", {"app_secret": "s3cret", "access_token": "EAAB", "phone_number_id": "1050"}
)
WABA, NUMBER_ID = "330001", "1066"
LIN = "8613800138000"
PHONE = Address(AddressKind.PHONE, "+8613800138000")
WHEN = datetime(2026, 11, 23, 5, 24, 33, tzinfo=UTC)
CONTACTS = [{"profile": {"name": "琳"}, "wa_id": LIN}]


def change(field="messages", **content):
    """https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/components"""
    metadata = {"display_phone_number": "15550001111", "phone_number_id": NUMBER_ID}
    value = {"messaging_product": "whatsapp", "metadata": metadata, **content}
    return {"field": field, "value": value}


def batch(*changes):
    return {
        "object": "whatsapp_business_account",
        "entry": [{"id": WABA, "changes": [*changes]}],
    }


def said(kind="text", **content):
    return {"from": LIN, "id": "wamid.1", "timestamp": "1795411473", "type": kind, **content}


def parse(payload):
    return whatsapp.parse(WebhookRequest(body=json.dumps(payload).encode()), ACCOUNT)


def parse_one(message, contacts=CONTACTS):
    (found,) = parse(batch(change(contacts=contacts, messages=[message])))
    return found


def message(body, *, context=(), **changes):
    values = {
        "channel": Channel.MESSENGER,
        "provider": "whatsapp",
        "account": NUMBER_ID,
        "event_id": "wamid.1",
        "provider_id": "wamid.1",
        "sender": Sender(proven=(ProvenAddress(PHONE, Proof.PROVIDER),), name="琳"),
        "body": body,
        "occurred_at": WHEN,
        "context": {
            name: value
            for name, value in {
                "phone_number_id": NUMBER_ID,
                "to": LIN,
                "message_id": "wamid.1",
                **dict(context),
            }.items()
            if value
        },
    }
    return InboundMessage(**(values | changes))


def reason_of(found, account=NUMBER_ID):
    assert type(found) is IgnoredEvent
    assert (found.provider, found.account) == ("whatsapp", account)
    assert found.event_id.startswith("sha256:")
    return found.reason


def test_a_text_is_a_message_of_a_proven_phone_number():
    assert parse_one(said(text={"body": "还没到账 😡"})) == message("还没到账 😡")


def test_every_message_and_status_of_every_change_is_kept_whatever_its_neighbours_are():
    bob = {"profile": {"name": "Bob"}, "wa_id": "15551112222"}
    payload = batch(
        change(
            contacts=[bob, *CONTACTS],
            messages=[
                said(text={"body": "one"}),
                said(id=None),
                "nonsense",
                {**said(text={"body": "two"}), "from": "15551112222", "id": "wamid.2"},
            ],
            statuses=[{"id": "wamid.9", "status": "read"}, {"status": "read"}],
            errors=[{"code": 130429, "title": "Rate limit hit"}],
        ),
        change("account_update", event="DISABLED_UPDATE"),
        None,
        change(messages=[said(id="wamid.3", text={"body": "three"})]),
        change(messages=[]),
    )
    payload["entry"] += [{"id": WABA, "changes": []}, 7]

    found = parse(payload)

    assert [
        (one.body, one.sender.name)
        if type(one) is InboundMessage
        else one.state
        if type(one) is Receipt
        else one.reason
        for one in found
    ] == [
        ("one", "琳"),
        "not understood: no id",
        "not understood: no id",
        ("two", "Bob"),
        DeliveryState.READ,
        "not understood: no id",
        "an error: 130429 Rate limit hit",
        "a change of account_update",
        "a change of nothing",
        ("three", ""),
        "a change of messages",
        "an entry without changes",
        "an entry without changes",
    ]
    assert len({one.event_id for one in found}) == len(found)


def test_an_answer_to_a_message_names_it():
    found = parse_one(said(text={"body": "this"}, context={"from": "1", "id": "wamid.0"}))

    assert found == message("this", context={"reply_to": "wamid.0"})


def test_an_edit_is_a_message_of_its_own_that_says_so():
    inner = {"type": "text", "text": {"body": "order 18"}, "context": {"id": "wamid.0"}}

    found = parse_one(said("edit", edit={"original_message_id": "wamid.7", "message": inner}))

    assert found == message(
        "order 18",
        provider_id="wamid.7",
        context={"message_id": "wamid.7", "reply_to": "wamid.0"},
        remark=Remark.EDIT,
        about="wamid.7",
    )


def test_a_person_who_shows_no_number_is_known_by_an_id():
    hidden = {"profile": {"name": "琳"}, "user_id": "CN.1349"}
    text = {"id": "wamid.1", "timestamp": "1795411473", "type": "text", "text": {"body": "hi"}}
    address = Address(AddressKind.MESSENGER, "whatsapp.CN.1349")
    expected = message(
        "hi",
        sender=Sender(proven=(ProvenAddress(address, Proof.PROVIDER),), name="琳"),
        context={},
    )
    context = {"phone_number_id": NUMBER_ID, "user_id": "CN.1349", "message_id": "wamid.1"}

    for told in (text, text | {"from_user_id": "CN.1349"}):
        found = parse_one(told, [hidden])
        assert asdict(found) == asdict(expected) | {"context": context}


def test_number_and_id_of_one_person_are_proven_together():
    contact = {"profile": {"name": "琳"}, "wa_id": LIN, "user_id": "CN.1349"}

    found = parse_one(said(text={"body": "hi"}), [contact])

    hidden = Address(AddressKind.MESSENGER, "whatsapp.CN.1349")
    assert found == message(
        "hi",
        sender=Sender(
            proven=(ProvenAddress(PHONE, Proof.PROVIDER), ProvenAddress(hidden, Proof.PROVIDER)),
            name="琳",
        ),
    )


@pytest.mark.parametrize(
    "contacts",
    [
        [],
        [{"profile": {"name": "Bob"}, "wa_id": "15551112222", "user_id": "US.1"}],
        [{"wa_id": LIN, "profile": None}],
        None,
        "x",
    ],
)
def test_nobody_gets_the_name_or_id_of_another(contacts):
    assert parse_one(said(text={"body": "x"}), contacts) == message(
        "x", sender=Sender(proven=(ProvenAddress(PHONE, Proof.PROVIDER),))
    )


def test_without_ids_of_its_own_a_message_is_nobodys_of_two():
    text = {"id": "wamid.1", "type": "text", "text": {"body": "hi"}}

    found = parse_one(text, [{"user_id": "A"}, {"user_id": "B"}])

    assert reason_of(found) == "not understood: no from"


@pytest.mark.parametrize(
    ("media", "attachment"),
    [
        (
            said("image", image={"id": "99", "mime_type": "image/jpeg", "sha256": "x="}),
            Attachment("image", "image/jpeg", provider_ref="99"),
        ),
        (
            said(
                "document",
                document={"id": "98", "mime_type": "application/pdf", "filename": "发票.pdf"},
            ),
            Attachment("发票.pdf", "application/pdf", provider_ref="98"),
        ),
        (
            said("audio", audio={"id": "97", "mime_type": "audio/ogg; codecs=opus", "voice": True}),
            Attachment("audio", "audio/ogg; codecs=opus", provider_ref="97"),
        ),
        (
            said("sticker", sticker={"id": "96", "mime_type": "image/webp", "animated": False}),
            Attachment("sticker", "image/webp", provider_ref="96"),
        ),
        (
            said("video", video={"id": 95}),
            Attachment("video", "application/octet-stream", provider_ref="95"),
        ),
    ],
)
def test_files_are_pending_attachments(media, attachment):
    assert parse_one(media) == message("", attachments=(attachment,))


def test_a_caption_is_the_text():
    found = parse_one(
        said("image", image={"id": "99", "mime_type": "image/png", "caption": "看图"})
    )

    assert found == message(
        "看图", attachments=(Attachment("image", "image/png", provider_ref="99"),)
    )


@pytest.mark.parametrize(
    ("told", "body"),
    [
        (
            said(
                "location",
                location={
                    "latitude": 31.23,
                    "longitude": 121.47,
                    "name": "Home",
                    "address": "Rd 1",
                },
            ),
            "Home\nRd 1\n31.23, 121.47",
        ),
        (said("location", location={"latitude": 0, "longitude": 0.5}), "0, 0.5"),
        (said("button", button={"text": "Yes", "payload": "y"}), "Yes"),
        (
            said(
                "interactive",
                interactive={"type": "button_reply", "button_reply": {"id": "y", "title": "Yes"}},
            ),
            "Yes",
        ),
        (
            said(
                "interactive",
                interactive={
                    "type": "list_reply",
                    "list_reply": {"id": "2", "title": "Order 17", "description": "2 pens"},
                },
            ),
            "Order 17\n2 pens",
        ),
        (
            said(
                "interactive",
                interactive={
                    "type": "nfm_reply",
                    "nfm_reply": {
                        "name": "flow",
                        "body": "Sent",
                        "response_json": '{"flow_token": "t", "色": "红", "n": 2, "l":["\\ud800"]}',
                    },
                },
            ),
            '色: 红\nn: 2\nl: ["?"]',
        ),
        (
            said(
                "interactive",
                interactive={"type": "nfm_reply", "nfm_reply": {"response_json": "{no"}},
            ),
            "{no",
        ),
        (
            said(
                "interactive",
                interactive={
                    "type": "nfm_reply",
                    "nfm_reply": {"body": "Sent", "response_json": ""},
                },
            ),
            "Sent",
        ),
        (
            said(
                "order",
                order={
                    "text": "please",
                    "product_items": [
                        {
                            "product_retailer_id": "SKU1",
                            "quantity": 2,
                            "item_price": 9.5,
                            "currency": "USD",
                        },
                        {"product_retailer_id": "SKU2"},
                    ],
                },
            ),
            "please\n2 × SKU1 (9.5 USD)\n1 × SKU2",
        ),
        (
            said(
                "contacts",
                contacts=[
                    {
                        "name": {"formatted_name": "Bo Li"},
                        "phones": [{"phone": "+8613"}],
                        "emails": [{"email": "bo@example.com"}],
                    },
                    {"name": {"first_name": "An"}},
                ],
            ),
            "Bo Li +8613 bo@example.com\nAn",
        ),
        # Whoever sent it waits for an answer.
        (said("unsupported", errors=[{"code": 131051}]), "[unsupported message]"),
        (said("unknown"), "[unsupported message]"),
        (said(""), "[unsupported message]"),
        (said("text"), "[text]"),
        (said("poll_of_next_year", poll={}), "[poll_of_next_year]"),
    ],
)
def test_what_is_no_text_becomes_words(told, body):
    assert parse_one(told) == message(body)


def test_a_reaction_is_a_message_about_another():
    told = said("reaction", reaction={"message_id": "wamid.0", "emoji": "👍"})

    assert parse_one(told) == message(
        "👍", is_automatic=True, remark=Remark.REACTION, about="wamid.0"
    )


def test_what_was_taken_back_is_a_remark_about_it():
    assert parse_one(said("revoke", revoke={"original_message_id": "wamid.0"})) == message(
        "", is_automatic=True, remark=Remark.DELETION, about="wamid.0"
    )


def test_a_group_has_a_case_of_its_own_that_names_who_spoke():
    group = Address(AddressKind.GROUP, f"whatsapp.{NUMBER_ID}.g1")

    found = parse_one(said(group_id="g1", text={"body": "hi"}))

    assert found == message(
        "hi",
        sender=Sender(proven=(ProvenAddress(group, Proof.PROVIDER),)),
        context={"group_id": "g1", "to": None},
        fields={"member": "琳"},
    )
    request = whatsapp_sending.build_send(
        Outgoing(answer(group, found.context).contact, "key", "您好"), "https://x", ACCOUNT
    )
    assert json.loads(request.body) == {
        "messaging_product": "whatsapp",
        "recipient_type": "group",
        "to": "g1",
        "type": "text",
        "text": {"body": "您好"},
        "biz_opaque_callback_data": "key",
    }


@pytest.mark.parametrize(
    "system",
    [
        {"type": "user_changed_number", "wa_id": "85291234567", "body": "Lin has moved"},
        {"type": "customer_changed_number", "new_wa_id": "85291234567", "body": "Lin has moved"},
    ],
)
def test_a_changed_number_moves_the_customer_and_says_so_in_the_open_case(system):
    (moved, told) = parse(batch(change(messages=[said("system", system=system)])))

    new = Address(AddressKind.PHONE, "+85291234567")
    assert moved == NumberChange("whatsapp", NUMBER_ID, "wamid.1.number", PHONE, new)
    assert told == message(
        "Lin has moved",
        sender=Sender(proven=(ProvenAddress(new, Proof.PROVIDER),)),
        context={"to": "85291234567", "message_id": None},
        is_automatic=True,
        remark=Remark.NUMBER_CHANGE,
        about=PHONE.value,
    )


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (said("system", system={"type": "user_identity"}), "system: user_identity"),
        (
            said("system", system={"type": "user_changed_number"}),
            "not understood: a change of number without the two numbers",
        ),
        (said("revoke"), "not understood: no revoke"),
        (said("reaction", reaction={"message_id": "wamid.0"}), "a reaction taken back"),
        (
            said("reaction", reaction={"message_id": "wamid.0", "emoji": ""}),
            "a reaction taken back",
        ),
        (said("request_welcome"), "a chat that was opened and says nothing"),
        (said("edit"), "not understood: no edit"),
        (said("edit", edit={"original_message_id": "x"}), "not understood: no message"),
        (said(id="w" * 501), "not understood: no id"),
        (said(id=True), "not understood: no id"),
        *(
            (said(text={"body": "x"}) | {"from": number}, "not understood: from is no phone number")
            for number in (
                "ling",
                "１３８００１３８０００",
                "0" * 9,
                "1234",
                "1" * 16,
                1.5,
                "+",
                "+1 555 1",
            )
        ),
    ],
)
def test_what_is_no_message_to_us_is_kept_and_ignored(told, reason):
    assert reason_of(parse_one(told)) == reason


def test_a_number_with_its_plus_is_the_same_number():
    assert parse_one(said(text={"body": "x"}) | {"from": "+" + LIN}).sender.proven[0] == (
        ProvenAddress(PHONE, Proof.PROVIDER)
    )


def test_a_message_to_an_unknown_number_of_ours_is_not_understood():
    # Nobody could answer it.
    found = parse(batch({"field": "messages", "value": {"messages": [said(text={"body": "x"})]}}))

    assert [reason_of(one, WABA) for one in found] == ["not understood: no phone_number_id"]


@pytest.mark.parametrize("field", ["smb_message_echoes", "calls", "user_preferences", "x" * 300])
def test_other_news_are_kept_and_ignored(field):
    found = parse(batch(change(field, message_echoes=[said(text={"body": "from our phone"})])))

    assert [reason_of(one) for one in found] == [f"a change of {field}"[:200]]


@pytest.mark.parametrize(
    "told", [None, "today", "-1", 10**30, 10**400, 1.5, {}, True, "１２３", "9" * 19, "9" * 30]
)
def test_a_time_that_is_none_is_none(told):
    assert parse_one(said(text={"body": "x"}, timestamp=told)).occurred_at is None


# Statuses


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("sent", DeliveryState.ACCEPTED),
        ("delivered", DeliveryState.DELIVERED),
        ("read", DeliveryState.READ),
        ("played", DeliveryState.READ),
        ("failed", DeliveryState.FAILED),
        ("warning", None),
        ("", None),
    ],
)
def test_a_status_is_a_receipt_that_brings_our_key_back(status, state):
    told = {
        "id": "wamid.9",
        "status": status,
        "timestamp": "1795411473",
        "recipient_id": LIN,
        "biz_opaque_callback_data": OUTBOX_KEY,
        "pricing": {"billable": True},
    }

    assert parse(batch(change(statuses=[told]))) == [
        Receipt("whatsapp", NUMBER_ID, f"wamid.9.{status}", "wamid.9", OUTBOX_KEY, state)
    ]


def test_a_failure_says_why():
    errors = [{"code": 131047, "title": "Re-engagement message"}, {"code": 1}, {}, 7]
    told = {"id": "wamid.9", "status": "failed", "errors": errors}

    assert parse(batch(change(statuses=[told]))) == [
        Receipt(
            "whatsapp",
            NUMBER_ID,
            "wamid.9.failed",
            "wamid.9",
            "",
            DeliveryState.FAILED,
            "131047 Re-engagement message; 1",
            "window_closed",
        )
    ]


@pytest.mark.parametrize(
    "payload",
    [
        {},
        [],
        {"object": "whatsapp_business_account"},
        {"object": "whatsapp_business_account", "entry": []},
        {"object": "whatsapp_business_account", "entry": "x"},
        {"object": {}, "entry": [{}]},
        {"object": "page", "entry": [{"id": "1", "messaging": []}]},
    ],
)
def test_a_body_that_is_no_batch_of_whatsapp_is_unparseable(payload):
    with pytest.raises(UnparseableError):
        parse(payload)


# Out


def answer(address=PHONE, context=(), **changes):
    return outbound(Channel.MESSENGER, "whatsapp", address, context=dict(context), **changes)


def test_an_answer_leaves_from_the_number_that_was_written_to_and_carries_our_key():
    context = {"phone_number_id": NUMBER_ID, "to": LIN, "message_id": "wamid.1"}

    request = whatsapp_sending.build_send(
        outgoing(answer(context=context), OUTBOX_KEY), "https://graph.facebook.com/v23.0", ACCOUNT
    )

    assert request == ProviderRequest(
        url=f"https://graph.facebook.com/v23.0/{NUMBER_ID}/messages",
        headers={"Authorization": "Bearer EAAB", "Content-Type": "application/json"},
        body=json.dumps(
            {
                "messaging_product": "whatsapp",
                "recipient_type": "individual",
                "to": LIN,
                "type": "text",
                "text": {"body": "您好，已经补发。"},
                "biz_opaque_callback_data": OUTBOX_KEY,
            }
        ).encode(),
    )


def test_without_context_it_leaves_from_the_number_that_ops_named():
    request = whatsapp_sending.build_send(outgoing(answer(body="琳"), "key"), "https://x", ACCOUNT)

    assert request.url == "https://x/1050/messages"
    sent = json.loads(request.body)
    assert (sent["to"], sent["text"]) == (LIN, {"body": "琳"})


def test_who_shows_no_number_is_answered_by_id():
    address = Address(AddressKind.MESSENGER, "whatsapp.CN.1349")
    context = {"phone_number_id": "../1066", "user_id": "CN.1349", "message_id": "wamid.1"}

    request = whatsapp_sending.build_send(
        outgoing(answer(address, context), "key"), "https://x", ACCOUNT
    )

    assert request.url == "https://x/..%2F1066/messages"
    sent = json.loads(request.body)
    assert sent["recipient"] == "CN.1349"
    assert "to" not in sent


def test_what_cannot_be_sent_is_not_sent():
    with pytest.raises(MissingSecretError, match="whatsapp has no phone_number_id"):
        whatsapp_sending.build_send(
            outgoing(answer(), ""), "", Credentials("whatsapp", {"access_token": "x"})
        )
    with pytest.raises(MissingSecretError, match="whatsapp has no access_token"):
        whatsapp_sending.build_send(
            outgoing(answer(), ""), "", Credentials("whatsapp", {"phone_number_id": "1"})
        )


def error(code, words="x"):
    said = {"message": words, "type": "OAuthException", "code": code, "fbtrace_id": "A"}
    return json.dumps({"error": said}).encode()


@pytest.mark.parametrize(
    ("status", "body", "result"),
    [
        (
            200,
            b'{"messaging_product": "whatsapp", "messages": [{"id": "wamid.9"}]}',
            Sent("wamid.9"),
        ),
        (200, b'{"messages": []}', Refused(Refusal.UNKNOWN, "200")),
        (200, b'{"messages": [{"id": null}]}', Refused(Refusal.UNKNOWN, "200")),
        (200, b'{"messages": ["wamid.9"]}', Refused(Refusal.UNKNOWN, "200")),
        (200, b"", Refused(Refusal.UNKNOWN, "200")),
        (
            400,
            error(131047, "(#131047) Re-engagement message"),
            Refused(Refusal.WINDOW_CLOSED, "131047 (#131047) Re-engagement message"),
        ),
        (400, error(131026), Refused(Refusal.PERMANENT, "131026 x")),
        (400, error(131050), Refused(Refusal.OPTED_OUT, "131050 x")),
        (400, error(131042), Refused(Refusal.TRANSIENT, "131042 x")),
        (401, error(190), Refused(Refusal.TRANSIENT, "190 x")),
        (404, b"<html>", Refused(Refusal.PERMANENT, "404")),
        (400, error(131056), Refused(Refusal.THROTTLED, "131056 x")),
        (400, error(130429), Refused(Refusal.THROTTLED, "130429 x")),
        (400, error(80007), Refused(Refusal.THROTTLED, "80007 x")),
        (429, error(130429), Refused(Refusal.THROTTLED, "130429 x")),
        (429, b"\xff", Refused(Refusal.THROTTLED, "429")),
        (500, error(131000), Refused(Refusal.UNKNOWN, "131000 x")),
        (503, error(130429), Refused(Refusal.UNKNOWN, "130429 x")),
    ],
)
def test_an_answer_tells_what_became_of_the_message(status, body, result):
    assert whatsapp_sending.read_answer(ProviderAnswer(status, body)) == result


# Hostile


def outcome(body):
    try:
        events = whatsapp.parse(WebhookRequest(body=body), ACCOUNT)
    except UnparseableError as error:
        str(error).encode()
        return
    assert events
    for one in events:
        json.dumps(asdict(one), default=str, ensure_ascii=False, allow_nan=False).encode()
        if type(one) is InboundMessage:
            optional_rfc3339(one.occurred_at)
            assert all(type(value) is str for value in one.context.values())


def paths(value, path=()):
    yield path
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from paths(value[key], (*path, key))


def replaced(value, path, new):
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


FLOW = {"type": "nfm_reply", "nfm_reply": {"response_json": '{"a": 1}', "body": "b"}}
PAYLOAD = batch(
    change(
        contacts=[{"profile": {"name": "n"}, "wa_id": LIN, "user_id": "U"}],
        messages=[
            said(text={"body": "t"}, context={"id": "wamid.0"}, from_user_id="U"),
            said("document", document={"id": "1", "mime_type": "a/b", "filename": "f"}),
            said("location", location={"latitude": 1, "longitude": 2, "name": "n"}),
            said("interactive", interactive=FLOW),
            said(
                "contacts", contacts=[{"name": {"formatted_name": "n"}, "phones": [{"phone": "1"}]}]
            ),
            said("order", order={"product_items": [{"product_retailer_id": "s", "quantity": 1}]}),
            said("reaction", reaction={"message_id": "m", "emoji": "e"}),
            said(
                "edit", edit={"original_message_id": "m", "message": {"type": "text", "text": {}}}
            ),
        ],
        statuses=[
            {
                "id": "w",
                "status": "failed",
                "errors": [{"code": 1}],
                "biz_opaque_callback_data": "k",
            }
        ],
        errors=[{"code": 1, "title": "t"}],
    )
)
PATHS = list(paths(PAYLOAD))
ODD_VALUES = [
    *(None, True, False, 0, -1, 1.5, 10**400, float("nan"), float("inf"), "", "x", "\0"),
    *("\ud800", "x" * 10_000, "１２３", [], {}, [[]], [None], {"id": {}}, {"": ""}, ["x"], [{}]),
    *('["\\ud800"]', '{"\\udfff": NaN}', "[" * 10_000, "9" * 5_000, '{"a": {"b": 1e999}}'),
]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def test_any_node_of_a_valid_payload_may_be_anything_odd():
    for path in PATHS:
        for value in ODD_VALUES:
            outcome(json.dumps(replaced(PAYLOAD, path, value)).encode())


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(PATHS), json_values)
def test_any_node_of_a_valid_payload_may_be_any_json(path, value):
    outcome(json.dumps(replaced(PAYLOAD, path, value)).encode())


@settings(max_examples=100, deadline=None)
@given(json_values.map(json.dumps) | st.text(st.characters(codec="utf-8")))
def test_a_form_may_hold_anything(response):
    flow = {"type": "nfm_reply", "nfm_reply": {"response_json": response, "body": "b"}}
    outcome(json.dumps(batch(change(messages=[said("interactive", interactive=flow)]))).encode())


@settings(max_examples=100, deadline=None)
@given(st.binary() | json_values.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_events_or_unparseable(body):
    outcome(body)


@settings(max_examples=100, deadline=None)
@given(
    st.integers(100, 599), st.binary() | json_values.map(lambda value: json.dumps(value).encode())
)
def test_any_answer_is_a_result(status, body):
    assert type(whatsapp_sending.read_answer(ProviderAnswer(status, body))) in (Sent, Refused)


@pytest.mark.parametrize("depth", [10, 300, 900, 980, 990, 5000])
def test_depth_is_no_surprise(depth):
    nested = b"[" * depth + b"]" * depth
    start = b'{"object": "whatsapp_business_account", "entry": [{"changes": ['
    outcome(start + b'%b], "x": "\\ud800"}]}' % nested)
    outcome(start + b"%b]}]}" % nested)
    outcome(start + b'{"field": "messages", "value": {"messages": [%b]}}]}]}' % nested)
    flow = {"type": "nfm_reply", "nfm_reply": {"response_json": f'{{"a": {nested.decode()}}}'}}
    outcome(json.dumps(batch(change(messages=[said("interactive", interactive=flow)]))).encode())


def test_a_large_batch_is_read_within_seconds():
    messages = [said(id=f"wamid.{n}", text={"body": "x" * 200}) for n in range(1000)]
    started = time.process_time()

    assert len(parse(batch(change(contacts=CONTACTS * 1000, messages=messages)))) == 1000

    assert time.process_time() - started < 3
