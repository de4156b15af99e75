"""LINE's webhook events in, its push API out."""

import hmac
import json
from base64 import b64encode
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caseweave.channels import line, line_sending
from caseweave.channels.credentials import Credentials
from caseweave.channels.request import ProviderAnswer, Refusal, Refused, Sent, WebhookRequest
from caseweave.domain.identity import Address, AddressKind, Proof, ProvenAddress, Sender
from caseweave.domain.message import Attachment, Channel, IgnoredEvent, InboundMessage, Remark
from caseweave.errors import InvalidSignatureError, MissingSecretError, UnparseableError
from tests.channels.samples import OUTBOX_KEY, outbound, outgoing
from tests.channels.test_hostile import ODD_VALUES, json_values, outcome, paths, replaced
from tests.vectors import VECTORS, needs_vectors, read_json

BOT = "Ub0000000000000000000000000000007"
LIN = "U5550000000000000000000000000abcd"
EVENT_ID = "01JDA0V9Q8ZC4N5T1R7W2X3Y4Z"


def account(**values):
    return Credentials(
        "line", {"channel_secret": "c0ffee", "channel_access_token": "tok/en+="} | values
    )


def signed(body, secret="c0ffee"):
    mac = hmac.new(secret.encode(), body, sha256).digest()
    return WebhookRequest(body=body, headers={"x-line-signature": b64encode(mac).decode()})


def is_accepted(request, **values):
    try:
        line.verify(request, account(**values))
    except InvalidSignatureError:
        return False
    return True


def parse(body):
    return line.parse(WebhookRequest(body=body), account())


def delivery(*events, **changes):
    return {"destination": BOT, "events": list(events), **changes}


def event(kind="message", **content):
    return {
        "type": kind,
        "mode": "active",
        "timestamp": 1_795_411_473_120,
        "source": {"type": "user", "userId": LIN},
        "webhookEventId": EVENT_ID,
        "deliveryContext": {"isRedelivery": False},
        "replyToken": "b60d432864f44d079f6d8efe86cf404b",
        **content,
    }


def said(kind="text", **content):
    return {"id": "444573844083572737", "type": kind, **content}


def parse_one(one):
    (found,) = parse(json.dumps(delivery(one)).encode())
    return found


def message(body, **changes):
    values = {
        "channel": Channel.MESSENGER,
        "provider": "line",
        "account": BOT,
        "event_id": EVENT_ID,
        "provider_id": "444573844083572737",
        "sender": Sender(
            proven=(ProvenAddress(Address(AddressKind.LINE, f"{BOT}.{LIN}"), Proof.PROVIDER),)
        ),
        "body": body,
        "occurred_at": datetime(2026, 11, 23, 5, 24, 33, 120_000, tzinfo=UTC),
        "context": {
            name: value
            for name, value in (
                {"user_id": LIN, "message_id": "444573844083572737"} | changes.pop("context", {})
            ).items()
            if value
        },
    }
    return InboundMessage(**(values | changes))


def ignored(reason):
    return IgnoredEvent("line", BOT, EVENT_ID, reason)


# The signature

BODY = '{"destination":"U1","events":[],"x":"签"}'.encode()


@pytest.mark.parametrize("body", [BODY, b"", b"\xff\0", b"{}"])
def test_the_signature_is_over_the_bytes_as_they_came(body):
    assert is_accepted(signed(body))


@pytest.mark.parametrize("body", [BODY + b" ", BODY[:-1], b"", BODY.replace(b"U1", b"U2")])
def test_a_changed_body_is_refused(body):
    assert not is_accepted(WebhookRequest(body=body, headers=signed(BODY).headers))


@pytest.mark.parametrize(
    "change",
    [
        lambda proof: "",
        lambda proof: " ",
        lambda proof: proof[:-1],
        lambda proof: proof + "=",
        lambda proof: proof.swapcase(),
        lambda proof: proof + "签",
        lambda proof: proof + "\ud800",
        lambda proof: proof * 10_000,
        lambda proof: f"sha256={proof}",
    ],
)
def test_a_changed_signature_is_refused(change):
    proof = change(signed(BODY).headers["x-line-signature"])

    assert not is_accepted(WebhookRequest(body=BODY, headers={"x-line-signature": proof}))


