"""Vonage's SMS API and Messages API in, its Messages API out."""

import hashlib
import hmac
import json
import time
from base64 import b64decode
from datetime import UTC, datetime
from urllib.parse import urlencode

import jwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caseweave.channels import vonage, vonage_sending
from caseweave.channels.credentials import Credentials
from caseweave.channels.request import ProviderAnswer, Refusal, Refused, Sent, WebhookRequest
from caseweave.domain.identity import Address, AddressKind, Proof, ProvenAddress, Sender
from caseweave.domain.message import (
    Attachment,
    Channel,
    DeliveryState,
    IgnoredEvent,
    InboundMessage,
    Part,
    Receipt,
)
from caseweave.errors import InvalidSignatureError, MissingSecretError, UnparseableError
from tests.channels.samples import OUTBOX_KEY, outbound, outgoing
from tests.channels.test_hostile import ODD_VALUES, json_values, outcome, paths, replaced

SECRET = "c0ffee00c0ffee00c0ffee00c0ffee00"
OTHER = "0ther000c0ffee00c0ffee00c0ffee00"
UUID = "5f3a2b1c-1111-4222-8333-abcdefabcdef"


def account(**values):
    known = {
        "signature_secret": SECRET,
        "api_key": "a1b2c3d4",
        "api_secret": "s3cret",
        "from": "15550001111",
    }
    return Credentials("vonage", known | values)


def is_accepted(request, **values):
    try:
        vonage.verify(request, account(**values))
    except InvalidSignatureError:
        return False
    return True


def parse(request):
    (event,) = vonage.parse(request, account())
    return event


def parse_body(body):
    return vonage.parse(WebhookRequest(body=body), account())


def parse_json(fields):
    return parse(WebhookRequest(body=json.dumps(fields).encode()))


# Signatures of the SMS API

SMS = {
    "msisdn": "8613800138000",
    "to": "15550001111",
    "messageId": "0B0000004A2D09F1",
    "text": "还没到账 & a=b",
    "type": "unicode",
    "keyword": "还没到账",
    "message-timestamp": "2026-11-23 05:24:33",
    "timestamp": "1795411473",
    "nonce": "51a87f47",
}


def sig(fields, method="sha256", secret=SECRET):
    """As https://developer.vonage.com/en/getting-started/concepts/signing-messages has it."""
    text = "".join(
        f"&{name}={value.replace('&', '_').replace('=', '_')}"
        for name, value in sorted(fields.items())
    )
    if method == "md5hash":
        return hashlib.md5((text + secret).encode()).hexdigest()
    return hmac.new(secret.encode(), text.encode(), method).hexdigest().upper()


def as_form(fields):
    return WebhookRequest(body=urlencode(fields).encode())


def as_json(fields):
    return WebhookRequest(body=json.dumps(fields).encode())


def as_query(fields):
    return WebhookRequest(body=b"", query=tuple(fields.items()))


SHAPES = [as_form, as_json, as_query]
METHODS = ["md5hash", "md5", "sha1", "sha256", "sha512"]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("method", METHODS)
def test_every_method_in_every_shape_is_accepted_from_who_holds_the_secret(shape, method):
    assert is_accepted(shape(SMS | {"sig": sig(SMS, method)}))
    assert is_accepted(shape(SMS | {"sig": sig(SMS, method).lower()}))
    assert not is_accepted(shape(SMS | {"sig": sig(SMS, method, OTHER)}))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    "change",
    [
        {"text": "还没到账"},
        {"text": ""},
        {"msisdn": "8613800138001"},
        {"more": "1"},
        {"more": ""},
        *(
            {"sig": proof}
            for proof in (
                *("", " ", "x", "签名", "\0", sig(SMS)[:-1], sig(SMS) + "0", sig(SMS) * 999),
                *("0" * 32, "0" * 64, sig(SMS, "md5hash", ""), sig(SMS, "sha256", "")),
            )
        ),
    ],
)
def test_a_changed_field_is_refused(shape, change):
    assert not is_accepted(shape(SMS | {"sig": sig(SMS)} | change))


@pytest.mark.parametrize("shape", SHAPES)
def test_without_a_sig_nobody_gets_in(shape):
    assert not is_accepted(shape(SMS))
    assert not is_accepted(shape({}))


