"""QQ bot: signed events in, replies out."""

import json
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caseweave.channels import qq
from caseweave.channels.credentials import Credentials
from caseweave.channels.qq_signature import sign
from caseweave.channels.request import (
    AccessToken,
    MediaLink,
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
from caseweave.errors import InvalidSignatureError, MissingSecretError, UnparseableError
from tests.channels.samples import OUTBOX_KEY, outbound, outgoing
from tests.channels.test_hostile import ODD_VALUES, json_values, outcome, paths, replaced

BOT, LIN, GROUP = (
    "1020000001",
    "E4F4AEA33253A2797FB897C50B81D7ED",
    "C9F778FE6ADF9D1D1DBE395BF744A33A",
)
SECONDS = "1795411473"
WHEN = datetime(2026, 11, 23, 5, 24, 33, tzinfo=UTC)
MESSAGE_ID, EVENT_ID = "ROBOT1.0_.b6nx.CVryAO0nR58RXuU6SC!", "C2C_MESSAGE_CREATE:abc"


def account(**values):
    return Credentials("qq", {"app_id": BOT, "app_secret": "s3cret"} | values)


def signed(body, secret="s3cret", seconds=SECONDS, bot=BOT):
    headers = {
        "x-bot-appid": bot,
        "x-signature-timestamp": seconds,
        "x-signature-ed25519": sign(seconds.encode() + body, secret),
    }
    return WebhookRequest(body=body, headers=headers)


def with_headers(request, **changes):
    headers = {**request.headers, **{n.replace("_", "-"): v for n, v in changes.items()}}
    return replace(request, headers={n: v for n, v in headers.items() if v is not None})


def is_accepted(request, credentials=None):
    try:
        qq.verify(request, credentials or account())
    except InvalidSignatureError:
        return False
    return True


def envelope(kind="C2C_MESSAGE_CREATE", **data):
    return {"id": EVENT_ID, "op": 0, "s": 42, "t": kind, "d": data}


def said(**content):
    known = {
        "id": MESSAGE_ID,
        "author": {"user_openid": LIN},
        "content": "还没到账",
        "timestamp": "2026-11-23T13:24:33+08:00",
    }
    return {name: value for name, value in (known | content).items() if value is not None}


def parse_one(payload):
    (found,) = qq.parse(WebhookRequest(json.dumps(payload).encode()), account())
    return found


def sender(kind, value, name=""):
    return Sender(proven=(ProvenAddress(Address(kind, value), Proof.PROVIDER),), name=name)


def message(body, **changes):
    values = {
        "channel": Channel.MESSENGER,
        "provider": "qq",
        "account": BOT,
        "event_id": MESSAGE_ID,
        "provider_id": MESSAGE_ID,
        "sender": sender(AddressKind.QQ, f"{BOT}.{LIN}"),
        "body": body,
        "occurred_at": WHEN,
        "context": {"scene": "users", "target": LIN, "message_id": MESSAGE_ID},
    }
    return InboundMessage(**(values | changes))


# The door

BODY = '{"op":0,"t":"x","d":{"content":"签"}}'.encode()


@pytest.mark.parametrize("body", [BODY, b"{}", b"{\xff\0", b" {", b"{" * 200_000])
def test_the_signature_is_over_the_time_and_the_bytes_as_they_came(body):
    assert is_accepted(signed(body))


@pytest.mark.parametrize("body", [BODY + b" ", BODY[:-1], b"", b"{}", BODY.replace(b"x", b"y")])
def test_a_changed_body_is_refused(body):
    assert not is_accepted(replace(signed(BODY), body=body))


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"Arq0D5A61EgUu4OxUvOp", b"\xff"])
def test_what_is_no_object_is_no_event_however_well_it_is_signed(body):
    assert not is_accepted(signed(body))


@pytest.mark.parametrize(
    "seconds", ["", "1795411474", " 1795411473", "1795411473 ", "１", "9" * 14]
)
def test_a_changed_time_is_refused(seconds):
    assert not is_accepted(with_headers(signed(BODY), x_signature_timestamp=seconds))
    if seconds != "1795411474":
        assert not is_accepted(signed(BODY, seconds=seconds))