def test_without_a_signature_nobody_gets_in():
    assert not is_accepted(WebhookRequest(body=BODY))


@pytest.mark.parametrize(("secret", "accepted"), [("new", 1), ("old", 1), ("older", 0)])
def test_while_a_secret_is_rotated_both_are_good_and_no_third(secret, accepted):
    assert is_accepted(signed(BODY, secret), channel_secret=["new", "old"]) == accepted


@pytest.mark.parametrize("nothing", [None, "", [], [""]])
def test_an_unset_secret_lets_nobody_in(nothing):
    with pytest.raises(MissingSecretError, match="line has no channel_secret"):
        line.verify(signed(BODY, ""), account(channel_secret=nothing))


# Events


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        pytest.param(
            event(message=said(text="还没到账 😡", quoteToken="q3Plx")),
            message("还没到账 😡", context={"quote_token": "q3Plx"}),
            id="text",
        ),
        pytest.param(
            event(message=said(text="这个", quotedMessageId="444573844083572700")),
            message("这个", context={"reply_to": "444573844083572700"}),
            id="quote",
        ),
        pytest.param(
            event("messageEdited", message=said(text="订单 18")),
            message("订单 18", remark=Remark.EDIT, about="444573844083572737"),
            id="edit",
        ),
        pytest.param(
            event(
                message=said(
                    "image",
                    contentProvider={"type": "line"},
                    imageSet={"id": "E005D41A", "index": 1, "total": 2},
                )
            ),
            message(
                "",
                attachments=(Attachment("image", "image/jpeg", provider_ref="444573844083572737"),),
                context={"image_set": "E005D41A"},
            ),
            id="image of a set",
        ),
        pytest.param(
            event(
                message=said(
                    "video",
                    contentProvider={
                        "type": "external",
                        "originalContentUrl": "https://cdn.example.com/a.mp4",
                    },
                )
            ),
            message(
                "",
                attachments=(
                    Attachment("video", "video/mp4", provider_ref="https://cdn.example.com/a.mp4"),
                ),
            ),
            id="video elsewhere",
        ),
        pytest.param(
            event(message=said("audio", duration=3000)),
            message(
                "",
                attachments=(Attachment("audio", "audio/mp4", provider_ref="444573844083572737"),),
            ),
            id="audio",
        ),
        pytest.param(
            event(message=said("file", fileName="发票.pdf", fileSize=2138)),
            message(
                "",
                attachments=(
                    Attachment(
                        "发票.pdf",
                        "application/octet-stream",
                        2138,
                        provider_ref="444573844083572737",
                    ),
                ),
            ),
            id="file",
        ),
        pytest.param(
            event(message=said("sticker", packageId="1", stickerId="2", keywords=["hi", "wave"])),
            message("[sticker] hi, wave"),
            id="sticker",
        ),
        pytest.param(
            event(message=said("sticker", keywords=["hi"], text="谢谢")),
            message("[sticker] 谢谢"),
            id="sticker with text",
        ),
        pytest.param(
            event(message=said("sticker")), message("[sticker]"), id="sticker without words"
        ),
        pytest.param(
            event(message=said("location", title="家", latitude=31.2, longitude=121.5)),
            message("家\n31.2, 121.5"),
            id="location",
        ),
        pytest.param(event(message=said("hologram")), message("[hologram]"), id="a new kind"),
        pytest.param(
            event("postback", postback={"data": "order=17", "params": {"date": "2026-11-24"}}),
            message("order=17 (date: 2026-11-24)", provider_id=EVENT_ID),
            id="button",
        ),
    ],
)
def test_what_a_person_says_becomes_a_message(one, expected):
    if one["type"] == "postback":
        expected.context.pop("message_id")
    assert parse_one(one) == expected


def test_what_was_unsent_is_a_remark_about_it():
    assert parse_one(event("unsend", unsend={"messageId": "44"})) == message(
        "",
        provider_id=EVENT_ID,
        context={"message_id": None},
        is_automatic=True,
        remark=Remark.DELETION,
        about="44",
    )


