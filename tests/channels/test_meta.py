"""Messenger's and Instagram's webhooks in, their API out."""

import json
import time
from dataclasses import asdict
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caseweave.channels import meta, meta_sending
from caseweave.channels.credentials import Credentials
from caseweave.channels.request import (
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
    Receipt,
    Remark,
)
from caseweave.domain.times import optional_rfc3339
from caseweave.errors import MissingSecretError, UnparseableError
from tests.channels.samples import OUTBOX_KEY, outbound, outgoing

ACCOUNT = Credentials("meta", {"app_secret": "s3cret", "access_token": "EAAB"})
PAGE, PSID = "620017", "7700990011223344"
IG_ACCOUNT, IGSID = "17841455500011122", "880044"
WHEN = datetime(2026, 11, 23, 5, 24, 33, 120_000, tzinfo=UTC)
WHEN_MS = 1_795_411_473_120


def event(*, page=PAGE, user=PSID, **content):
    """https://developers.facebook.com/docs/messenger-platform/reference/webhook-events"""
    return {"sender": {"id": user}, "recipient": {"id": page}, "timestamp": WHEN_MS, **content}


def batch(*events, product="page"):
    return {"object": product, "entry": [{"id": PAGE, "time": WHEN_MS, "messaging": [*events]}]}


def parse(payload):
    return meta.parse(WebhookRequest(body=json.dumps(payload).encode()), ACCOUNT)


def parse_one(**content):
    (found,) = parse(batch(event(**content)))
    return found


def message(body, *, mid="m_1", event_id="", context=(), **changes):
    address = Address(AddressKind.MESSENGER, f"{PAGE}.{PSID}")
    values = {
        "channel": Channel.MESSENGER,
        "provider": "meta",
        "account": PAGE,
        "event_id": event_id or mid,
        "provider_id": mid,
        "sender": Sender(proven=(ProvenAddress(address, Proof.PROVIDER),)),
        "body": body,
        "occurred_at": WHEN,
        "context": {"account_id": PAGE, "user_id": PSID, "message_id": mid, **dict(context)},
    }
    return InboundMessage(**(values | changes))


def reason_of(found, account=PAGE):
    assert type(found) is IgnoredEvent
    assert (found.provider, found.account) == ("meta", account)
    assert found.event_id.startswith("sha256:")
    return found.reason


def test_a_text_to_a_page_is_a_message_of_a_proven_id_of_that_page():
    assert parse_one(message={"mid": "m_1", "text": "还没到账 😡"}) == message("还没到账 😡")


def test_a_text_to_an_instagram_account_is_one_too():
    said = event(page=IG_ACCOUNT, user=IGSID, message={"mid": "aWdf", "text": "hi"})

    (found,) = parse(batch(said, product="instagram"))

    address = Address(AddressKind.INSTAGRAM, f"{IG_ACCOUNT}.{IGSID}")
    assert found == message(
        "hi",
        mid="aWdf",
        account=IG_ACCOUNT,
        sender=Sender(proven=(ProvenAddress(address, Proof.PROVIDER),)),
        context={"account_id": IG_ACCOUNT, "user_id": IGSID, "message_id": "aWdf"},
    )


def test_every_event_of_every_entry_is_kept_in_order_whatever_its_neighbours_are():
    entry = {"id": PAGE, "time": 1}
    found = parse(
        {
            "object": "page",
            "entry": [
                {
                    **entry,
                    "messaging": [
                        event(message={"mid": "m_1", "text": "one"}),
                        event(message={"text": "no id"}),
                        7,
                        event(message={"mid": "m_2", "text": "two"}, page="9", user="8"),
                    ],
                },
                "nonsense",
                {**entry, "standby": [event(message={"mid": "m_3", "text": "to another app"})]},
                {**entry, "changes": [{"field": "feed", "value": {"item": "post"}}]},
                {**entry, "messaging": []},
                {**entry, "messaging": [event(message={"mid": "m_4", "text": "four"})]},
            ],
        }
    )

    assert [one.body if type(one) is InboundMessage else one.reason for one in found] == [
        "one",
        "not understood: no mid",
        "not understood: not an object",
        "two",
        "an entry without events",
        "said while another app had the conversation",
        "a change of feed",
        "an entry without events",
        "four",
    ]
    assert len({one.event_id for one in found}) == len(found)
    assert found[3].sender.proven[0].address.value == "9.8"