@pytest.mark.parametrize(
    "change",
    [
        lambda proof: "",
        lambda proof: " ",
        lambda proof: proof[:-1],
        lambda proof: proof[:-2],
        lambda proof: proof + "00",
        str.upper,
        lambda proof: "签" + proof[1:],
        lambda proof: proof + "\ud800",
        lambda proof: proof * 10_000,
        lambda proof: "0" * 128,
        lambda proof: "f" * 128,
        lambda proof: proof[64:] + proof[:64],
    ],
)
def test_a_changed_signature_is_refused(change):
    genuine = signed(BODY)
    proof = change(genuine.headers["x-signature-ed25519"])

    assert not is_accepted(with_headers(genuine, x_signature_ed25519=proof))


@pytest.mark.parametrize("name", ["x_signature_ed25519", "x_signature_timestamp"])
def test_a_request_without_proof_is_refused(name):
    with pytest.raises(InvalidSignatureError) as refusal:
        qq.verify(with_headers(signed(BODY), **{name: None}), account())

    assert refusal.value.args == ("qq",)
    assert not is_accepted(WebhookRequest(BODY))


@pytest.mark.parametrize(("secret", "accepted"), [("new", True), ("old", True), ("older", False)])
def test_while_a_secret_is_rotated_both_are_good_and_no_third(secret, accepted):
    assert is_accepted(signed(BODY, secret), account(app_secret=["new", "old"])) == accepted


@pytest.mark.parametrize("nothing", [None, "", [], [""], 0, False])
def test_without_a_secret_nobody_gets_in(nothing):
    for request in (signed(BODY, "x"), WebhookRequest(BODY), WebhookRequest(b"")):
        with pytest.raises(MissingSecretError, match="qq has no app_secret"):
            qq.verify(request, account(app_secret=nothing))


BOTH = Credentials(
    "qq",
    {
        "accounts": {
            BOT: {"app_id": BOT, "app_secret": "s3cret"},
            "1020000002": {"app_id": "1020000002", "app_secret": "other"},
        }
    },
)


def test_each_bot_of_one_address_has_its_own_secret():
    assert is_accepted(signed(BODY), BOTH)
    assert is_accepted(signed(BODY, "other", bot="1020000002"), BOTH)
    assert not is_accepted(signed(BODY, "other"), BOTH)
    assert not is_accepted(signed(BODY, bot="1020000002"), BOTH)
    assert not is_accepted(signed(BODY, bot="1020000003"), BOTH)
    assert not is_accepted(signed(BODY, bot="1020000003"), account())


def test_events_of_each_bot_are_its_own():
    body = json.dumps(envelope(**said())).encode()

    (found,) = qq.parse(signed(body, "other", bot="1020000002"), BOTH)

    assert found.account == "1020000002"
    assert found.sender == sender(AddressKind.QQ, f"1020000002.{LIN}")


@pytest.mark.parametrize(
    ("age", "fresh"),
    [
        (timedelta(0), True),
        (timedelta(minutes=59), True),
        (timedelta(minutes=61), False),
        (timedelta(days=400), False),
        (timedelta(minutes=-59), True),
        (timedelta(minutes=-61), False),
    ],
)
def test_an_event_is_fresh_for_an_hour(age, fresh):
    assert qq.is_fresh(signed(BODY), WHEN + age) == fresh


def test_a_time_beyond_all_times_is_not_fresh():
    assert not qq.is_fresh(signed(BODY, seconds="9" * 13), WHEN)


# The challenge


def challenge(plain_token="Arq0D5A61EgUu4OxUvOp", event_ts="1725442341", **changes):
    asked = {"d": {"plain_token": plain_token, "event_ts": event_ts}, "op": 13} | changes
    return WebhookRequest(json.dumps(asked).encode(), headers={"x-bot-appid": BOT})


