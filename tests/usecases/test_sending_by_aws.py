"""SMS by AWS End User Messaging: boto3's real request, to the provider sink."""

from collections.abc import Iterator
from threading import Thread

import pytest

from caseweave.aws.clients import client
from caseweave.aws.text_messages import send_text
from caseweave.channels.request import Refusal, Refused, Sent
from examples.provider_sink.accounts import Secrets
from examples.provider_sink.faults import Fault
from examples.provider_sink.routes import Sink
from examples.provider_sink.server import SinkServer
from tests.channels.samples import OUTBOX_KEY

MESSAGE = {
    "DestinationPhoneNumber": "+8613800138000",
    "OriginationIdentity": "+15005550010",
    "MessageBody": "您好，已经补发。",
    "MessageType": "TRANSACTIONAL",
    "Context": {"caseweave": OUTBOX_KEY},
}


@pytest.fixture
def sink(tmp_path, monkeypatch) -> Iterator[Sink]:
    sink = Sink(Secrets(tmp_path / "none.json"), calls_back=False)
    server = SinkServer(0, sink)
    Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/aws"
    monkeypatch.setenv("AWS_ENDPOINT_URL_PINPOINT_SMS_VOICE_V2", address)
    client.cache_clear()
    yield sink
    client.cache_clear()
    server.shutdown()
    server.server_close()


def fault(sink, mode):
    sink.faults.add(Fault.from_json({"provider": "aws", "mode": mode}))


def test_what_aws_takes_has_its_id(sink):
    result = send_text(MESSAGE)

    (received,) = sink.inbox.select(provider="aws")
    assert result == Sent(received.provider_id)
    assert (received.to, received.sender) == (("+8613800138000",), "+15005550010")
    assert received.body == "您好，已经补发。"
    assert received.request["Context"] == {"caseweave": OUTBOX_KEY}


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("throttle", Refusal.THROTTLED),
        ("refuse", Refusal.OPTED_OUT),
        ("server_error", Refusal.UNKNOWN),
        ("hang_up_after", Refusal.UNKNOWN),
    ],
)
def test_a_refusal_says_what_can_be_done_and_nothing_is_sent_twice(sink, mode, kind):
    fault(sink, mode)

    result = send_text(MESSAGE)

    assert isinstance(result, Refused)
    assert result.kind is kind
    assert len(sink.inbox.select(provider="aws")) == 1


def test_what_aws_finds_wrong_is_refused_for_good(sink):
    result = send_text(MESSAGE | {"MessageBody": "x" * 1601})

    assert isinstance(result, Refused)
    assert result.kind is Refusal.PERMANENT


def test_where_aws_cannot_be_reached_nothing_left(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_PINPOINT_SMS_VOICE_V2", "http://127.0.0.1:9/aws")
    client.cache_clear()

    result = send_text(MESSAGE)

    client.cache_clear()
    assert isinstance(result, Refused)
    assert result.kind is Refusal.THROTTLED
