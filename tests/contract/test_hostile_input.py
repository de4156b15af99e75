"""Whatever comes to any door: events that can be stored, a refusal, or UnparseableError."""

import json
import re
from contextlib import suppress
from dataclasses import replace
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caseweave.channels import connect, registry, ses, ses_events, web_form
from caseweave.channels.protocols import answer_challenge
from caseweave.channels.request import (
    AccessToken,
    ProviderAnswer,
    Refused,
    Sent,
    WebhookRequest,
    read_json_object,
)
from caseweave.domain.message import InboundMessage
from caseweave.errors import InvalidSignatureError, MissingSecretError, UnparseableError
from tests.channels import test_connect, test_ses_events
from tests.channels.test_hostile import (
    ODD_VALUES,
    PIECES,
    from_html_form,
    from_json_form,
    from_mail,
    json_values,
    outcome,
    paths,
    replaced,
)
from tests.contract.specimens import SPECIMENS, VERIFIED, every

# API Gateway passes on ten times as much; no reader may depend on that.
LARGEST = 1_000_000
REFUSALS = (InvalidSignatureError, MissingSecretError)
# What is signed is inside what is sent: a stranger to the secret cannot change it, a customer can.
SEALED = ("wechat", "wecom")


# The doors


def is_admitted(specimen, request):
    try:
        specimen.admit(specimen, request, specimen.holding(["new", "old"]), specimen.now())
    except (*REFUSALS, UnparseableError):
        return False
    return True


def try_door(specimen, request):
    """Everything that is asked of a module before and after it knows who is there."""
    credentials = specimen.holding(["new", "old"])
    if "verify" not in specimen.lacks:
        is_admitted(specimen, request)
        with suppress(*REFUSALS, UnparseableError):
            said = answer_challenge(specimen.adapter, request, credentials)
            assert said is None or said.encode()
    return outcome(lambda _: specimen.parse(request), b"")


def send(specimen, body, kind="message"):
    """A genuine request with another body; and one sealed anew, where bodies are sealed."""
    genuine = specimen.signed(kind)
    try_door(specimen, replace(genuine, body=body[:LARGEST]))
    if specimen.name in SEALED:
        text = body[:LARGEST].decode("utf-8", "replace").encode()
        try_door(specimen, specimen.sign(replace(specimen.deliveries[kind], body=text), "new"))


# The bodies


def is_json(body):
    return body[:1] in (b"{", b"[")


def is_form(body):
    return re.match(rb"[\w-]+=", body) is not None


any_text = st.text(max_size=20) | st.sampled_from(["", "\0", "x" * 10_000, "１", "\ufffd", "-1"])
names = st.sampled_from(
    ["MsgType", "Event", "MsgId", "FromUserName", "ToUserName", "CreateTime", "Content", "Encrypt"]
)
xml_pieces = (
    st.sampled_from(
        [
            *("<xml>", "</xml>", "<![CDATA[", "]]>", "<!DOCTYPE a>", "&lt;", "&#0;", "&#xd800;"),
            *('<!ENTITY a "b">', "&a;", "<?xml?>", "<MsgType>text</MsgType>", "<", ">", "\0"),
        ]
    )
    | names.map(lambda name: f"<{name}>")
    | names.map(lambda name: f"</{name}>")
    | any_text
)
any_xml = st.lists(xml_pieces, max_size=12).map(
    lambda told: f"<xml>{''.join(told)}</xml>".encode("utf-8", "replace")
)


@st.composite
def mutations(draw, body):
    """*body* with some of its bytes flipped, inserted, deleted, doubled or cut off."""
    changed = bytearray(body)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(len(changed) - 1, 0)))
        until = at + draw(st.integers(1, 40))
        match draw(st.sampled_from(["flip", "insert", "delete", "double", "cut"])):
            case "flip" if changed:
                changed[at] ^= draw(st.integers(1, 255))
            case "insert":
                changed[at:at] = draw(PIECES | st.binary(max_size=8))
            case "delete":
                del changed[at:until]
            case "double":
                changed[at:at] = changed[at:until]
            case "cut":
                del changed[at:]
    return bytes(changed)


@st.composite
def other_values(draw, body):
    """*body* with one of its values replaced by any other."""
    if is_json(body):
        payload = json.loads(body)
        path = draw(st.sampled_from(list(paths(payload))))
        odd = draw(json_values | st.sampled_from(ODD_VALUES))
        return json.dumps(replaced(payload, path, odd)).encode()
    if is_form(body):
        pairs = parse_qsl(body.decode(), keep_blank_values=True)
        at = draw(st.integers(0, len(pairs) - 1))
        pairs[at] = (pairs[at][0], draw(any_text))
        return urlencode(pairs, errors="replace").encode()
    said = list(re.finditer(rb"(?<=>)[^<>]+(?=<)|(?<=\[CDATA\[)[^\]]+(?=\])|(?<=\n)[^\r\n]+", body))
    one = draw(st.sampled_from(said))
    odd = draw(any_text).encode("utf-8", "replace")
    return body[: one.start()] + odd + body[one.end() :]