def test_the_challenge_of_the_document_is_answered_as_there():
    request = challenge()

    assert is_accepted(request, account(app_secret="DG5g3B4j9X2KOErG"))
    assert json.loads(qq.answer_challenge(request, account(app_secret="DG5g3B4j9X2KOErG"))) == {
        "plain_token": "Arq0D5A61EgUu4OxUvOp",
        "signature": "87befc99c42c651b3aac0278e71ada338433ae26fcb24307bdc5ad38c1adc2d0"
        "1bcfcadc0842edac85e85205028a1132afe09280305f13aa6909ffc2d652c706",
    }


def test_each_bot_answers_with_its_own_newest_secret():
    answers = {
        qq.answer_challenge(challenge(), account(app_secret=["s3cret", "old"])),
        qq.answer_challenge(challenge(), BOTH),
    }

    assert len(answers) == 1
    other = with_headers(challenge(), x_bot_appid="1020000002")
    assert qq.answer_challenge(other, BOTH) not in answers


def test_a_challenge_that_claims_to_be_signed_has_to_be():
    genuine = signed(challenge().body)

    assert is_accepted(genuine)
    assert qq.answer_challenge(genuine, account()) is not None
    assert not is_accepted(with_headers(genuine, x_signature_ed25519="0" * 128))
    assert not is_accepted(with_headers(genuine, x_signature_timestamp="1"))


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(challenge(BODY.decode()), id="an event to be signed"),
        pytest.param(challenge(" {}"), id="an object"),
        pytest.param(challenge(""), id="nothing"),
        pytest.param(challenge("a\n"), id="a line"),
        pytest.param(challenge("签"), id="other letters"),
        pytest.param(challenge("a" * 201), id="too long"),
        pytest.param(challenge("a" * 5000), id="much too long"),
        pytest.param(challenge(7), id="a number"),
        pytest.param(challenge(event_ts=""), id="no time"),
        pytest.param(challenge(event_ts="1{"), id="a time with an object"),
        pytest.param(challenge(event_ts=1725442341), id="a time that is no text"),
        pytest.param(challenge(op=0), id="another opcode"),
        pytest.param(challenge(d=[]), id="no data"),
        pytest.param(WebhookRequest(b'["plain_token"]'), id="a list"),
        pytest.param(WebhookRequest(b'"plain_token"{'), id="no JSON"),
    ],
)  # fmt: skip
def test_nothing_else_is_signed_or_let_in_unsigned(request_):
    assert qq.answer_challenge(request_, account()) is None
    assert not is_accepted(request_)


@given(st.text(), st.text(st.sampled_from("0123456789 {x")), st.text())
def test_no_answer_to_a_challenge_is_the_signature_of_an_event(plain_token, event_ts, rest):
    answer = qq.answer_challenge(challenge(plain_token + rest, event_ts), account())

    if answer is not None:
        signature, asked = json.loads(answer)["signature"], event_ts + plain_token + rest
        for cut in range(len(asked) + 1):
            headers = {"x-signature-timestamp": asked[:cut], "x-signature-ed25519": signature}
            assert not is_accepted(WebhookRequest(asked[cut:].encode(), headers))


# What is said


def test_a_friends_message():
    assert parse_one(envelope(**said())) == message("还没到账")


def test_the_id_of_a_message_survives_a_redelivery():
    again = {**envelope(**said()), "id": "another", "s": 43}

    assert parse_one(again) == parse_one(envelope(**said()))


def test_a_group_has_a_case_of_its_own_and_the_member_a_name():
    data = said(content=" 123", group_openid=GROUP, author={"member_openid": LIN})

    expected = message(
        "123",
        sender=sender(AddressKind.GROUP, f"qq.{BOT}.{GROUP}"),
        context={"scene": "groups", "target": GROUP, "message_id": MESSAGE_ID},
        fields={"member": LIN},
    )
    assert parse_one(envelope("GROUP_AT_MESSAGE_CREATE", **data)) == expected
    named = {**data, "author": {"member_openid": LIN, "username": "琳"}}
    found = parse_one(envelope("GROUP_AT_MESSAGE_CREATE", **named))
    assert found == replace(expected, fields={"member": "琳"})