def test_what_is_ignored_has_the_same_name_when_it_comes_again():
    payload = batch(event(read={"watermark": WHEN_MS}))

    assert parse(payload) == parse(payload)
    assert parse(payload) != parse(batch(event(read={"watermark": WHEN_MS + 1})))


def test_instagrams_test_button_sends_a_message_as_a_change():
    value = event(message={"mid": "random_mid", "text": "random_text"})
    entry = {"id": PAGE, "time": 1, "changes": [{"field": "messages", "value": value}]}

    assert parse({"object": "page", "entry": [entry]}) == [message("random_text", mid="random_mid")]


def test_an_answer_to_a_message_names_it():
    said = {"mid": "m_2", "text": "this one", "reply_to": {"mid": "m_1"}}

    assert parse_one(message=said) == message("this one", mid="m_2", context={"reply_to": "m_1"})


def test_an_answer_to_a_story_brings_the_story():
    url = "https://lookaside.example.com/ig_messaging_cdn/?asset_id=5&signature=abc"
    said = {"mid": "m_1", "text": "how much?", "reply_to": {"story": {"id": "s_5", "url": url}}}

    assert parse_one(message=said) == message(
        "how much?",
        context={"reply_to": "s_5"},
        attachments=(Attachment("story", "application/octet-stream", provider_ref=url),),
    )


def test_an_edit_is_a_message_of_its_own_that_says_so():
    assert parse_one(message_edit={"mid": "m_1", "text": "order 18", "num_edit": 2}) == message(
        "order 18", event_id="m_1.edit.2", remark=Remark.EDIT, about="m_1"
    )


def test_a_postback_is_a_message():
    said = {"mid": "m_1", "title": "Where is my order?", "payload": "ORDER_STATUS"}

    assert parse_one(postback=said) == message("Where is my order?")


def test_an_old_postback_has_no_id_and_keeps_the_one_that_it_is_given():
    (found,) = parse(batch(event(postback={"payload": "GET_STARTED"})))

    name = found.event_id
    assert name.startswith("sha256:")
    assert found == message("GET_STARTED", mid=name)
    assert parse(batch(event(postback={"payload": "GET_STARTED"}))) == [found]


def test_a_quick_reply_is_its_text():
    said = {"mid": "m_1", "text": "Red", "quick_reply": {"payload": "COLOUR_1"}}

    assert parse_one(message=said) == message("Red")


def test_what_was_taken_back_is_a_remark_about_it():
    assert parse_one(message={"mid": "m_1", "is_deleted": True}) == message(
        "", event_id="m_1.deleted", is_automatic=True, remark=Remark.DELETION, about="m_1"
    )


def test_a_reaction_is_a_message_about_another():
    said = {"mid": "m_0", "action": "react", "reaction": "love", "emoji": "❤️"}

    found = parse_one(reaction=said)

    assert found == message(
        "❤️",
        mid="m_0",
        event_id=found.event_id,
        is_automatic=True,
        remark=Remark.REACTION,
        about="m_0",
    )
    assert found.event_id.startswith("m_0.sha256:")
    assert parse_one(reaction=said | {"emoji": None}).body == "love"


@pytest.mark.parametrize(
    ("attachments", "body", "files"),
    [
        pytest.param(
            [{"type": "image", "payload": {"url": "https://cdn.example.com/v/t1/85_n.png?oh=1"}}],
            "",
            [("85_n.png", "https://cdn.example.com/v/t1/85_n.png?oh=1")],
            id="picture",
        ),
        pytest.param(
            [
                {"type": "file", "payload": {"url": "https://cdn.example.com/v/%E5%8D%95.pdf"}},
                {"type": "video", "payload": {"url": "https://cdn.example.com/"}},
            ],
            "",
            [
                ("单.pdf", "https://cdn.example.com/v/%E5%8D%95.pdf"),
                ("video", "https://cdn.example.com/"),
            ],
            id="two",
        ),
        pytest.param(
            [
                {
                    "type": "image",
                    "payload": {"url": "https://cdn.example.com/39.png", "sticker_id": 369239},
                }
            ],
            "",
            [("sticker", "https://cdn.example.com/39.png")],
            id="sticker",
        ),
        pytest.param(
            [{"type": "location", "payload": {"coordinates": {"lat": 31.23, "long": 121.47}}}],
            "31.23, 121.47",
            [],
            id="place",
        ),
        pytest.param(
            [{"type": "fallback", "title": "A page", "url": "https://example.com/a"}],
            "A page\nhttps://example.com/a",
            [],
            id="link",
        ),
        pytest.param(
            [
                {
                    "type": "ig_reel",
                    "payload": {"reel_video_id": "1", "title": "Our shop", "url": "https://x.y/r"},
                }
            ],
            "Our shop",
            [("r", "https://x.y/r")],
            id="reel",
        ),
        pytest.param(
            [{"type": "story_mention", "payload": {"url": "https://x.y/cdn/?asset_id=1"}}],
            "",
            [("story_mention", "https://x.y/cdn/?asset_id=1")],
            id="story",
        ),
        pytest.param(
            [{"type": "image", "payload": {"url": "https://[::1/x"}}],
            "",
            [("image", "https://[::1/x")],
            id="an address that is none",
        ),
        pytest.param([{"type": "image"}, 7], "[unsupported message]", [], id="nothing in it"),
    ],
)
def test_attachments_are_pending_files_or_words(attachments, body, files):
    assert parse_one(message={"mid": "m_1", "attachments": attachments}) == message(
        body,
        attachments=tuple(
            Attachment(name, "application/octet-stream", provider_ref=url) for name, url in files
        ),
    )


