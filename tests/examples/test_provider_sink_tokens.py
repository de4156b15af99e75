"""Providers that hand out a token first, in the sink, spoken to by the adapters of the desk."""

import json
import time
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest

from caseweave.channels import qq, wechat
from caseweave.channels.credentials import Credentials
from caseweave.channels.request import (
    AccessToken,
    ProviderAnswer,
    ProviderRequest,
    Refusal,
    Refused,
    SendResult,
    Sent,
)
from caseweave.domain.identity import Address, AddressKind
from caseweave.domain.message import Channel
from tests.channels.samples import OUTBOX_KEY, outbound, outgoing
from tests.examples.test_provider_sink import Sink, _run

SECRETS = {
    "qq": {"app_id": "102", "app_secret": "qq-secret"},
    "wechat": {"app_id": "wx1", "app_secret": "wechat-secret"},
}
ADAPTERS: dict[str, Any] = {"qq": qq, "wechat": wechat}
ADDRESSES = {
    "qq": Address(AddressKind.QQ, "102.E4F4"),
    "wechat": Address(AddressKind.WECHAT, "gh_1.oLin"),
}
CONTEXTS = {"qq": {"scene": "users", "target": "E4F4", "message_id": "M1"}, "wechat": {}}
RECIPIENTS = {"qq": "E4F4", "wechat": "oLin"}
PROVIDERS = pytest.mark.parametrize("provider", sorted(ADAPTERS))


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


def ask(sink: Sink, request: ProviderRequest) -> ProviderAnswer:
    parts = urlsplit(request.url)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    answer = sink.ask(request.method, path, request.body.decode(), dict(request.headers))
    return ProviderAnswer(answer.status, answer.body)


def fetch_token(sink: Sink, provider: str, **held: str) -> AccessToken | Refused:
    adapter, credentials = ADAPTERS[provider], Credentials(provider, SECRETS[provider] | held)
    base = f"http://127.0.0.1:{sink.port}/{provider}"
    token: AccessToken | Refused = adapter.read_token(
        ask(sink, adapter.build_token_request(base, credentials))
    )
    return token


def send(sink: Sink, provider: str, token: str = "", **changes: Any) -> SendResult:
    """What the adapter sends with a token of the sink's own, unless another is given."""
    fetched = fetch_token(sink, provider)
    assert isinstance(fetched, AccessToken)
    credentials = Credentials(provider, {"access_token": token or fetched.value})
    key = changes.pop("key", f"{OUTBOX_KEY}~{time.monotonic_ns()}")
    known = {"context": CONTEXTS[provider]} | changes
    message = outgoing(outbound(Channel.MESSENGER, provider, ADDRESSES[provider], **known), key)
    request = ADAPTERS[provider].build_send(
        message,
        f"http://127.0.0.1:{sink.port}/{provider}",
        credentials,
    )
    result: SendResult = ADAPTERS[provider].read_answer(ask(sink, request))
    return result


@PROVIDERS
class TestEveryProvider:
    def test_takes_what_the_adapter_sends_and_shows_it(self, sink, provider):
        assert isinstance(send(sink, provider), Sent)

        [message] = sink.messages(f"?provider={provider}")
        assert (message["to"], message["body"], message["status"]) == (
            RECIPIENTS[provider],
            "您好，已经补发。",
            "accepted",
        )
        assert f'<section class="{provider}">' in sink.ask("GET", "/").body.decode()

    def test_hands_the_same_token_to_whoever_knows_the_secret(self, sink, provider):
        first, again = fetch_token(sink, provider), fetch_token(sink, provider)

        assert isinstance(first, AccessToken)
        assert first == again
        assert isinstance(fetch_token(sink, provider, app_secret="no"), Refused)
        assert isinstance(fetch_token(sink, provider, app_id="no"), Refused)
        assert sink.messages() == []

    def test_a_wrong_token_is_stale(self, sink, provider):
        refused = send(sink, provider, token="no")

        assert isinstance(refused, Refused)
        assert (refused.kind, refused.is_token_stale) == (Refusal.TRANSIENT, True)
        assert sink.messages()[0]["status"] == "refused"

    @pytest.mark.parametrize(
        ("mode", "kind"),
        [
            ("throttle", Refusal.THROTTLED),
            ("server_error", Refusal.UNKNOWN),
            ("refuse", Refusal.WINDOW_CLOSED),
        ],
    )
    def test_fails_once_when_told_so(self, sink, provider, mode, kind):
        # The first call is for the token.
        sink.fault(provider=provider, mode=mode, count=2)

        assert send(sink, provider).kind is kind
        assert isinstance(send(sink, provider), Sent)
        assert [message["status"] for message in sink.messages()] == ["refused", "accepted"]

    def test_refuses_a_message_without_text(self, sink, provider):
        assert send(sink, provider, body=" ").kind is Refusal.PERMANENT

    @pytest.mark.parametrize("body", ["{", "[]", "{}", '{"touser": {}, "text": 7, "msgmenu": []}'])
    def test_answers_strange_bodies_as_mistakes(self, sink, provider, body):
        fetched = fetch_token(sink, provider)
        assert isinstance(fetched, AccessToken)
        address = ADDRESSES[provider]
        message = outgoing(outbound(Channel.MESSENGER, provider, address), OUTBOX_KEY)
        request = ADAPTERS[provider].build_send(
            message,
            f"http://127.0.0.1:{sink.port}/{provider}",
            Credentials(provider, {"access_token": fetched.value}),
        )

        answer = ask(sink, replace(request, body=body.encode()))

        assert ADAPTERS[provider].read_answer(answer).kind is Refusal.PERMANENT


class TestWeChat:
    def test_shows_a_menu_with_its_choices(self, sink):
        message = outgoing(
            outbound(Channel.MESSENGER, "wechat", ADDRESSES["wechat"], body="好了？"), OUTBOX_KEY
        )
        token = fetch_token(sink, "wechat")
        assert isinstance(token, AccessToken)
        request = wechat.build_send(
            replace(message, quick_replies=("是", "否")),
            f"http://127.0.0.1:{sink.port}/wechat",
            Credentials("wechat", {"access_token": token.value}),
        )

        assert wechat.read_answer(ask(sink, request)) == Sent("")
        assert sink.messages()[0]["body"] == "好了？\n是\n否"

    def test_takes_no_text_of_more_than_2048_bytes(self, sink):
        longest = "😀" * 512

        assert send(sink, "wechat", body=longest) == Sent("")
        assert send(sink, "wechat", body=longest + "x").kind is Refusal.PERMANENT


class TestQQ:
    def test_takes_an_answer_once_however_often_it_is_sent(self, sink):
        key = f"{OUTBOX_KEY}~{time.monotonic_ns()}"

        first, again = send(sink, "qq", key=key), send(sink, "qq", key=key)

        assert isinstance(first, Sent)
        assert first.provider_id.startswith("ROBOT1.0_")
        assert again == Sent("")
        assert len(sink.messages()) == 1

    def test_takes_nothing_unasked(self, sink):
        context = {"scene": "users", "target": "E4F4"}

        assert send(sink, "qq", context=context).kind is Refusal.WINDOW_CLOSED

    @pytest.mark.parametrize("scene", ["users", "groups", "channels", "dms"])
    def test_has_four_places(self, sink, scene):
        context = {"scene": scene, "target": "a/b", "message_id": "M2"}

        assert isinstance(send(sink, "qq", context=context), Sent)
        assert sink.messages()[0]["to"] == "a/b"