GUILD = {
    "guild_id": "18700000000001",
    "channel_id": "100010",
    "author": {"id": "1234", "username": "abc", "bot": False},
    "member": {"nick": "琳", "roles": ["1"]},
}


@pytest.mark.parametrize("kind", ["AT_MESSAGE_CREATE", "MESSAGE_CREATE"])
def test_a_channel_of_a_guild_is_a_group(kind):
    data = said(content="<@!10086> 还没到账 <@!7>", **GUILD)

    assert parse_one(envelope(kind, **data)) == message(
        "还没到账 <@!7>",
        sender=sender(AddressKind.GROUP, f"qq.{BOT}.100010"),
        context={"scene": "channels", "target": "100010", "message_id": MESSAGE_ID},
        fields={"member": "琳"},
    )


def test_a_private_talk_that_began_in_a_guild_is_answered_there():
    data = said(**GUILD, message_reference={"message_id": "earlier"})

    assert parse_one(envelope("DIRECT_MESSAGE_CREATE", **data)) == message(
        "还没到账",
        sender=sender(AddressKind.QQ, f"{BOT}.1234", "abc"),
        context={
            "scene": "dms",
            "target": "18700000000001",
            "message_id": MESSAGE_ID,
            "reply_to": "earlier",
        },
    )


@pytest.mark.parametrize(
    ("told", "attachment"),
    [
        (
            {"content_type": "image/png", "filename": "图.png", "size": 9, "url": "https://multimedia.nt.qq.com.cn/a"},
            Attachment("图.png", "image/png", 9, provider_ref="https://multimedia.nt.qq.com.cn/a"),
        ),
        (
            {"content_type": "image/jpeg", "url": "gchat.qpic.cn/b"},
            Attachment("image/jpeg", "image/jpeg", provider_ref="https://gchat.qpic.cn/b"),
        ),
        (
            {"content_type": "file", "filename": "a.pdf", "size": -1, "url": "//x/c"},
            Attachment("a.pdf", "application/octet-stream", provider_ref="https://x/c"),
        ),
        (
            {"content_type": "voice", "url": "https://x/d"},
            Attachment("voice", "audio/silk", provider_ref="https://x/d"),
        ),
        (
            {"content_type": "voice", "url": "https://x/d", "voice_wav_url": "https://x/d.wav"},
            Attachment("voice", "audio/wav", provider_ref="https://x/d.wav"),
        ),
        ({}, Attachment("file", "application/octet-stream")),
    ],
)  # fmt: skip
def test_a_file_lies_at_the_address_that_the_event_names(told, attachment):
    found = parse_one(envelope(**said(content="", attachments=[told])))

    assert found == message("", attachments=(attachment,))


def test_a_voice_says_what_qq_heard():
    voice = {"content_type": "voice", "url": "https://x/d", "asr_refer_text": "我的卡"}

    assert parse_one(envelope(**said(content="", attachments=[voice]))).body == "我的卡"
    assert parse_one(envelope(**said(content="见语音", attachments=[voice]))).body == "见语音"


@pytest.mark.parametrize(
    ("ext", "word"),
    [
        (b64encode('{"text":"流泪"}'.encode()).decode(), "[流泪]"),
        (b64encode(b'{"text":"\\ud800"}').decode(), "[?]"),
        (b64encode(b"[]").decode(), "[emoji]"),
        ("****", "[emoji]"),
        ("", "[emoji]"),
    ],
)
def test_a_face_is_a_word(ext, word):
    content = f'唉<faceType=1,faceId="5",ext="{ext}">。'

    assert parse_one(envelope(**said(content=content))).body == f"唉{word}。"


def test_a_bot_is_no_customer():
    data = said(author={"id": "7", "bot": True}, channel_id="1")

    assert parse_one(envelope("AT_MESSAGE_CREATE", **data)) == IgnoredEvent(
        "qq", BOT, EVENT_ID, "not sent by a person"
    )


# What is done


