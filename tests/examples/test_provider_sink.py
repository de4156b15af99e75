"""The provider sink as its users meet it: a real process, spoken to over HTTP."""

import base64
import hmac
import http.client
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote, urlencode

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

ROOT = Path(__file__).parents[2]
SID, TOKEN, NUMBER = "AC" + "a1" * 16, "twilio-token", "+14155550100"
BOT_TOKEN = "7000000001:bot-token"
SECRETS = {
    "twilio": {"account_sid": SID, "auth_token": TOKEN, "from": NUMBER},
    "telegram": {
        "bot_id": 7000000001,
        "bot_username": "caseweave_bot",
        "bot_token": BOT_TOKEN,
        "secret_token": "unused-here",
    },
}
BASIC = "Basic " + base64.b64encode(f"{SID}:{TOKEN}".encode()).decode()
SMS = {"To": "+14155550132", "From": NUMBER, "Body": "Your case is C-7K3F-9Q2M."}


class Answer(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Sink:
    def __init__(self, port: int) -> None:
        self.port = port

    def ask(
        self, method: str, path: str, body: str = "", headers: dict[str, str] | None = None
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body.encode(), headers or {})
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def text(self, form: dict[str, str], authorization: str = BASIC, sid: str = SID) -> Answer:
        path = f"/twilio/2010-04-01/Accounts/{sid}/Messages.json"
        form_type = "application/x-www-form-urlencoded"
        headers = {"Authorization": authorization, "Content-Type": form_type}
        return self.ask("POST", path, urlencode(form), headers)

    def telegram(self, message: dict[str, Any], token: str = BOT_TOKEN) -> Answer:
        json_type = {"Content-Type": "application/json"}
        path = f"/telegram/bot{token}/sendMessage"
        return self.ask("POST", path, json.dumps(message), json_type)

    def fault(self, **fault: Any) -> Answer:
        return self.ask("POST", "/_sink/faults", json.dumps(fault))

    def messages(self, query: str = "") -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = self.ask("GET", f"/_sink/messages{query}").json
        return messages

    def mailer(self) -> Any:
        return boto3.client(
            "sesv2",
            endpoint_url=f"http://127.0.0.1:{self.port}/ses",
            region_name="eu-west-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"total_max_attempts": 1}),
        )


@pytest.fixture(scope="module")
def secrets_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sink") / "secrets.json"
    path.write_text(json.dumps(SECRETS))
    return path


@pytest.fixture(scope="module")
def process(secrets_file: Path) -> Iterator[Sink]:
    yield from _run("examples/provider_sink/server.py", "--secrets", str(secrets_file))


@pytest.fixture
def sink(process: Sink) -> Sink:
    process.ask("DELETE", "/_sink/messages")
    process.ask("DELETE", "/_sink/faults")
    return process


def _run(*command: str) -> Iterator[Sink]:
    with subprocess.Popen(
        [sys.executable, *command, "--port", "0"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout
        yield Sink(int(server.stdout.readline().rpartition(":")[2]))
        server.terminate()


class Callbacks(NamedTuple):
    url: str
    received: list[tuple[str, dict[str, str], str]]


@pytest.fixture
def callbacks() -> Iterator[Callbacks]:
    """Receive status callbacks; the first try of all is answered 503."""
    received: list[tuple[str, dict[str, str], str]] = []
    answers = iter([503])

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            signature = self.headers["X-Twilio-Signature"]
            received.append((self.path, dict(parse_qsl(body)), signature))
            self.send_response(next(answers, 204))
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield Callbacks(
            f"http://127.0.0.1:{server.server_port}/intake/sms/twilio?x=%C3%A9", received
        )
        server.shutdown()


def wait_until(claim: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not claim():
        assert time.monotonic() < deadline, "did not happen within 10 s"
        time.sleep(0.02)


class TestTwilio:
    def test_accepts_a_message_and_answers_with_the_message_resource(self, sink: Sink) -> None:
        status, _, body = sink.text(SMS)

        message = json.loads(body)
        assert status == 201
        assert re.fullmatch("SM[0-9a-f]{32}", message["sid"])
        assert re.fullmatch(
            r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000", message["date_created"]
        )
        assert {key: message[key] for key in ("status", "to", "from", "body", "num_segments")} == {
            "status": "queued",
            "to": "+14155550132",
            "from": NUMBER,
            "body": "Your case is C-7K3F-9Q2M.",
            "num_segments": "1",
        }
        assert message["error_code"] is None
        assert message["uri"] == f"/2010-04-01/Accounts/{SID}/Messages/{message['sid']}.json"

    def test_shows_what_was_received(self, sink: Sink) -> None:
        sid = sink.text(SMS).json["sid"]

        [message] = sink.messages("?provider=twilio&to=+14155550132")

        assert message == {
            "n": message["n"],
            "provider": "twilio",
            "to": "+14155550132",
            "from": NUMBER,
            "body": "Your case is C-7K3F-9Q2M.",
            "provider_id": sid,
            "at": message["at"],
            "status": "accepted",
            "error": None,
            "media": [],
            "quick_replies": [],
            "reply_to": "",
            "request": SMS,
        }

    @pytest.mark.parametrize(
        ("text", "segments"),
        [("a" * 160, "1"), ("a" * 161, "2"), ("€" * 81, "2"), ("字" * 70, "1"), ("字" * 71, "2")],
    )
    def test_counts_segments_as_phones_do(self, sink: Sink, text: str, segments: str) -> None:
        assert sink.text({**SMS, "Body": text}).json["num_segments"] == segments

    def test_a_messaging_service_chooses_the_sender(self, sink: Sink) -> None:
        form = {"To": SMS["To"], "MessagingServiceSid": "MG" + "0" * 32, "Body": "hello"}

        message = sink.text(form).json

        assert (message["from"], message["messaging_service_sid"]) == (NUMBER, "MG" + "0" * 32)

    def test_refuses_a_wrong_token_in_twilios_words(self, sink: Sink) -> None:
        answer = sink.text(SMS, authorization="Basic " + base64.b64encode(b"AC:no").decode())

        assert (answer.status, answer.json) == (
            401,
            {
                "code": 20003,
                "message": "Authenticate",
                "more_info": "https://www.twilio.com/docs/errors/20003",
                "status": 401,
            },
        )
        assert [message["status"] for message in sink.messages()] == ["refused"]

    def test_hides_other_accounts(self, sink: Sink) -> None:
        answer = sink.text(SMS, sid="AC" + "b" * 32)

        assert (answer.status, answer.json["code"]) == (404, 20404)

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"To": ""}, 21604),
            ({"To": "12345"}, 21211),
            ({"From": ""}, 21603),
            ({"From": "+14155550199"}, 21660),
            ({"Body": ""}, 21602),
            ({"Body": "x" * 1601}, 21617),
        ],
    )
    def test_names_the_mistake_by_number(
        self, sink: Sink, change: dict[str, str], code: int
    ) -> None:
        answer = sink.text({**SMS, **change})

        assert (answer.status, answer.json["code"]) == (400, code)
        assert sink.messages()[0]["status"] == "refused"

    def test_an_opted_out_number_is_refused_once(self, sink: Sink) -> None:
        sink.fault(provider="twilio", mode="refuse", code=21610)

        refused, accepted = sink.text(SMS), sink.text(SMS)

        assert (refused.status, refused.json["code"], accepted.status) == (400, 21610, 201)

    def test_throttles_as_often_as_asked(self, sink: Sink) -> None:
        sink.fault(provider="twilio", mode="throttle", count=2, seconds=3)

        answers = [sink.text(SMS) for _ in range(3)]

        assert [answer.status for answer in answers] == [429, 429, 201]
        assert (answers[0].json["code"], answers[0].headers["Retry-After"]) == (20429, "3")

    def test_reports_sent_then_delivered_signed_and_tries_again(
        self, sink: Sink, callbacks: Callbacks
    ) -> None:
        sid = sink.text({**SMS, "StatusCallback": callbacks.url}).json["sid"]

        wait_until(lambda: len(callbacks.received) >= 3)

        expected = {
            "MessageSid": sid,
            "SmsSid": sid,
            "To": SMS["To"],
            "From": NUMBER,
            "AccountSid": SID,
            "ApiVersion": "2010-04-01",
        }
        assert [form for _, form, _ in callbacks.received] == [
            expected | {"MessageStatus": status, "SmsStatus": status}
            for status in ("sent", "sent", "delivered")
        ]
        for path, form, signature in callbacks.received:
            text = callbacks.url + "".join(key + form[key] for key in sorted(form))
            digest = hmac.digest(TOKEN.encode(), text.encode(), "sha1")
            assert path == "/intake/sms/twilio?x=%C3%A9"
            assert signature == base64.b64encode(digest).decode()

    def test_calls_nobody_back_when_told_so(self, secrets_file: Path, callbacks: Callbacks) -> None:
        command = ["-m", "examples.provider_sink", "--no-callbacks", "--secrets", str(secrets_file)]
        for silent in _run(*command):
            assert silent.text({**SMS, "StatusCallback": callbacks.url}).status == 201
            time.sleep(0.6)

        assert callbacks.received == []