@pytest.mark.parametrize(
    ("source", "chat_id", "fields"),
    [
        ({"type": "group", "groupId": "C1", "userId": LIN}, "C1", {"member": LIN}),
        ({"type": "room", "roomId": "R1"}, "R1", {}),
    ],
)
def test_a_group_has_a_case_of_its_own_that_names_who_spoke(source, chat_id, fields):
    group = Address(AddressKind.GROUP, f"line.{BOT}.{chat_id}")

    assert parse_one(event(message=said(text="hi"), source=source)) == message(
        "hi",
        sender=Sender(proven=(ProvenAddress(group, Proof.PROVIDER),)),
        context={"user_id": chat_id},
        fields=fields,
    )


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (event("unsend"), "not understood: no unsend"),
        (event("follow"), "event of type follow"),
        (event("beacon", beacon={"hwid": "d4", "type": "enter"}), "event of type beacon"),
        (event("x" * 500), f"event of type {'x' * 186}"),
        (event(type=None), "event of type nothing"),
        (event(message=said(text="hi"), source={"type": "room"}), "not understood: no roomId"),
        (event(message=said(text="hi"), source={}), "a strange chat"),
        (
            event(message=said(text="hi"), mode="standby"),
            "standby: another module of the account answers this chat",
        ),
        (
            event(
                "postback",
                postback={
                    "data": "tab",
                    "params": {"newRichMenuAliasId": "b", "status": "SUCCESS"},
                },
            ),
            "a switch between rich menus",
        ),
        (event(), "not understood: no message"),
        (event(message=said(id=7)), "not understood: no id"),
        (event(message=said(), source={"type": "user"}), "not understood: no userId"),
        (event("postback"), "not understood: no postback"),
    ],
)
def test_what_nobody_needs_to_read_is_kept_with_its_reason(one, reason):
    assert parse_one(one) == ignored(reason)


def test_every_event_of_a_delivery_is_kept_and_a_bad_one_costs_no_other():
    first, bad, last = (
        event(message=said(text="1")),
        ["?"],
        event(message=said(text="2"), webhookEventId="E2", timestamp=10**400),
    )

    events = parse(json.dumps(delivery(first, bad, last)).encode())

    digest = sha256(b'["?"]').hexdigest()
    assert events == [
        message("1"),
        IgnoredEvent("line", BOT, f"sha256.{digest}", "not understood: no object"),
        message("2", event_id="E2", occurred_at=None),
    ]


def test_an_event_from_before_there_were_ids_has_the_same_one_every_time():
    old = event(message=said(text="hi"))
    del old["webhookEventId"]

    assert parse_one(old) == parse_one(old)
    assert parse_one(old).event_id.startswith("sha256.")
    assert parse_one(old).event_id != parse_one({**old, "timestamp": 1}).event_id


def test_the_consoles_verification_brings_no_event():
    assert parse(json.dumps(delivery()).encode()) == []


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not JSON"),
        (b"[]", "not a JSON object"),
        (b"{}", "no destination"),
        (b'{"destination": "U1"}', "no events"),
        (b'{"destination": "", "events": []}', "no destination"),
        (b'{"destination": "U1", "events": {}}', "no events"),
    ],
)
def test_what_line_never_sends_is_unparseable(body, reason):
    with pytest.raises(UnparseableError, match=reason):
        parse(body)


# Whatever comes


PAYLOAD = delivery(
    event(message=said(text="a", quotedMessageId="1")),
    event(message=said("image", contentProvider={"type": "x"}, imageSet={"id": "1"})),
    event(message=said("sticker", keywords=["a"])),
    event(message=said("location", title="a", latitude=1.5)),
    event("postback", postback={"data": "d", "params": {"date": "x"}}),
)


def test_any_node_may_be_anything():
    for path in paths(PAYLOAD):
        for value in ODD_VALUES:
            outcome(parse, json.dumps(replaced(PAYLOAD, path, value)).encode())


@settings(max_examples=200, deadline=None)
@given(st.binary() | json_values.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_events_or_unparseable(body):
    outcome(parse, body)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(["message", "source", "type"]), json_values))
def test_any_event_is_an_event(content):
    body = json.dumps(delivery(event(**content))).encode()

    assert len(outcome(parse, body)) == 1


