"""The gateway's events in, its responses out, and what an error tells whom."""

import json
import logging
from base64 import b64encode
from http import HTTPStatus

import pytest

from caseweave import errors
from caseweave.channels.request import WebhookRequest
from caseweave.http import LONGEST_BODY, Answer, read_request, respond


def raising(error):
    def fail():
        raise error

    return fail


def test_a_request_is_read_exactly():
    event = {
        "httpMethod": "POST",
        "body": '{"text": "还没到账 😡"}\r\n',
        "isBase64Encoded": False,
        "headers": {"Content-Type": "application/json", "X-TWILIO-Signature": "Ab=="},
        "multiValueHeaders": {"Content-Type": ["application/json"]},
        "queryStringParameters": {"message": "b"},
        "multiValueQueryStringParameters": {"message": ["a~b:c", "b"], "x": [""]},
    }

    assert read_request(event) == WebhookRequest(
        body='{"text": "还没到账 😡"}\r\n'.encode(),
        headers={"content-type": "application/json", "x-twilio-signature": "Ab=="},
        query=(("message", "a~b:c"), ("message", "b"), ("x", "")),
    )


def test_bytes_come_in_base64():
    event = {"body": b64encode(b"\xff\x00\xfe").decode(), "isBase64Encoded": True}

    assert read_request(event).body == b"\xff\x00\xfe"


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"body": None, "headers": None, "multiValueQueryStringParameters": None},
        {"body": "", "isBase64Encoded": True},
        {"body": "a", "isBase64Encoded": True},
        {"body": "签名", "isBase64Encoded": True},
    ],
)
def test_what_is_missing_or_broken_is_empty(event):
    assert read_request(event) == WebhookRequest(body=b"")


def test_half_a_surrogate_pair_is_no_reason_to_fail():
    assert read_request({"body": "a\ud800"}).body == b"a?"


@pytest.mark.parametrize(
    ("body", "encoded"),
    [
        ("x" * (LONGEST_BODY + 1), False),
        # Bytes are counted, not characters.
        ("中" * (LONGEST_BODY // 3 + 1), False),
        (b64encode(b"x" * (LONGEST_BODY + 1)).decode(), True),
    ],
)
def test_a_body_over_the_limit_is_refused(body, encoded):
    with pytest.raises(errors.BodyTooLargeError, match="larger than 262144 bytes"):
        read_request({"body": body, "isBase64Encoded": encoded})


@pytest.mark.parametrize(
    ("body", "encoded"),
    [("x" * LONGEST_BODY, False), (b64encode(b"x" * LONGEST_BODY).decode(), True)],
)
def test_a_body_at_the_limit_is_read(body, encoded):
    assert len(read_request({"body": body, "isBase64Encoded": encoded}).body) == LONGEST_BODY


@pytest.mark.parametrize(
    ("answer", "response"),
    [
        (
            Answer(200, {"text": "好😀"}),
            {
                "statusCode": 200,
                "headers": {"Content-Type": "application/json"},
                "body": '{"text": "好😀"}',
            },
        ),
        (
            Answer(HTTPStatus.OK, "<Response/>", "text/xml"),
            {"statusCode": 200, "headers": {"Content-Type": "text/xml"}, "body": "<Response/>"},
        ),
        (
            Answer(HTTPStatus.CREATED, [], headers={"ETag": '"3"'}),
            {
                "statusCode": 201,
                "headers": {"Content-Type": "application/json", "ETag": '"3"'},
                "body": "[]",
            },
        ),
        (
            Answer(200, {"text": "\ud800"}),
            {
                "statusCode": 200,
                "headers": {"Content-Type": "application/json"},
                "body": '{"text": "?"}',
            },
        ),
    ],
)
def test_an_answer_becomes_the_gateways_response(answer, response):
    assert respond(lambda: answer) == response


@pytest.mark.parametrize(
    ("error", "status", "is_told"),
    [
        (errors.InvalidSignatureError, 403, False),
        (errors.BodyTooLargeError, 413, True),
        (errors.NotFoundError, 404, True),
        (errors.ForbiddenError, 403, True),
        (errors.InvalidRequestError, 422, True),
        (errors.StaleVersionError, 412, True),
        (errors.TooManyRequestsError, 429, True),
        (errors.ContentionError, 503, True),
        (errors.UnavailableError, 503, False),
        (errors.MissingSecretError, 503, False),
        # These are caught before; if not, they are bugs of ours.
        (errors.UnparseableError, 500, False),
        (errors.DuplicateEventError, 500, False),
        (errors.InvalidConfigError, 500, False),
        (errors.CaseweaveError, 500, False),
        (RuntimeError, 500, False),
        (KeyError, 500, False),
        (RecursionError, 500, False),
    ],
)
def test_an_error_becomes_a_problem_document(error, status, is_told):
    response = respond(raising(error("what happened")))

    known = HTTPStatus(status)
    waits = {503: "5", 429: "60"}
    retry = {"Retry-After": waits[status]} if status in waits else {}
    assert response["statusCode"] == status
    assert response["headers"] == {"Content-Type": "application/problem+json", **retry}
    assert json.loads(response["body"]) == {
        "type": "about:blank",
        "title": known.phrase,
        "status": status,
        "detail": "what happened" if is_told else known.description or known.phrase,
    }


def test_every_error_of_ours_was_thought_of_above():
    tested = {
        mark.args[1][number][0]
        for mark in test_an_error_becomes_a_problem_document.pytestmark
        for number in range(len(mark.args[1]))
    }

    known = {
        one
        for one in vars(errors).values()
        if isinstance(one, type) and issubclass(one, errors.CaseweaveError)
    }
    assert known - {errors.CaseweaveError} <= tested


def test_an_invalid_request_names_its_fields():
    error = errors.InvalidRequestError("Two fields are wrong.", (("limit", "write 1 to 200"),))

    assert json.loads(respond(raising(error))["body"]) == {
        "type": "about:blank",
        "title": HTTPStatus(422).phrase,
        "status": 422,
        "detail": "Two fields are wrong.",
        "errors": [{"field": "limit", "detail": "write 1 to 200"}],
    }


def test_a_refused_signature_looks_like_any_other():
    one = respond(raising(errors.InvalidSignatureError("twilio")))
    two = respond(raising(errors.InvalidSignatureError("telegram: expected Hook_secret-1")))

    assert one == two


def test_the_log_has_what_the_caller_is_not_told(caplog):
    with caplog.at_level(logging.ERROR):
        respond(raising(errors.MissingSecretError("twilio has no auth_token")))
        respond(raising(RuntimeError("a bug")))

    missing, bug = caplog.records
    assert missing.getMessage() == "MissingSecretError: twilio has no auth_token"
    assert bug.exc_info[1].args == ("a bug",)


def test_an_answer_that_cannot_be_written_is_a_bug_and_not_a_crash():
    assert respond(lambda: Answer(200, {"at": object()}))["statusCode"] == 500


def test_whoever_stops_the_process_stops_it():
    with pytest.raises(KeyboardInterrupt):
        respond(raising(KeyboardInterrupt()))
