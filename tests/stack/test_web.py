"""The web channel over HTTP: forms, chat, uploads, limits, and a page of another origin."""

import itertools
import json
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
import urllib3

from caseweave.cli.outside.customers import write_mail
from caseweave.cli.outside.http import call, call_json
from caseweave.cli.outside.screenshot import draw_screenshot
from caseweave.domain.times import to_rfc3339
from tests.stack.browser import open_browser
from tests.stack.conftest import wait_for

_numbers = itertools.count(1)


@pytest.fixture
def api(stack):
    return stack.outside.outputs["ApiUrl"]


@pytest.fixture
def origin(stack):
    return stack.outside.outputs["PlatformUrl"]


def inbound(file):
    return [m for m in file["messages"] if m["direction"] == "inbound"]


def answers(file, channel):
    return [
        m
        for m in file["messages"]
        if (m["direction"], m["purpose"], m["channel"]) == ("outbound", "reply", channel)
    ]


def upload(post, content):
    """Post a file as a browser does."""
    fields = {**post["fields"], "file": ("a.png", content, post["fields"]["Content-Type"])}
    return urllib3.request("POST", post["url"], fields=fields, retries=False).status


def new_address():
    return {"X-Forwarded-For": f"172.16.{next(_numbers)}.1"}


def test_every_form_is_listed_and_described_in_both_languages(api):
    listed = call("GET", f"{api}/intake/web/forms?lang=zh-CN").json()["items"]
    schema = call("GET", api + listed[0]["schema"], headers={"Accept-Language": "zh"})
    english = call("GET", f"{api}{listed[0]['schema']}?lang=en")

    assert [one["name"] for one in listed][:3] == ["topup", "card", "wallet"]
    assert schema.json()["properties"]["order_no"]["title"] == "订单号"
    assert english.json()["properties"]["order_no"]["title"] == "Order number"
    tag = {name.lower(): v for name, v in english.headers.items()}["etag"]
    again = call("GET", f"{api}{listed[0]['schema']}?lang=en", headers={"If-None-Match": tag})
    assert (again.status, again.body) == (304, b"")


def test_a_wrong_field_is_named_and_nothing_is_kept(stack, api):
    before = len(stack.items())
    wrong = {"message": " ", "order_no": "?!", "amount": "much", "problem": "other"}

    reply = call_json("POST", f"{api}/intake/web/forms/topup?lang=zh-CN", wrong, new_address())

    assert reply.status == 422
    assert {one["field"]: one["detail"] for one in reply.json()["errors"]}[
        "message"
    ] == "请填写此项"
    assert [one["field"] for one in reply.json()["errors"]] == [
        "order_no",
        "problem",
        "amount",
        "message",
    ]
    assert len(stack.items()) == before


def test_an_unknown_form_is_answered_with_those_there_are(api):
    reply = call_json("POST", f"{api}/intake/web/forms/refund", {"message": "hi"})

    assert reply.status == 404
    assert "account-security" in reply.json()["detail"]


def test_one_address_may_send_so_much_and_another_is_not_in_its_way(stack, api):
    url = f"{api}/intake/web/forms/contact"
    address = new_address()

    def send(number):
        return call_json("POST", url, {"message": f"flood {number}"}, address)

    def wait_for_a_whole_window():
        """Nothing is counted anew while the test runs."""
        return time.time() % 600 < 540

    wait_for(wait_for_a_whole_window, "the next window of ten minutes", seconds=62)
    with ThreadPoolExecutor(4) as pool:
        replies = list(pool.map(send, range(26)))

    statuses = [reply.status for reply in replies]
    assert (statuses.count(201), statuses.count(429)) == (20, 6)
    refused = next(reply for reply in replies if reply.status == 429)
    headers = {name.lower(): value for name, value in refused.headers.items()}
    assert 1 <= int(headers["retry-after"]) <= 601
    assert call_json("POST", url, {"message": "me?"}, new_address()).status == 201