class TestTelegram:
    def test_accepts_a_message(self, sink: Sink) -> None:
        answer = sink.telegram({"chat_id": 5000000042, "text": "充值已到账 🎉"})

        result = answer.json["result"]
        assert (answer.status, answer.json["ok"]) == (200, True)
        assert result == {
            "message_id": result["message_id"],
            "from": {
                "id": 7000000001,
                "is_bot": True,
                "first_name": "caseweave_bot",
                "username": "caseweave_bot",
            },
            "chat": {"id": 5000000042, "type": "private"},
            "date": result["date"],
            "text": "充值已到账 🎉",
        }
        [message] = sink.messages("?to=5000000042")
        assert message["provider_id"] == str(result["message_id"])

    def test_reads_forms_and_escaped_tokens(self, sink: Sink) -> None:
        path = f"/telegram/bot{quote(BOT_TOKEN)}/sendMessage"
        form_type = {"Content-Type": "application/x-www-form-urlencoded"}

        answer = sink.ask("POST", path, urlencode({"chat_id": "7", "text": "hello"}), form_type)

        assert (answer.status, answer.json["result"]["chat"]["id"]) == (200, 7)

    def test_never_gives_a_message_id_twice(self, sink: Sink) -> None:
        message = {"chat_id": 7, "text": "hello"}

        ids = [sink.telegram(message).json["result"]["message_id"] for _ in range(3)]

        assert ids == sorted(set(ids))

    def test_refuses_a_wrong_token(self, sink: Sink) -> None:
        answer = sink.telegram({"chat_id": 7, "text": "hello"}, token="7000000001:wrong")

        unauthorized = {"ok": False, "error_code": 401, "description": "Unauthorized"}
        assert (answer.status, answer.json) == (401, unauthorized)

    @pytest.mark.parametrize(
        ("message", "description"),
        [
            ({"text": "hello"}, "Bad Request: chat_id is empty"),
            ({"chat_id": 7}, "Bad Request: message text is empty"),
            ({"chat_id": 7, "text": " \n"}, "Bad Request: message text is empty"),
            ({"chat_id": 7, "text": "x" * 4097}, "Bad Request: message is too long"),
            ({"chat_id": 7, "text": "🎉" * 2049}, "Bad Request: message is too long"),
        ],
    )
    def test_names_the_mistake(self, sink: Sink, message: dict[str, Any], description: str) -> None:
        answer = sink.telegram(message)

        expected = {"ok": False, "error_code": 400, "description": description}
        assert (answer.status, answer.json) == (400, expected)

    @pytest.mark.parametrize("body", ["{", "[]", '{"text": "\\ud83c"}', "[" * 100_000])
    def test_answers_broken_json_in_its_own_words(self, sink: Sink, body: str) -> None:
        path = f"/telegram/bot{BOT_TOKEN}/sendMessage"

        answer = sink.ask("POST", path, body, {"Content-Type": "application/json"})

        assert answer.status == 400
        assert answer.json["description"] == "Bad Request: can't parse JSON object"

    def test_a_customer_can_block_the_bot(self, sink: Sink) -> None:
        sink.fault(provider="telegram", mode="refuse")

        answer = sink.telegram({"chat_id": 7, "text": "hello"})

        assert (answer.status, answer.json["description"]) == (
            403,
            "Forbidden: bot was blocked by the user",
        )

    def test_throttles_with_a_retry_hint(self, sink: Sink) -> None:
        sink.fault(provider="telegram", mode="throttle", seconds=5)

        answer = sink.telegram({"chat_id": 7, "text": "hello"})

        assert (answer.status, answer.json) == (
            429,
            {
                "ok": False,
                "error_code": 429,
                "description": "Too Many Requests: retry after 5",
                "parameters": {"retry_after": 5},
            },
        )