@pytest.mark.parametrize(
    "kind",
    [
        *("FRIEND_ADD", "FRIEND_DEL", "C2C_MSG_REJECT", "GROUP_ADD_ROBOT", "GROUP_DEL_ROBOT"),
        *("GUILD_CREATE", "MESSAGE_REACTION_REMOVE", "NEW"),
    ],
)
def test_other_events_are_kept_and_ignored(kind):
    found = parse_one(envelope(kind, openid=LIN, timestamp=1))

    assert found == IgnoredEvent("qq", BOT, EVENT_ID, f"event {kind}")


def test_an_event_without_an_id_is_known_by_its_content():
    payload = {**envelope("FRIEND_ADD", openid=LIN), "id": ""}

    assert parse_one(payload) == parse_one(payload)
    assert parse_one(payload).event_id.startswith("sha256.")


def test_a_challenge_in_a_replay_says_nothing():
    assert parse_one(json.loads(challenge().body)).reason == "opcode 13"


def remark(body, **changes):
    values = {"event_id": EVENT_ID, "provider_id": EVENT_ID, "is_automatic": True, "about": "M9"}
    return message(body, **(values | changes))


def test_a_message_that_was_taken_back_names_the_one_it_was():
    data = {"message": {**GUILD, "id": "M9"}, "op_user": {"id": "1234"}}
    private = remark(
        "",
        sender=sender(AddressKind.QQ, f"{BOT}.1234", "abc"),
        context={"scene": "dms", "target": "18700000000001"},
        occurred_at=None,
        remark=Remark.DELETION,
    )

    assert parse_one(envelope("DIRECT_MESSAGE_DELETE", **data)) == private
    assert parse_one(envelope("PUBLIC_MESSAGE_DELETE", **data)) == replace(
        private,
        sender=sender(AddressKind.GROUP, f"qq.{BOT}.100010"),
        context={"scene": "channels", "target": "100010"},
        fields={"member": "琳"},
    )
    data["message"]["author"] = {"id": "7", "bot": True}
    assert isinstance(parse_one(envelope("PUBLIC_MESSAGE_DELETE", **data)), IgnoredEvent)


@pytest.mark.parametrize(
    ("emoji", "body"),
    [
        ({"id": "128077", "type": 2}, "👍"),
        ({"id": "5", "type": 1}, "[emoji]"),
        ({"id": "55296", "type": 2}, "[emoji]"),
        ({"id": "99999999", "type": 2}, "[emoji]"),
        (None, "[emoji]"),
    ],
)
def test_a_reaction_names_the_message_it_is_about(emoji, body):
    data = {"user_id": "1234", "guild_id": "1", "channel_id": "100010", "emoji": emoji}

    assert parse_one(
        envelope("MESSAGE_REACTION_ADD", **data, target={"id": "M9", "type": 0})
    ) == remark(
        body,
        sender=sender(AddressKind.GROUP, f"qq.{BOT}.100010"),
        context={"scene": "channels", "target": "100010"},
        fields={"member": "1234"},
        occurred_at=None,
        remark=Remark.REACTION,
    )
    to_a_post = envelope("MESSAGE_REACTION_ADD", **data, target={"id": "M9", "type": 1})
    assert isinstance(parse_one(to_a_post), IgnoredEvent)


PRESSED = {"resolved": {"button_data": "refund", "button_id": "b1", "user_id": "1234"}}


@pytest.mark.parametrize(
    ("where", "expected", "fields"),
    [
        ({"user_openid": LIN}, (AddressKind.QQ, f"{BOT}.{LIN}", "users", LIN), {}),
        (
            {"group_openid": GROUP, "group_member_openid": LIN},
            (AddressKind.GROUP, f"qq.{BOT}.{GROUP}", "groups", GROUP),
            {"member": LIN},
        ),
        (
            {"guild_id": "1", "channel_id": "100010"},
            (AddressKind.GROUP, f"qq.{BOT}.100010", "channels", "100010"),
            {"member": "1234"},
        ),
    ],
)
def test_a_button_is_answered_by_its_event(where, expected, fields):
    kind, value, scene, target = expected
    data = {"id": "I1", "timestamp": "2026-11-23T13:24:33+08:00", "data": PRESSED, **where}

    assert parse_one(envelope("INTERACTION_CREATE", **data)) == message(
        "refund",
        event_id=EVENT_ID,
        provider_id="I1",
        sender=sender(kind, value),
        context={"scene": scene, "target": target, "event_id": EVENT_ID},
        fields=fields,
    )