def test_a_screenshot_goes_up_and_into_the_case(stack, agent, api):
    picture = draw_screenshot()
    asked = {
        "form": "topup",
        "field": "screenshot",
        "name": "付款截图.png",
        "media_type": "image/png",
        "size": len(picture),
    }
    post = call_json("POST", f"{api}/intake/web/uploads", asked, new_address()).json()

    too_early = stack.outside.send_form(
        "topup", {"message": "没到账", "screenshot": [post["upload"]]}
    )
    assert upload(post, picture + b"more") == 400
    assert upload({**post, "fields": post["fields"] | {"key": "uploads/other"}}, picture) == 403
    assert (
        upload({**post, "fields": post["fields"] | {"Content-Type": "text/html"}}, picture) == 403
    )
    assert upload(post, picture) == 204
    reply = stack.outside.send_form("topup", {"message": "没到账", "screenshot": [post["upload"]]})

    assert too_early.status == 422
    assert [one["field"] for one in too_early.json()["errors"]] == ["screenshot"]
    assert reply.status == 201
    (message,) = inbound(agent.read_case(reply.json()["reference"]))
    (kept,) = message["attachments"]
    assert (kept["name"], kept["media_type"], kept["size"]) == (
        "付款截图.png",
        "image/png",
        len(picture),
    )


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"media_type": "text/html"}, "media_type"),
        ({"size": 50_000_000}, "size"),
        ({"size": 0}, "size"),
        ({"name": ""}, "name"),
        ({"field": "message"}, "field"),
    ],
)
def test_an_upload_that_the_form_does_not_take_is_refused(api, change, field):
    asked = {"form": "topup", "name": "a.png", "media_type": "image/png", "size": 9} | change

    reply = call_json("POST", f"{api}/intake/web/uploads", asked, new_address())

    assert (reply.status, [one["field"] for one in reply.json()["errors"]]) == (422, [field])


def test_a_chat_starts_goes_on_and_is_found_again(stack, agent, api):
    headers = {"Authorization": f"Bearer {stack.outside.sign_in('u-1003')}"}
    nothing = call_json("POST", f"{api}/intake/web/chat", {}, headers)
    opened = call_json("POST", f"{api}/intake/web/chat", {"message": "在吗"}, headers).json()
    call_json("POST", api + opened["messages"], {"message": "有人吗"})
    resumed = call_json("POST", f"{api}/intake/web/chat", {}, headers)
    agent.post(f"/v1/cases/{opened['reference']}/messages", {"body": "在的,请讲"})

    assert nothing.status in (200, 422)
    assert (resumed.status, resumed.json()["state"]) == (200, "resumed")
    assert resumed.json()["reference"] == opened["reference"]
    seen, cursor = [], ""
    while page := call("GET", f"{api}{opened['messages']}?after={cursor}").json():
        if not page["items"]:
            break
        seen += [one["body"] for one in page["items"]]
        cursor = page["next"]
    assert [body for body in seen if body in ("在吗", "有人吗", "在的,请讲")] == [
        "在吗",
        "有人吗",
        "在的,请讲",
    ]
    assert len(seen) == len(set(seen))


def test_an_answer_that_nobody_fetched_goes_on_by_mail_once_and_the_reply_comes_back(
    stack, agent, api
):
    """The sign-in vouches for the address."""
    token = stack.outside.sign_in("u-2002")
    user = call("GET", f"{stack.outside.outputs['PlatformUrl']}/users/u-2002").json()
    headers = {"Authorization": f"Bearer {token}"}
    opened = call_json("POST", f"{api}/intake/web/chat", {"message": "结算差 3 元"}, headers).json()
    ref = opened["reference"]
    marker = f"差额已补 {uuid.uuid4().hex}"
    assert agent.post(f"/v1/cases/{ref}/messages", {"body": marker}).status < 300
    wait_for(
        lambda: [
            m for m in answers(agent.read_case(ref), "web") if m["delivery"]["state"] == "accepted"
        ],
        "the answer to be there for the page",
    )

    now = datetime.now(UTC)
    early = json.loads(stack.invoke("ContinuationsFunction"))
    later = json.dumps({"now": to_rfc3339(now + timedelta(minutes=10))}).encode()
    first = json.loads(stack.invoke("ContinuationsFunction", later))
    second = json.loads(stack.invoke("ContinuationsFunction", later))

    assert (early["continued"], second["continued"]) == (0, 0)
    assert first["continued"] >= 1
    (mail,) = wait_for(
        lambda: [m for m in stack.received("ses", user["email"]) if marker in m["body"]],
        "the answer by mail",
    )
    file = agent.read_case(ref)
    assert [m["body"] for m in answers(file, "email")] == [marker]
    stack.outside.deliver_mail(
        write_mail(user["email"], "Re: x", f"谢谢 {marker}", to=mail["headers"]["Reply-To"])
    )
    wait_for(
        lambda: [m for m in inbound(agent.read_case(ref)) if m["channel"] == "email"],
        "the reply in the same case",
    )


