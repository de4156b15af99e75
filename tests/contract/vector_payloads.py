"""What others collected, as it would come to us: each file's payloads, and what they become."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

from caseweave.channels import (
    aliyun,
    aws_sms,
    connect,
    line,
    mailgun,
    meta,
    sendgrid,
    ses,
    telegram,
    tencent,
    twilio,
    vonage,
    wechat,
    wecom,
    wecom_kf,
    whatsapp,
)
from caseweave.channels.connect import Caller
from caseweave.channels.request import ProviderAnswer, WebhookRequest
from caseweave.channels.wechat_crypto import seal
from caseweave.domain.message import (
    IgnoredEvent,
    InboundEvent,
    InboundMessage,
    MailReport,
    NumberChange,
    PullHint,
    Receipt,
)
from caseweave.errors import UnparseableError
from caseweave.http import read_request
from tests.channels import (
    test_line,
    test_mailgun,
    test_meta,
    test_wechat,
    wecom_samples,
)
from tests.channels.samples import telegram_account, twilio_account
from tests.channels.test_hostile import assert_storable
from tests.contract.specimens import SPECIMENS

ACCOUNTS = {one.adapter: one.holding(["new"]) for one in SPECIMENS}
# Folders of what is no channel of ours.
NOT_OURS = {
    "slack": "Slack is no channel of ours",
    "viber": "Viber is no channel of ours",
    "standard-webhooks": "the scheme of others; nobody we take in uses it",
}
# A name for each kind of event; a remark is a message about another.
_NAMES = {
    InboundMessage: "message",
    Receipt: "receipt",
    MailReport: "receipt",
    NumberChange: "number change",
    PullHint: "hint",
    IgnoredEvent: "ignored",
}


def classify(folder: str, path: Path) -> list[str]:
    """What each event of a file becomes; or one reason why the file is none of our inputs."""
    if path.name in ("manifest.json", "README.md", "signature_vectors.json"):
        return ["no payload: describes the others"]
    if folder in NOT_OURS:
        return [f"not ours: {NOT_OURS[folder]}"]
    if path.suffix == ".pem":
        return ["no payload: a certificate"]
    try:
        # A file may hold several payloads.
        return [name for events in _READERS[folder](path) for name in _name_all(events)]
    except NotAnInputError as reason:
        return [f"not ours: {reason}"]
    except UnparseableError as error:
        return [f"quarantined: {error}"]


def _name_all(events: list[InboundEvent]) -> list[str]:
    for one in events:
        assert_storable(one)
    names = [
        "remark" if isinstance(one, InboundMessage) and one.remark else _NAMES[type(one)]
        for one in events
    ]
    return names or ["empty: a test of the address"]


def _parse(adapter, body: bytes, headers=None, query=()) -> list[InboundEvent]:
    return adapter.parse(WebhookRequest(body, headers or {}, query), ACCOUNTS[adapter])


def _aliyun(path: Path) -> Iterator[list[InboundEvent]]:
    # The document hides four digits of the number.
    yield _parse(aliyun, path.read_bytes().replace(b"****", b"0000"))


def _tencent(path: Path) -> Iterator[list[InboundEvent]]:
    yield _parse(tencent, path.read_bytes().replace(b"xxxxxxxxx", b"800138000"))


def _connect(path: Path) -> Iterator[list[InboundEvent]]:
    content = path.read_bytes()
    if "lens-chat" in path.name or "lens-voice" in path.name:
        yield [connect.parse_transcript(content, "Analysis/Voice/x.json")]
        return
    try:
        said = json.loads(content)
    except ValueError as error:
        raise UnparseableError(f"not JSON: {error}") from error
    whole = {"detail-type": "Amazon Connect Contact Event", "detail": said}
    yield [connect.parse(said if "detail" in said else whole, Caller())]


def _lambda(path: Path) -> Iterator[list[InboundEvent]]:
    said = json.loads(path.read_bytes())
    if isinstance(said, dict) and "httpMethod" in said and "routeKey" not in said:
        request = read_request(said)
        # Whatever it carries, no door falls over it.
        for adapter, account in ACCOUNTS.items():
            try:
                adapter.parse(request, account)
            except UnparseableError:
                continue
    raise NotAnInputError("an event of Lambda's, which no function of ours is called with")


class NotAnInputError(Exception):
    """It is read, and is none of our inputs."""


def _line(path: Path) -> Iterator[list[InboundEvent]]:
    payload = json.loads(path.read_bytes())
    # One collection has single events, another no destination.
    whole = payload if "events" in payload else {"events": [payload]}
    yield _parse(line, json.dumps({"destination": test_line.BOT} | whole).encode())


def _mailgun(path: Path) -> Iterator[list[InboundEvent]]:
    fields = json.loads(path.read_bytes())
    yield _parse(mailgun, urlencode(fields).encode(), test_mailgun.FORM)


def _snake_case(value):
    """Some collections have the names in camel case."""
    if isinstance(value, dict):
        return {
            re.sub("[A-Z]", lambda found: "_" + found.group().lower(), name): _snake_case(one)
            for name, one in value.items()
        }
    return [_snake_case(one) for one in value] if isinstance(value, list) else value


def _as_batch(payload):
    """A payload as it would come; some collections have single events."""
    if "object" in payload:
        return payload
    said = payload["messaging"] if isinstance(payload.get("messaging"), dict) else payload
    return test_meta.batch(_snake_case(said))


def _read_batches(path):
    """One collection keeps several payloads in a file, one has words in the place of numbers."""
    text = path.read_text("utf-8")
    for words in ("PHONE_NUMBER", "WHATSAPP_ID"):
        text = text.replace(f'"{words}"', '"15551112222"')
    payload = json.loads(text)
    return [payload] if "object" in payload else list(payload.values())


def _meta(path: Path) -> Iterator[list[InboundEvent]]:
    if "whatsapp" not in str(path):
        yield _parse(meta, json.dumps(_as_batch(json.loads(path.read_bytes()))).encode())
        return
    for payload in _read_batches(path):
        yield _parse(whatsapp, json.dumps(payload).encode())


def _sendgrid(path: Path) -> Iterator[list[InboundEvent]]:
    kind = {"content-type": "multipart/form-data; boundary=xYzZY"}
    yield _parse(sendgrid, path.read_bytes(), kind)


def _ses(_: Path) -> Iterator[list[InboundEvent]]:
    raise NotAnInputError("SES puts the mail itself into our bucket, and no notification")


def _sns(path: Path) -> Iterator[list[InboundEvent]]:
    yield _parse(aws_sms, path.read_bytes())


def _telegram(path: Path) -> Iterator[list[InboundEvent]]:
    payload = {"update_id": 1, **_snake_case(json.loads(path.read_bytes()))}
    yield telegram.parse(WebhookRequest(json.dumps(payload).encode()), telegram_account())


def _twilio(path: Path) -> Iterator[list[InboundEvent]]:
    fields = json.loads(path.read_bytes())
    body = urlencode({name[:1].upper() + name[1:]: value for name, value in fields.items()})
    yield twilio.parse(WebhookRequest(body.encode()), twilio_account())


def _vonage(path: Path) -> Iterator[list[InboundEvent]]:
    raw, query = path.read_bytes(), ()
    if path.name.endswith(".http.txt"):
        head, _, raw = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
        query = tuple(parse_qsl(urlsplit(head.split()[1].decode()).query))
    yield _parse(vonage, raw, query=query)


def _wechat(path: Path) -> Iterator[list[InboundEvent]]:
    if path.suffix == ".json":
        page = wecom_kf.read_page(ProviderAnswer(200, path.read_bytes()))
        assert isinstance(page, wecom_kf.Page)
        assert page.has_more
        for said in page.messages:
            kept = wecom_kf.keep_pulled(said, wecom_samples.KFID)
            yield [wecom_kf.parse_pulled(kept, wecom_samples.wecom_account())]
    elif "wecom" in path.parent.name:
        sealed = seal(
            path.read_bytes().strip(), wecom_samples.CORP, wecom_samples.KEY, wecom_samples.RANDOM
        )
        body = f"<xml><Encrypt>{sealed}</Encrypt></xml>".encode()
        yield wecom.parse(WebhookRequest(body), wecom_samples.wecom_account())
    else:
        yield wechat.parse(WebhookRequest(path.read_bytes()), test_wechat.plain_account())


def _mail(path: Path) -> Iterator[list[InboundEvent]]:
    """Every message of the corpus; what says how it should be read is none."""
    yield ses.parse(path.read_bytes(), "s3objectid")[0]


_READERS = {
    "aliyun-sms": _aliyun,
    "amazon-connect": _connect,
    "aws-lambda-events": _lambda,
    "email": _mail,
    "line": _line,
    "mailgun": _mailgun,
    "meta": _meta,
    "sendgrid": _sendgrid,
    "ses": _ses,
    "sns-http": _sns,
    "telegram": _telegram,
    "tencent-sms": _tencent,
    "twilio": _twilio,
    "vonage": _vonage,
    "wechat": _wechat,
}
