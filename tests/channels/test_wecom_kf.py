"""微信客服: pages of messages, and what each of them says."""

import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseweave.channels import wecom, wecom_kf
from caseweave.channels.request import ProviderAnswer, Refusal, Refused, WebhookRequest
from caseweave.channels.wecom_kf import Page
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
from caseweave.errors import MissingSecretError, UnparseableError
from tests.channels.wecom_samples import (
    CORP,
    CUSTOMER,
    KFID,
    kf,
    kf_event,
    kf_text,
    page,
    wecom_account,
)

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def understand(said, account=None):
    return wecom_kf.parse_pulled(wecom_kf.keep_pulled(said, KFID), account or wecom_account())


def message(**changes):
    address = Address(AddressKind.WECOM, f"{CORP}.{CUSTOMER}")
    values = {
        "channel": Channel.MESSENGER,
        "provider": "wecom",
        "account": KFID,
        "event_id": "M1",
        "provider_id": "M1",
        "sender": Sender(proven=(ProvenAddress(address, Proof.PROVIDER),)),
        "body": "",
        "occurred_at": AT,
        "context": {"open_kfid": KFID, "external_userid": CUSTOMER},
    }
    return InboundMessage(**(values | changes))


# Pages


def test_a_pull_asks_for_the_page_at_the_cursor():
    account = wecom_account(access_token="T 1")

    asked = wecom_kf.build_pull(KFID, "c7", "ENC", "https://qyapi.weixin.qq.com", account)

    assert asked.url == "https://qyapi.weixin.qq.com/cgi-bin/kf/sync_msg?access_token=T+1"
    assert (asked.method, dict(asked.headers)) == ("POST", {"Content-Type": "application/json"})
    assert json.loads(asked.body) == {
        "open_kfid": KFID,
        "cursor": "c7",
        "token": "ENC",
        "limit": 100,
        "voice_format": 0,
    }


def test_the_first_pull_has_no_cursor_and_the_clocks_no_token():
    asked = wecom_kf.build_pull(KFID, "", "", "https://x", wecom_account(access_token="T"))

    assert json.loads(asked.body) == {"open_kfid": KFID, "limit": 100, "voice_format": 0}


def test_a_page_has_its_messages_as_they_came():
    body = page(kf_text("一"), kf_event("enter_session"), cursor="c9", has_more=1)

    assert wecom_kf.read_page(ProviderAnswer(200, body)) == Page(
        (kf_text("一"), kf_event("enter_session")), "c9", has_more=True
    )


@pytest.mark.parametrize("listed", [{}, {"msg_list": None}, {"msg_list": {"msgid": "1"}}])
def test_a_page_may_be_empty_and_not_the_last(listed):
    told = {"errcode": 0, "next_cursor": "c2", "has_more": 1, **listed}

    found = wecom_kf.read_page(ProviderAnswer(200, json.dumps(told).encode()))

    assert found == Page((), "c2", has_more=True)


def test_a_page_that_says_nothing_of_more_is_the_last():
    assert wecom_kf.read_page(ProviderAnswer(200, b'{"errcode": 0}')) == Page(
        (), "", has_more=False
    )


@pytest.mark.parametrize(
    ("status", "body", "kind", "is_stale"),
    [
        (200, b'{"errcode": 95007, "errmsg": "invalid msg token"}', Refusal.PERMANENT, False),
        (200, b'{"errcode": 40014, "errmsg": "invalid access_token"}', Refusal.TRANSIENT, True),
        (200, b'{"errcode": 42001}', Refusal.TRANSIENT, True),
        (200, b'{"errcode": 45009}', Refusal.THROTTLED, False),
        (200, b'{"errcode": -1}', Refusal.TRANSIENT, False),
        (200, b"{}", Refusal.UNKNOWN, False),
        (200, b'{"errcode": true}', Refusal.UNKNOWN, False),
        (502, b"<html>", Refusal.UNKNOWN, False),
        (429, b"", Refusal.THROTTLED, False),
        (404, b"", Refusal.PERMANENT, False),
    ],
)
def test_a_refused_pull(status, body, kind, is_stale):
    found = wecom_kf.read_page(ProviderAnswer(status, body))

    assert isinstance(found, Refused)
    assert (found.kind, found.is_token_stale) == (kind, is_stale)


# Messages of customers


def test_a_text():
    assert understand(kf_text("充值没到账")) == message(body="充值没到账")