def test_a_caption_stands_above_the_words_of_its_attachment():
    link = {"type": "fallback", "title": "A page", "url": "https://example.com/a"}

    found = parse_one(message={"mid": "m_1", "text": "look", "attachments": [link]})

    assert found.body == "look\nA page\nhttps://example.com/a"


def test_a_message_that_meta_cannot_hand_over_is_still_one():
    assert parse_one(message={"mid": "m_1", "is_unsupported": True}) == message(
        "[unsupported message]"
    )


def test_a_delivery_is_a_receipt_for_each_message():
    found = parse(batch(event(delivery={"mids": ["m_1", "m_2", "m_1", 0.5, None], "watermark": 1})))

    assert found[:2] == [
        Receipt("meta", PAGE, "m_1.delivered", "m_1", "", DeliveryState.DELIVERED),
        Receipt("meta", PAGE, "m_2.delivered", "m_2", "", DeliveryState.DELIVERED),
    ]
    assert found[2].provider_id == "0.5"
    assert reason_of(found[3]) == "delivered without an id"
    assert len(found) == 4


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"reaction": {"mid": "m_0", "action": "unreact"}}, "a reaction taken back"),
        ({"read": {"watermark": WHEN_MS}}, f"read until {WHEN_MS}"),
        ({"read": {"mid": "m_1"}}, "read until m_1"),
        ({"delivery": {"watermark": WHEN_MS}}, "a delivery that names no message"),
        ({"delivery": {"mids": []}}, "a delivery that names no message"),
        ({"optin": {"ref": "x"}}, "an event of optin"),
        ({"referral": {"ref": "x", "source": "SHORTLINK"}}, "an event of referral"),
        ({"pass_thread_control": {"new_owner_app_id": "1"}}, "an event of pass_thread_control"),
        ({"kind_of_next_year": {}}, "an event of kind_of_next_year"),
        ({}, "an event of nothing"),
        ({"x" * 1000: 1}, "an event of " + "x" * 188),
        ({"message": {"text": "hi"}}, "not understood: no mid"),
        ({"message": {"mid": ["m"], "text": "hi"}}, "not understood: no mid"),
        ({"message": {"mid": "m" * 501, "text": "hi"}}, "not understood: no mid"),
        ({"message": {"mid": "m"}, "sender": None}, "not understood: no sender"),
        ({"message": {"mid": "m"}, "sender": {"id": True}}, "not understood: no id"),
        ({"message": {"mid": "m"}, "recipient": {}}, "not understood: no id"),
    ],
)
def test_what_is_no_message_to_us_is_kept_and_ignored(content, reason):
    assert reason_of(parse_one(**content)) == reason


def test_an_echo_of_our_own_message_is_ignored():
    echo = event(page=PSID, user=PAGE, message={"mid": "m_1", "is_echo": True, "text": "hello"})

    (found,) = parse(batch(echo))

    assert reason_of(found) == "our own message"


def test_an_enforcement_of_metas_policy_has_no_sender_and_is_kept():
    policy = {"recipient": {"id": PAGE}, "timestamp": 1, "policy_enforcement": {"action": "block"}}

    (found,) = parse(batch(policy))

    assert reason_of(found) == "an event of policy_enforcement"


@pytest.mark.parametrize(
    "told",
    [None, "2021-09-08T06:34:04+0000", 10**30, 10**400, -1, 1.5, {}, True, "１２３", "9" * 30],
)
def test_a_time_that_is_none_is_none(told):
    assert parse_one(message={"mid": "m_1", "text": "x"}, timestamp=told).occurred_at is None


