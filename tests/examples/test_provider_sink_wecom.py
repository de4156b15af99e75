"""WeCom in the sink, spoken to by the adapters of the desk."""

import json
from urllib.parse import urlsplit

import pytest

from caseweave.channels import wecom_kf, wecom_sending
from caseweave.channels.request import (
    AccessToken,
    ProviderAnswer,
    Refusal,
    Refused,
    Sent,
)
from tests.channels.wecom_samples import (
    CUSTOMER,
    KFID,
    kf_text,
    to_colleague,
    to_customer,
    wecom_account,
)
from tests.examples.test_provider_sink import _run

SECRETS = {"wecom": {"corp_id": wecom_account().current("corp_id"), "secret": "s3cr3t"}}


@pytest.fixture(scope="module")
def process(tmp_path_factory):
    path = tmp_path_factory.mktemp("sink") / "secrets.json"
    path.write_text(json.dumps(SECRETS))
    yield from _run("examples/provider_sink/server.py", "--secrets", str(path))


@pytest.fixture
def sink(process):
    process.ask("DELETE", "/_sink/messages")
    process.ask("DELETE", "/_sink/faults")
    return process


def ask(sink, request):
    parts = urlsplit(request.url)
    path = f"{parts.path}?{parts.query}"
    answer = sink.ask(request.method, path, request.body.decode(), dict(request.headers))
    return ProviderAnswer(answer.status, answer.body)


def base_url(sink):
    return f"http://127.0.0.1:{sink.port}/wecom"


def fetch_token(sink, **secrets):
    request = wecom_sending.build_token_request(base_url(sink), wecom_account(**secrets))
    return wecom_sending.read_token(ask(sink, request))


def with_token(sink):
    return wecom_account(access_token=fetch_token(sink).value)


def send(sink, outgoing, account=None):
    request = wecom_sending.build_send(outgoing, base_url(sink), account or with_token(sink))
    return wecom_sending.read_answer(ask(sink, request))


def test_a_token_is_handed_out_to_who_knows_the_secret(sink):
    assert isinstance(fetch_token(sink), AccessToken)
    assert fetch_token(sink, secret="wrong").detail == "40001 invalid credential"
    assert fetch_token(sink, corp_id="ww0").detail == "40013 invalid corpid"


def test_messages_of_both_kinds_are_taken_and_shown(sink):
    found = [send(sink, to_customer()), send(sink, to_colleague())]

    assert all(isinstance(one, Sent) for one in found)
    shown = sink.messages("?provider=wecom")
    assert [(m["to"], m["from"], m["body"], m["provider_id"]) for m in shown] == [
        (CUSTOMER, KFID, "您好，已经补发。", found[0].provider_id),
        ("li.ming@east", "1000002", "收到。", found[1].provider_id),
    ]
    assert '<section class="wecom">' in sink.ask("GET", "/").body.decode()


def test_the_same_message_is_taken_once(sink):
    outgoing = to_customer("一次", quick_replies=("好", "不好"))

    first = send(sink, outgoing)
    sink.ask("DELETE", "/_sink/messages")

    assert send(sink, outgoing) == first
    assert sink.messages() == []


@pytest.mark.parametrize(
    ("outgoing", "detail"),
    [
        (to_customer("x" * 2049, context={"open_kfid": KFID}), "45002 content size out of limit"),
        (to_customer(" "), "44004 empty content"),
        (to_colleague(context={"user_id": "li"}, account=""), "40058 invalid request parameter"),
    ],
)
def test_mistakes_are_told_as_wecom_tells_them(sink, outgoing, detail):
    assert send(sink, outgoing) == Refused(Refusal.PERMANENT, detail)


def test_a_wrong_token_is_stale(sink):
    found = send(sink, to_customer(), wecom_account(access_token="old"))

    assert (found.kind, found.is_token_stale) == (Refusal.TRANSIENT, True)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"mode": "throttle"}, Refusal.THROTTLED),
        ({"mode": "server_error"}, Refusal.UNKNOWN),
        ({"mode": "refuse"}, Refusal.WINDOW_CLOSED),
        ({"mode": "refuse", "code": 40003}, Refusal.PERMANENT),
    ],
)
def test_it_fails_once_when_told_so(sink, fault, kind):
    account = with_token(sink)
    sink.fault(provider="wecom", **fault)

    assert send(sink, to_colleague(), account).kind is kind
    assert isinstance(send(sink, to_colleague(), account), Sent)


def test_the_script_of_a_play_is_pulled_page_by_page(sink):
    account, messages = with_token(sink), [kf_text(f"{n}", f"M{n}") for n in range(4)]
    script = json.dumps({"open_kfid": "wk-play", "messages": messages})
    assert sink.ask("POST", "/_sink/kf", script).json == {"ok": True, "messages": 4}

    first, second, third = (
        wecom_kf.read_page(
            ask(sink, wecom_kf.build_pull("wk-play", cursor, "", base_url(sink), account))
        )
        for cursor in ("", "3", "4")
    )

    assert first == wecom_kf.Page(tuple(messages[:3]), "3", has_more=True)
    assert second == wecom_kf.Page(tuple(messages[3:]), "4", has_more=False)
    assert third == wecom_kf.Page((), "4", has_more=False)


@pytest.mark.parametrize("script", ["{", "{}", '{"open_kfid": "wk", "messages": [1]}'])
def test_a_script_that_is_none_is_refused(sink, script):
    assert sink.ask("POST", "/_sink/kf", script).status == 400
