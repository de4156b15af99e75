"""WeCom's callbacks: the check of the address, messages to applications, hints."""

from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseweave.channels import wecom
from caseweave.channels.credentials import Credentials
from caseweave.channels.request import WebhookRequest
from caseweave.domain.identity import Address, AddressKind, Proof, ProvenAddress, Sender
from caseweave.domain.message import (
    Attachment,
    Channel,
    IgnoredEvent,
    InboundMessage,
    PullHint,
)
from caseweave.errors import InvalidSignatureError, MissingSecretError, UnparseableError
from tests.channels.wecom_samples import (
    CORP,
    KEY,
    KFID,
    TOKEN,
    callback,
    greeting,
    happened,
    hint,
    said,
    signed_query,
    wecom_account,
)

OTHER_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
TEXT = said("text", "<Content><![CDATA[充值没到账]]></Content>")
AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def is_accepted(request, account):
    try:
        wecom.verify(request, account)
    except InvalidSignatureError:
        return False
    return True


def parse(inner, **options):
    (event,) = wecom.parse(callback(inner, **options), wecom_account())
    return event


def message(**changes):
    address = Address(AddressKind.WECOM, f"{CORP}.li.ming@east")
    values = {
        "channel": Channel.MESSENGER,
        "provider": "wecom",
        "account": "1000002",
        "event_id": "7234567890123456",
        "provider_id": "7234567890123456",
        "sender": Sender(proven=(ProvenAddress(address, Proof.PROVIDER),)),
        "body": "",
        "occurred_at": AT,
        "context": {"agent_id": "1000002", "user_id": "li.ming@east"},
    }
    return InboundMessage(**(values | changes))


# The door


def test_a_genuine_callback_is_accepted():
    assert is_accepted(callback(TEXT), wecom_account())


def test_a_callback_signed_with_another_token_is_refused_without_a_reason():
    with pytest.raises(InvalidSignatureError) as refusal:
        wecom.verify(callback(TEXT, token="other"), wecom_account())
    assert refusal.value.args == ("wecom",)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda proof: "", id="empty"),
        pytest.param(lambda proof: proof[:-1], id="truncated"),
        pytest.param(lambda proof: proof + "0", id="longer"),
        pytest.param(lambda proof: "x" + proof[1:], id="first character"),
        pytest.param(lambda proof: proof + "签名", id="not ASCII"),
        pytest.param(lambda proof: proof + "\ud800", id="half a surrogate pair"),
        pytest.param(lambda proof: proof * 10_000, id="giant"),
    ],
)
@pytest.mark.parametrize("name", ["msg_signature", "timestamp", "nonce"])
def test_a_changed_proof_is_refused(name, change):
    genuine = callback(TEXT)
    query = {**dict(genuine.query), name: change(dict(genuine.query)[name])}

    assert not is_accepted(replace(genuine, query=tuple(query.items())), wecom_account())


def test_a_signature_in_capital_letters_is_refused():
    genuine = callback(TEXT)
    query = {name: value.upper() for name, value in genuine.query}
    query["nonce"] = dict(genuine.query)["nonce"]

    assert not is_accepted(replace(genuine, query=tuple(query.items())), wecom_account())


@pytest.mark.parametrize("name", ["msg_signature", "timestamp", "nonce"])
def test_a_part_of_the_proof_that_is_missing_is_refused(name):
    genuine = callback(TEXT)
    query = tuple(pair for pair in genuine.query if pair[0] != name)

    assert not is_accepted(replace(genuine, query=query), wecom_account())


def test_what_was_sealed_cannot_be_exchanged():
    other = callback(said("text", "<Content>转给我</Content>"))

    assert not is_accepted(replace(callback(TEXT), body=other.body), wecom_account())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not XML",
        b"<xml></xml>",
        b"<xml><Encrypt></Encrypt></xml>",
        b'<!DOCTYPE xml [<!ENTITY a "b">]><xml><Encrypt>&a;</Encrypt></xml>',
        b"\x00\xff" * 1000,
    ],
)
def test_a_body_in_which_nothing_is_sealed_is_refused_however_it_is_signed(body):
    for sealed in ("", "b"):
        request = WebhookRequest(body, {}, signed_query(sealed))
        assert not is_accepted(request, wecom_account())


def test_what_was_sealed_for_another_corporation_is_refused():
    assert not is_accepted(callback(TEXT, receive_id="ww0000000000000000"), wecom_account())
    assert not is_accepted(callback(TEXT, receive_id=""), wecom_account())