def test_an_answer_never_goes_to_an_address_that_was_only_typed(stack, agent):
    address = f"typed{uuid.uuid4().hex[:8]}@example.org"
    opened = stack.outside.send_form("question", {"message": "hello there", "email": address})
    ref = opened.json()["reference"]
    agent.post(f"/v1/cases/{ref}/messages", {"body": "our answer"})
    wait_for(
        lambda: [
            m for m in answers(agent.read_case(ref), "web") if m["delivery"]["state"] == "accepted"
        ],
        "the answer to be there for the page",
    )
    later = to_rfc3339(datetime.now(UTC) + timedelta(minutes=10))
    stack.invoke("ContinuationsFunction", json.dumps({"now": later}).encode())

    assert [m["channel"] for m in agent.read_case(ref)["messages"]].count("email") == 0
    assert stack.received("ses", address) == []


def test_only_an_allowed_origin_is_let_in(api, origin):
    url = f"{api}/intake/web/forms/topup"
    ask = {"Access-Control-Request-Method": "POST"}

    ours = call("OPTIONS", url, headers={"Origin": origin, **ask})
    other = call("OPTIONS", url, headers={"Origin": "https://evil.example", **ask})

    headers = {name.lower(): value for name, value in ours.headers.items()}
    assert ours.status == 204
    assert headers["access-control-allow-origin"] == origin
    assert "Idempotency-Key" in headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in headers
    assert "access-control-allow-origin" not in {name.lower() for name in other.headers}


@pytest.mark.parametrize(
    ("language", "label", "wrong"),
    [("zh-CN", "订单号", "请填写此项"), ("en", "Order number", "fill this in")],
)
def test_the_sample_page_draws_a_form_and_chats(
    stack, agent, api, origin, tmp_path, language, label, wrong
):
    body = f"from the page {uuid.uuid4().hex}"
    picture = list(draw_screenshot())
    with open_browser(tmp_path) as page:
        page.open(f"{origin}/support?api={quote(api)}&form=topup&lang={language}")
        labels = page.run("[...document.querySelectorAll('label')].map(l => l.innerText)")
        page.run("document.querySelector('#form button').click()")
        said = page.wait("document.getElementById('message-wrong').innerText")
        page.run(
            "{ const files = new DataTransfer();"
            f"const picture = new Uint8Array({picture});"
            "files.items.add(new File([picture], 'a.png', {type: 'image/png'}));"
            "document.getElementById('screenshot').files = files.files;"
            f"document.getElementById('message').value = {json.dumps(body)};"
            "document.querySelector('#form button').click(); }"
        )
        reference = page.wait("document.getElementById('reference').innerText").split()[-1]
        page.wait(f"document.getElementById('messages').innerText.includes('{reference}')")
        agent.post(f"/v1/cases/{reference}/messages", {"body": f"answer to {body}"})
        page.wait(f"document.getElementById('messages').innerText.includes('answer to {body}')")
        page.run(
            "document.getElementById('text').value = 'thanks';"
            "document.querySelector('#say button').click()"
        )
        page.wait("document.getElementById('messages').innerText.includes('thanks')")

    assert any(one.startswith(label) for one in labels)
    assert said == wrong
    first, second = inbound(agent.read_case(reference))
    assert (first["body"], second["body"]) == (body, "thanks")
    assert [one["name"] for one in first["attachments"]] == ["a.png"]