class TestSes:
    def mail(self) -> bytes:
        message = EmailMessage()
        message["From"] = "客服中心 <support@desk.example>"
        message["To"] = "xiaoyu.lin@example.com"
        message["Subject"] = "您的工单 C-7K3F-9Q2M"
        message["In-Reply-To"] = "<first@mail.example>"
        message.set_content("林小雨，您好：\n充值已到账。\n")
        message.add_alternative("<p>充值已到账。</p>", subtype="html")
        return message.as_bytes()

    def test_accepts_a_raw_message_from_boto3(self, sink: Sink) -> None:
        raw = self.mail()

        answer = sink.mailer().send_email(
            FromEmailAddress="客服中心 <support@desk.example>",
            Destination={"ToAddresses": ["xiaoyu.lin@example.com"]},
            Content={"Raw": {"Data": raw}},
        )

        [message] = sink.messages("?provider=ses&to=xiaoyu.lin@example.com")
        assert re.fullmatch(r"0100[0-9a-f]{12}-[0-9a-f-]{36}-000000", answer["MessageId"])
        assert message["provider_id"] == answer["MessageId"]
        assert (message["from"], message["to"], message["subject"], message["body"]) == (
            "support@desk.example",
            "xiaoyu.lin@example.com",
            "您的工单 C-7K3F-9Q2M",
            "林小雨，您好：\n充值已到账。\n",
        )
        assert message["headers"]["In-Reply-To"] == "<first@mail.example>"
        assert message["raw"] == raw.decode()
        assert base64.b64decode(message["request"]["Content"]["Raw"]["Data"]) == raw

    def test_takes_missing_addresses_from_the_message(self, sink: Sink) -> None:
        sink.mailer().send_email(Content={"Raw": {"Data": self.mail()}})

        [message] = sink.messages()
        assert (message["from"], message["to"]) == (
            "support@desk.example",
            "xiaoyu.lin@example.com",
        )

    def test_requires_a_signed_request(self, sink: Sink) -> None:
        answer = sink.ask("POST", "/ses/v2/email/outbound-emails", "{}")

        assert (answer.status, answer.json) == (403, {"message": "Missing Authentication Token"})
        assert answer.headers["x-amzn-ErrorType"] == "MissingAuthenticationTokenException"

    @pytest.mark.parametrize(
        ("mode", "code", "status"),
        [
            ("throttle", "TooManyRequestsException", 429),
            ("server_error", "InternalFailure", 500),
            ("refuse", "MessageRejected", 400),
        ],
    )
    def test_boto3_understands_its_errors(
        self, sink: Sink, mode: str, code: str, status: int
    ) -> None:
        sink.fault(provider="ses", mode=mode)

        with pytest.raises(ClientError) as caught:
            sink.mailer().send_email(Content={"Raw": {"Data": self.mail()}})

        response = caught.value.response
        assert response["Error"]["Code"] == code
        assert response["ResponseMetadata"]["HTTPStatusCode"] == status

    def test_says_that_it_takes_raw_messages_only(self, sink: Sink) -> None:
        simple = {"Subject": {"Data": "s"}, "Body": {"Text": {"Data": "b"}}}

        with pytest.raises(ClientError, match=r"Content\.Raw\.Data is missing"):
            sink.mailer().send_email(Content={"Simple": simple})