@pytest.mark.parametrize(
    "payload",
    [
        {},
        [],
        {"object": "page"},
        {"object": "page", "entry": []},
        {"object": "page", "entry": {}},
        {"object": ["page"], "entry": [{}]},
        # Set to the wrong address: quarantined, so that it is seen and can be released.
        {"object": "whatsapp_business_account", "entry": [{"id": "1"}]},
    ],
)
def test_a_body_that_is_no_batch_of_these_products_is_unparseable(payload):
    with pytest.raises(UnparseableError):
        parse(payload)


# Out


def answer_to(kind, address, context=(), **changes):
    to = Address(kind, address)
    return outbound(Channel.MESSENGER, "meta", to, context=dict(context), **changes)


def test_an_answer_leaves_from_the_page_that_was_written_to():
    context = {"account_id": PAGE, "user_id": PSID, "message_id": "m_1"}

    request = meta_sending.build_send(
        outgoing(answer_to(AddressKind.MESSENGER, f"{PAGE}.{PSID}", context), OUTBOX_KEY),
        "https://graph.facebook.com/v23.0",
        ACCOUNT,
    )

    assert request == ProviderRequest(
        url=f"https://graph.facebook.com/v23.0/{PAGE}/messages",
        headers={"Authorization": "Bearer EAAB", "Content-Type": "application/json"},
        body=json.dumps(
            {
                "recipient": {"id": PSID},
                "messaging_type": "RESPONSE",
                "message": {"text": "您好，已经补发。"},
            }
        ).encode(),
    )


def test_instagrams_account_is_told_by_the_token():
    request = meta_sending.build_send(
        outgoing(answer_to(AddressKind.INSTAGRAM, f"{IG_ACCOUNT}.{IGSID}", body="琳"), "key"),
        "https://x",
        ACCOUNT,
    )

    assert request.url == "https://x/me/messages"
    assert json.loads(request.body) == {
        "recipient": {"id": IGSID},
        "messaging_type": "RESPONSE",
        "message": {"text": "琳"},
    }


def test_without_context_the_address_tells_page_and_person():
    request = meta_sending.build_send(
        outgoing(answer_to(AddressKind.MESSENGER, f"{PAGE}.{PSID}", body="琳"), ""),
        "https://x",
        ACCOUNT,
    )

    assert request.url == f"https://x/{PAGE}/messages"
    assert json.loads(request.body)["recipient"] == {"id": PSID}
    assert json.loads(request.body)["message"] == {"text": "琳"}


def test_an_account_id_stays_one_part_of_the_address():
    request = meta_sending.build_send(
        outgoing(answer_to(AddressKind.MESSENGER, "1.2", {"account_id": "../me?x=#"}), ""),
        "https://x",
        ACCOUNT,
    )

    assert request.url == "https://x/..%2Fme%3Fx%3D%23/messages"


def test_what_cannot_be_sent_is_not_sent():
    with pytest.raises(MissingSecretError, match="meta has no access_token"):
        meta_sending.build_send(
            outgoing(answer_to(AddressKind.MESSENGER, "1.2"), ""),
            "",
            Credentials("meta", {"app_secret": "x"}),
        )


def error(code, subcode=None, words="(#10) outside of allowed window"):
    said = {"message": words, "type": "OAuthException", "code": code, "fbtrace_id": "A"}
    return json.dumps({"error": said | ({"error_subcode": subcode} if subcode else {})}).encode()


