"""WeCom's sending side: requests, refusals, tokens."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseweave.channels import wecom_sending
from caseweave.channels.request import (
    AccessToken,
    ProviderAnswer,
    Refusal,
    Refused,
    Sent,
)
from caseweave.domain.splitting import Unit
from caseweave.errors import MissingSecretError
from tests.channels.wecom_samples import (
    CORP,
    CUSTOMER,
    KFID,
    to_colleague,
    to_customer,
    wecom_account,
)

ACCOUNT = wecom_account(access_token="T&1")


def build(outgoing):
    request = wecom_sending.build_send(outgoing, wecom_sending.API_URL, ACCOUNT)
    assert request.method == "POST"
    assert dict(request.headers) == {"Content-Type": "application/json"}
    return request.url, json.loads(request.body)


def answer(**said):
    return ProviderAnswer(200, json.dumps(said).encode())


def test_a_customer_is_answered_by_the_account_that_was_written_to():
    url, said = build(to_customer())

    assert url == "https://qyapi.weixin.qq.com/cgi-bin/kf/send_msg?access_token=T%261"
    assert said == {
        "touser": CUSTOMER,
        "open_kfid": KFID,
        "msgid": said["msgid"],
        "msgtype": "text",
        "text": {"content": "您好，已经补发。"},
    }


def test_the_id_is_ours_so_that_wecom_takes_a_message_once():
    first, again = build(to_customer("a"))[1], build(to_customer("b"))[1]
    other = build(replace(to_customer("a"), key="another"))[1]

    assert first["msgid"] == again["msgid"] != other["msgid"]
    assert len(first["msgid"]) == 32
    assert first["msgid"].isalnum()


def test_quick_replies_are_a_menu():
    _, said = build(to_customer("满意吗？", quick_replies=("满意", "不满意")))

    assert said["msgtype"] == "msgmenu"
    assert said["msgmenu"] == {
        "head_content": "满意吗？",
        "list": [
            {"type": "click", "click": {"id": "1", "content": "满意"}},
            {"type": "click", "click": {"id": "2", "content": "不满意"}},
        ],
    }


def test_what_is_too_long_for_wecom_is_split_and_files_are_links():
    kf, app = (wecom_sending.abilities(one.contact) for one in (to_customer(), to_colleague()))

    assert kf == replace(app, most_choices=10, longest_choice=32, longest_body_with_choices=1024)
    assert (app.longest_body, app.unit, dict(app.files)) == (2048, Unit.BYTES, {})
    # The longest entry of a menu has 128 bytes.
    assert len(("😀" * kf.longest_choice).encode()) == 128


def test_a_colleague_is_answered_by_the_application():
    url, said = build(to_colleague())

    assert url == "https://qyapi.weixin.qq.com/cgi-bin/message/send?access_token=T%261"
    assert said == {
        "touser": "li.ming@east",
        "agentid": 1000002,
        "msgtype": "text",
        "text": {"content": "收到。"},
    }


def test_a_contact_without_context_is_reached_by_its_address():
    assert build(to_colleague(context={}))[1]["touser"] == "li.ming@east"
    assert build(to_colleague(context={}))[1]["agentid"] == 1000002
    assert build(to_customer(context={"open_kfid": KFID}))[1]["touser"] == CUSTOMER


def test_without_a_token_nothing_is_sent():
    with pytest.raises(MissingSecretError):
        wecom_sending.build_send(to_customer(), "https://x", wecom_account())


def test_what_wecom_took_has_its_id():
    assert wecom_sending.read_answer(answer(errcode=0, errmsg="ok", msgid="AB1")) == Sent("AB1")
    assert wecom_sending.read_answer(answer(errcode=0, errmsg="ok")) == Sent("accepted")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (-1, Refusal.TRANSIENT),
        (60020, Refusal.TRANSIENT),
        (40001, Refusal.TRANSIENT),
        (40014, Refusal.TRANSIENT),
        (41001, Refusal.TRANSIENT),
        (42001, Refusal.TRANSIENT),
        (45009, Refusal.THROTTLED),
        (45033, Refusal.THROTTLED),
        (95001, Refusal.WINDOW_CLOSED),
        (95013, Refusal.WINDOW_CLOSED),
        (95018, Refusal.WINDOW_CLOSED),
        (40003, Refusal.PERMANENT),
        (48002, Refusal.PERMANENT),
        (987654, Refusal.PERMANENT),
    ],
)
def test_a_refusal_says_what_to_do(code, kind):
    found = wecom_sending.read_answer(answer(errcode=code, errmsg="why"))

    is_stale = code in (40001, 40014, 41001, 42001)
    assert found == Refused(kind, f"{code} why", is_token_stale=is_stale)


def test_a_user_whom_the_application_does_not_reach_is_no_success():
    found = wecom_sending.read_answer(answer(errcode=0, errmsg="ok", invaliduser="li", msgid="x"))

    assert found.kind is Refusal.PERMANENT


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (500, Refusal.UNKNOWN),
        (502, Refusal.UNKNOWN),
        (302, Refusal.UNKNOWN),
        (429, Refusal.THROTTLED),
        (403, Refusal.PERMANENT),
    ],
)
def test_an_answer_that_is_not_wecoms(status, kind):
    assert wecom_sending.read_answer(ProviderAnswer(status, b"<html>")).kind is kind


@given(st.integers(100, 599), st.binary(max_size=200))
def test_no_bytes_break_it(status, body):
    read = ProviderAnswer(status, body)

    assert isinstance(wecom_sending.read_answer(read), Sent | Refused)
    assert isinstance(wecom_sending.read_token(read), AccessToken | Refused)


def test_a_token_is_asked_for_with_the_secret_of_the_account():
    account = wecom_account(accounts={"1000002": {"secret": "its=own"}})

    shared = wecom_sending.build_token_request("https://x", account.of_account(KFID))
    own = wecom_sending.build_token_request("https://x", account.of_account("1000002"))

    assert shared.url == f"https://x/cgi-bin/gettoken?corpid={CORP}&corpsecret=s3cr3t"
    assert own.url == f"https://x/cgi-bin/gettoken?corpid={CORP}&corpsecret=its%3Down"
    assert (shared.method, shared.body) == ("GET", b"")


def test_a_token_is_good_for_as_long_as_wecom_says():
    found = wecom_sending.read_token(
        answer(errcode=0, errmsg="ok", access_token="T1", expires_in=7200)
    )

    assert found == AccessToken("T1", timedelta(hours=2))


@pytest.mark.parametrize(
    "said",
    [
        {"errcode": 40013, "errmsg": "invalid corpid"},
        {"errcode": 0},
        {"errcode": 0, "access_token": "", "expires_in": 7200},
        {"errcode": 0, "access_token": 5, "expires_in": 7200},
        {"errcode": 0, "access_token": "T", "expires_in": "7200"},
        {"errcode": 0, "access_token": "T"},
        {"access_token": "T", "expires_in": 7200},
    ],
)
def test_an_answer_without_a_token_is_a_refusal(said):
    assert isinstance(wecom_sending.read_token(answer(**said)), Refused)
