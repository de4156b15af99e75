"""No log line carries a secret, whoever writes it and however it comes about."""

import io
import json
import logging

import pytest

from caseweave.logs import HiddenError, mask_log, start_logging

CARD = "4111 1111 1111 1111"
SAID = f"验证码:482913 卡密 ABCD1234EFGH {CARD} 11010519491231002X"
SECRETS = ("482913", "ABCD1234E", CARD, "4111111111111111", "1101051949")


class Context:
    function_name = "f"
    memory_limit_in_mb = 128
    invoked_function_arn = "arn:aws:lambda:us-east-1:111122223333:function:f"
    aws_request_id = "52fdfc07-2182-454f-963f-5f0f9a621d72"


@pytest.fixture
def lines():
    """What the function's own logger wrote."""
    logger = start_logging()
    stream = io.StringIO()
    (handler,) = logger._logger.handlers[:1]
    before = handler.stream
    handler.stream = stream
    logger.setLevel("INFO")
    yield logger, lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    handler.stream = before
    logger.setLevel("WARNING")


def fail(error):
    raise error


def has_none(text):
    return not any(secret in text for secret in SECRETS)


def test_messages_and_what_stands_beside_them_are_masked(lines):
    logger, read = lines
    logger.info(SAID, extra={"said": [SAID, {"deep": SAID, SAID: 1}], "number": 4111111111111111})
    logger.info("%s wrote", SAID)
    logger.info({"body": SAID})
    assert len(read()) == 3
    assert all(has_none(json.dumps(line, ensure_ascii=False)) for line in read())
    assert read()[0]["number"] == "████████████1111"


def test_exceptions_and_their_causes_are_masked(lines):
    logger, read = lines
    try:
        try:
            fail(ValueError(SAID))
        except ValueError as cause:
            raise KeyError(SAID) from cause
    except KeyError:
        logger.exception("failed on %s", SAID)
    (line,) = read()
    assert line["exception_name"] == "KeyError"
    assert has_none(json.dumps(line, ensure_ascii=False))


def test_what_has_no_secret_stays_as_it_is(lines):
    logger, read = lines
    logger.info("api", extra={"path": "/v1/cases/C-7K3F-9Q2M", "count": 3, "ok": True, "no": None})
    (line,) = read()
    assert (line["message"], line["path"], line["count"], line["ok"]) == (
        "api",
        "/v1/cases/C-7K3F-9Q2M",
        3,
        True,
    )


def test_what_a_handler_raises_is_hidden_from_lambda_and_kept_in_the_log(lines):
    logger, read = lines

    @logger.inject_lambda_context
    def handler(event, context):
        raise ValueError(SAID)

    with pytest.raises(HiddenError) as caught:
        handler({}, Context())
    assert has_none(str(caught.value))
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert has_none(json.dumps(read(), ensure_ascii=False))
    assert read()[-1]["exception_name"] == "ValueError"
    assert read()[-1]["function_request_id"] == Context.aws_request_id


def test_an_error_without_secrets_is_raised_as_it_is(lines):
    logger, _ = lines

    @logger.inject_lambda_context
    def handler(event, context):
        raise ValueError("nothing secret")

    with pytest.raises(ValueError, match="nothing secret"):
        handler({}, Context())


@pytest.mark.parametrize("form", ["{message}", '{{"level": "{level}", "message": "{message}"}}'])
def test_other_loggers_go_through_the_root_handler_and_are_masked(form):
    class Formatter(logging.Formatter):
        def format(self, record):
            told = super().format(record).replace("\n", " ").replace('"', "'")
            return form.format(level=record.levelname, message=told.replace("\\", "/"))

    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Formatter())
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        start_logging()
        start_logging()
        logging.getLogger("caseweave.http").error("refused: %s", SAID)
        try:
            fail(ValueError(SAID))
        except ValueError:
            logging.getLogger("caseweave.stream").exception("a stream record failed")
    finally:
        root.removeHandler(handler)
    written = stream.getvalue()
    assert "refused" in written
    assert "ValueError" in written
    assert has_none(written)
    if form.startswith("{{"):
        assert all(json.loads(line)["level"] == "ERROR" for line in written.splitlines())


def test_a_line_is_masked_with_the_plainest_of_texts():
    assert mask_log("sms webhook") == "sms webhook"
    assert mask_log("验证码 482913") == "验证码 ██████"