def test_a_field_cannot_hide_in_the_name_of_another():
    fields = {"msisdn": "1", "text": "x"}
    blurred = {"msisdn=1&text": "x", "sig": sig(fields)}

    assert is_accepted(as_form(fields | {"sig": sig(fields)}))
    assert not is_accepted(as_form(blurred))


@pytest.mark.parametrize("value", [None, True, 1.5, [], {}, {"a": "b"}])
def test_json_of_another_shape_is_refused(value):
    assert not is_accepted(as_json(SMS | {"sig": sig(SMS), "more": value}))
    assert not is_accepted(as_json(SMS | {"sig": value}))


def test_a_number_in_json_is_signed_as_it_is_written():
    fields = SMS | {"timestamp": 1795411473}

    assert is_accepted(as_json(fields | {"sig": sig(SMS)}))


@pytest.mark.parametrize("body", [b"{", b"\xff", b"&" * 5000, b"a=b&" * 1001, b"[1]", b"{}" * 2])
def test_garbage_is_refused(body):
    assert not is_accepted(WebhookRequest(body=body))


def test_a_body_hides_the_query_from_both_verify_and_parse():
    query = tuple((SMS | {"sig": sig(SMS)}).items())
    forged = WebhookRequest(body=b"msisdn=999999999&messageId=1&text=x", query=query)

    assert not is_accepted(forged)
    genuine = WebhookRequest(body=as_form(SMS | {"sig": sig(SMS)}).body, query=(("text", "x"),))
    assert is_accepted(genuine)
    assert parse(genuine).body == SMS["text"]


def test_of_a_repeated_field_the_verified_value_is_parsed():
    body = as_form(SMS | {"sig": sig(SMS)}).body + b"&text=forged"

    assert is_accepted(WebhookRequest(body=body))
    assert parse(WebhookRequest(body=body)).body == SMS["text"]


@pytest.mark.parametrize(
    ("told", "accepted"), [("sha256", 1), (["md5", "sha256"], 1), ("md5hash", 0), ("nonsense", 0)]
)
def test_ops_may_rule_methods_out(told, accepted):
    assert is_accepted(as_form(SMS | {"sig": sig(SMS)}), signature_method=told) == accepted


# Signatures of the Messages API

SAID = {
    "channel": "sms",
    "message_uuid": UUID,
    "to": "15550001111",
    "from": "8613800138000",
    "timestamp": "2026-11-23T05:24:33.120Z",
    "message_type": "text",
    "text": "还没到账",
}
BODY = json.dumps(SAID).encode()


def bearer(body=BODY, secret=SECRET, algorithm="HS256", scheme="Bearer", **changes):
    claims = {
        "iss": "Vonage",
        "iat": int(time.time()),
        "jti": "c5ba8f24",
        "api_key": "a1b2c3d4",
        "payload_hash": hashlib.sha256(body).hexdigest(),
    } | changes
    claims = {name: value for name, value in claims.items() if value is not None}
    token = jwt.encode(claims, secret, algorithm=algorithm)
    return WebhookRequest(body=body, headers={"authorization": f"{scheme} {token}"})


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_a_token_for_this_body_is_accepted(scheme):
    assert is_accepted(bearer(scheme=scheme))


def test_the_hash_may_be_in_upper_case():
    assert is_accepted(bearer(payload_hash=hashlib.sha256(BODY).hexdigest().upper()))


@pytest.mark.parametrize(
    "claims",
    [
        {"payload_hash": None},
        {"payload_hash": ""},
        {"payload_hash": "0" * 64},
        {"payload_hash": hashlib.sha256(BODY).hexdigest()[:-1]},
        {"payload_hash": ["0"]},
        {"payload_hash": "签"},
        {"payload_hash": hashlib.sha256(b"").hexdigest()},
        {"iat": None},
        {"iat": "now"},
        {"iat": 10**400},
        {"iat": 0},
        {"iat": int(time.time()) - 26 * 3600},
        {"iat": int(time.time()) + 4000},
        {"exp": int(time.time()) - 4000},
        {"nbf": int(time.time()) + 4000},
    ],
)
def test_a_token_that_is_stale_or_for_another_body_is_refused(claims):
    assert not is_accepted(bearer(**claims))


