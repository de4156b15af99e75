"""WeChat Official Account: sealed and plain messages in, customer-service messages out."""

import json
from base64 import b64encode
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caseweave.channels import wechat
from caseweave.channels.credentials import Credentials
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
from caseweave.channels.wechat_crypto import seal, sign
from caseweave.domain.identity import Address, AddressKind, Proof, ProvenAddress, Sender
from caseweave.domain.message import (
    Attachment,
    Channel,
    DeliveryState,
    IgnoredEvent,
    InboundMessage,
    Receipt,
)
from caseweave.errors import InvalidSignatureError, MissingSecretError, UnparseableError
from tests.channels.samples import OUTBOX_KEY, outbound, outgoing
from tests.channels.test_hostile import outcome
from tests.vectors import VECTORS, needs_vectors

GH, LIN, APP = "gh_c0ffee000001", "oLin_0000000000000000000001", "wx0000000000000001"
OTHER_GH, OTHER_APP = "gh_c0ffee000002", "wx0000000000000002"
KEY = b64encode(bytes(range(32))).decode().rstrip("=")
OTHER_KEY = b64encode(bytes(range(32, 64))).decode().rstrip("=")
WHEN = ("1795411473", "1372623149")


def account(**values):
    known = {"app_id": APP, "app_secret": "s3", "token": "t0ken", "encoding_aes_key": KEY}
    return Credentials("wechat", known | values)


def plain_account(**values):
    return account(encoding_aes_key=None, **values)


def xml(**fields):
    """As WeChat writes it: numbers as they are, everything else as CDATA."""
    elements = "".join(
        f"<{name}>{value}</{name}>"
        if isinstance(value, int)
        else f"<{name}><![CDATA[{value}]]></{name}>"
        for name, value in fields.items()
    )
    return f"<xml>{elements}</xml>".encode()


def said(kind="text", **content):
    known = {"ToUserName": GH, "FromUserName": LIN, "CreateTime": 1_795_411_473, "MsgType": kind}
    return known | content | {"MsgId": 24_563_689_963_896_700}


def event(name, **content):
    fields = said("event", Event=name, **content)
    del fields["MsgId"]
    return fields


def plain(body, token="t0ken"):
    timestamp, nonce = WHEN
    query = {"signature": sign(token, *WHEN), "timestamp": timestamp, "nonce": nonce}
    return WebhookRequest(body=body, query=tuple(query.items()))


def sealed(message, token="t0ken", key=KEY, app=APP, to=GH, **beside):
    encrypt = seal(message, app, key, b"0123456789abcdef")
    timestamp, nonce = WHEN
    query = {
        # The plain signature is in the address in this mode, too.
        "signature": sign(token, *WHEN),
        "timestamp": timestamp,
        "nonce": nonce,
        "encrypt_type": "aes",
        "msg_signature": sign(token, *WHEN, encrypt),
    }
    body = xml(ToUserName=to, Encrypt=encrypt, **beside)
    return WebhookRequest(body=body, query=tuple(query.items()))


def with_query(request, **changes):
    query = dict(request.query) | changes
    return replace(request, query=tuple((n, v) for n, v in query.items() if v is not None))


def is_accepted(request, credentials):
    try:
        wechat.verify(request, credentials)
    except InvalidSignatureError:
        return False
    return True


def parse_one(fields, credentials=None):
    (found,) = wechat.parse(WebhookRequest(body=xml(**fields)), credentials or plain_account())
    return found


def message(body, **changes):
    address = Address(AddressKind.WECHAT, f"{GH}.{LIN}")
    values = {
        "channel": Channel.MESSENGER,
        "provider": "wechat",
        "account": GH,
        "event_id": "24563689963896700",
        "provider_id": "24563689963896700",
        "sender": Sender(proven=(ProvenAddress(address, Proof.PROVIDER),)),
        "body": body,
        "occurred_at": datetime(2026, 11, 23, 5, 24, 33, tzinfo=UTC),
        "context": {"openid": LIN, "message_id": "24563689963896700"},
    }
    return InboundMessage(**(values | changes))


# The door

TEXT = xml(**said(Content="还没到账"))


@pytest.mark.parametrize("message", [TEXT, b"", b"\xff\0", b"<xml/>", b"x" * 200_000])
def test_a_sealed_message_is_accepted(message):
    assert is_accepted(sealed(message), account())


def test_a_plain_message_is_accepted_where_there_is_no_key():
    assert is_accepted(plain(TEXT), plain_account())
    assert is_accepted(plain(b"no XML"), plain_account())


