"""Whatever comes in: events that can be stored, or UnparseableError, in bounded time."""

import json
import time
from dataclasses import asdict
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caseweave.channels import ses, telegram, twilio, web_form
from caseweave.channels.request import WebhookRequest, read_form, read_json_object
from caseweave.domain.form_checking import check_form
from caseweave.domain.forms import Field, FieldKind, Form
from caseweave.domain.message import IgnoredEvent, InboundMessage, MailReport, Receipt
from caseweave.domain.times import optional_rfc3339
from caseweave.errors import InvalidRequestError, UnparseableError
from tests.channels.samples import telegram_account, twilio_account

CONTACT = Form("contact", {}, {}, (Field("message", FieldKind.LONG_TEXT, {}, longest=100_000),))
FORM = {"content-type": "application/x-www-form-urlencoded"}


def from_twilio(body):
    return twilio.parse(WebhookRequest(body=body), twilio_account())


def from_telegram(body):
    return telegram.parse(WebhookRequest(body=body), telegram_account())


def read_page(request, claims):
    """What the forms of a desk make of a body: a message, or fields to write again."""
    said = web_form.read_body(request)
    try:
        filled = check_form(CONTACT, said, "en")
    except InvalidRequestError as error:
        return [] if error.errors else [error]
    return [web_form.make_message(filled, claims, "5f3a")]


def from_json_form(body):
    return read_page(WebhookRequest(body=body), {})


def from_html_form(body):
    return read_page(WebhookRequest(body=body, headers=FORM), {})


def from_mail(body):
    return ses.parse(body, "s3objectid")[0]


ADAPTERS = [from_twilio, from_telegram, from_json_form, from_html_form, from_mail]
adapters = pytest.mark.parametrize("parse", ADAPTERS)


def outcome(parse, body):
    """The events, every one of which can be stored; none if the body is unparseable."""
    try:
        events = parse(body)
    except UnparseableError as error:
        str(error).encode()
        return []
    for event in events:
        assert isinstance(event, InboundMessage | Receipt | MailReport | IgnoredEvent)
        assert_storable(event)
    return events


def assert_storable(event):
    # Lone surrogates would be refused by the store, NaN by whoever reads JSON.
    json.dumps(asdict(event), default=str, ensure_ascii=False, allow_nan=False).encode()
    if isinstance(event, InboundMessage):
        optional_rfc3339(event.occurred_at)
        for text in (event.body, event.subject, event.event_id, event.provider_id):
            assert type(text) is str


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=10**30, max_value=10**40)
    | st.floats()
    | st.text()
    | st.sampled_from(["\ud800", "a\udfffb", "\0", "", "x" * 10_000, -1, 2**63, [], {}]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)

LIN = {"id": 5, "is_bot": False, "first_name": "琳", "last_name": "W", "language_code": "zh"}
SAID = {
    "message_id": 41,
    "from": LIN,
    "chat": {"id": 5, "type": "private"},
    "date": 1_795_411_473,
    "edit_date": 1_795_411_474,
    "text": "hi",
    "caption": "c",
    "photo": [{"file_id": "S", "file_size": 9}],
    "document": {"file_id": "D", "file_name": "a", "mime_type": "b/c", "file_size": 1},
    "location": {"latitude": 1.5, "longitude": 2.5},
    "contact": {"first_name": "Bo", "phone_number": "1"},
}
PAYLOADS = [
    (from_telegram, {"update_id": 1, "message": SAID}),
    (from_telegram, {"update_id": 1, "edited_message": {**SAID, "text": ""}}),
    (
        from_telegram,
        {"update_id": 1, "callback_query": {"id": "1", "from": LIN, "message": SAID, "data": "d"}},
    ),
    (
        from_json_form,
        {
            "message": "hi",
            "subject": "s",
            "locale": "zh",
            "order_no": "A",
            "contact": {"name": "Lin", "email": "lin@example.com", "phone": "+8613800138000"},
        },
    ),
]


def paths(value, path=()):
    yield path
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from paths(value[key], (*path, key))


def replaced(value, path, new):
    if not path:
        return new
    if isinstance(value, list):
        return [
            replaced(one, path[1:], new) if n == path[0] else one for n, one in enumerate(value)
        ]
    return {k: replaced(one, path[1:], new) if k == path[0] else one for k, one in value.items()}