@pytest.mark.parametrize("seconds", [-290, 290])
def test_clocks_may_differ_by_less_than_five_minutes(seconds):
    assert is_accepted(bearer(iat=int(time.time()) + seconds))


def test_a_changed_body_is_refused():
    assert not is_accepted(WebhookRequest(body=BODY + b" ", headers=bearer().headers))
    assert not is_accepted(WebhookRequest(body=b"", headers=bearer().headers))


@pytest.mark.parametrize("body", [b"", b" \n"])
def test_no_token_vouches_for_a_query(body):
    request = bearer(body)

    assert not is_accepted(
        WebhookRequest(body=body, headers=request.headers, query=tuple(SMS.items()))
    )


def test_only_hs256_and_only_our_secret():
    assert not is_accepted(bearer(secret=OTHER))
    assert not is_accepted(bearer(secret=SECRET * 2, algorithm="HS512"))
    assert not is_accepted(bearer(algorithm="HS512"))
    assert not is_accepted(bearer(secret=None, algorithm="none"))


@pytest.mark.parametrize(
    "change",
    [
        lambda proof: "",
        lambda proof: "Bearer ",
        lambda proof: proof[:-1],
        lambda proof: proof + "=",
        lambda proof: proof + "\0",
        lambda proof: proof + "签",
        lambda proof: proof + "\ud800",
        lambda proof: proof.swapcase(),
        lambda proof: proof * 1000,
        lambda proof: proof.removeprefix("Bearer "),
        lambda proof: proof.replace("Bearer", "Basic"),
        lambda proof: proof.replace("Bearer ", "Bearer  "),
        lambda proof: proof.rpartition(".")[0] + ".",
        lambda proof: "Bearer ..",
        lambda proof: "Bearer e30.e30." + "A" * 43,
    ],
)
def test_a_changed_token_is_refused(change):
    proof = change(bearer().headers["authorization"])

    assert not is_accepted(WebhookRequest(body=BODY, headers={"authorization": proof}))


def test_a_token_does_not_let_in_a_sig_of_another_and_the_reverse():
    signed = as_form(SMS | {"sig": sig(SMS)})

    assert not is_accepted(WebhookRequest(body=signed.body, headers={"authorization": "Bearer x"}))


@pytest.mark.parametrize(("secret", "accepted"), [("1", 1), ("2", 1), ("3", 0)])
def test_while_a_secret_is_rotated_both_are_good_and_no_third(secret, accepted):
    live = ["1" * 32, "2" * 32]

    assert is_accepted(bearer(secret=secret * 32), signature_secret=live) == accepted
    request = as_form(SMS | {"sig": sig(SMS, secret=secret * 32)})
    assert is_accepted(request, signature_secret=live) == accepted


@pytest.mark.parametrize("nothing", [None, "", [], [""]])
@pytest.mark.parametrize("request_", [bearer(), as_form(SMS | {"sig": sig(SMS, secret="")})])
def test_an_unset_secret_lets_nobody_in(nothing, request_):
    with pytest.raises(MissingSecretError, match="vonage has no signature_secret"):
        vonage.verify(request_, account(signature_secret=nothing))


# Messages

SENDER = Sender(
    proven=(ProvenAddress(Address(AddressKind.PHONE, "+8613800138000"), Proof.PROVIDER),)
)


def message(event_id, body, **changes):
    values = {
        "channel": Channel.SMS,
        "provider": "vonage",
        "account": "15550001111",
        "event_id": event_id,
        "provider_id": event_id,
        "sender": SENDER,
        "body": body,
        "occurred_at": datetime(2026, 11, 23, 5, 24, 33, tzinfo=UTC),
        "context": {"to": "15550001111", "channel": "sms"} | changes.pop("context", {}),
    }
    return InboundMessage(**(values | changes))