def test_a_plain_message_is_refused_where_there_is_a_key():
    # Its signature covers no body, and stands in the address of every sealed message.
    genuine = sealed(TEXT)

    assert not is_accepted(plain(TEXT), account())
    assert not is_accepted(replace(genuine, body=TEXT), account())
    assert not is_accepted(replace(genuine, body=xml(ToUserName=GH, Encrypt="")), account())
    assert not is_accepted(replace(genuine, body=xml(ToUserName=GH, Encrypt=" ")), account())
    assert not is_accepted(replace(genuine, body=b"no XML"), account())


@pytest.mark.parametrize(
    "change",
    [
        {"msg_signature": None},
        {"msg_signature": ""},
        {"msg_signature": sign("other", *WHEN)},
        {"msg_signature": sign("t0ken", *WHEN)},
        {"timestamp": "1795411474"},
        {"timestamp": None},
        {"nonce": "1372623148"},
        {"nonce": None},
    ],
)
def test_a_changed_address_is_refused(change):
    forged = with_query(sealed(TEXT), **change)

    with pytest.raises(InvalidSignatureError) as refusal:
        wechat.verify(forged, account())

    assert refusal.value.args == ("wechat",)


@pytest.mark.parametrize(
    "change",
    [
        lambda proof: proof[:-1],
        lambda proof: proof + "0",
        str.upper,
        lambda proof: "签" + proof[1:],
        lambda proof: proof + "\ud800",
        lambda proof: proof * 10_000,
    ],
)
def test_a_changed_signature_is_refused(change):
    for genuine, name, credentials in (
        (sealed(TEXT), "msg_signature", account()),
        (plain(TEXT), "signature", plain_account()),
    ):
        proof = dict(genuine.query)[name]
        assert not is_accepted(with_query(genuine, **{name: change(proof)}), credentials)


def test_a_changed_sealed_body_is_refused():
    genuine, other = sealed(TEXT), sealed(xml(**said(Content="other")))

    assert not is_accepted(replace(genuine, body=other.body), account())
    assert not is_accepted(
        replace(genuine, body=genuine.body.replace(b"]]></Enc", b"A]]></Enc")), account()
    )


def test_only_the_first_of_a_name_in_the_address_counts():
    genuine = sealed(TEXT)
    doubled = replace(genuine, query=(("msg_signature", "x"), *genuine.query))

    assert not is_accepted(doubled, account())


@pytest.mark.parametrize(("token", "accepted"), [("new", True), ("old", True), ("older", False)])
def test_while_tokens_and_keys_are_rotated_both_are_good_and_no_third(token, accepted):
    credentials = account(token=["new", "old"], encoding_aes_key=[OTHER_KEY, KEY])

    assert is_accepted(sealed(TEXT, token), credentials) == accepted
    assert wechat.parse(sealed(TEXT, token, OTHER_KEY), credentials) == [message("还没到账")]
    assert wechat.parse(sealed(TEXT, token, KEY), credentials) == [message("还没到账")]


@pytest.mark.parametrize("nothing", [None, "", [], [""], 0, False])
def test_without_a_token_nobody_gets_in(nothing):
    for request in (sealed(TEXT, ""), plain(TEXT, ""), WebhookRequest(b"")):
        with pytest.raises(MissingSecretError, match="wechat has no token"):
            wechat.verify(request, account(token=nothing))
    with pytest.raises(MissingSecretError, match="wechat has no token"):
        wechat.greet(plain(b"", ""), account(token=nothing))


def test_what_was_sealed_for_another_account_is_refused():
    assert not is_accepted(sealed(TEXT, app=OTHER_APP), account())
    with pytest.raises(MissingSecretError, match="wechat has no app_id"):
        wechat.verify(sealed(TEXT), account(app_id=None))


def test_what_no_key_of_ours_opens_is_let_in_to_be_kept():
    request = sealed(TEXT, key=OTHER_KEY)

    assert is_accepted(request, account())
    assert is_accepted(request, plain_account())
    for credentials in (account(), plain_account(), account(encoding_aes_key="short")):
        with pytest.raises(UnparseableError, match="encoding_aes_key"):
            wechat.parse(request, credentials)
    # After ops set the right key, a replay finds the message by its body alone.
    fixed = account(encoding_aes_key=[OTHER_KEY, KEY])
    assert wechat.parse(WebhookRequest(request.body), fixed) == [message("还没到账")]


# Several accounts at one address

