"""Messages that others collected; their licences keep them out of this project.

Set CASEWEAVE_VECTORS to the folder that holds them. `pytest -rP` shows the counts.
"""

import json
import os
import re
import time
from collections import Counter
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import pytest

from caseweave.channels import ses, telegram, twilio
from caseweave.channels.credentials import Credentials
from caseweave.channels.mail_reading import read_mail
from caseweave.channels.request import WebhookRequest
from caseweave.domain.message import IgnoredEvent, InboundMessage, MailReport, Receipt
from caseweave.errors import InvalidSignatureError, UnparseableError
from caseweave.http import read_request
from tests.channels.samples import telegram_account, twilio_account

VECTORS = Path(os.environ.get("CASEWEAVE_VECTORS") or "/nowhere")

pytestmark = pytest.mark.skipif(
    not VECTORS.is_dir(), reason="CASEWEAVE_VECTORS names no folder of provider vectors"
)


def read_json(path):
    return json.loads(path.read_text("utf-8"))


def tally(parse, payloads):
    """How many payloads became what; nothing else may happen to one."""
    counts = Counter()
    for path, payload in payloads:
        try:
            events = parse(payload)
        except UnparseableError as error:
            print(f"unparseable {path.relative_to(VECTORS)}: {error}")
            counts["unparseable"] += 1
            continue
        assert all(isinstance(event, InboundMessage | Receipt | IgnoredEvent) for event in events)
        counts.update(type(event).__name__ for event in events)
    return counts


# Twilio


def excluded(vector):
    """Why a vector is not for our verify; "" if it is."""
    if "raw_body" in vector:
        return "a JSON body, signed by bodySHA256: no webhook that we register sends one"
    form = vector["validated"]["matching_url_form"] or "as-is"
    if form != "as-is":
        return f"{form}: SDKs guess the URL, we are told it"
    if not vector["url"].isascii():
        return "a query that nobody escaped: the gateway hands us a decoded one"
    return ""


def test_every_form_that_twilios_own_libraries_accept_is_accepted_and_no_other():
    counts = Counter()
    for vector in read_json(VECTORS / "twilio" / "signature_vectors.json")["vectors"]:
        if reason := excluded(vector):
            print(f"excluded {vector['id']}: {reason}")
            counts["excluded"] += 1
            continue
        url, _, query = vector["url"].partition("?")
        request = WebhookRequest(
            body=urlencode(list(map(tuple, vector["form_params"]))).encode(),
            headers={"x-twilio-signature": vector["signature"]},
            query=tuple(parse_qsl(query, keep_blank_values=True)),
        )
        account = Credentials("twilio", {"auth_token": vector["auth_token"], "webhook_url": url})
        try:
            twilio.verify(request, account)
        except InvalidSignatureError:
            is_valid = False
        else:
            is_valid = True
        assert is_valid is vector["expected_valid"], vector["id"]
        counts["valid" if is_valid else "invalid"] += 1
    print(dict(counts))
    assert counts["valid"] >= 15
    assert counts["invalid"] >= 2


def test_every_twilio_payload_is_a_message_a_receipt_or_unparseable():
    def parse(payload):
        # One collection has the names in camel case.
        fields = {name[:1].upper() + name[1:]: value for name, value in payload.items()}
        body = urlencode(fields).encode()
        return twilio.parse(WebhookRequest(body=body), twilio_account())

    paths = sorted((VECTORS / "twilio").glob("*/*.json"))
    counts = tally(parse, [(path, read_json(path)) for path in paths])
    print(dict(counts))
    assert counts["InboundMessage"] >= 5
    assert counts["Receipt"] >= 3


# Telegram


def snake_case(value):
    if isinstance(value, dict):
        return {
            re.sub("[A-Z]", lambda found: "_" + found.group().lower(), name): snake_case(one)
            for name, one in value.items()
        }
    return [snake_case(one) for one in value] if isinstance(value, list) else value


def test_every_telegram_payload_is_a_message_or_ignored_or_unparseable():
    def parse(payload):
        # One collection has the names in camel case, and no update ids.
        body = json.dumps({"update_id": 1, **snake_case(payload)}).encode()
        return telegram.parse(WebhookRequest(body=body), telegram_account())

    paths = sorted((VECTORS / "telegram").glob("*/*.json"))
    counts = tally(parse, [(path, read_json(path)) for path in paths])
    print(dict(counts))
    assert counts["InboundMessage"] >= 20
    assert counts["IgnoredEvent"] >= 4


# Mail


def mails():
    for manifest in sorted((VECTORS / "email").rglob("manifest.json")):
        for entry in read_json(manifest)["files"]:
            if entry["role"] == "message":
                yield manifest.parent / entry["file"]


def test_every_mail_is_a_message_a_report_or_unparseable():
    counts = Counter()
    slowest = 0.0
    for path in mails():
        raw = path.read_bytes()
        started = time.process_time()
        try:
            (event,), files = ses.parse(raw, "s3objectid")
        except UnparseableError as error:
            print(f"unparseable {path.relative_to(VECTORS)}: {error}")
            counts["unparseable"] += 1
            continue
        slowest = max(slowest, time.process_time() - started)
        mail = read_mail(raw)
        if isinstance(event, MailReport):
            assert path.parent.name != "not", path
            counts["reports"] += 1
            counts["bounces reported"] += "sisimai-bounces" in path.parts
            counts[f"reports {event.state}"] += 1
            continue
        message = event
        assert files == mail.kept_files
        counts["bounces kept as messages"] += "sisimai-bounces" in path.parts
        for text in (message.body, message.subject, *(file.name for file in mail.files)):
            assert text.encode() is not None
        counts["messages"] += 1
        counts["files"] += len(mail.files)
        counts["automatic"] += message.is_automatic
        counts["without sender"] += not mail.senders
        counts["without message id"] += not mail.message_id
        counts["without date"] += mail.date is None
        counts["without text"] += not mail.text
        counts["with U+FFFD"] += "\ufffd" in mail.text
    print(dict(counts), f"slowest {slowest:.3f} s")
    assert counts["messages"] + counts["reports"] >= 1000
    assert counts["messages"] >= 550
    # The rest are absence notes, and notifications of other kinds.
    assert counts["bounces reported"] >= 457
    assert slowest < 2


# The gateway


def test_every_rest_event_of_the_gateway_is_a_request():
    counts = Counter()
    for path in sorted((VECTORS / "aws-lambda-events").rglob("*.json")):
        event = read_json(path)
        if isinstance(event, dict) and "httpMethod" in event:
            request = read_request(event)
            assert all(name == name.lower() for name in request.headers)
            counts["requests"] += 1
    print(dict(counts))
    assert counts["requests"] >= 1