@pytest.mark.parametrize("shape", SHAPES)
def test_an_sms_in_every_shape_is_the_same_message(shape):
    assert parse(shape(SMS)) == message("0B0000004A2D09F1", "还没到账 & a=b")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"concat": "true", "concat-ref": "9", "concat-total": "3", "concat-part": "2"},
            {"part": Part("9", 2, 3)},
        ),
        *(
            (
                {"concat": "true", "concat-ref": "9", "concat-total": "3", "concat-part": "2"}
                | odd,
                {},
            )
            for odd in (
                {"concat-ref": ""},
                {"concat-ref": "9" * 41},
                {"concat-part": "0"},
                {"concat-part": "4"},
                {"concat-part": "two"},
                {"concat-part": "２"},
                {"concat-total": "51"},
                {"concat-total": "1", "concat-part": "1"},
                {"concat-total": "9" * 5000},
            )
        ),
        (
            {"type": "binary", "data": "EA0601", "udh": "0605040B8423F0", "text": ""},
            {"body": "[binary] EA0601", "context": {"udh": "0605040B8423F0"}},
        ),
        ({"type": "binary", "text": "hi"}, {"body": "hi\n[binary]"}),
        ({"message-timestamp": "soon"}, {"occurred_at": None}),
        ({"text": ""}, {"body": ""}),
    ],
)
def test_the_rarer_kinds_of_sms(changes, expected):
    values = {"body": "还没到账 & a=b"} | expected
    assert parse(as_form(SMS | changes)) == message("0B0000004A2D09F1", **values)


@pytest.mark.parametrize(
    ("told", "value"),
    [
        ("8613800138000", "+8613800138000"),
        ("+8613800138000", "+8613800138000"),
        ("12345", "12345"),
        ("0123456789", "0123456789"),
    ],
)
def test_a_number_gets_its_plus_sign_and_a_short_code_none(told, value):
    address = parse(as_form(SMS | {"msisdn": told})).sender.proven[0].address

    assert address == Address(AddressKind.PHONE, value)


WHOLE = {"occurred_at": datetime(2026, 11, 23, 5, 24, 33, 120_000, tzinfo=UTC)}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, {"body": "还没到账"}, id="text"),
        pytest.param(
            {
                "channel": "whatsapp",
                "profile": {"name": "琳 Wang"},
                "context": {"message_uuid": "aaaa", "message_from": "15550001111"},
            },
            {
                "body": "还没到账",
                "channel": Channel.MESSENGER,
                "sender": Sender(proven=SENDER.proven, name="琳 Wang"),
                "context": {"channel": "whatsapp", "reply_to": "aaaa"},
            },
            id="WhatsApp",
        ),
        pytest.param(
            {
                "channel": "mms",
                "message_type": "image",
                "text": None,
                "image": {
                    "url": "https://api-us.nexmo.com/v3/media/1",
                    "name": "a.jpg",
                    "caption": "看",
                },
            },
            {
                "body": "看",
                "context": {"channel": "mms"},
                "attachments": (
                    Attachment(
                        "a.jpg", "image/jpeg", provider_ref="https://api-us.nexmo.com/v3/media/1"
                    ),
                ),
            },
            id="picture",
        ),
        pytest.param(
            {
                "channel": "mms",
                "message_type": "content",
                "content": [
                    {"type": "image", "url": "https://m.example.com/1"},
                    {"type": "vcard", "url": "https://m.example.com/2"},
                    "?",
                ],
            },
            {
                "body": "还没到账",
                "context": {"channel": "mms"},
                "attachments": (
                    Attachment("image", "image/jpeg", provider_ref="https://m.example.com/1"),
                    Attachment("vcard", "text/vcard", provider_ref="https://m.example.com/2"),
                ),
            },
            id="several files",
        ),
        pytest.param(
            {
                "message_type": "location",
                "text": "",
                "location": {"lat": 31.2, "long": 121.5, "name": "家"},
            },
            {"body": "家\n31.2, 121.5"},
            id="place",
        ),
        pytest.param(
            {"message_type": "reply", "text": "", "reply": {"id": "row-1", "title": "订单 17"}},
            {"body": "订单 17"},
            id="list",
        ),
        pytest.param(
            {"message_type": "button", "text": "", "button": {"payload": "p", "text": "Yes"}},
            {"body": "Yes"},
            id="button",
        ),
        pytest.param(
            {
                "message_type": "reaction",
                "text": "",
                "reaction": {"action": "react", "emoji": "👍"},
                "context": {"message_uuid": "aaaa"},
            },
            {"body": "👍", "context": {"reply_to": "aaaa"}},
            id="reaction",
        ),
        pytest.param(
            {
                "message_type": "order",
                "text": "",
                "order": {
                    "product_items": [{"product_retailer_id": "sku-1", "quantity": 2}, 7],
                },
            },
            {"body": "2 × sku-1"},
            id="order",
        ),
        pytest.param(
            {"message_type": "unsupported", "text": ""}, {"body": "[unsupported]"}, id="unsupported"
        ),
        pytest.param(
            {"timestamp": "2026-11-23T13:24:33.120+08:00"}, {"body": "还没到账"}, id="zone"
        ),
    ],
)
def test_a_message_of_the_messages_api(changes, expected):
    assert parse_json(SAID | changes) == message(UUID, **(WHOLE | expected))