BOTH = Credentials(
    "wechat",
    {
        "accounts": {
            GH: {"app_id": APP, "token": "t0ken", "encoding_aes_key": KEY},
            OTHER_GH: {"app_id": OTHER_APP, "token": "other", "encoding_aes_key": OTHER_KEY},
        }
    },
)


def test_each_account_has_its_own_token_key_and_id():
    theirs = xml(**{**said(Content="hi"), "ToUserName": OTHER_GH})
    request = sealed(theirs, "other", OTHER_KEY, OTHER_APP, OTHER_GH)

    assert is_accepted(sealed(TEXT), BOTH)
    assert is_accepted(request, BOTH)
    assert not is_accepted(sealed(TEXT, "other"), BOTH)
    assert not is_accepted(sealed(TEXT, app=OTHER_APP), BOTH)
    (found,) = wechat.parse(request, BOTH)
    assert (found.account, found.sender.proven[0].address.value) == (OTHER_GH, f"{OTHER_GH}.{LIN}")


@pytest.mark.parametrize("to", [OTHER_GH, "", "gh_nobody"])
def test_who_has_the_keys_of_one_account_cannot_speak_for_another(to):
    forged = sealed(TEXT, "other", OTHER_KEY, OTHER_APP, to)

    with pytest.raises(UnparseableError, match="another account"):
        wechat.parse(forged, BOTH)


def test_an_account_nobody_told_us_of_still_has_to_be_sealed():
    assert not is_accepted(plain(xml(ToUserName="gh_new")), BOTH)


# The handshake


def test_the_handshake_answers_only_who_knows_a_token():
    asked = with_query(plain(b"", "old"), echostr="5927782489442352469")

    assert wechat.greet(asked, account(token=["new", "old"])) == "5927782489442352469"
    for forged in (
        with_query(asked, nonce="1"),
        with_query(asked, signature=None),
        WebhookRequest(b""),
    ):
        with pytest.raises(InvalidSignatureError):
            wechat.greet(forged, account(token=["new", "old"]))


# What is said


@pytest.mark.parametrize(
    ("fields", "body"),
    [
        (said(Content="  还没到账\n😀 "), "  还没到账\n😀 "),
        (said(Content=""), ""),
        (said("location", Location_X="23.1", Location_Y="113.3", Label="塔"), "塔\n23.1, 113.3"),
        (said("link", Title="规则", Description="看看", Url="https://x.cn"), "规则\n看看\nhttps://x.cn"),
        (said("device_text", Content="MTIz"), "[device_text]"),
        (said("miniprogrampage", Title="充值"), "[miniprogrampage]\n充值"),
    ],
)  # fmt: skip
def test_what_is_said_in_words(fields, body):
    assert parse_one(fields) == message(body)


@pytest.mark.parametrize(
    ("fields", "body", "attachment"),
    [
        (
            said("image", PicUrl="http://mmbiz.qpic.cn/1", MediaId="M1"),
            "",
            Attachment("image.jpg", "image/jpeg", provider_ref="M1"),
        ),
        (
            said("voice", MediaId="M2", Format="amr", Recognition=" 我的卡 "),
            "我的卡",
            Attachment("voice.amr", "audio/amr", provider_ref="M2"),
        ),
        (
            said("voice", MediaId="M2", Format="SPEEX"),
            "",
            Attachment("voice.speex", "audio/x-speex", provider_ref="M2"),
        ),
        (
            said("video", MediaId="M3", ThumbMediaId="T3"),
            "",
            Attachment("video.mp4", "video/mp4", provider_ref="M3"),
        ),
        (
            said("shortvideo", MediaId="M4"),
            "",
            Attachment("video.mp4", "video/mp4", provider_ref="M4"),
        ),
        (
            said("file", Title="流水.pdf", FileKey="F5", FileTotalLen=2048),
            "",
            Attachment("流水.pdf", "application/octet-stream", 2048, provider_ref="F5"),
        ),
        (
            said("image", PicUrl="http://mmbiz.qpic.cn/1"),
            "",
            Attachment("image.jpg", "image/jpeg", provider_ref="http://mmbiz.qpic.cn/1"),
        ),
    ],
)
def test_what_has_a_file(fields, body, attachment):
    assert parse_one(fields) == message(body, attachments=(attachment,))


def test_what_is_sealed_counts_whatever_stands_beside_it():
    request = sealed(TEXT, FromUserName="oSomebodyElse", MsgType="text", Content="forged")

    assert is_accepted(request, account())
    assert wechat.parse(request, account()) == [message("还没到账")]


