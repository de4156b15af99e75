"""The web channel's door: kept with a case, or refused with what to write; never both."""

import json
import os
from base64 import b64decode, b64encode
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from caseweave.channels.credentials import Credentials
from caseweave.channels.request import WebhookRequest
from caseweave.config.desk import load_desk
from caseweave.config.forms import load_forms
from caseweave.config.web import load_web_rules
from caseweave.domain.message import Attachment, Channel
from caseweave.domain.web_rules import Limit
from caseweave.errors import InvalidSignatureError
from caseweave.http import respond
from caseweave.human_checks import HumanCheck
from caseweave.storage import cases, ledger
from caseweave.verifications import Codes
from caseweave.web_desk import WebDesk
from caseweave.web_page import allow_origin, answer_page
from tests.depth import DEPTH
from tests.usecases.world import NOON, YEAR

FORMS = load_forms(Path("config"))
RULES = load_web_rules(Path("config"))
BUCKET = "files"
USER = {"sub": "u-1", "email": "lin@example.com", "email_verified": True}
PICTURE = b"\x89PNG" + b"x" * 20


def sign_in(token):
    if token != "lin":
        raise InvalidSignatureError("no")
    return USER


@pytest.fixture
def desk(table, door):
    boto3.client("s3").create_bucket(Bucket=BUCKET)
    return WebDesk(
        door=door,
        retention=YEAR,
        verify_token=sign_in,
        read_forms=lambda: FORMS,
        read_rules=lambda: RULES,
        human_check=HumanCheck("none", False, lambda: Credentials("human_check", {})),
        files_bucket=BUCKET,
        make_codes=lambda: Codes(load_desk(Path("config")), "twilio", NOON, os.urandom),
    )


@pytest.fixture
def verifier():
    """A verifier of our own: its next answer, and what it was asked."""

    class Verifier(BaseHTTPRequestHandler):
        def do_POST(self):
            self.server.asked.append(self.rfile.read(int(self.headers["Content-Length"])))
            body = json.dumps(self.server.said).encode()
            self.send_response(self.server.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Verifier)
    server.asked, server.said, server.status = [], {"success": True}, 200
    Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def checked_by(desk, server, *, passes_unreachable=False):
    credentials = Credentials("human_check", {"secret": "s", "site_key": "site"})
    url = f"http://127.0.0.1:{server.server_port}/verify"
    check = HumanCheck("turnstile", passes_unreachable, lambda: credentials, url)
    return replace(desk, human_check=check)