class TestFaults:
    def test_hanging_up_before_leaves_no_trace(self, sink: Sink) -> None:
        sink.fault(provider="telegram", mode="hang_up_before")

        with pytest.raises(http.client.RemoteDisconnected):
            sink.telegram({"chat_id": 7, "text": "hello"})

        assert sink.messages() == []

    def test_hanging_up_after_leaves_an_accepted_message(self, sink: Sink) -> None:
        sink.fault(provider="twilio", mode="hang_up_after")

        with pytest.raises(http.client.RemoteDisconnected):
            sink.text(SMS)

        assert [message["status"] for message in sink.messages()] == ["accepted"]

    def test_slow_answers_come_in_the_end(self, sink: Sink) -> None:
        sink.fault(provider="twilio", mode="slow", seconds=0.3)
        started = time.monotonic()

        status = sink.text(SMS).status

        assert (status, time.monotonic() - started >= 0.3) == (201, True)

    def test_touch_only_their_own_provider(self, sink: Sink) -> None:
        sink.fault(provider="telegram", mode="server_error")

        assert sink.text(SMS).status == 201
        assert sink.telegram({"chat_id": 7, "text": "hello"}).status == 500

    @pytest.mark.parametrize(
        ("fault", "error"),
        [
            (
                {"mode": "slow"},
                (
                    "provider must be one of twilio, telegram, ses, aws, line, whatsapp, meta, "
                    "vonage, wechat, wecom, qq"
                ),
            ),
            (
                {"provider": "ses", "mode": "explode"},
                (
                    "mode must be one of throttle, server_error, refuse, "
                    "hang_up_before, hang_up_after, slow"
                ),
            ),
            (
                {"provider": "ses", "mode": "slow", "count": 0},
                "count must be a whole number from 1",
            ),
            (
                {"provider": "ses", "mode": "slow", "seconds": 61},
                "seconds must be a number from 0 to 60",
            ),
            ({"provider": "ses", "mode": "slow", "times": 2}, "unknown fields: times"),
        ],
    )
    def test_must_make_sense(self, sink: Sink, fault: dict[str, Any], error: str) -> None:
        answer = sink.fault(**fault)

        assert (answer.status, answer.json) == (400, {"error": error})