def test_an_entry_of_a_menu_that_we_sent_is_a_text_with_its_number():
    found = parse_one(said(Content="解决了", bizmsgmenuid="101"))

    assert (found.body, found.context["menu_id"]) == ("解决了", "101")


def test_a_message_without_an_id_is_known_by_its_content():
    fields = said(Content="a")
    del fields["MsgId"]

    first, again = parse_one(fields), parse_one(fields)
    assert first == again
    assert first.event_id.startswith("sha256.")
    assert first.event_id != parse_one({**fields, "Content": "b"}).event_id


def test_a_redelivery_that_is_sealed_anew_is_the_same_event():
    anew = seal(TEXT, APP, KEY, b"fedcba9876543210")

    assert wechat.parse(
        WebhookRequest(xml(ToUserName=GH, Encrypt=anew)), account()
    ) == wechat.parse(sealed(TEXT), account())


@pytest.mark.parametrize("time", ["", "x", "-1", "9" * 30, "１２３"])
def test_a_time_that_is_none_is_none(time):
    assert parse_one({**said(Content="a"), "CreateTime": time}).occurred_at is None


# What is done

EVENT_ID = f"{LIN}.1795411473"
TOKEN = "Abc-_" + "x" * 38


def gesture(body, event_id, **changes):
    context = {"openid": LIN, "message_id": event_id}
    return message(body, event_id=event_id, provider_id=event_id, context=context, **changes)


def test_a_click_on_a_menu_entry_says_its_key():
    found = parse_one(event("CLICK", EventKey="refund"))

    assert found == gesture("refund", found.event_id)
    assert found.event_id.startswith(f"{EVENT_ID}.CLICK.")
    assert found.event_id != parse_one(event("CLICK", EventKey="other")).event_id
    assert parse_one(event("CLICK")) == gesture("[menu]", f"{EVENT_ID}.CLICK")


def test_a_scan_for_us_says_what_was_scanned():
    body = xml(**event("scancode_waitmsg", EventKey="k")).replace(
        b"</xml>",
        b"<ScanCodeInfo><ScanType>qrcode</ScanType><ScanResult>A-1</ScanResult></ScanCodeInfo></xml>",
    )

    (found,) = wechat.parse(WebhookRequest(body), plain_account())

    assert found == gesture("[scan] A-1", found.event_id)


@pytest.mark.parametrize(("name", "key"), [("SCAN", TOKEN), ("subscribe", f"qrscene_{TOKEN}")])
def test_a_scanned_link_token_is_handed_on_and_stands_in_no_text(name, key):
    found = parse_one(event(name, EventKey=key, Ticket="T"))

    assert found == gesture("[scan]", found.event_id, link_token=TOKEN)
    assert TOKEN not in found.event_id


@pytest.mark.parametrize(
    "fields",
    [
        event("subscribe"),
        event("subscribe", EventKey="qrscene_123123"),
        event("unsubscribe", EventKey=""),
        event("SCAN", EventKey="123123", Ticket="T"),
        event("VIEW", EventKey="https://x.example"),
        event("LOCATION", Latitude="23.1", Longitude="113.3", Precision="119.3"),
        event("MASSSENDJOBFINISH", MsgID=1),
        event("kf_create_session", KfAccount="a@b"),
        event("scancode_waitmsg", EventKey="k"),
        event("something_new"),
    ],
)
def test_other_events_are_kept_and_ignored(fields):
    found = parse_one(fields)

    assert found == IgnoredEvent("wechat", GH, found.event_id, f"event {fields['Event']}")
    assert found.event_id.startswith(f"{EVENT_ID}.{fields['Event']}")


@pytest.mark.parametrize(
    ("status", "state", "error"),
    [
        ("success", DeliveryState.DELIVERED, ""),
        ("failed:user block", DeliveryState.FAILED, "failed:user block"),
        ("failed: system failed", DeliveryState.FAILED, "failed: system failed"),
        ("later", None, ""),
    ],
)
def test_the_end_of_a_template_message_is_its_receipt(status, state, error):
    assert parse_one(event("TEMPLATESENDJOBFINISH", MsgID=200163836, Status=status)) == Receipt(
        "wechat", GH, f"{EVENT_ID}.TEMPLATESENDJOBFINISH.200163836", "200163836", "", state, error
    )


