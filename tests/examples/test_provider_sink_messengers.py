"""LINE, WhatsApp, Messenger and Vonage in the sink, spoken to by the adapters of the desk."""

import http.client
import json
import re
import time
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest

from caseweave.channels import line_sending, meta_sending, vonage_sending, whatsapp_sending
from caseweave.channels.credentials import Credentials
from caseweave.channels.request import (
    MediaLink,
    ProviderAnswer,
    ProviderRequest,
    Refusal,
    Refused,
    SendResult,
    Sent,
)
from caseweave.domain.identity import Address, AddressKind
from caseweave.domain.message import Channel, Message
from tests.channels.samples import OUTBOX_KEY, outbound, outgoing
from tests.examples.test_provider_sink import Answer, Sink, _run

SECRETS = {
    "line": {"access_token": "line-token"},
    "whatsapp": {"access_token": "whatsapp-token"},
    "meta": {"access_token": "meta-token"},
    "vonage": {"api_key": "abcd1234", "api_secret": "vonage-secret"},
}
HELD = {
    "line": {"channel_access_token": "line-token"},
    "whatsapp": {"access_token": "whatsapp-token", "phone_number_id": "1050"},
    "meta": {"access_token": "meta-token"},
    "vonage": {"api_key": "abcd1234", "api_secret": "vonage-secret", "from": "15005550009"},
}
WRONG = {
    "line": {"channel_access_token": "no"},
    "whatsapp": {"access_token": "no"},
    "meta": {"access_token": "no"},
    "vonage": {"api_secret": "no"},
}
ADAPTERS: dict[str, Any] = {
    "line": line_sending,
    "whatsapp": whatsapp_sending,
    "meta": meta_sending,
    "vonage": vonage_sending,
}
PROVIDERS = sorted(ADAPTERS)
# What each says when it is told to refuse and not how.
REFUSED = {
    "line": Refusal.PERMANENT,
    "meta": Refusal.WINDOW_CLOSED,
    "vonage": Refusal.TRANSIENT,
    "whatsapp": Refusal.WINDOW_CLOSED,
}


class Case(NamedTuple):
    address: Address
    to: str
    sender: str
    id_form: str


CASES = {
    "line": Case(Address(AddressKind.LINE, "U1.U7"), "U7", "", r"[0-9]+"),
    "whatsapp": Case(
        Address(AddressKind.PHONE, "+8613800138000"),
        "8613800138000",
        "1050",
        r"wamid\.[A-Za-z0-9+/]+=*",
    ),
    "meta": Case(Address(AddressKind.MESSENGER, "1001.2002"), "2002", "1001", r"m_[\w-]+"),
    "vonage": Case(
        Address(AddressKind.PHONE, "+8613800138000"),
        "8613800138000",
        "15005550009",
        r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    ),
}


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


def build(sink: Sink, provider: str, key: str = "", **changes: Any) -> ProviderRequest:
    """What the adapter asks; by default under a key of its own."""
    held = changes.pop("held", {})
    address = changes.pop("address", CASES[provider].address)
    message = outbound(Channel.MESSENGER, provider, address, **changes)
    return ADAPTERS[provider].build_send(
        outgoing(message, key or f"{OUTBOX_KEY}~{time.monotonic_ns()}"),
        f"http://127.0.0.1:{sink.port}/{provider}",
        Credentials(provider, HELD[provider] | held),
    )


def post_part(sink: Sink, message: Message, **part: Any) -> SendResult:
    provider = message.provider
    request = ADAPTERS[provider].build_send(
        outgoing(message, f"{OUTBOX_KEY}~{time.monotonic_ns()}", **part),
        f"http://127.0.0.1:{sink.port}/{provider}",
        Credentials(provider, HELD[provider]),
    )
    return read(provider, post(sink, request))


def post(sink: Sink, request: ProviderRequest) -> Answer:
    path = urlsplit(request.url).path
    return sink.ask("POST", path, request.body.decode(), dict(request.headers))


def read(provider: str, answer: Answer) -> SendResult:
    return ADAPTERS[provider].read_answer(ProviderAnswer(answer.status, answer.body))


def send(sink: Sink, provider: str, **changes: Any) -> tuple[Answer, SendResult]:
    answer = post(sink, build(sink, provider, **changes))
    return answer, read(provider, answer)