@pytest.mark.parametrize(("signed_with", "accepted"), [("new", 1), ("old", 1), ("older", 0)])
def test_while_a_token_is_rotated_both_are_good_and_no_third(signed_with, accepted):
    request = callback(TEXT, token=signed_with)

    assert is_accepted(request, wecom_account(token=["new", "old"])) == accepted


@pytest.mark.parametrize("name", ["token", "encoding_aes_key", "corp_id"])
@pytest.mark.parametrize("nothing", [None, "", [], [""], 0, False])
def test_without_a_secret_nobody_gets_in(name, nothing):
    account = wecom_account(**{name: nothing})

    with pytest.raises(MissingSecretError, match=f"wecom has no {name}"):
        wecom.verify(callback(TEXT, token=""), account)
    with pytest.raises(MissingSecretError, match=f"wecom has no {name}"):
        wecom.greet(greeting(token=""), account)


def test_several_applications_with_keys_of_their_own_share_the_address():
    account = Credentials(
        "wecom",
        {
            "corp_id": CORP,
            "accounts": {
                "1000002": {"token": TOKEN, "encoding_aes_key": KEY},
                "1000003": {"token": "t3", "encoding_aes_key": OTHER_KEY},
            },
        },
    )
    third = said("text", "<Content>三</Content>", app="1000003")
    requests = [callback(TEXT), callback(third, token="t3", key=OTHER_KEY, agent="1000003")]

    assert all(is_accepted(request, account) for request in requests)
    found = [wecom.parse(request, account)[0].account for request in requests]
    assert found == ["1000002", "1000003"]


def test_what_no_key_opens_is_genuine_and_kept_for_people():
    request = callback(TEXT, key=OTHER_KEY)

    assert is_accepted(request, wecom_account())
    with pytest.raises(UnparseableError, match="no encoding_aes_key opens it"):
        wecom.parse(request, wecom_account())


# The check of the address


def test_the_question_is_answered_with_what_was_sealed_in_it():
    assert wecom.greet(greeting("5927782489442352469"), wecom_account()) == "5927782489442352469"


def test_a_plus_sign_that_the_gateway_took_for_a_space_is_one():
    # Found by trying: with this text the sealed form has plus signs.
    request = next(
        asked
        for asked in (greeting(f"echo-{number}") for number in range(100))
        if "+" in dict(asked.query)["echostr"]
    )
    query = {name: value.replace("+", " ") for name, value in request.query}
    blanked = replace(request, query=tuple(query.items()))

    assert wecom.greet(blanked, wecom_account()) == wecom.greet(request, wecom_account())


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(greeting(token="other"), id="another token"),
        pytest.param(greeting(key=OTHER_KEY), id="another key"),
        pytest.param(greeting(receive_id="ww1"), id="another corporation"),
        pytest.param(WebhookRequest(b"", {}, ()), id="nothing"),
        pytest.param(WebhookRequest(b"", {}, signed_query("")), id="nothing sealed"),
        pytest.param(
            WebhookRequest(b"", {}, (*signed_query("xx"), ("echostr", "xx"))), id="not sealed"
        ),
    ],
)
def test_who_does_not_know_us_is_not_greeted(request_):
    with pytest.raises(InvalidSignatureError) as refusal:
        wecom.greet(request_, wecom_account())
    assert refusal.value.args == ("wecom",)


# Messages


def test_a_text():
    assert parse(TEXT) == message(body="充值没到账")


@pytest.mark.parametrize(
    ("kind", "more", "body"),
    [
        (
            "location",
            "<Location_X>31.23</Location_X><Location_Y>121.47</Location_Y><Label>黄浦区</Label>",
            "黄浦区\n31.23, 121.47",
        ),
        (
            "link",
            "<Title>公告</Title><Description>停服</Description><Url>https://a.example/1</Url>",
            "公告\n停服\nhttps://a.example/1",
        ),
        ("newkind", "<Content>x</Content>", "[newkind]"),
        ("", "", "[nothing]"),
    ],
)
def test_what_is_neither_text_nor_media_becomes_words(kind, more, body):
    assert parse(said(kind, more)) == message(body=body)


@pytest.mark.parametrize(
    ("kind", "more", "attachment"),
    [
        (
            "image",
            "<PicUrl>https://p.example/1</PicUrl><MediaId>m-1</MediaId>",
            Attachment("image", "image/jpeg", provider_ref="m-1"),
        ),
        (
            "voice",
            "<MediaId>m-2</MediaId><Format>amr</Format>",
            Attachment("voice", "audio/amr", provider_ref="m-2"),
        ),
        (
            "video",
            "<MediaId>m-3</MediaId><ThumbMediaId>t</ThumbMediaId>",
            Attachment("video", "video/mp4", provider_ref="m-3"),
        ),
        (
            "file",
            "<MediaId>m-4</MediaId><FileName>账单.xlsx</FileName>",
            Attachment("账单.xlsx", "application/octet-stream", provider_ref="m-4"),
        ),
    ],
)
def test_media_are_attachments_that_still_lie_at_wecom(kind, more, attachment):
    assert parse(said(kind, more)) == message(attachments=(attachment,))