# What cannot be understood


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not XML"),
        (b"{}", "not XML"),
        (b'<!DOCTYPE x [<!ENTITY a "b">]><xml/>', "document type"),
        (b"<xml/>", "no ToUserName"),
        (xml(ToUserName=GH), "no FromUserName"),
        (xml(ToUserName=GH, FromUserName=" "), "no FromUserName"),
        (xml(ToUserName=GH, FromUserName="o" * 101), "no FromUserName"),
        (xml(ToUserName=GH, FromUserName=LIN), "no MsgType"),
        (xml(ToUserName=GH, FromUserName=LIN, MsgType="event"), "no Event"),
        (xml(**event("TEMPLATESENDJOBFINISH", Status="success")), "no MsgID"),
    ],
)
def test_what_is_no_message_is_told_why(body, reason):
    with pytest.raises(UnparseableError, match=reason):
        wechat.parse(WebhookRequest(body), plain_account())
    with pytest.raises(UnparseableError, match=reason):
        wechat.parse(sealed(body), account())


NAMES = st.sampled_from(
    [
        *said(),
        *event("x"),
        "Content",
        "EventKey",
        "MediaId",
        "Format",
        "Status",
        "MsgID",
        "Recognition",
        "FileTotalLen",
        "Title",
        "Label",
        "Encrypt",
        "ScanCodeInfo",
    ]
)
VALUES = st.sampled_from(
    [
        GH,
        LIN,
        "text",
        "event",
        "voice",
        "image",
        "file",
        "CLICK",
        "SCAN",
        "9" * 400,
        "１",
        "\x08",
        "x" * 5000,
    ]
) | st.text(st.characters(codec="utf-8", exclude_characters="]"))


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(NAMES, VALUES), st.booleans())
def test_any_elements_are_an_event_or_unparseable(changes, is_sealed):
    body = xml(**{**said(Content="a"), **changes})
    request = sealed(body) if is_sealed else WebhookRequest(body)

    for found in outcome(lambda _: wechat.parse(request, account()), b""):
        assert len(f"{found.account}{found.event_id}".encode()) <= 2000


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400), st.booleans())
def test_any_bytes_are_an_event_or_unparseable(body, is_sealed):
    request = sealed(body) if is_sealed else WebhookRequest(body)

    outcome(lambda _: wechat.parse(request, account()), b"")
    assert is_accepted(request, account()) == is_sealed


# Sending

BASE = "https://api.weixin.qq.com"


def reply(**changes):
    to = Address(AddressKind.WECHAT, f"{GH}.{LIN}")
    return outgoing(outbound(Channel.MESSENGER, "wechat", to, **changes), OUTBOX_KEY)


def build(one):
    return wechat.build_send(one, BASE, account(access_token="a+b/c"))


def content(one):
    return json.loads(build(one).body)


def test_an_answer_is_a_text_in_plain_letters():
    assert build(reply(body="您好 😀")) == ProviderRequest(
        "https://api.weixin.qq.com/cgi-bin/message/custom/send?access_token=a%2Bb%2Fc",
        {"Content-Type": "application/json"},
        f'{{"touser": "{LIN}", "msgtype": "text", "text": {{"content": "您好 😀"}}}}'.encode(),
    )


def test_half_a_surrogate_pair_does_not_stop_an_answer():
    assert content(reply(body="a\ud800b"))["text"]["content"] == "a?b"


def test_quick_replies_are_a_menu():
    one = replace(reply(body="解决了吗？"), quick_replies=("是", "否"))

    assert content(one) == {
        "touser": LIN,
        "msgtype": "msgmenu",
        "msgmenu": {
            "head_content": "解决了吗？",
            "list": [{"id": "1", "content": "是"}, {"id": "2", "content": "否"}],
        },
    }


def test_a_file_is_sent_as_a_link():
    link = MediaLink("图.png", "image/png", 9, "https://files.example/1")

    assert (
        content(replace(reply(body=""), media=link))["text"]["content"]
        == "图.png\nhttps://files.example/1"
    )


def test_the_longest_answer_always_fits():
    assert wechat.abilities(reply().contact).longest_body == 2048


def test_without_a_token_there_is_no_request():
    with pytest.raises(MissingSecretError):
        wechat.build_send(reply(), BASE, account())


def told(value, status=200):
    return ProviderAnswer(status, json.dumps(value).encode())


def test_an_accepted_answer_has_no_id():
    assert wechat.read_answer(told({"errcode": 0, "errmsg": "ok"})) == Sent("")