def ask(desk, method, resource, body=None, now=NOON, address="192.0.2.7", path=None, **headers):
    """Status, headers and JSON of what the page is answered."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = WebhookRequest(
        content,
        {name.replace("_", "-"): value for name, value in headers.items()},
        client_address=address,
    )
    response = respond(
        lambda: answer_page(
            method, f"/intake/web/{resource}", path or {}, request, lambda: desk, now
        )
    )
    said = json.loads(response["body"]) if response["body"] else None
    return response["statusCode"], response["headers"], said


def submit(desk, form, body, **more):
    return ask(desk, "POST", "forms/{form}", body, path={"form": form}, **more)


def wrong_fields(said):
    return [one["field"] for one in said["errors"]]


def upload(desk, content=PICTURE, *, is_put=True, **more):
    asked = {"name": "a.png", "media_type": "image/png", "size": len(content)}
    headers = {name: more.pop(name) for name in ("authorization", "address") if name in more}
    status, _, said = ask(desk, "POST", "uploads", asked | more, **headers)
    assert status == 201, said
    if is_put:
        boto3.client("s3").put_object(Bucket=BUCKET, Key=said["fields"]["key"], Body=content)
    return said


def test_a_form_becomes_a_case_with_its_fields(desk):
    status, _, said = submit(
        desk,
        "wallet",
        {"message": "余额不对", "transaction_no": "W2026-0001", "problem": "balance", "app": "7.1"},
    )

    assert (status, said["state"]) == (201, "received")
    (message,) = cases.read_file(cases.find_case_id(said["reference"])).messages
    assert (message.body, dict(message.fields)) == (
        "余额不对",
        {
            "form": "wallet",
            "transaction_no": "W2026-0001",
            "problem": "balance",
            "order_no": "W2026-0001",
            "app": "7.1",
        },
    )


def test_what_is_filled_in_wrongly_is_refused_and_leaves_nothing(desk, dump):
    before = dump()

    status, headers, said = submit(
        desk, "topup", {"order_no": "?"}, accept_language="zh-CN,en;q=0.5"
    )

    assert (status, headers["Content-Type"]) == (422, "application/problem+json")
    assert said["errors"] == [
        {"field": "order_no", "detail": "请填写订单号:4 到 40 位字母、数字或短横线"},
        {"field": "message", "detail": "请填写此项"},
    ]
    assert dump() == before


def test_an_unknown_form_is_answered_with_the_names_of_the_others(desk):
    status, _, said = submit(desk, "refund", {"message": "hi"})

    assert status == 404
    assert all(name in said["detail"] for name in FORMS)


def test_what_nobody_can_read_is_kept_for_people(desk):
    status, _, said = submit(desk, "contact", b"{oops")

    assert (status, said) == (202, {"state": "quarantined", "reference": None})
    assert [entry.body for entry in ledger.list_quarantined(9)] == [b"{oops"]


def test_a_retry_is_the_same_message_whatever_its_human_check(desk):
    first = submit(desk, "contact", {"message": "hi", "human_check": "a"}, idempotency_key="k")
    again = submit(desk, "contact", {"human_check": "b", "message": "hi"}, idempotency_key="k")
    other = submit(desk, "contact", {"message": "ho"}, idempotency_key="k")

    assert (first[0], again[0], other[0]) == (201, 200, 201)
    assert first[2]["reference"] == again[2]["reference"] != other[2]["reference"]


def test_a_sign_in_that_does_not_hold_is_refused_not_taken_as_anonymous(desk):
    status, _, _ = submit(desk, "contact", {"message": "hi"}, authorization="Bearer rubbish")

    assert status == 403


# ---------------------------------------------------------------- anything at all

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
NAMES = st.sampled_from(
    sorted({field.name for form in FORMS.values() for field in form.fields} | {"contact", "body"})
)
BODIES = st.dictionaries(NAMES | st.text(max_size=9), VALUES, max_size=7) | VALUES


@settings(
    max_examples=20 * DEPTH,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    form=st.sampled_from(sorted(FORMS)), body=BODIES, has_message=st.booleans(), number=st.uuids()
)
def test_any_json_is_a_case_or_names_the_fields_or_is_kept(desk, form, body, has_message, number):
    if has_message and isinstance(body, dict):
        body = body | {"message": "没到账"}

    status, _, said = submit(desk, form, body, address=str(number))

    if status == 201:
        assert cases.read_file(cases.find_case_id(said["reference"])).messages
    elif status == 202:
        assert not isinstance(body, dict)
    else:
        assert (status, len(said["errors"]) > 0) == (422, True)
        assert set(wrong_fields(said)) <= {field.name for field in FORMS[form].fields}


# ---------------------------------------------------------------- how much


def limited(desk, **limits):
    rules = replace(RULES, limits=replace(RULES.limits, **limits))
    return replace(desk, read_rules=lambda: rules)


def test_an_address_has_its_limit_for_each_form_and_window(desk):
    desk = limited(desk, anonymous=Limit(2, timedelta(minutes=10)))
    said = [submit(desk, "contact", {"message": f"{n}"}) for n in range(3)]
    later = NOON + timedelta(minutes=10)

    assert [status for status, _, _ in said] == [201, 201, 429]
    assert said[2][1]["Retry-After"] == "601"
    assert submit(desk, "question", {"message": "hi"})[0] == 201
    assert submit(desk, "contact", {"message": "hi"}, address="192.0.2.8")[0] == 201
    assert submit(desk, "contact", {"message": "hi"}, now=later)[0] == 201


def test_a_refused_message_leaves_nothing_and_a_retry_of_a_kept_one_is_answered(desk):
    desk = limited(desk, anonymous=Limit(1, timedelta(minutes=10)))
    first = submit(desk, "contact", {"message": "hi"}, idempotency_key="k")
    again = submit(desk, "contact", {"message": "hi"}, idempotency_key="k")
    other = submit(desk, "contact", {"message": "ho"}, idempotency_key="k")

    assert (first[0], again[0], other[0]) == (201, 200, 429)
    assert again[2]["reference"] == first[2]["reference"]


def test_wrong_fields_are_not_counted(desk):
    desk = limited(desk, anonymous=Limit(1, timedelta(minutes=10)))
    tries = [submit(desk, "contact", {})[0] for _ in range(3)]

    assert tries == [422, 422, 422]
    assert submit(desk, "contact", {"message": "hi"})[0] == 201


def test_who_cannot_be_read_is_counted_too(desk):
    desk = limited(desk, anonymous=Limit(1, timedelta(minutes=10)))

    assert [submit(desk, "contact", b"{")[0] for _ in range(2)] == [202, 429]


def test_a_signed_in_customer_is_counted_as_a_user_wherever_they_are(desk):
    desk = limited(
        desk,
        anonymous=Limit(1, timedelta(minutes=10)),
        signed_in=Limit(2, timedelta(minutes=10)),
    )
    statuses = [
        submit(desk, "contact", {"message": f"{n}"}, authorization="Bearer lin", address=f"::{n}")[
            0
        ]
        for n in range(3)
    ]

    assert statuses == [201, 201, 429]


def test_a_header_says_who_the_client_is_only_where_our_own_proxies_wrote_it(desk):
    desk = limited(desk, anonymous=Limit(1, timedelta(minutes=10)))
    behind = replace(desk, trusted_proxies=1)

    def send(one, said):
        return submit(one, "contact", {"message": said}, x_forwarded_for=said)[0]

    assert [send(desk, f"198.51.100.{n}, 203.0.113.1") for n in range(2)] == [201, 429]
    assert [send(behind, f"198.51.100.{n}, 203.0.113.1") for n in range(2)] == [201, 201]
    assert [send(behind, f"forged{n}, 198.51.100.9, 203.0.113.1") for n in range(2)] == [201, 429]


def test_an_anonymous_submission_costs_one_small_write_more(desk, dump):
    submit(desk, "contact", {"message": "hi"})

    (counter,) = [item for item in dump() if item["kind"]["S"] == "rate"]
    assert counter["hits"]["N"] == "1"
    assert int(counter["expires_at"]["N"]) > NOON.timestamp()
    assert "192" not in counter["pk"]["S"]


# ---------------------------------------------------------------- are you human?


def test_an_anonymous_customer_passes_the_human_check_first(desk, verifier):
    desk = checked_by(desk, verifier)

    assert wrong_fields(submit(desk, "contact", {"message": "hi"})[2]) == ["human_check"]
    assert submit(desk, "contact", {"message": "hi", "human_check": "t" * 9_000})[0] == 422
    assert verifier.asked == []
    assert submit(desk, "contact", {"message": "hi", "human_check": "tok"})[0] == 201
    assert submit(desk, "contact", {"message": "ho"}, human_check="tok")[0] == 201
    assert verifier.asked[0] == b"secret=s&response=tok&remoteip=192.0.2.7"


def test_who_does_not_pass_is_refused_and_nothing_is_kept(desk, verifier, dump):
    desk = checked_by(desk, verifier)
    verifier.said = {"success": False, "error-codes": ["timeout-or-duplicate"]}

    status, _, said = submit(desk, "contact", {"message": "hi", "human_check": "tok"})

    assert (status, wrong_fields(said)) == (422, ["human_check"])
    assert [item["kind"]["S"] for item in dump()] == ["rate"]
    assert submit(desk, "contact", b"{")[0] == 422


def test_a_retry_with_a_token_that_was_used_is_answered_as_before(desk, verifier):
    desk = checked_by(desk, verifier)
    body = {"message": "hi", "human_check": "tok"}
    first = submit(desk, "contact", body, idempotency_key="k")
    verifier.said = {"success": False, "error-codes": ["timeout-or-duplicate"]}

    again = submit(desk, "contact", body, idempotency_key="k")

    assert (first[0], again[0]) == (201, 200)


@pytest.mark.parametrize(("passes", "status"), [(False, 422), (True, 201)])
@pytest.mark.parametrize("trouble", ["down", "broken", "misconfigured"])
def test_a_verifier_that_does_not_work_is_closed_or_open_as_it_is_set(
    desk, verifier, passes, status, trouble
):
    desk = checked_by(desk, verifier, passes_unreachable=passes)
    if trouble == "down":
        verifier.shutdown()
        verifier.server_close()
    elif trouble == "broken":
        verifier.status = 503
    else:
        verifier.said = {"success": False, "error-codes": ["invalid-input-secret"]}

    assert submit(desk, "contact", {"message": "hi", "human_check": "tok"})[0] == status


def test_signed_in_customers_are_not_asked(desk, verifier):
    desk = checked_by(desk, verifier)

    assert submit(desk, "contact", {"message": "hi"}, authorization="Bearer lin")[0] == 201
    assert verifier.asked == []


def test_a_page_learns_the_site_key_from_the_schema(desk, verifier):
    _, _, schema = ask(
        checked_by(desk, verifier), "GET", "forms/{form}", b"", path={"form": "contact"}
    )

    assert schema["x-human-check"] == {"verifier": "turnstile", "site_key": "site"}


# ---------------------------------------------------------------- files


def test_an_upload_is_signed_for_just_this_file(desk):
    said = upload(desk, form="topup", sha256="ab" * 32, is_put=False)

    policy = json.loads(b64decode(said["fields"]["policy"]))["conditions"]
    assert {"Content-Type": "image/png"} in policy
    assert ["content-length-range", len(PICTURE), len(PICTURE)] in policy
    assert {"key": said["fields"]["key"]} in policy
    assert {"x-amz-checksum-sha256": b64encode(bytes.fromhex("ab" * 32)).decode()} in policy
    assert said["fields"]["key"].startswith("uploads/")


def test_a_claimed_upload_is_a_pending_attachment(desk):
    said = upload(desk, form="topup")

    _, _, received = submit(desk, "topup", {"message": "hi", "screenshot": [said["upload"]]})

    (message,) = cases.read_file(cases.find_case_id(received["reference"])).messages
    assert message.attachments == (
        Attachment(
            "a.png",
            "image/png",
            len(PICTURE),
            state="pending",
            provider_ref=said["fields"]["key"],
        ),
    )


def test_an_upload_that_is_not_there_or_not_theirs_names_the_field(desk):
    missing = upload(desk, form="topup", is_put=False)["upload"]
    another_form = upload(desk, form="card")["upload"]
    of_lin = upload(desk, form="topup", authorization="Bearer lin")["upload"]
    too_late = upload(desk, form="topup")["upload"]

    for token in (missing, another_form, of_lin, "rubbish", "a.b"):
        status, _, said = submit(desk, "topup", {"message": "hi", "screenshot": token})
        assert (status, wrong_fields(said)) == (422, ["screenshot"])
    body = {"message": "hi", "screenshot": [too_late]}
    assert submit(desk, "topup", body, now=NOON + timedelta(hours=20))[0] == 422
    body = {"message": "hi", "screenshot": [of_lin]}
    assert submit(desk, "topup", body, authorization="Bearer lin")[0] == 201


def test_a_retry_is_answered_though_the_media_step_has_taken_the_file_away(desk):
    said = upload(desk, form="topup")
    body = {"message": "hi", "screenshot": [said["upload"]]}
    first = submit(desk, "topup", body, idempotency_key="k")
    boto3.client("s3").delete_object(Bucket=BUCKET, Key=said["fields"]["key"])

    again = submit(desk, "topup", body, idempotency_key="k")

    assert (first[0], again[0]) == (201, 200)
    assert submit(desk, "topup", body, idempotency_key="other")[0] == 422


@settings(
    max_examples=20 * DEPTH,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    body=st.dictionaries(
        st.sampled_from(["form", "field", "session", "name", "media_type", "size", "sha256"]),
        VALUES | st.sampled_from(["topup", "image/png", "screenshot", 9]),
    ),
    number=st.uuids(),
)
def test_any_wish_for_an_upload_is_signed_or_refused(desk, body, number):
    status, _, _ = ask(desk, "POST", "uploads", body, address=str(number))

    assert status in (201, 404, 422)


# ---------------------------------------------------------------- chat


def open_chat(desk, message="在吗", **more):
    status, _, said = ask(desk, "POST", "chat", {"message": message}, **more)
    assert status == 201, said
    return said


def say(desk, session, body, **more):
    return ask(desk, "POST", "chat/{session}/messages", body, path={"session": session}, **more)


def read(desk, session, after=""):
    request = WebhookRequest(b"", query=(("after", after),))
    response = respond(
        lambda: answer_page(
            "GET",
            "/intake/web/chat/{session}/messages",
            {"session": session},
            request,
            lambda: desk,
            NOON,
        )
    )
    return json.loads(response["body"])


def test_a_chat_starts_goes_on_and_is_read_from_where_the_page_is(desk):
    opened = open_chat(desk)
    assert say(desk, opened["session"], {"message": "有人吗"})[0] == 201

    first = read(desk, opened["session"])
    again = read(desk, opened["session"], first["next"])
    by_id = read(desk, opened["session"], first["items"][0]["id"])

    assert [one["body"] for one in first["items"]] == ["在吗", "有人吗"]
    assert (again["items"], again["next"]) == ([], first["next"])
    assert [one["body"] for one in by_id["items"]] == ["有人吗"]


def test_nothing_appears_behind_a_cursor_though_all_is_of_one_millisecond(desk):
    opened = open_chat(desk)
    seen, cursor = [], ""
    for number in range(5):
        say(desk, opened["session"], {"message": str(number)})
        page = read(desk, opened["session"], cursor)
        seen += [one["body"] for one in page["items"]]
        cursor = page["next"]

    assert seen == ["在吗", "0", "1", "2", "3", "4"]


def test_an_empty_chat_message_is_refused_unless_it_has_files(desk):
    opened = open_chat(desk)
    said = upload(desk, session=opened["session"])

    assert wrong_fields(say(desk, opened["session"], {"message": " "})[2]) == ["message"]
    assert say(desk, opened["session"], {"attachments": [said["upload"]]})[0] == 201
    other = open_chat(desk, address="192.0.2.9")
    assert say(desk, other["session"], {"attachments": [said["upload"]]})[0] == 422


def test_a_session_has_its_limit(desk):
    desk = limited(desk, session=Limit(2, timedelta(minutes=1)))
    opened = open_chat(desk)
    statuses = [say(desk, opened["session"], {"message": f"{n}"})[0] for n in range(3)]

    assert statuses == [201, 201, 429]


def test_a_session_stays_when_the_sign_in_is_over(desk):
    opened = open_chat(desk, authorization="Bearer lin")

    assert say(desk, opened["session"], {"message": "hi"}, authorization="Bearer old")[0] == 201


def test_a_signed_in_customer_finds_the_open_case_again(desk):
    nothing = ask(desk, "POST", "chat", {}, authorization="Bearer lin")
    opened = open_chat(desk, authorization="Bearer lin")
    resumed = ask(desk, "POST", "chat", b"", authorization="Bearer lin")
    unread = ask(desk, "POST", "chat", b"{", authorization="Bearer lin")
    again = open_chat(desk, "还在吗", authorization="Bearer lin")

    assert (nothing[0], wrong_fields(nothing[2])) == (422, ["message"])
    assert (resumed[0], resumed[2]["state"]) == (200, "resumed")
    assert (unread[0], unread[2]["state"]) == (202, "quarantined")
    assert resumed[2]["reference"] == opened["reference"] == again["reference"]
    assert say(desk, resumed[2]["session"], {"message": "hi"})[2]["reference"] == again["reference"]


def test_an_anonymous_chat_without_a_message_is_refused(desk):
    assert ask(desk, "POST", "chat", {})[0] == 422
    assert cases.read_head(cases.find_case_id(open_chat(desk)["reference"])).channels == (
        Channel.WEB,
    )


def test_a_forged_session_is_nobodys(desk):
    assert say(desk, "A" * 43, {"message": "hi"})[0] == 404
    assert ask(desk, "POST", "uploads", {"session": "A" * 43})[0] == 404


# ---------------------------------------------------------------- pages of other origins


@pytest.mark.parametrize(
    ("origin", "origins", "allowed"),
    [
        ("https://shop.example", ("https://shop.example",), "https://shop.example"),
        ("https://evil.example", ("https://shop.example",), None),
        ("https://shop.example.evil.example", ("https://shop.example",), None),
        ("null", ("https://shop.example",), None),
        ("", ("https://shop.example",), None),
        ("https://any.example", ("*",), "*"),
        ("https://any.example", (), None),
    ],
)
def test_an_origin_is_allowed_by_name(origin, origins, allowed):
    response = {"statusCode": 422, "headers": {"Vary": "Accept-Language"}, "body": ""}

    headers = allow_origin(response, origin, origins)["headers"]

    assert headers.get("Access-Control-Allow-Origin") == allowed
    assert headers["Vary"] == "Accept-Language, Origin"
    assert "Access-Control-Allow-Credentials" not in headers


def test_a_preflight_is_answered_without_reading_a_secret():
    answer = answer_page("OPTIONS", "/intake/web/chat", {}, WebhookRequest(b""), None, NOON)

    assert (answer.status, answer.body) == (204, "")


def test_a_schema_that_the_page_has_is_not_sent_again(desk):
    status, headers, schema = ask(desk, "GET", "forms/{form}", b"", path={"form": "card"})
    again = ask(
        desk,
        "GET",
        "forms/{form}",
        b"",
        path={"form": "card"},
        if_none_match=f"W/{headers['ETag']}",
    )
    other = ask(
        desk,
        "GET",
        "forms/{form}",
        b"",
        path={"form": "card"},
        if_none_match=headers["ETag"],
        accept_language="zh",
    )

    assert (status, schema["$id"]) == (200, "/intake/web/forms/card")
    assert headers["Cache-Control"] == "public, max-age=300"
    assert (again[0], again[2]) == (304, None)
    assert other[0] == 200


def verify(desk, session, body, **more):
    return ask(
        desk, "POST", "chat/{session}/verifications", body, path={"session": session}, **more
    )


def test_a_page_asks_for_a_code_and_hears_nothing_of_the_address(desk):
    _, _, said = ask(desk, "POST", "chat", {"message": "登录不了"})
    session = said["session"]

    first = verify(desk, session, {"channel": "sms", "address": "+86 138 0013 8000"})
    second = verify(desk, session, {"channel": "email", "address": "Ann@Example.com"})

    assert (first[0], first[2]) == (202, {"state": "sent", "minutes": 10})
    assert (second[0], second[2]) == (first[0], first[2])
    kept = cases.list_messages(cases.find_case_id(said["reference"]))[0]
    assert sorted(one.contact.address.value for one in kept if one.purpose == "verification") == [
        "+8613800138000",
        "ann@example.com",
    ]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"channel": "sms", "address": "13800138000"}, "address"),
        ({"channel": "email", "address": "nobody"}, "address"),
        ({"channel": "fax", "address": "ann@example.com"}, "channel"),
        (b"{oops", "address"),
    ],
)
def test_a_page_hears_what_to_write_for_a_code(desk, body, field):
    _, _, said = ask(desk, "POST", "chat", {"message": "登录不了"})

    status, _, refused = verify(desk, said["session"], body)

    assert (status, wrong_fields(refused)) == (422, [field])


def test_nobody_gets_codes_for_a_forged_session(desk, dump):
    before = dump()
    status, _, _ = verify(desk, "forged", {"channel": "email", "address": "ann@example.com"})
    assert (status, dump()) == (404, before)
