"""The web form: what is proven, what is claimed, and that nothing typed is lost."""

import json

import pytest

from caseweave.channels import web_form
from caseweave.channels.request import WebhookRequest
from caseweave.domain.form_checking import check_form
from caseweave.domain.forms import Field, FieldKind, Form
from caseweave.domain.identity import Address, AddressKind, Proof, ProvenAddress, Sender
from caseweave.domain.message import Channel, InboundMessage
from caseweave.errors import UnparseableError

REFUND = Form("refund", {}, {}, (Field("message", FieldKind.LONG_TEXT, {}, longest=1000),))
CLAIMS = {
    "sub": "u-1001",
    "name": "林小雨",
    "locale": "zh-CN",
    "tier": "gold",
    "role": "seller",
    "phone_number": "+86 138-0013-8000",
    "phone_number_verified": True,
    "email": "Lin@Example.com",
    "email_verified": True,
}


def submit(content, claims=None, headers=None):
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    said = web_form.read_body(WebhookRequest(body=body, headers=headers or {}))
    return web_form.make_message(check_form(REFUND, said, "en"), claims or {}, "5f3a")


def urlencoded(body, kind="application/x-www-form-urlencoded"):
    return submit(body, headers={"content-type": kind})


def test_a_signed_in_customer_is_proven_by_what_the_platform_vouches_for():
    content = {
        "message": "充值没到账 😡",
        "subject": "充值",
        "order_no": "A-17",
        "product": "coins",
        "error_code": 500,
        "contact": {"name": "somebody else", "email": "other@example.com"},
    }

    assert submit(content, CLAIMS) == InboundMessage(
        channel=Channel.WEB,
        provider="form",
        account="refund",
        event_id="platform:u-1001.5f3a",
        provider_id="5f3a",
        sender=Sender(
            proven=(
                ProvenAddress(Address(AddressKind.PLATFORM, "u-1001"), Proof.LOGIN),
                ProvenAddress(Address(AddressKind.EMAIL, "lin@example.com"), Proof.LOGIN),
                ProvenAddress(Address(AddressKind.PHONE, "+8613800138000"), Proof.LOGIN),
            ),
            claims=(Address(AddressKind.EMAIL, "other@example.com"),),
            name="林小雨",
            locale="zh-CN",
            tier="gold",
            role="seller",
        ),
        body="充值没到账 😡",
        subject="充值",
        fields={"form": "refund", "order_no": "A-17", "product": "coins", "error_code": "500"},
    )


def test_whatever_an_anonymous_customer_types_is_only_claimed():
    content = {
        "message": "hi",
        "name": "Lin",
        "email": " Lin@Example.com ",
        "phone": "+86 138 0013 8000",
        "locale": "zh",
        "tier": "gold",
        "role": "admin",
    }

    assert submit(content) == InboundMessage(
        channel=Channel.WEB,
        provider="form",
        account="refund",
        event_id="unproven:form.5f3a.5f3a",
        provider_id="5f3a",
        sender=Sender(
            proven=(ProvenAddress(Address(AddressKind.UNPROVEN, "form.5f3a"), Proof.NONE),),
            claims=(
                Address(AddressKind.EMAIL, "lin@example.com"),
                Address(AddressKind.PHONE, "+8613800138000"),
            ),
            name="Lin",
            locale="zh",
        ),
        body="hi",
        fields={"form": "refund"},
    )


@pytest.mark.parametrize("vouched", [False, "true", "True", 1, None, [], {"verified": True}])
def test_only_true_vouches_for_an_address(vouched):
    claims = CLAIMS | {"phone_number_verified": vouched, "email_verified": vouched}

    assert submit({}, claims).sender.proven == (
        ProvenAddress(Address(AddressKind.PLATFORM, "u-1001"), Proof.LOGIN),
    )


@pytest.mark.parametrize("empty", ["", " ", "none", 7, None, [], {}])
def test_an_address_that_is_none_is_nobodys_however_verified(empty):
    # All customers without a phone would have the same one, and share their cases.
    claims = CLAIMS | {"phone_number": empty, "email": empty}

    assert submit({}, claims).sender.proven == (
        ProvenAddress(Address(AddressKind.PLATFORM, "u-1001"), Proof.LOGIN),
    )


@pytest.mark.parametrize("subject", [None, "", [], "u" * 201])
def test_a_token_that_names_nobody_is_unparseable(subject):
    with pytest.raises(UnparseableError, match="names no user"):
        submit({"message": "hi"}, {"sub": subject})


def test_a_number_is_a_user_id_too():
    assert submit({}, {"sub": 1001}).sender.proven[0].address.value == "1001"


@pytest.mark.parametrize(
    ("contact", "claims"),
    [
        ({"email": "no address"}, ()),
        ({"email": "a@" + "b" * 300}, ()),
        ({"email": ["lin@example.com"]}, ()),
        ({"phone": "+1234567"}, (Address(AddressKind.PHONE, "+1234567"),)),
        ({"phone": "+86 138-0013-8000"}, (Address(AddressKind.PHONE, "+8613800138000"),)),
        ({"phone": "+123456"}, ()),
        ({"phone": "+" + "1" * 16}, ()),
        ({"phone": "13800138000"}, ()),
        ({"phone": 8613800138000}, ()),
    ],
)
def test_a_claim_looks_like_an_address(contact, claims):
    assert submit({"contact": contact}).sender.claims == claims


def test_a_plain_html_form_is_read_too():
    message = urlencoded(
        b"message=%E9%80%80%E6%AC%BE+now&email=lin%40example.com&order_no=A-17&message=second",
        "Application/X-WWW-Form-Urlencoded; charset=UTF-8",
    )

    assert (message.body, message.fields) == ("退款 now", {"form": "refund", "order_no": "A-17"})
    assert message.sender.claims == (Address(AddressKind.EMAIL, "lin@example.com"),)


@pytest.mark.parametrize("content", [{}, {"message": ""}, {"message": None}])
def test_an_empty_message_is_still_a_message(content):
    assert submit(content).body == ""


def test_body_is_another_name_for_message():
    assert submit({"body": "hi"}).body == "hi"


def test_bytes_that_are_no_utf8_do_not_lose_the_message():
    assert submit(b'{"message": "caf\xe9 \\ud800"}').body == "caf\ufffd ?"
    assert urlencoded(b"message=caf%E9\xff").body == "caf\ufffd\ufffd"


def test_half_a_surrogate_pair_in_a_claim_is_replaced():
    sender = submit({}, {"sub": "u\ud800", "name": "\udfff"}).sender

    assert (sender.proven[0].address.value, sender.name) == ("u?", "?")


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"message=hi", b"[" * 100_000])
def test_what_is_neither_an_object_nor_a_form_is_unparseable(body):
    with pytest.raises(UnparseableError):
        submit(body)


def test_more_fields_than_a_form_has_are_unparseable():
    with pytest.raises(UnparseableError, match="not a form"):
        urlencoded(b"&".join([b"a=b"] * 1001))


def test_long_fields_are_cut():
    content = {"name": "n" * 999, "locale": "l" * 999, "order_no": "o" * 999}

    message = submit(content)

    assert message.sender.name == "n" * 200
    assert message.sender.locale == "l" * 20
    assert message.fields["order_no"] == "o" * 200


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("Bearer abc.def.ghi", "abc.def.ghi"),
        ("bearer  abc ", "abc"),
        ("Basic abc", ""),
        ("Bearer", ""),
        ("abc", ""),
        ("", ""),
    ],
)
def test_the_token_stands_after_bearer(header, token):
    assert web_form.bearer_token(WebhookRequest(b"", {"authorization": header})) == token