def test_a_channel_that_names_people_otherwise_is_kept_and_ignored():
    event = parse_json(SAID | {"channel": "messenger", "from": "5550001"})

    assert event == IgnoredEvent("vonage", "15550001111", UUID, "a message of channel messenger")


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("submitted", DeliveryState.ACCEPTED),
        ("delivered", DeliveryState.DELIVERED),
        ("read", DeliveryState.READ),
        ("rejected", DeliveryState.FAILED),
        ("undeliverable", DeliveryState.FAILED),
        ("clicked", None),
    ],
)
def test_a_status_is_a_receipt_that_names_our_message(status, state):
    fields = {
        "message_uuid": UUID,
        "to": "8613800138000",
        "from": "15550001111",
        "timestamp": "2026-11-23T05:24:33Z",
        "status": status,
        "channel": "sms",
        "client_ref": OUTBOX_KEY,
        "error": {"type": "https://x", "title": "1120", "detail": "Illegal sender"},
    }

    assert parse_json(fields) == Receipt(
        provider="vonage",
        account="15550001111",
        event_id=f"{UUID}.{status}",
        provider_id=UUID,
        outbox_key=OUTBOX_KEY,
        state=state,
        error="1120 Illegal sender",
    )


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("accepted", DeliveryState.ACCEPTED),
        ("buffered", None),
        ("delivered", DeliveryState.DELIVERED),
        ("expired", DeliveryState.FAILED),
        ("failed", DeliveryState.FAILED),
        ("rejected", DeliveryState.FAILED),
        ("unknown", None),
    ],
)
def test_a_delivery_receipt_of_the_sms_api(shape, status, state):
    fields = {
        "msisdn": "8613800138000",
        "to": "15550001111",
        "messageId": "0C0000",
        "status": status,
        "err-code": "6" if state is DeliveryState.FAILED else "0",
        "scts": "2611230524",
    }

    assert parse(shape(fields)) == Receipt(
        provider="vonage",
        account="15550001111",
        event_id=f"0C0000.{status}",
        provider_id="0C0000",
        outbox_key="",
        state=state,
        error="6" if state is DeliveryState.FAILED else "",
    )
    assert parse(shape(fields | {"client-ref": "our-key"})).outbox_key == "our-key"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "no messageId"),
        (b"{}", "no messageId"),
        (b"{", "not JSON"),
        (b"[]", "no messageId"),
        (b"a=b&" * 1001, "not a form"),
        (json.dumps(SMS | {"messageId": ""}).encode(), "no messageId"),
        (json.dumps(SMS | {"msisdn": "Bank"}).encode(), "neither a phone number"),
        (json.dumps(SMS | {"msisdn": "１２３４５６７"}).encode(), "neither a phone number"),
        (json.dumps(SAID | {"message_uuid": None}).encode(), "no message_uuid"),
        (json.dumps(SAID | {"from": {"number": "1"}}).encode(), "neither a phone number"),
    ],
)
def test_what_vonage_never_sends_is_unparseable(body, reason):
    with pytest.raises(UnparseableError, match=reason):
        parse_body(body)


# Whatever comes

PAYLOADS = [
    SMS,
    SMS | {"status": "failed", "err-code": "6"},
    SAID | {"profile": {"name": "a"}, "context": {"message_uuid": "b"}},
    {"message_uuid": UUID, "status": "read", "error": {"title": "a"}, "client_ref": "k"},
    SAID | {"text": "", "message_type": "image", "image": {"url": "u", "name": "n", "caption": ""}},
    SAID | {"text": "", "message_type": "order", "order": {"product_items": [{"quantity": 1}]}},
    SAID | {"text": "", "message_type": "location", "location": {"lat": 1, "long": 2, "name": "x"}},
]