def test_a_reply_by_a_menu_entry_says_which():
    said = kf("text", {"content": "查进度", "menu_id": "101"})

    assert understand(said) == message(
        body="查进度",
        context={"open_kfid": KFID, "external_userid": CUSTOMER, "menu_id": "101"},
    )


@pytest.mark.parametrize(
    ("kind", "media_type"),
    [
        ("image", "image/jpeg"),
        ("voice", "audio/amr"),
        ("video", "video/mp4"),
        ("file", "application/octet-stream"),
    ],
)
def test_media_are_attachments_that_still_lie_at_wecom(kind, media_type):
    found = understand(kf(kind, {"media_id": "2iSLeVyqzk4eX0IB5kTi9Ljfa2rt9dwfq5WKRQ4Nvvgw"}))

    reference = "2iSLeVyqzk4eX0IB5kTi9Ljfa2rt9dwfq5WKRQ4Nvvgw"
    assert found == message(attachments=(Attachment(kind, media_type, provider_ref=reference),))


@pytest.mark.parametrize(
    ("kind", "content", "body"),
    [
        (
            "location",
            {
                "latitude": 23.106021,
                "longitude": 113.320502,
                "name": "广州国际媒体港",
                "address": "海珠区",
            },
            "广州国际媒体港\n海珠区\n23.106021, 113.320502",
        ),
        (
            "link",
            {"title": "订单", "desc": "详情", "url": "https://a.example/o", "pic_url": "https://p"},
            "订单\n详情\nhttps://a.example/o",
        ),
        ("business_card", {"userid": "wang"}, "[business_card] wang"),
        (
            "miniprogram",
            {"title": "充值", "appid": "wx1", "pagepath": "p"},
            "[miniprogram] 充值\np",
        ),
        (
            "channels_shop_product",
            {"product_id": "P1", "title": "点卡", "sales_price": "30.00", "shop_nickname": "店"},
            "[channels_shop_product] 点卡\n30.00\nP1\n店",
        ),
        ("channels", {"nickname": "号", "title": "视频", "sub_type": 1}, "[channels] 号\n视频"),
        ("msgmenu", {"head_content": "满意吗？", "list": []}, "[msgmenu] 满意吗？"),
        ("note", {}, "[note]"),
        ("something_new", {"x": 1}, "[something_new]"),
        ("", None, "[nothing]"),
        ("text", None, ""),
    ],
)
def test_what_is_neither_text_nor_media_becomes_words(kind, content, body):
    assert understand(kf(kind, content)) == message(body=body)


def test_the_card_of_an_order_tells_its_number():
    order = {
        "order_id": "3702312345678",
        "product_titles": "月卡",
        "price_wording": "30.00",
        "state": "待发货",
        "image_url": "https://p.example",
        "shop_nickname": "店",
    }

    assert understand(kf("channels_shop_order", order)) == message(
        body="[channels_shop_order] 3702312345678\n月卡\n30.00\n待发货\n店",
        fields={"order_no": "3702312345678"},
    )


def test_a_forwarded_chat_is_shown_line_by_line():
    items = [
        {
            "send_time": 1,
            "msgtype": "text",
            "sender_name": "林",
            "msg_content": '{"text":{"content":"没到账"}}',
        },
        {"send_time": 2, "msgtype": "image", "sender_name": "林", "msg_content": '{"image":{}}'},
        {"msgtype": "text", "sender_name": "王", "msg_content": "not JSON"},
        {"msgtype": "text", "sender_name": "王", "msg_content": '{"text": "x"}'},
        "nonsense",
    ]

    found = understand(kf("merged_msg", {"title": "林和王的聊天记录", "item": items}))

    assert found.body == (
        "[merged_msg] 林和王的聊天记录\n林: 没到账\n林: [image]\n王: [text]\n王: [text]"
    )


def test_an_account_of_a_second_corporation_names_its_own():
    account = wecom_account(accounts={KFID: {"corp_id": "ww2"}})

    (entry,) = understand(kf_text("hi"), account).sender.proven
    assert entry.address.value == f"ww2.{CUSTOMER}"


def test_without_the_corporations_id_nothing_is_guessed():
    with pytest.raises(MissingSecretError):
        understand(kf_text("hi"), wecom_account(corp_id=""))


# What is not a customer's


def test_what_an_agent_wrote_in_wecom_is_kept_and_ignored():
    assert understand(kf_text("您好", origin=5, servicer_userid="wang")) == IgnoredEvent(
        "wecom", KFID, "M1", "an agent wrote in WeCom itself"
    )