MUTATIONS = [(parse, payload, path) for parse, payload in PAYLOADS for path in paths(payload)]
ODD_VALUES = [
    *(None, True, False, 0, -1, 1.5, 10**400, float("nan"), float("inf"), "", "x", "\0"),
    *("\ud800", "x" * 100_000, "１２３", [], {}, [[]], [None], {"id": {}}, {"": ""}, ["x"], [{}]),
]


def test_any_node_of_a_valid_payload_may_be_anything():
    for parse, payload, path in MUTATIONS:
        for value in ODD_VALUES:
            outcome(parse, json.dumps(replaced(payload, path, value)).encode())


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(MUTATIONS), json_values)
def test_any_node_of_a_valid_payload_may_be_any_json(mutation, value):
    parse, payload, path = mutation
    outcome(parse, json.dumps(replaced(payload, path, value)).encode())


@adapters
@settings(max_examples=100, deadline=None)
@given(body=st.binary() | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_events_or_unparseable(parse, body):
    outcome(parse, body)


@adapters
@settings(max_examples=50, deadline=None)
@given(value=json_values)
def test_any_json_is_events_or_unparseable(parse, value):
    outcome(parse, json.dumps(value).encode())


FIELDS = st.sampled_from(
    [
        *("MessageSid", "SmsSid", "From", "To", "Body", "MessageStatus", "SmsStatus", "NumMedia"),
        *("MediaUrl0", "MediaContentType0", "ErrorCode", "AccountSid", "message", "email"),
    ]
)
VALUES = st.sampled_from(["SM1", "+15551112222", "received", "sent", "9" * 5000, "１"]) | st.text(
    st.characters(codec="utf-8")
)


@pytest.mark.parametrize("parse", [from_twilio, from_html_form])
@settings(max_examples=100, deadline=None)
@given(pairs=st.lists(st.tuples(FIELDS, VALUES), max_size=12))
def test_any_form_is_events_or_unparseable(parse, pairs):
    outcome(parse, urlencode(pairs).encode())


@settings(max_examples=100, deadline=None)
@given(claims=st.dictionaries(st.sampled_from(["sub", "name", "email", "locale"]), json_values))
def test_any_claims_are_a_message_or_unparseable(claims):
    vouched = claims | {"email_verified": True, "iss": "x"}
    outcome(
        lambda body: read_page(WebhookRequest(body=body), vouched),
        b'{"message": "hi"}',
    )


@adapters
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"[" * 100_000, id="deep lists"),
        pytest.param(b'{"a":' * 100_000, id="deep objects"),
        pytest.param(b'{"update_id":' + b"9" * 100_000 + b"}", id="a huge number"),
        pytest.param(b'{"update_id": 1e999}', id="infinity"),
        pytest.param(b"\0" * 100_000, id="NUL"),
        pytest.param(b"\xed\xa0\x80" * 30_000, id="surrogates as bytes"),
        pytest.param(b'{"update_id":1,"\\ud800":"\\udfff"}', id="surrogates as escapes"),
        pytest.param(b"%ed%a0%80=%00&" * 900, id="surrogates as fields"),
        pytest.param(b"&" * 100_000, id="many fields"),
        pytest.param(b"=" * 100_000, id="one field"),
        pytest.param(b"%" * 100_000, id="escapes of nothing"),
        pytest.param(b'"' * 100_000, id="quotes"),
        pytest.param(b"\n" * 100_000, id="empty lines"),
        pytest.param(b"\xff" * 100_000, id="no UTF-8"),
    ],
)
def test_the_worst_bodies_are_events_or_unparseable_within_seconds(parse, body):
    started = time.process_time()

    outcome(parse, body)

    assert time.process_time() - started < 3


@pytest.mark.parametrize("depth", [10, 100, 300, 500, 900, 990])
def test_depth_that_json_just_reads_is_no_surprise(depth):
    nested = b"[" * depth + b"]" * depth
    body = b'{"update_id": 1, "message": {"text": %b, "chat": %b, "x": "\\ud800"}}' % (
        nested,
        nested,
    )

    outcome(from_telegram, body)