@pytest.mark.parametrize(
    ("code", "kind", "is_stale"),
    [
        (-1, Refusal.TRANSIENT, False),
        (40001, Refusal.TRANSIENT, True),
        (40014, Refusal.TRANSIENT, True),
        (42001, Refusal.TRANSIENT, True),
        (45009, Refusal.THROTTLED, False),
        (45011, Refusal.THROTTLED, False),
        (45015, Refusal.WINDOW_CLOSED, False),
        (45047, Refusal.WINDOW_CLOSED, False),
        (43004, Refusal.OPTED_OUT, False),
        (48002, Refusal.OPTED_OUT, False),
        (48001, Refusal.PERMANENT, False),
        (40003, Refusal.PERMANENT, False),
        (99999, Refusal.PERMANENT, False),
    ],
)
def test_a_refusal_is_told_by_its_number(code, kind, is_stale):
    assert wechat.read_answer(told({"errcode": code, "errmsg": "words"})) == Refused(
        kind, f"{code} words", is_token_stale=is_stale
    )


@pytest.mark.parametrize(
    "answer",
    [
        ProviderAnswer(200, b""),
        ProviderAnswer(200, b"<html>"),
        ProviderAnswer(502, b"<html>"),
        told({}),
        told([]),
        told({"errcode": None}),
        told({"errcode": "0"}),
        told({"errcode": False}),
        told({"errcode": 0}, 500),
        told({"errcode": 45015}, 503),
    ],
)
def test_what_tells_nothing_may_have_been_taken(answer):
    assert wechat.read_answer(answer).kind is Refusal.UNKNOWN


@given(st.integers(100, 599), st.binary())
def test_no_answer_is_a_surprise(status, body):
    assert isinstance(wechat.read_answer(ProviderAnswer(status, body)), Sent | Refused)
    assert isinstance(wechat.read_token(ProviderAnswer(status, body)), AccessToken | Refused)


# The token


def test_the_stable_token_is_asked_for_by_id_and_secret():
    asked = wechat.build_token_request(BASE, account(app_secret=["new", "old"]))

    assert asked == ProviderRequest(
        "https://api.weixin.qq.com/cgi-bin/stable_token",
        {"Content-Type": "application/json"},
        f'{{"grant_type": "client_credential", "appid": "{APP}", "secret": "new"}}'.encode(),
    )


def test_the_older_token_is_asked_for_where_ops_say_so():
    asked = wechat.build_token_request(BASE, account(token_api="token", app_secret="a&b"))

    assert asked == ProviderRequest(
        f"{BASE}/cgi-bin/token?grant_type=client_credential&appid={APP}&secret=a%26b",
        {},
        method="GET",
    )


def test_a_token_is_good_for_as_long_as_wechat_says():
    answer = told({"access_token": "T", "expires_in": 7200})

    assert wechat.read_token(answer) == AccessToken("T", timedelta(hours=2))


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (told({"errcode": 40013, "errmsg": "invalid appid"}), Refusal.PERMANENT),
        (told({"errcode": 40125, "errmsg": "invalid appsecret"}), Refusal.PERMANENT),
        (told({"errcode": 40164, "errmsg": "invalid ip"}), Refusal.PERMANENT),
        (told({"errcode": -1, "errmsg": "system error"}), Refusal.TRANSIENT),
        (told({"errcode": 45009, "errmsg": "quota"}), Refusal.THROTTLED),
        (told({"access_token": "", "expires_in": 7200}), Refusal.TRANSIENT),
        (told({"access_token": "T", "expires_in": "7200"}), Refusal.TRANSIENT),
        (told({"access_token": "T", "expires_in": 0}), Refusal.TRANSIENT),
        (ProviderAnswer(502, b"<html>"), Refusal.TRANSIENT),
    ],
)
def test_no_token_is_told_with_its_reason(answer, kind):
    refused = wechat.read_token(answer)

    assert refused.kind is kind
    assert refused.detail.startswith("no access token: ")


# What others collected


@needs_vectors
def test_every_payload_is_an_event_or_told_why_not():
    counts = Counter()
    for path in sorted((VECTORS / "wechat").glob("*/*.xml")):
        try:
            (found,) = wechat.parse(WebhookRequest(path.read_bytes()), plain_account())
        except UnparseableError as error:
            print(f"unparseable {path}: {error}")
            counts["unparseable"] += 1
            continue
        counts[f"{path.parent.name} {type(found).__name__}"] += 1
    print(dict(counts))
    assert counts["wechatpy-oa InboundMessage"] >= 4
    assert counts["wechatpy-oa IgnoredEvent"] >= 6
