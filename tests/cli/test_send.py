import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from click.testing import CliRunner

from caseweave.cli import main


def run(*arguments):
    return CliRunner().invoke(main, arguments)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["sms", "--text", "hi"], "Missing option '--phone'"),
        (["sms", "--phone", "+8613800138000"], "Missing option '--text'"),
        (["call", "--text", "hi"], "Missing option '--phone'"),
        (["telegram", "--text", "hi", "--id", "me"], "'me' is not a valid integer"),
        (["mail", "--text", "hi", "--from", "xiaoyu"], "write an address such as"),
        (["mail", "--text", "hi", "--from", "a@b.c", "--dmarc", "none"], "'none' is not one of"),
        (["mail", "--text", "hi", "--from", "a@b.c", "--attach", "/nowhere"], "does not exist"),
        (["fax", "--text", "hi"], "No such command 'fax'"),
    ],
)
def test_wrong_arguments_are_explained(arguments, complaint):
    result = run("send", *arguments)

    assert result.exit_code == 2
    assert complaint in result.output


@pytest.mark.parametrize(
    "arguments",
    [
        ["send", "sms", "--text", "hi", "--phone", "+8613800138000"],
        ["cases"],
        ["case", "C-3QB4-A366"],
        ["incident", "declare", "--title", "t", "--product", "p", "--zh", "z", "--en", "e"],
    ],
)
def test_without_a_stack_it_says_how_to_start_one(arguments, tmp_path):
    result = CliRunner().invoke(main, arguments, env={"CASEWEAVE_STATE_DIR": str(tmp_path)})

    assert result.exit_code == 1
    assert "Start it with: caseweave up" in result.output


def test_an_incident_has_to_touch_somebody():
    result = run("incident", "declare", "--title", "t", "--zh", "z", "--en", "e")

    assert result.exit_code == 2
    assert "Say whom it touches" in result.output


class Desk(BaseHTTPRequestHandler):
    """Answers as the form's endpoint does; a message of `no` is refused."""

    def do_POST(self):
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.received.append((self.path, said))
        is_refused = said["message"] == "no"
        self.send_response(403 if is_refused else 201)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        answer = {"title": "Forbidden"} if is_refused else {"reference": "C-3QB4-A366"}
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def desk(tmp_path):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Desk)
    server.received = []
    Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    (tmp_path / "outputs.json").write_text(json.dumps({"ApiUrl": url}))
    (tmp_path / "secrets.json").write_text("{}")
    yield server
    server.shutdown()
    server.server_close()


def test_a_form_prints_status_and_reference(desk, tmp_path):
    result = run(
        *("send", "form", "--state-dir", str(tmp_path), "--form", "topup"),
        *("--text", "还没到账", "--phone", "+8613800138000", "--order", "T-1"),
    )

    assert (result.exit_code, result.output) == (0, "201 C-3QB4-A366\n")
    assert desk.received == [
        (
            "/intake/web/forms/topup",
            {"message": "还没到账", "phone": "+8613800138000", "order_no": "T-1"},
        )
    ]


def test_a_refused_message_is_a_failure(desk, tmp_path):
    result = run("send", "form", "--state-dir", str(tmp_path), "--text", "no")

    assert (result.exit_code, result.output) == (1, "403\n")


def test_a_stack_that_does_not_answer_is_named(desk, tmp_path):
    desk.shutdown()
    desk.server_close()

    result = run("send", "form", "--state-dir", str(tmp_path), "--text", "hi")

    assert result.exit_code == 1
    assert "Nothing answers at http://127.0.0.1" in result.output