def test_any_node_may_be_anything():
    for payload in PAYLOADS:
        for path in paths(payload):
            for value in ODD_VALUES:
                body = json.dumps(replaced(payload, path, value)).encode()
                outcome(parse_body, body)
                is_accepted(WebhookRequest(body=body))


@settings(max_examples=200, deadline=None)
@given(st.binary() | json_values.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_events_or_unparseable(body):
    outcome(parse_body, body)
    assert not is_accepted(WebhookRequest(body=body))


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from([*SMS, "status", "message_uuid", "sig"]), st.text()))
def test_any_query_is_events_or_unparseable(fields):
    odd = {name: f"{value}\ud800" for name, value in fields.items()}
    for values in (fields, odd):
        outcome(lambda _, values=values: vonage.parse(as_query(values), account()), b"")
        assert not is_accepted(as_query(values))


# Sending


def to_lin(**changes):
    return outbound(Channel.SMS, "vonage", Address(AddressKind.PHONE, "+8613800138000"), **changes)


def test_an_answer_goes_out_from_the_number_that_was_written_to():
    context = {"to": "15559990000", "channel": "whatsapp"}
    request = vonage_sending.build_send(
        outgoing(to_lin(context=context), OUTBOX_KEY), "https://api.nexmo.com", account()
    )

    assert request.url == "https://api.nexmo.com/v1/messages"
    scheme, _, basic = request.headers["Authorization"].partition(" ")
    assert (scheme, b64decode(basic)) == ("Basic", b"a1b2c3d4:s3cret")
    assert request.headers.keys() == {"Authorization", "Content-Type"}
    assert request.headers["Content-Type"] == "application/json"
    assert json.loads(request.body) == {
        "message_type": "text",
        "channel": "whatsapp",
        "to": "8613800138000",
        "from": "15559990000",
        "text": "您好，已经补发。",
        "client_ref": OUTBOX_KEY,
    }


def test_without_a_conversation_it_is_an_sms_from_our_number():
    request = vonage_sending.build_send(outgoing(to_lin(body="x"), "key"), "https://h", account())

    assert json.loads(request.body) == {
        "message_type": "text",
        "channel": "sms",
        "to": "8613800138000",
        "from": "15550001111",
        "text": "x",
        "client_ref": "key",
    }


def test_our_key_fits_where_vonage_brings_it_back():
    assert len(f"{OUTBOX_KEY}~99.99") <= 100


@pytest.mark.parametrize(
    ("status", "body", "result"),
    [
        (202, b'{"message_uuid": "aaaa-1"}', Sent("aaaa-1")),
        (202, b"{}", Refused(Refusal.UNKNOWN, "202")),
        (202, b'{"message_uuid": []}', Refused(Refusal.UNKNOWN, "202")),
        (202, b"\xff", Refused(Refusal.UNKNOWN, "202")),
        (
            401,
            b'{"title": "Unauthorized", "detail": "Invalid credentials"}',
            Refused(Refusal.TRANSIENT, "401 Unauthorized Invalid credentials"),
        ),
        (402, b'{"title": "Low balance"}', Refused(Refusal.TRANSIENT, "402 Low balance")),
        (422, b"", Refused(Refusal.PERMANENT, "422")),
        (
            422,
            b'{"type": "https://developer.vonage.com/api-errors/messages-olympus#1340"}',
            Refused(Refusal.WINDOW_CLOSED, "422"),
        ),
        (429, b'{"detail": "slow down"}', Refused(Refusal.THROTTLED, "429 slow down")),
        (500, b"[", Refused(Refusal.UNKNOWN, "500")),
        (302, b"", Refused(Refusal.UNKNOWN, "302")),
    ],
)
def test_an_answer_tells_what_became_of_the_message(status, body, result):
    assert vonage_sending.read_answer(ProviderAnswer(status, body)) == result


@given(st.integers(100, 599), st.binary() | json_values.map(lambda v: json.dumps(v).encode()))
def test_any_answer_is_read(status, body):
    assert isinstance(vonage_sending.read_answer(ProviderAnswer(status, body)), Sent | Refused)