@pytest.mark.parametrize(
    ("kind", "state", "error"),
    [
        ("MESSAGE_AUDIT_PASS", DeliveryState.DELIVERED, ""),
        ("MESSAGE_AUDIT_REJECT", DeliveryState.FAILED, "QQ's audit refused it"),
    ],
)
def test_an_audit_is_a_receipt(kind, state, error):
    assert parse_one(envelope(kind, audit_id="A1", message_id="M1")) == Receipt(
        "qq", BOT, EVENT_ID, "A1", "", state, error
    )


# What cannot be understood


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{", "not JSON"),
        (b"{}", "no t"),
        (json.dumps(said()).encode(), "no t"),
        (b'{"t":"C2C_MESSAGE_CREATE"}', "no author"),
        (json.dumps(envelope(**said(id=""))).encode(), "no id"),
        (json.dumps(envelope(**said(author={}))).encode(), "no id"),
        (json.dumps(envelope("GROUP_AT_MESSAGE_CREATE", **said())).encode(), "no group_openid"),
        (json.dumps(envelope("INTERACTION_CREATE", data={})).encode(), "no resolved"),
    ],
)
def test_what_is_no_event_is_told_why(body, reason):
    with pytest.raises(UnparseableError, match=reason):
        qq.parse(WebhookRequest(body), account())


THUMB = {"id": "128077", "type": 2}
FILE = {"content_type": "voice", "filename": "f", "size": 1, "url": "u", "asr_refer_text": "a"}
PAYLOADS = [
    envelope(**said(attachments=[FILE], message_reference={"message_id": "x"})),
    envelope("GROUP_AT_MESSAGE_CREATE", **said(group_openid=GROUP)),
    envelope("AT_MESSAGE_CREATE", **said(**GUILD)),
    envelope("DIRECT_MESSAGE_CREATE", **said(**GUILD)),
    envelope("DIRECT_MESSAGE_DELETE", message={**GUILD, "id": "M9"}),
    envelope("MESSAGE_REACTION_ADD", channel_id="1", target={"id": "M", "type": 0}, emoji=THUMB),
    envelope("INTERACTION_CREATE", id="I1", user_openid=LIN, data=PRESSED),
    envelope("MESSAGE_AUDIT_PASS", audit_id="A1"),
    envelope("FRIEND_ADD", openid=LIN),
]  # fmt: skip
MUTATIONS = [(payload, path) for payload in PAYLOADS for path in paths(payload)]


def understand(payload):
    body = json.dumps(payload).encode()
    for found in outcome(lambda raw: qq.parse(WebhookRequest(raw), account()), body):
        assert len(f"{found.account}{found.event_id}".encode()) <= 2000


def test_any_node_may_be_anything():
    for payload, path in MUTATIONS:
        for value in ODD_VALUES:
            understand(replaced(payload, path, value))


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(MUTATIONS), json_values)
def test_any_node_may_be_any_json(mutation, value):
    understand(replaced(*mutation, value))


@settings(max_examples=200, deadline=None)
@given(st.binary())
def test_any_bytes_are_an_event_or_unparseable(body):
    outcome(lambda raw: qq.parse(WebhookRequest(raw), account()), body)
    assert is_accepted(signed(body)) == body.lstrip().startswith(b"{")


@pytest.mark.parametrize(
    "content",
    ["<" * 200_000, "<@" * 100_000, '<faceType=1,faceId="5",ext="' * 9_000, " " * 200_000],
)
def test_the_worst_texts_are_read_at_once(content):
    assert isinstance(parse_one(envelope(**said(content=content))), InboundMessage)


# Sending