def any_body(like):
    """Anything, of the kind of *like* as a rule."""
    if is_json(like):
        own = json_values.map(lambda value: json.dumps(value).encode())
    elif is_form(like):
        known = [name for name, _ in parse_qsl(like.decode())]
        pairs = st.lists(st.tuples(st.sampled_from(known) | any_text, any_text), max_size=12)
        own = pairs.map(lambda told: urlencode(told, errors="replace").encode())
    elif like.startswith(b"<"):
        own = any_xml
    else:
        own = st.lists(PIECES | st.binary(max_size=6), max_size=20).map(b"".join)
    return own | st.binary(max_size=200)


@every(SPECIMENS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_body_is_events_or_unparseable_and_no_signature(specimen, data):
    kind = data.draw(st.sampled_from(sorted(specimen.deliveries)))
    send(specimen, data.draw(any_body(specimen.deliveries[kind].body)), kind)


@every(SPECIMENS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_delivery_with_changed_bytes_is_events_or_unparseable(specimen, data):
    kind = data.draw(st.sampled_from(sorted(specimen.deliveries)))
    body = data.draw(st.sampled_from([specimen.deliveries[kind].body, specimen.signed(kind).body]))
    send(specimen, data.draw(mutations(body)), kind)


@every(SPECIMENS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_delivery_with_any_other_value_is_events_or_unparseable(specimen, data):
    kind = data.draw(st.sampled_from(sorted(specimen.deliveries)))
    body = data.draw(st.sampled_from([specimen.deliveries[kind].body, specimen.signed(kind).body]))
    send(specimen, data.draw(other_values(body)), kind)


@every([one for one in SPECIMENS if is_json(one.deliveries["message"].body)])
def test_every_value_of_a_delivery_may_be_odd(specimen):
    for kind, delivery in specimen.deliveries.items():
        payload = json.loads(delivery.body)
        for path in paths(payload):
            for odd in (None, True, -1, 1.5, 10**400, "", "\ud800", [], {}, [None], {"id": {}}):
                changed = json.dumps(replaced(payload, path, odd)).encode()
                request = replace(specimen.signed(kind), body=changed)
                outcome(lambda _, request=request: specimen.parse(request), b"")


def at(value, path):
    return at(value[path[0]], path[1:]) if path else value


@every(SPECIMENS)
def test_a_delivery_a_thousand_deep_or_ten_thousand_times_is_events_or_unparseable(specimen):
    for kind, delivery in specimen.deliveries.items():
        body = delivery.body
        deep = [b"[" * 1_000 + body + b"]" * 1_000, b"<a>" * 1_000 + body + b"</a>" * 1_000]
        for odd in (*deep, (body * 10_000)[:LARGEST], (body + b"&") * 10_000):
            send(specimen, odd, kind)
        if is_json(body):
            payload = json.loads(body)
            inside = [one for one in paths(payload) if len(one) == 1]
            nested = json.loads("[" * 400 + "1" + "]" * 400)
            for path in inside:
                send(specimen, json.dumps(replaced(payload, path, nested)).encode(), kind)
            for path in paths(payload):
                part = at(payload, path)
                if isinstance(part, list):
                    many = part * min(10_000, LARGEST // (len(body) + 1))
                    send(specimen, json.dumps(replaced(payload, path, many)).encode(), kind)


HEADER_VALUES = st.text(max_size=30) | st.sampled_from(
    [
        "",
        "\0",
        "=" * 5_000,
        "sha256=",
        "Basic ",
        "Basic =",
        "Bearer ..",
        "9" * 5_000,
        "签",
        "\ud800",
    ]
)


@every(VERIFIED)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_header_and_any_query_are_refused_or_accepted_and_nothing_else(specimen, data):
    genuine = specimen.signed()
    headers = {
        name: data.draw(HEADER_VALUES) if data.draw(st.booleans()) else value
        for name, value in genuine.headers.items()
    }
    query = tuple(
        (name, data.draw(HEADER_VALUES) if data.draw(st.booleans()) else value)
        for name, value in genuine.query
    )
    request = replace(genuine, headers=headers, query=query)
    # Nobody reads what was refused.
    if is_admitted(specimen, request):
        outcome(lambda _: specimen.parse(request), b"")


GREETING = ["hub.mode", "hub.verify_token", "hub.challenge", "signature", "msg_signature"]
GREETING += ["timestamp", "nonce", "echostr"]


@every([one for one in VERIFIED if one.name in registry.GREETERS])
@settings(max_examples=60, deadline=None)
@given(
    query=st.lists(
        st.tuples(st.sampled_from(GREETING), HEADER_VALUES | st.just("subscribe")), max_size=9
    )
)
def test_any_greeting_is_answered_or_refused(specimen, query):
    with suppress(*REFUSALS, UnparseableError):
        request = WebhookRequest(b"", query=tuple(query))
        specimen.adapter.greet(request, specimen.holding(["new"], verify_token="t0ken"))


# The answers of providers


answers = st.builds(
    ProviderAnswer,
    st.sampled_from([200, 201, 202, 204, 301, 400, 401, 403, 404, 413, 429, 500, 503]),
    st.binary(max_size=100)
    | json_values.map(lambda value: json.dumps(value).encode())
    | st.dictionaries(
        st.sampled_from(
            [
                *("error", "errcode", "errmsg", "message_id", "result", "ok", "sid", "messages"),
                *("access_token", "expires_in", "parameters", "description", "code", "id"),
                *("error_code", "message_uuid", "sentMessages", "status", "title", "data"),
            ]
        ),
        json_values,
        max_size=6,
    ).map(lambda value: json.dumps(value).encode()),
    st.fixed_dictionaries({"retry-after": HEADER_VALUES}),
)


@pytest.mark.parametrize("name", registry.SENDERS)
@settings(max_examples=80, deadline=None)
@given(answer=answers)
def test_any_answer_of_a_provider_is_a_success_or_a_refusal(name, answer):
    assert isinstance(registry.SENDERS[name].read_answer(answer), Sent | Refused)


@pytest.mark.parametrize("name", registry.TOKEN_ISSUERS)
@settings(max_examples=80, deadline=None)
@given(answer=answers)
def test_any_answer_to_a_question_for_a_token_is_one_or_a_refusal(name, answer):
    assert isinstance(registry.TOKEN_ISSUERS[name].read_token(answer), AccessToken | Refused)


# What comes by no webhook


def from_chat(body):
    text = str(web_form.read_body(WebhookRequest(body)).get("text", ""))
    return [web_form.make_chat_message(text, "01CASE", "5f3a")]


def from_ses_event(body):
    return ses_events.parse_event(read_json_object(body))


def from_connect(body):
    return [connect.parse(read_json_object(body), test_connect.LIN)]


def from_transcript(body):
    return [connect.parse_transcript(body, test_connect.KEY)]


def as_body(value):
    return json.dumps(value).encode()


MAIL = (
    b"From: Lin <lin@example.com>\r\nTo: help@desk.example\r\nSubject: =?utf-8?b?6K6i5Y2V?=\r\n"
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n"
    b"<p>18&nbsp;</p>\r\n--b\r\nContent-Disposition: attachment; filename=a.txt\r\n"
    b"\r\nx\r\n--b--\r\n"
)
OTHERS = {
    "ses": (from_mail, MAIL),
    "ses events": (
        from_ses_event,
        as_body(test_ses_events.event("Bounce", bounce=test_ses_events.HARD)),
    ),
    "form": (from_json_form, as_body({"message": "hi", "contact": {"email": "lin@example.com"}})),
    "page": (from_html_form, b"message=hi&email=lin%40example.com"),
    "chat": (from_chat, as_body({"text": "hi"})),
    "connect": (from_connect, as_body(test_connect.event("DISCONNECTED", agentInfo={"a": "b"}))),
    "call": (from_connect, as_body(test_connect.event())),
    "transcript": (from_transcript, as_body(test_connect.TRANSCRIPT)),
}


@pytest.mark.parametrize(("parse", "body"), OTHERS.values(), ids=OTHERS)
@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_whatever_comes_by_no_webhook_is_events_or_unparseable(parse, body, data):
    for change in (any_body(body), mutations(body), other_values(body)):
        outcome(parse, data.draw(change))


@pytest.mark.parametrize(("parse", "body"), OTHERS.values(), ids=OTHERS)
def test_what_comes_by_no_webhook_deep_or_often_is_events_or_unparseable(parse, body):
    for odd in (b"[" * 1_000 + body, b'{"a":' * 1_000 + body, (body * 10_000)[:LARGEST]):
        outcome(parse, odd)


def test_these_doors_understand_what_they_were_made_for():
    assert any(isinstance(one, InboundMessage) for one in outcome(*OTHERS["ses"]))
    assert all(outcome(parse, body) for parse, body in OTHERS.values())
    assert ses.parse(MAIL, "s3objectid")[0] == from_mail(MAIL)