@pytest.mark.parametrize(
    ("origin", "name"), [(4, "4"), (9, "9"), (None, "unknown"), ([], "unknown")]
)
def test_another_origin_is_kept_and_ignored(origin, name):
    found = understand(kf_text("x", origin=origin))

    assert found == IgnoredEvent("wecom", KFID, "M1", f"text of origin {name}")


def test_a_message_that_failed_after_all_is_found_by_our_id():
    found = understand(kf_event("msg_send_fail", fail_msgid="0a1b2c", fail_type=4))

    assert found == Receipt(
        provider="wecom",
        account=KFID,
        event_id="E1",
        provider_id="0a1b2c",
        outbox_key="",
        state=DeliveryState.FAILED,
        error="4 more than 48 hours after the customer's last message",
        refusal="window_closed",
    )


def test_a_customer_who_refuses_messages_has_opted_out():
    found = understand(kf_event("msg_send_fail", fail_msgid="0a1b2c", fail_type=10))

    assert (found.refusal, found.error) == ("opted_out", "10 the customer refuses messages")


def test_a_failure_of_a_new_kind_is_one_all_the_same():
    found = understand(kf_event("msg_send_fail", fail_msgid="0a1b2c", fail_type=99))

    assert (found.state, found.error) == (DeliveryState.FAILED, "99 WeCom does not say why")


def test_a_message_that_the_customer_took_back_is_named():
    assert understand(kf_event("user_recall_msg", recall_msgid="M0")) == message(
        event_id="E1",
        provider_id="E1",
        is_automatic=True,
        remark=Remark.DELETION,
        about="M0",
    )


@pytest.mark.parametrize(
    "kind",
    ["enter_session", "servicer_status_change", "session_status_change", "servicer_recall_msg", ""],
)
def test_other_events_are_kept_and_ignored(kind):
    reason = f"event {kind or 'without a name'}"

    assert understand(kf_event(kind, scene="1")) == IgnoredEvent("wecom", KFID, "E1", reason)


# Bad input


@pytest.mark.parametrize(
    "said",
    [
        None,
        "text",
        [],
        {},
        kf_text("x", msgid=""),
        kf_text("x", msgid=7),
        kf_text("x", msgid="m" * 201),
        kf_text("x", external_userid=None),
        kf("image", {}),
        kf("image", {"media_id": 5}),
        kf_event("msg_send_fail"),
        kf_event("user_recall_msg"),
        kf_event("user_recall_msg", recall_msgid="M0", external_userid=""),
    ],
)
def test_what_cannot_be_understood_is_for_people(said):
    with pytest.raises(UnparseableError):
        understand(said)


@pytest.mark.parametrize("at", [None, "yesterday", -(10**30), 10**30, 1.5, True, []])
def test_a_time_that_is_none_is_left_out(at):
    assert understand(kf_text("x", at=at)).occurred_at is None


def test_seconds_are_read_as_utc():
    assert understand(kf_text("x", at=1795435201)).occurred_at == AT + timedelta(seconds=1)


def test_what_is_kept_of_a_message_is_understood_again_by_a_replay():
    kept = wecom_kf.keep_pulled(kf_text("充值没到账"), KFID)

    assert wecom.parse(WebhookRequest(kept), wecom_account()) == [message(body="充值没到账")]


def test_a_surrogate_is_kept_as_something_that_can_be_stored():
    found = understand(kf_text("a\ud83d"))

    assert found.body == "a?"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.dictionaries(
        st.sampled_from(["msgid", "msgtype", "origin", "text", "event", "send_time", "file", "link",
                         "external_userid", "merged_msg", "location"]),
        json_values
        | st.sampled_from(["text", "event", "merged_msg", "location", 3, 4, 5, {"content": "x"},
                           {"event_type": "msg_send_fail", "fail_msgid": "x"},
                           {"item": [{"msg_content": '{"text": []}'}]}]),
    )
)  # fmt: skip
def test_whatever_is_listed_is_an_event_or_not_understood(said):
    try:
        found = understand(said)
    except UnparseableError as error:
        str(error).encode()
        return
    assert isinstance(found, InboundMessage | IgnoredEvent | Receipt)
    json.dumps(asdict(found), default=str, ensure_ascii=False).encode()


@given(st.binary(max_size=200) | json_values.map(lambda value: json.dumps(value).encode()))
def test_whatever_is_answered_is_a_page_or_a_refusal(body):
    assert isinstance(wecom_kf.read_page(ProviderAnswer(200, body)), Page | Refused)