BASE = qq.API_URL
CONTEXT = {"scene": "users", "target": LIN, "message_id": MESSAGE_ID}


def reply(key=OUTBOX_KEY, context=CONTEXT, **changes):
    to = Address(AddressKind.QQ, f"{BOT}.{LIN}")
    return outgoing(outbound(Channel.MESSENGER, "qq", to, context=context, **changes), key)


def build(one):
    return qq.build_send(one, BASE, account(access_token="a.b"))


def content(one):
    return json.loads(build(one).body)


def test_an_answer_is_a_reply_to_the_last_message():
    asked = build(reply(body="您好"))

    assert (asked.method, asked.url) == ("POST", f"{BASE}/v2/users/{LIN}/messages")
    assert asked.headers == {"Authorization": "QQBot a.b", "Content-Type": "application/json"}
    said = json.loads(asked.body)
    assert 1 <= said.pop("msg_seq") <= 0x7FFFFFFF
    assert said == {"content": "您好", "msg_type": 0, "msg_id": MESSAGE_ID}


@pytest.mark.parametrize(
    ("context", "path"),
    [
        ({"scene": "groups", "target": GROUP}, f"/v2/groups/{GROUP}/messages"),
        ({"scene": "channels", "target": "100010"}, "/channels/100010/messages"),
        ({"scene": "dms", "target": "187"}, "/dms/187/messages"),
        ({"scene": "users", "target": "a/../b?c"}, "/v2/users/a%2F..%2Fb%3Fc/messages"),
        ({}, f"/v2/users/{LIN}/messages"),
    ],
)
def test_it_goes_to_where_the_customer_wrote(context, path):
    assert build(reply(context=context)).url == BASE + path


def test_in_a_guild_there_are_no_numbers_and_a_quoted_message():
    one = replace(reply(context={**CONTEXT, "scene": "channels"}, body="a"), reply_to="M7")

    assert content(one) == {
        "content": "a",
        "msg_id": MESSAGE_ID,
        "message_reference": {"message_id": "M7", "ignore_get_message_error": True},
    }


def test_a_button_is_answered_by_the_id_of_the_event():
    context = {"scene": "users", "target": LIN, "event_id": EVENT_ID}

    said = content(reply(context=context))
    assert (said["event_id"], "msg_id" in said) == (EVENT_ID, False)


def test_each_answer_has_a_number_of_its_own_and_a_second_try_the_same():
    numbers = [content(reply(f"{OUTBOX_KEY}.{n}"))["msg_seq"] for n in range(1000)]

    assert len(set(numbers)) == 1000
    assert [content(reply(f"{OUTBOX_KEY}.{n}"))["msg_seq"] for n in range(1000)] == numbers


def test_files_and_quick_replies_are_text():
    link = MediaLink("图.png", "image/png", 9, "https://files.example/1")

    assert (
        content(replace(reply(body=""), media=link))["content"] == "图.png\nhttps://files.example/1"
    )
    asked = replace(reply(body="好了？"), quick_replies=("是", "否"))
    assert content(asked)["content"] == "好了？\n1. 是\n2. 否"


def test_without_a_token_there_is_no_request():
    with pytest.raises(MissingSecretError):
        qq.build_send(reply(), BASE, account())


def told(status, **value):
    return ProviderAnswer(status, json.dumps(value).encode())


@pytest.mark.parametrize(
    ("answer", "provider_id"),
    [
        (told(200, id="ROBOT1.0_x", timestamp="2026-11-23T13:24:33+08:00"), "ROBOT1.0_x"),
        (told(202, code=304024, message="audit", data={"message_audit": {"audit_id": "A1"}}), "A1"),
        # Taken before, under the number that is made from the outbox key.
        (told(400, code=40054005, message="msgseq"), ""),
    ],
)  # fmt: skip
def test_what_was_taken_is_sent(answer, provider_id):
    assert qq.read_answer(answer) == Sent(provider_id)


