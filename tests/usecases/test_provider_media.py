"""Files fetched from providers that answer over real sockets, in their own ways."""

import json
from urllib.parse import urlsplit

import pytest

from caseweave.channels.credentials import Credentials
from caseweave.domain.media import Shortfall
from caseweave.domain.message import Attachment, Channel
from caseweave.domain.opening import keep_message
from caseweave.downloading import Missed, system_network
from caseweave.provider_media import Providers, fetch_from_provider
from tests.test_downloading import serving
from tests.usecases.world import NOON, message, proven, telegram

SECRETS = {"bot_token": "71:AAbb", "access_token": "EAAG", "channel_access_token": "line-token"}


def answering(answers):
    """Answers each path by what stands for it, and 404 for the rest."""

    def speak(client, asked):
        path = urlsplit(asked.split()[1]).path
        status, body = answers.get(path, (404, b""))
        said = body if isinstance(body, bytes) else json.dumps(body).encode()
        head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(said)}\r\n\r\n"
        client.sendall(head.encode() + said)

    return speak


def fetch(server, provider, reference, most_bytes=1000):
    """What comes of it, and which access tokens were given up."""
    attachment = Attachment("file", "image/jpeg", provider_ref=reference)
    sent = message(Channel.MESSENGER, provider, proven(telegram("42")), "", "1")
    forgotten = []
    providers = Providers(
        lambda name, account: Credentials(name, SECRETS),
        lambda name, credentials: forgotten.append((name, credentials.current("access_token"))),
        system_network(),
        server.url,
    )
    kept = keep_message(sent, "case", "customer", "message", NOON)
    return fetch_from_provider(kept, attachment, most_bytes, providers), forgotten


TELEGRAM = {
    "/telegram/bot71:AAbb/getFile": (200, {"ok": True, "result": {"file_path": "photos/1.jpg"}}),
    "/telegram/file/bot71:AAbb/photos/1.jpg": (200, b"photo"),
}


def test_telegram_is_asked_where_and_then_for_the_file():
    with serving(answering(TELEGRAM)) as server:
        assert fetch(server, "telegram", "id") == (b"photo", [])
    assert len(server.asked) == 2


def test_no_secret_shows_in_why_a_file_is_missing():
    with serving(answering({})) as server:
        missed, _ = fetch(server, "telegram", "id")
    assert missed == Missed(Shortfall.GONE, "404", is_final=True)


def test_a_file_larger_than_the_channel_allows_is_not_taken():
    with serving(answering(TELEGRAM)) as server:
        missed, _ = fetch(server, "telegram", "id", most_bytes=4)
    assert missed == Missed(Shortfall.TOO_LARGE, "more than 4 bytes", is_final=True)


@pytest.mark.parametrize("elsewhere", ["https://evil.example/x", "http://169.254.169.254/x"])
def test_a_provider_cannot_send_us_elsewhere(elsewhere):
    with serving(answering({"/whatsapp/1": (200, {"url": elsewhere})})) as server:
        missed, _ = fetch(server, "whatsapp", "1")
    assert (missed.reason, missed.is_final) == (Shortfall.NOT_ALLOWED, True)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("status", "reason", "is_final"),
    [
        (202, Shortfall.UNREACHABLE, False),
        (401, Shortfall.REFUSED, False),
        (404, Shortfall.GONE, True),
        (410, Shortfall.GONE, True),
        (429, Shortfall.UNREACHABLE, False),
        (500, Shortfall.UNREACHABLE, False),
    ],
)
def test_what_line_answers_decides_whether_to_come_again(status, reason, is_final):
    path = "/line/v2/bot/message/5/content"
    with serving(answering({path: (status, b"{}")})) as server:
        missed, _ = fetch(server, "line", "5")
    assert missed == Missed(reason, f"{status} from line", is_final=is_final)


def test_wechats_error_with_status_200_is_no_file_and_its_token_is_given_up():
    said = {"errcode": 40001, "errmsg": "invalid credential"}
    with serving(answering({"/wechat/cgi-bin/media/get": (200, said)})) as server:
        assert fetch(server, "wechat", "M1") == (
            Missed(Shortfall.REFUSED, "40001 invalid credential", is_final=False),
            [("wechat", "EAAG")],
        )


def test_wechats_file_is_one():
    with serving(answering({"/wechat/cgi-bin/media/get": (200, b"\xff\xd8\xff")})) as server:
        assert fetch(server, "wechat", "M1") == (b"\xff\xd8\xff", [])