class TestSink:
    def test_is_healthy(self, sink: Sink) -> None:
        assert sink.ask("GET", "/health").json == {"ok": True}

    def test_lists_what_came_after_a_message(self, sink: Sink) -> None:
        for chat in (1, 2, 3):
            sink.telegram({"chat_id": chat, "text": "hello"})
        first = sink.messages()[0]["n"]

        later = sink.messages(f"?after={first}")

        assert [message["to"] for message in later] == ["2", "3"]

    def test_forgets_messages_but_goes_on_counting(self, sink: Sink) -> None:
        sink.text(SMS)
        before = sink.messages()[0]["n"]

        sink.ask("DELETE", "/_sink/messages")
        sink.text(SMS)

        assert [message["n"] for message in sink.messages()] == [before + 1]

    @pytest.mark.parametrize(
        ("method", "path", "body", "status"),
        [
            ("GET", "/_sink/messages?after=x", "", 400),
            ("POST", "/_sink/faults", "{", 400),
            ("POST", "/_sink/faults", "[]", 400),
            ("GET", "/nowhere", "", 404),
            ("POST", f"/telegram/bot{BOT_TOKEN}/noSuchMethod", "{}", 404),
        ],
    )
    def test_answers_mistakes_in_json(
        self, sink: Sink, method: str, path: str, body: str, status: int
    ) -> None:
        answer = sink.ask(method, path, body)

        assert (answer.status, list(answer.json)) == (status, ["error"])

    def test_reads_no_endless_bodies(self, sink: Sink) -> None:
        assert sink.ask("POST", "/_sink/faults", "", {"Content-Length": "99999999"}).status == 413

    def test_reads_the_secrets_again_when_they_change(self, tmp_path: Path) -> None:
        path = tmp_path / "secrets.json"
        for late in _run("examples/provider_sink/server.py", "--secrets", str(path)):
            statuses = [late.text(SMS).status]
            path.write_text(json.dumps(SECRETS))
            statuses.append(late.text(SMS).status)
            path.write_text('{"half": ')
            statuses.append(late.text(SMS).status)

        assert statuses == [401, 201, 201]


class TestPage:
    @pytest.mark.parametrize(
        ("path", "accepted", "title"),
        [
            ("/", "zh-CN,zh;q=0.9,en;q=0.8", "客户收到的消息"),
            ("/", "en-GB,zh;q=0.5", "What customers received"),
            ("/", "fr;q=0.9, zh;q=0.2, en;q=0.4", "What customers received"),
            ("/", "", "What customers received"),
            ("/?lang=zh-CN", "en", "客户收到的消息"),
        ],
    )
    def test_speaks_the_readers_language(
        self, sink: Sink, path: str, accepted: str, title: str
    ) -> None:
        page = sink.ask("GET", path, headers={"Accept-Language": accepted}).body.decode()

        assert f"<h1>{title}</h1>" in page

    def test_shows_messages_escaped(self, sink: Sink) -> None:
        sink.telegram({"chat_id": "@<i>", "text": "<script>alert(1)</script> & $name"})

        page = sink.ask("GET", "/?lang=en").body.decode()

        assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; $name" in page
        assert "@&lt;i&gt;" in page
        assert "<script>alert" not in page

    def test_shows_why_a_message_was_refused(self, sink: Sink) -> None:
        sink.text({**SMS, "Body": ""})

        page = sink.ask("GET", "/?lang=zh").body.decode()

        assert "已拒绝" in page
        assert "21602 Message body is required." in page