@pytest.mark.parametrize("provider", PROVIDERS)
class TestEveryProvider:
    def test_takes_what_the_adapter_sends_and_shows_it(self, sink, provider):
        case = CASES[provider]

        answer, result = send(sink, provider)

        [message] = sink.messages(f"?provider={provider}")
        assert answer.status == (202 if provider == "vonage" else 200)
        assert isinstance(result, Sent)
        assert re.fullmatch(case.id_form, result.provider_id)
        names = ("to", "from", "body", "provider_id", "status", "error")
        assert {name: message[name] for name in names} == {
            "to": case.to,
            "from": case.sender,
            "body": "您好，已经补发。",
            "provider_id": result.provider_id,
            "status": "accepted",
            "error": None,
        }

    def test_gives_no_id_twice(self, sink, provider):
        assert len({send(sink, provider)[1].provider_id for _ in range(3)}) == 3

    def test_refuses_wrong_credentials(self, sink, provider):
        answer, result = send(sink, provider, held=WRONG[provider])

        assert (answer.status, result.kind) == (401, Refusal.TRANSIENT)
        assert sink.messages()[0]["status"] == "refused"
        anonymous = build(sink, provider)
        assert sink.ask("POST", urlsplit(anonymous.url).path, "{}").status == 401

    def test_refuses_a_message_without_text(self, sink, provider):
        answer, result = send(sink, provider, body="")

        assert answer.status == (422 if provider == "vonage" else 400)
        assert result.kind is Refusal.PERMANENT
        assert sink.messages()[0]["status"] == "refused"

    def test_ignores_fields_that_it_does_not_know(self, sink, provider):
        request = build(sink, provider)
        body = json.dumps(json.loads(request.body) | {"new": {"in": [2027]}})

        answer = sink.ask("POST", urlsplit(request.url).path, body, dict(request.headers))

        assert isinstance(read(provider, answer), Sent)

    @pytest.mark.parametrize("body", ["{", "[]", "{}", '{"messages": 7, "text": [], "to": {}}'])
    def test_answers_strange_bodies_as_mistakes(self, sink, provider, body):
        request = build(sink, provider)

        answer = sink.ask("POST", urlsplit(request.url).path, body, dict(request.headers))

        assert answer.status in (400, 422)
        assert read(provider, answer).kind is Refusal.PERMANENT

    @pytest.mark.parametrize(
        ("mode", "statuses", "kind"),
        [
            ("throttle", {429}, Refusal.THROTTLED),
            ("server_error", {500}, Refusal.UNKNOWN),
            ("refuse", {400, 402}, None),
        ],
    )
    def test_fails_once_when_told_so(self, sink, provider, mode, statuses, kind):
        sink.fault(provider=provider, mode=mode)

        answer, result = send(sink, provider)

        assert answer.status in statuses
        expected = kind or REFUSED[provider]
        assert (result.kind, len(result.detail) > len("500 ")) == (expected, True)
        assert isinstance(send(sink, provider)[1], Sent)
        assert [message["status"] for message in sink.messages()] == ["refused", "accepted"]

    def test_understands_files(self, sink, provider):
        url = "https://files.example/shot.png"
        media = MediaLink("shot.png", "image/png", 9, url)
        address = CASES[provider].address
        context = {"channel": "whatsapp", "to": "1500"} if provider == "vonage" else {}
        message = outbound(Channel.MESSENGER, provider, address, context=context)

        assert isinstance(post_part(sink, message, body="", media=media), Sent)
        assert sink.messages()[0]["media"] == [url]

    @pytest.mark.parametrize(("mode", "seen"), [("hang_up_before", 0), ("hang_up_after", 1)])
    def test_hangs_up(self, sink, provider, mode, seen):
        sink.fault(provider=provider, mode=mode)

        with pytest.raises(http.client.RemoteDisconnected):
            send(sink, provider)

        assert [message["status"] for message in sink.messages()] == ["accepted"] * seen

    def test_is_slow(self, sink, provider):
        sink.fault(provider=provider, mode="slow", seconds=0.2)
        started = time.monotonic()

        assert isinstance(send(sink, provider)[1], Sent)
        assert time.monotonic() - started >= 0.2

    def test_is_on_the_page_once_it_was_used(self, sink, provider):
        column = f'<section class="{provider}">'
        assert column not in sink.ask("GET", "/").body.decode()

        send(sink, provider, body="<b>补发</b>")

        page = sink.ask("GET", "/").body.decode()
        assert column in page
        assert "&lt;b&gt;补发&lt;/b&gt;" in page


class TestLine:
    def test_takes_a_retry_key_once(self, sink):
        request = build(sink, "line", "key-1")

        first, second = post(sink, request), post(sink, request)

        assert (first.status, second.status) == (200, 409)
        assert first.json == {"sentMessages": [{"id": first.json["sentMessages"][0]["id"]}]}
        assert second.json == {"message": "The retry key is already accepted", **first.json}
        accepted = second.headers["X-Line-Accepted-Request-Id"]
        assert accepted == first.headers["X-Line-Request-Id"]
        assert read("line", second) == read("line", first)
        assert len(sink.messages()) == 1

    def test_a_key_is_used_up_only_by_what_was_accepted(self, sink):
        request = build(sink, "line", "key-2")
        for mode in ("throttle", "server_error", "hang_up_before", "hang_up_after"):
            sink.fault(provider="line", mode=mode)

        assert [post(sink, request).status for _ in range(2)] == [429, 500]
        for _ in range(2):
            with pytest.raises(http.client.RemoteDisconnected):
                post(sink, request)

        assert post(sink, request).status == 409
        statuses = [message["status"] for message in sink.messages()]
        assert statuses == ["refused", "refused", "accepted"]

    def test_a_key_outlives_the_inbox(self, sink):
        request = build(sink, "line", "key-3")
        post(sink, request)
        sink.ask("DELETE", "/_sink/messages")

        assert post(sink, request).status == 409

    def test_without_a_key_every_request_counts(self, sink):
        request = build(sink, "line")
        headers = {"Authorization": request.headers["Authorization"]}
        path, body = urlsplit(request.url).path, request.body.decode()

        statuses = [sink.ask("POST", path, body, headers).status for _ in range(2)]

        assert (statuses, len(sink.messages())) == ([200, 200], 2)
        headers["X-Line-Retry-Key"] = "no-uuid"
        assert sink.ask("POST", path, body, headers).status == 400

    def test_names_the_property(self, sink):
        assert send(sink, "line", body="")[0].json == {
            "message": "The request body has 1 error(s)",
            "details": [{"message": "May not be empty", "property": "messages[0].text"}],
        }

    def test_a_used_up_quota_is_no_throttling(self, sink):
        sink.fault(provider="line", mode="refuse", code=429)

        _, result = send(sink, "line")

        assert result == Refused(Refusal.PERMANENT, "429 You have reached your monthly limit.")

    def test_knows_the_token_by_the_name_that_the_desk_uses(self, tmp_path):
        path = tmp_path / "secrets.json"
        path.write_text(json.dumps({"line": HELD["line"], "meta": {"app_secret": "x"}}))
        for other in _run("examples/provider_sink/server.py", "--secrets", str(path)):
            assert isinstance(send(other, "line")[1], Sent)
            assert send(other, "meta")[0].status == 401