@pytest.mark.parametrize(
    ("status", "body", "result"),
    [
        (200, b'{"recipient_id": "7", "message_id": "m_9"}', Sent("m_9")),
        (200, b'{"recipient_id": "7"}', Refused(Refusal.UNKNOWN, "200")),
        (200, b'{"message_id": ""}', Refused(Refusal.UNKNOWN, "200")),
        (200, b'{"message_id": []}', Refused(Refusal.UNKNOWN, "200")),
        (200, error(4, words="x"), Refused(Refusal.UNKNOWN, "4 x")),
        (200, b"", Refused(Refusal.UNKNOWN, "200")),
        (200, b"[" * 100_000, Refused(Refusal.UNKNOWN, "200")),
        (302, b"", Refused(Refusal.UNKNOWN, "302")),
        (
            400,
            error(10, 2018278),
            Refused(Refusal.WINDOW_CLOSED, "10/2018278 (#10) outside of allowed window"),
        ),
        (400, error(100, 2018001, "no user"), Refused(Refusal.PERMANENT, "100/2018001 no user")),
        (400, error(10, 2534022, "x"), Refused(Refusal.WINDOW_CLOSED, "10/2534022 x")),
        (400, error(551, words="x"), Refused(Refusal.OPTED_OUT, "551 x")),
        (400, error(551, 1545041, "x"), Refused(Refusal.OPTED_OUT, "551/1545041 x")),
        (400, error(200, 1545041, "x"), Refused(Refusal.OPTED_OUT, "200/1545041 x")),
        (403, error(200, words="x"), Refused(Refusal.TRANSIENT, "200 x")),
        (401, error(190, words="expired"), Refused(Refusal.TRANSIENT, "190 expired")),
        (403, error("4", words="x"), Refused(Refusal.PERMANENT, "4 x")),
        (403, b'{"error": "no"}', Refused(Refusal.PERMANENT, "403")),
        (400, b'{"error": {"code": [], "message": {}}}', Refused(Refusal.PERMANENT, "400")),
        (400, error(10, words="w" * 999), Refused(Refusal.TRANSIENT, "10 " + "w" * 197)),
        *((400, error(c, words="x"), Refused(Refusal.THROTTLED, f"{c} x")) for c in (4, 17, 32)),
        (403, error(613, words="x"), Refused(Refusal.THROTTLED, "613 x")),
        (429, b"", Refused(Refusal.THROTTLED, "429")),
        # A server that failed does not tell what it had done before.
        (500, error(4, words="x"), Refused(Refusal.UNKNOWN, "4 x")),
        (500, error(1200, words="x"), Refused(Refusal.UNKNOWN, "1200 x")),
        (502, b"<html>\xff", Refused(Refusal.UNKNOWN, "502")),
    ],
)
def test_an_answer_tells_what_became_of_the_message(status, body, result):
    assert meta_sending.read_answer(ProviderAnswer(status, body)) == result


# Hostile


def outcome(body):
    try:
        events = meta.parse(WebhookRequest(body=body), ACCOUNT)
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


PAYLOAD = batch(
    event(
        message={
            "mid": "m",
            "text": "t",
            "reply_to": {"mid": "m", "story": {"id": "s", "url": "https://x.y/z"}},
            "attachments": [
                {"type": "image", "title": "t", "payload": {"url": "https://x.y/z", "title": "t"}},
                {"type": "location", "payload": {"coordinates": {"lat": 1, "long": 2}}},
            ],
        }
    ),
    event(message_edit={"mid": "m", "text": "t", "num_edit": 1}),
    event(postback={"mid": "m", "title": "t", "payload": "p"}),
    event(reaction={"mid": "m", "action": "react", "emoji": "e", "reaction": "r"}),
    event(delivery={"mids": ["m"], "watermark": 1}),
    event(read={"watermark": 1, "mid": "m"}),
)
PAYLOAD["entry"].append({"id": "1", "changes": [{"field": "messages", "value": event(read={})}]})
PATHS = list(paths(PAYLOAD))
ODD_VALUES = [
    *(None, True, False, 0, -1, 1.5, 10**400, float("nan"), float("inf"), "", "x", "\0"),
    *("\ud800", "x" * 10_000, "１２３", [], {}, [[]], [None], {"id": {}}, {"": ""}, ["x"], [{}]),
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
@given(st.binary() | json_values.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_events_or_unparseable(body):
    outcome(body)


@settings(max_examples=100, deadline=None)
@given(
    st.integers(100, 599), st.binary() | json_values.map(lambda value: json.dumps(value).encode())
)
def test_any_answer_is_a_result(status, body):
    assert type(meta_sending.read_answer(ProviderAnswer(status, body))) in (Sent, Refused)


@pytest.mark.parametrize("depth", [10, 300, 900, 990, 5000])
def test_depth_is_no_surprise(depth):
    nested = b"[" * depth + b"]" * depth
    outcome(b'{"object": "page", "entry": [{"messaging": [%b], "x": "\\ud800"}]}' % nested)
    outcome(b'{"object": "page", "entry": [{"messaging": [%b]}]}' % nested)


def test_a_large_batch_is_read_within_seconds():
    said = [event(message={"mid": f"m_{n}", "text": "x" * 200}) for n in range(1000)]
    started = time.process_time()

    assert len(parse(batch(*said, *[event(read={"watermark": n}) for n in range(1000)]))) == 2000

    assert time.process_time() - started < 2