@pytest.mark.parametrize(
    ("status", "code", "kind", "is_stale"),
    [
        (400, 40034005, Refusal.WINDOW_CLOSED, False),
        (400, 304027, Refusal.WINDOW_CLOSED, False),
        (500, 304103, Refusal.WINDOW_CLOSED, False),
        (403, 304045, Refusal.WINDOW_CLOSED, False),
        (400, 40034102, Refusal.WINDOW_CLOSED, False),
        (400, 304031, Refusal.OPTED_OUT, False),
        (400, 40054013, Refusal.OPTED_OUT, False),
        (400, 22009, Refusal.THROTTLED, False),
        (429, 1, Refusal.THROTTLED, False),
        (401, 11244, Refusal.TRANSIENT, True),
        (401, 1, Refusal.TRANSIENT, True),
        (500, 11243, Refusal.TRANSIENT, True),
        (400, 304003, Refusal.PERMANENT, False),
        (404, 1, Refusal.PERMANENT, False),
        (500, 304016, Refusal.UNKNOWN, False),
        (504, 1, Refusal.UNKNOWN, False),
        (302, 1, Refusal.UNKNOWN, False),
    ],
)
def test_a_refusal_is_told_by_its_number(status, code, kind, is_stale):
    assert qq.read_answer(told(status, code=code, message="words")) == Refused(
        kind, f"{status} {code} words", is_token_stale=is_stale
    )


def test_the_more_precise_of_two_numbers_counts():
    answer = told(400, code=1, err_code=40034005, message="words")

    assert qq.read_answer(answer) == Refused(Refusal.WINDOW_CLOSED, "400 40034005 words")


@pytest.mark.parametrize(
    "answer",
    [ProviderAnswer(200, b""), told(200), told(202, data={"message_audit": []}), told(204)],
)
def test_what_tells_nothing_may_have_been_taken(answer):
    assert qq.read_answer(answer).kind is Refusal.UNKNOWN


@given(
    st.integers(100, 599), st.binary() | json_values.map(lambda value: json.dumps(value).encode())
)
def test_no_answer_is_a_surprise(status, body):
    for answer in (body, b'{"id": %b, "code": %b, "data": %b}' % (body, body, body)):
        assert isinstance(qq.read_answer(ProviderAnswer(status, answer)), Sent | Refused)
        assert isinstance(qq.read_token(ProviderAnswer(status, answer)), AccessToken | Refused)


# The token


@pytest.mark.parametrize(
    ("base", "url"),
    [
        (qq.API_URL, "https://bots.qq.com/app/getAppAccessToken"),
        ("http://127.0.0.1:4570/qq", "http://127.0.0.1:4570/qq/app/getAppAccessToken"),
    ],
)
def test_the_token_is_at_another_host_unless_one_stands_in_for_both(base, url):
    asked = qq.build_token_request(base, account(app_secret=["new", "old"]))

    assert asked == ProviderRequest(
        url,
        {"Content-Type": "application/json"},
        f'{{"appId": "{BOT}", "clientSecret": "new"}}'.encode(),
    )


@pytest.mark.parametrize("seconds", ["7200", 7200])
def test_a_token_is_good_for_as_long_as_qq_says(seconds):
    answer = told(200, access_token="T", expires_in=seconds)

    assert qq.read_token(answer) == AccessToken("T", timedelta(hours=2))


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (told(200, code=100016, message="invalid appid or secret"), Refusal.PERMANENT),
        (told(400, code=100007, message="appid invalid"), Refusal.PERMANENT),
        (told(429, code=1), Refusal.TRANSIENT),
        (told(500, code=1), Refusal.TRANSIENT),
        (told(200, access_token="", expires_in="7200"), Refusal.TRANSIENT),
        (told(200, access_token="T", expires_in="0"), Refusal.TRANSIENT),
        (told(200, access_token="T", expires_in="x"), Refusal.TRANSIENT),
        (ProviderAnswer(502, b"<html>"), Refusal.TRANSIENT),
    ],
)
def test_no_token_is_told_with_its_reason(answer, kind):
    refused = qq.read_token(answer)

    assert refused.kind is kind
    assert refused.detail.startswith("no access token: ")