@pytest.mark.parametrize("depth", [100, 500, 900, 960, 985, 5_000, 100_000])
def test_depth_is_no_surprise(depth):
    nested = b"[" * depth + b"]" * depth
    outcome(parse, b'{"destination": "U1", "events": [{"type": "a\\ud800", "x": %b}]}' % nested)
    outcome(parse, b'{"destination": "U1", "events": [%b]}' % nested)


# Sending


def to_lin(**changes):
    return outbound(Channel.MESSENGER, "line", Address(AddressKind.LINE, f"{BOT}.{LIN}"), **changes)


def test_a_message_is_pushed_once_however_often_it_is_tried():
    request = line_sending.build_send(
        outgoing(to_lin(), OUTBOX_KEY), "https://api.line.me", account()
    )

    assert request.url == "https://api.line.me/v2/bot/message/push"
    assert request.headers == {
        "Authorization": "Bearer tok/en+=",
        "Content-Type": "application/json",
        # uuid5 of OUTBOX_KEY in the URL namespace.
        "X-Line-Retry-Key": "8acc96f0-2073-51b5-8318-ab388e5199c9",
    }
    assert json.loads(request.body) == {
        "to": LIN,
        "messages": [{"type": "text", "text": "您好，已经补发。"}],
    }
    assert request == line_sending.build_send(
        outgoing(to_lin(), OUTBOX_KEY), "https://api.line.me", account()
    )
    other = line_sending.build_send(outgoing(to_lin(), "another"), "https://api.line.me", account())
    assert other.headers["X-Line-Retry-Key"] != request.headers["X-Line-Retry-Key"]


def test_the_user_of_the_conversation_is_answered():
    request = line_sending.build_send(
        outgoing(to_lin(context={"user_id": "U9"}), "key"), "https://api.line.me", account()
    )

    assert json.loads(request.body)["to"] == "U9"


@pytest.mark.parametrize(
    ("status", "body", "result"),
    [
        (200, b'{"sentMessages": [{"id": "46123", "quoteToken": "I"}]}', Sent("46123")),
        (200, b"{}", Sent("accepted")),
        (200, b'{"sentMessages": ["x"]}', Sent("accepted")),
        (200, b"<html>", Refused(Refusal.UNKNOWN, "200")),
        (
            409,
            b'{"message": "The retry key is already accepted", "sentMessages": [{"id": "46123"}]}',
            Sent("46123"),
        ),
        (409, b'{"message": "The retry key is already accepted"}', Sent("accepted")),
        (409, b"", Refused(Refusal.UNKNOWN, "409")),
        (
            400,
            b'{"message": "The request body has 1 error(s)", "details": []}',
            Refused(Refusal.PERMANENT, "400 The request body has 1 error(s)"),
        ),
        (401, b"[]", Refused(Refusal.TRANSIENT, "401")),
        (403, b"[]", Refused(Refusal.TRANSIENT, "403")),
        (
            429,
            b'{"message": "The API rate limit has been exceeded. Try again later."}',
            Refused(
                Refusal.THROTTLED, "429 The API rate limit has been exceeded. Try again later."
            ),
        ),
        (
            429,
            b'{"message": "You have reached your monthly limit."}',
            Refused(Refusal.PERMANENT, "429 You have reached your monthly limit."),
        ),
        (500, b"\xff", Refused(Refusal.UNKNOWN, "500")),
        (302, b"", Refused(Refusal.UNKNOWN, "302")),
    ],
)
def test_an_answer_tells_what_became_of_the_message(status, body, result):
    assert line_sending.read_answer(ProviderAnswer(status, body)) == result


@given(st.integers(100, 599), st.binary() | json_values.map(lambda v: json.dumps(v).encode()))
def test_any_answer_is_read(status, body):
    assert isinstance(line_sending.read_answer(ProviderAnswer(status, body)), Sent | Refused)


# What others collected


@needs_vectors
def test_each_event_of_others_becomes_one():
    for entry in read_json(VECTORS / "line" / "manifest.json")["files"]:
        payload = read_json(VECTORS / "line" / entry["file"])
        # One collection has single events, another no destination.
        whole = payload if "events" in payload else {"events": [payload]}
        body = json.dumps({"destination": BOT} | whole).encode()
        assert len(outcome(parse, body)) == len(whole["events"])