class TestMeta:
    def test_whatsapp_tells_whom_it_was_sent_to(self, sink):
        answer, result = send(sink, "whatsapp")

        assert answer.json == {
            "messaging_product": "whatsapp",
            "contacts": [{"input": "8613800138000", "wa_id": "8613800138000"}],
            "messages": [{"id": result.provider_id}],
        }

    def test_whatsapp_reaches_who_shows_no_number(self, sink):
        answer, _ = send(
            sink,
            "whatsapp",
            address=Address(AddressKind.MESSENGER, "whatsapp.CN.1349"),
            context={"phone_number_id": "../1066", "user_id": "CN.1349"},
        )

        assert answer.json["contacts"] == [{"input": "CN.1349", "user_id": "CN.1349"}]
        assert sink.messages("?to=CN.1349")[0]["from"] == "../1066"

    def test_instagram_is_sent_as_the_owner_of_the_token(self, sink):
        answer, result = send(sink, "meta", address=Address(AddressKind.INSTAGRAM, "17.42"))

        assert answer.json == {"recipient_id": "42", "message_id": result.provider_id}
        assert sink.messages()[0]["from"] == "me"

    def test_a_closed_window_is_told_by_its_numbers(self, sink):
        sink.fault(provider="meta", mode="refuse")
        sink.fault(provider="whatsapp", mode="refuse")

        assert send(sink, "meta")[1].detail.startswith("10/2018278 ")
        assert send(sink, "whatsapp")[1].detail.startswith("131047 ")

    def test_other_numbers_can_be_asked_for(self, sink):
        sink.fault(provider="whatsapp", mode="refuse", code=131056)

        assert send(sink, "whatsapp")[1].kind is Refusal.THROTTLED


class TestVonage:
    def test_describes_problems(self, sink):
        answer, _ = send(sink, "vonage", body="")

        assert answer.headers["Content-Type"] == "application/problem+json"
        assert sorted(answer.json) == ["detail", "instance", "invalid_parameters", "title", "type"]
        assert answer.json["invalid_parameters"][0]["name"] == "text"


class TestWhatOnlySomeCan:
    @pytest.mark.parametrize(
        ("name", "code", "kind"),
        [
            ("line", 403, Refusal.TRANSIENT),
            ("line", 429, Refusal.PERMANENT),
            ("meta", 2534022, Refusal.WINDOW_CLOSED),
            ("meta", 551, Refusal.OPTED_OUT),
            ("meta", 190, Refusal.TRANSIENT),
            ("meta", 100, Refusal.PERMANENT),
            ("whatsapp", 131047, Refusal.WINDOW_CLOSED),
            ("whatsapp", 131050, Refusal.OPTED_OUT),
            ("whatsapp", 131056, Refusal.THROTTLED),
            ("whatsapp", 131042, Refusal.TRANSIENT),
            ("vonage", 1340, Refusal.WINDOW_CLOSED),
            ("vonage", 1150, Refusal.PERMANENT),
        ],
    )
    def test_refuses_as_it_is_told_to(self, sink, name, code, kind):
        sink.fault(provider=name, mode="refuse", code=code)

        assert send(sink, name)[1].kind is kind

    @pytest.mark.parametrize("name", ["line", "meta", "whatsapp"])
    def test_understands_quick_replies_and_what_is_answered(self, sink, name):
        message = outbound(
            Channel.MESSENGER, name, CASES[name].address, context={"quote_token": "m_1"}
        )

        sent = post_part(sink, message, body="?", quick_replies=("Yes", "No"), reply_to="m_1")

        assert isinstance(sent, Sent)
        (received,) = sink.messages()
        assert (received["body"], received["quick_replies"]) == ("?", ["Yes", "No"])
        assert received["reply_to"] == "m_1"