@pytest.mark.parametrize("read", [read_json_object, read_form])
def test_what_is_read_can_be_stored(read):
    body = b'{"a\\ud800": ["\\udfff", {"\\ud83d\\ude00": "\xed\xa0\x80"}]}'

    assert json.dumps(read(body), ensure_ascii=False).encode()


# Mail


def mail(*lines):
    return b"\r\n".join(line if isinstance(line, bytes) else line.encode() for line in lines)


def nested(depth, kind):
    """Containers in containers, with a text in the innermost."""
    opened = [
        line
        for level in range(depth)
        for line in (f"Content-Type: {kind}; boundary=b{level}", "", f"--b{level}")
    ]
    return mail(*opened, "Content-Type: text/plain", "", "deep inside")


def flat(parts, *headers):
    opened = [line for _ in range(parts) for line in ("--b", *headers, "", "words")]
    return mail("Content-Type: multipart/mixed; boundary=b", "", *opened, "--b--")


def text_mail(content, kind="text/plain; charset=utf-8"):
    return mail(f"Content-Type: {kind}", "", content)


BIG = 1_000_000
HOSTILE_MAIL = {
    "10,000 parts": flat(10_000),
    "10,000 files": flat(10_000, "Content-Disposition: attachment; filename=x"),
    "10,000 mails": flat(10_000, "Content-Type: message/rfc822", "", "Subject: x"),
    "1,000 deep": nested(1_000, "multipart/mixed"),
    "1,000 choices deep": nested(1_000, "multipart/alternative"),
    "200 deep and long": nested(200, "multipart/mixed") + b"\r\n" * (2 * BIG),
    "20 deep and long": nested(20, "multipart/mixed") + b"\r\n" * (BIG // 4),
    "50 deep": nested(50, "multipart/mixed"),
    "1,000 mails deep": b"Content-Type: message/rfc822\r\n\r\n" * 1_000 + b"hi",
    "50,000 mails deep": b"Content-Type: message/rfc822\r\n\r\n" * 50_000 + b"hi",
    "200 mails deep": b"Content-Type: message/rfc822\r\n\r\n" * 200 + b"hi",
    "subject of 1 MB": b"Subject: " + b"x" * BIG + b"\r\n\r\nhi",
    "8-bit subject of 1 MB": b"Subject: " + b"\xe8\xae\xa2" * (BIG // 3) + b"\r\n\r\nhi",
    "encoded words of 1 MB": b"Subject: " + b"=?utf-8?q?a?= " * (BIG // 14) + b"\r\n\r\nhi",
    "words without end of 1 MB": b"Subject: " + b"=?a?q?" * (BIG // 6) + b"\r\n\r\nhi",
    "folded lines of 1 MB": b"Subject: " + b"\r\n x" * (BIG // 4) + b"\r\n\r\nhi",
    "100,000 headers": b"X: =?utf-8?q?a?=\r\n" * 100_000 + b"\r\nhi",
    "50,000 From": b"From: a@b.c\r\n" * 50_000 + b"\r\nhi",
    "From of 1 MB": b"From: " + b"a@b.c," * (BIG // 6) + b"\r\n\r\nhi",
    "comments of 1 MB": b"From: " + b"(" * BIG + b"\r\n\r\nhi",
    "quotes of 1 MB": b"To: " + b'"' * BIG + b"\r\n\r\nhi",
    "brackets of 1 MB": b"Cc: " + b"<" * BIG + b"\r\n\r\nhi",
    "groups of 1 MB": b"To: " + b"a:" * (BIG // 2) + b"\r\n\r\nhi",
    "references of 1 MB": b"References: " + b"<a@b> " * (BIG // 6) + b"\r\n\r\nhi",
    "verdicts of 1 MB": b"Authentication-Results: amazonses.com;" + b"dmarc=" * (BIG // 6) + b"\r\n"
    b"From: a@b.c\r\n\r\nhi",
    "date of 1 MB": b"Date: " + b"1 " * (BIG // 2) + b"\r\n\r\nhi",
    "message id of 1 MB": b"Message-ID: <" + "订".encode() * (BIG // 3) + b">\r\n\r\nhi",
    "parameters of 1 MB": b'Content-Type: text/plain; x="' + b";" * BIG + b"\r\n\r\nhi",
    "boundary of 1 MB": b"Content-Type: multipart/mixed; boundary=" + b"b" * BIG + b"\r\n\r\nhi",
    "parameters everywhere": flat(
        100, 'Content-Disposition: attachment; x="' + ";" * 100_000, 'Content-Type: a/b; y=";;;;'
    ),
    "name of 1 MB": flat(1, "Content-Disposition: attachment; filename=" + "x" * BIG),
    "name in 9,999 pieces": flat(
        1, "Content-Disposition: attachment" + "".join(f";filename*{n}*=x" for n in range(9_999))
    ),
    "body of 5 MB": text_mail(b"x" * 5 * BIG),
    "lines of 5 MB": text_mail(b"x\r\n" * (5 * BIG // 3)),
    "8-bit of 5 MB": text_mail(b"\xff" * 5 * BIG),
    "base64 of 5 MB": mail("Content-Transfer-Encoding: base64", "", b"5Lit" * (5 * BIG // 4)),
    "quoted of 5 MB": mail(
        "Content-Transfer-Encoding: quoted-printable", "", b"=E4=B8=AD" * (5 * BIG // 9)
    ),
    "punycode of 5 MB": text_mail(b"a-" + b"z" * 5 * BIG, "text/plain; charset=punycode"),
    "8-bit punycode of 5 MB": text_mail(b"\xff" + b"z" * BIG, "text/plain; charset=punycode"),
    "idna of 1 MB": text_mail(b"a" * BIG, "text/plain; charset=idna"),
    "utf-7 of 1 MB": text_mail(b"+2AA-" * (BIG // 5), "text/plain; charset=utf-7"),
    "numbers in HTML": text_mail(b"&#" + b"9" * 10_000 + b";", "text/html"),
    **{
        f"{piece.decode()} of 1 MB": text_mail(piece * (BIG // len(piece)), "text/html")
        for piece in (
            *(b"<", b"<a ", b'<a b="', b"<a b='\"", b"</a ", b"<!--", b"<!", b"<?", b"<![CDATA["),
            *(b"<div>", b"<br>", b"<pre>", b"<style></style>", b"<script>", b"&", b"&#1", b"-->"),
            *(b"<p><b></p></b>", b"<!---->", b"<title></title ", b"</script", b"&nbsp"),
        )
    },
}


@pytest.mark.parametrize("raw", HOSTILE_MAIL.values(), ids=HOSTILE_MAIL.keys())
def test_the_worst_mails_are_a_message_of_limited_size_or_unparseable_within_seconds(raw):
    started = time.process_time()

    events = outcome(from_mail, raw)

    assert time.process_time() - started < 8
    for message in events:
        if isinstance(message, MailReport):
            assert len(message.detail) <= 400
            continue
        assert len(message.body) <= 200_000
        assert len(message.subject) <= 2_000
        assert len(message.provider_id) <= 2_000
        assert len(message.attachments) <= 100
        assert len(json.dumps(message.context)) <= 20_000
        assert len(message.reply_tokens) <= 5


PIECES = st.sampled_from(
    [
        *(b"From: ", b"To: ", b"Subject: ", b"Date: ", b"Message-ID: ", b"References: "),
        *(b"Content-Type: ", b"Content-Disposition: attachment; filename", b"multipart/mixed"),
        *(b"multipart/alternative", b"text/plain", b"text/html", b"message/rfc822"),
        *(b"message/delivery-status", b"; boundary=b", b"--b", b"--b--", b"; charset=", b"gb2312"),
        *(b"utf-7", b"unicode_escape", b"punycode", b"Content-Transfer-Encoding: ", b"base64"),
        *(b"quoted-printable", b"x-uuencode", b"begin 666 a", b"end", b"=?utf-8?b?", b"=?gbk?q?"),
        *(
            b"?=",
            b"*=",
            b"*0*=",
            b"''",
            b'"',
            b"<a@b.c>",
            b"(",
            b"\r\n",
            b"\r\n\r\n",
            b"\n ",
            b"\0",
        ),
        *(b"\xff", b"\xed\xa0\x80", b"+2AA-", b"=D8", b"%ED%A0%80", b"\\ud800", b"M", b"&#xd800;"),
    ]
)


@settings(max_examples=500, deadline=None)
@given(st.lists(PIECES | st.binary(max_size=6), max_size=40).map(b"".join))
def test_any_mail_is_a_message_or_unparseable(raw):
    outcome(from_mail, raw)