@pytest.mark.parametrize("event", ["click", "template_card_event", "taskcard_click"])
def test_who_presses_a_button_says_what_it_means(event):
    pressed = happened(event, "<EventKey><![CDATA[REFUND]]></EventKey><TaskId>t9</TaskId>")
    name = f"li.ming@east.1795435200.{event}.REFUND.t9"

    assert parse(pressed) == message(body="REFUND", event_id=name, provider_id=name)


@pytest.mark.parametrize("event", ["subscribe", "enter_agent", "LOCATION", "view", "batch_job", ""])
def test_other_events_are_kept_and_ignored(event):
    found = parse(happened(event, "<EventKey>k</EventKey>"))

    assert found == IgnoredEvent(
        "wecom",
        "1000002",
        f"li.ming@east.1795435200.{event}.k.",
        f"event {event or 'without a name'}",
    )


def test_an_application_named_only_outside_the_seal_counts():
    without = TEXT.replace("<AgentID>1000002</AgentID>", "")

    assert parse(without, agent="1000007").account == "1000007"


def test_what_belongs_to_no_application_is_the_corporations():
    without = TEXT.replace("<AgentID>1000002</AgentID>", "")

    found = parse(without, agent="")

    assert (found.account, found.context) == (CORP, {"user_id": "li.ming@east"})


@pytest.mark.parametrize(
    "at", ["", "soon", "-1", "1e9", "999999999999999999999", "９９", "1795435200.5"]
)
def test_a_time_that_is_none_is_left_out(at):
    found = parse(TEXT.replace("1795435200", at))

    assert found.occurred_at is None


@pytest.mark.parametrize(
    "inner",
    [
        TEXT.replace("li.ming@east", ""),
        TEXT.replace("li.ming@east", "x" * 201),
        TEXT.replace("7234567890123456", ""),
        said("image", "<PicUrl>https://p.example/1</PicUrl>"),
        hint(open_kfid=""),
        "not XML",
        f'<!DOCTYPE xml [<!ENTITY a "b">]>{TEXT}',
        "",
    ],
)
def test_what_cannot_be_understood_is_for_people(inner):
    with pytest.raises(UnparseableError):
        parse(inner)


# Hints


def test_a_hint_names_the_account_to_pull():
    digest = sha256(hint().encode()).hexdigest()

    assert parse(hint()) == PullHint(
        provider="wecom",
        account=KFID,
        event_id=f"hint.sha256.{digest}",
        token="ENCApHxnGDNAVNY4AaSJKj4Tb5mwsEMzxhFmHVGcra996NR",
    )


def test_a_hint_that_is_delivered_again_is_the_same_and_the_next_is_another():
    again = parse(hint(), random=b"fedcba9876543210")

    assert again == parse(hint())
    assert parse(hint(token="another")).event_id != again.event_id


@given(st.binary(max_size=300), st.text(max_size=20))
def test_whatever_comes_is_refused_or_not_understood(body, proof):
    request = WebhookRequest(body, {}, (("msg_signature", proof), ("echostr", proof)))

    assert not is_accepted(request, wecom_account())
    with pytest.raises(InvalidSignatureError):
        wecom.greet(request, wecom_account())
    with pytest.raises(UnparseableError):
        wecom.parse(request, wecom_account())


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "FromUserName",
                "MsgType",
                "Event",
                "EventKey",
                "MsgId",
                "AgentID",
                "Content",
                "CreateTime",
                "MediaId",
                "OpenKfId",
                "Token",
                "Label",
                "Title",
            ]
        ),
        st.text(max_size=30)
        | st.sampled_from(["text", "event", "image", "click", "kf_msg_or_event", "9" * 300]),
    )
)
def test_whatever_is_sealed_is_an_event_or_not_understood(fields):
    inner = "".join(f"<{name}><![CDATA[{value}]]></{name}>" for name, value in fields.items())
    inner = f"<xml>{inner}</xml>".encode("utf-8", "replace").decode()

    try:
        found = parse(inner)
    except UnparseableError:
        return
    assert isinstance(found, InboundMessage | IgnoredEvent | PullHint)
    str(found).encode()
