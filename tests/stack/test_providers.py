"""Every provider at the deployed door: signed as it signs, understood, answered, receipted."""

import base64
import itertools
import json
import time
from urllib.parse import urlencode

import pytest
from click.testing import CliRunner

from caseweave.cli import main
from caseweave.cli.outside.customers import write_mail
from caseweave.cli.outside.hosted_mail import mailgun_mail, postmark_fields
from caseweave.cli.outside.http import call, call_json
from caseweave.cli.outside.line import line_message
from caseweave.cli.outside.mainland_sms import aliyun_sms, tencent_sms
from caseweave.cli.outside.meta import (
    messaging_event,
    messenger_message,
    whatsapp_change,
    whatsapp_message,
)
from caseweave.cli.outside.qq import qq_message
from caseweave.cli.outside.qq import sign as qq_sign
from caseweave.cli.outside.vonage import vonage_sms
from caseweave.cli.outside.wechat import (
    seal,
    wechat_message,
    wecom_app_message,
    wecom_hint,
    wecom_proof,
)
from caseweave.cli.outside.wechat import sign as wechat_sign
from tests.stack.conftest import wait_for

_numbers = itertools.count(70_000_000)


class Providers:
    """Posts to the webhooks as each provider does."""

    def __init__(self, outside):
        self.outside = outside
        self.secrets = outside.secrets

    def line(self, user, text):
        return self._post(line_message(self.secrets["line"], user, text))

    def whatsapp(self, value):
        return self._post(whatsapp_change(self.secrets["whatsapp"], value))

    def whatsapp_text(self, wa_id, text):
        return self._post(whatsapp_message(self.secrets["whatsapp"], wa_id, text, "Lin"))

    def messenger(self, event):
        return self._post(messaging_event(self.secrets["meta"], event))

    def messenger_text(self, psid, text):
        return self._post(messenger_message(self.secrets["meta"], psid, text))

    def vonage(self, phone, text):
        return self._post(vonage_sms(self.secrets["vonage"], phone, text))

    def aliyun(self, phone, text):
        return self._post(aliyun_sms(self.secrets["aliyun"], phone, text))

    def tencent(self, phone, text):
        return self._post(tencent_sms(self.secrets["tencent"], phone, text))

    def mailgun(self, mail):
        return self._post(mailgun_mail(self.secrets["mailgun"], mail))

    def postmark(self, **said):
        return self._post(postmark_fields(self.secrets["postmark"], **said))

    def wechat(self, openid, text):
        return self._post(wechat_message(self.secrets["wechat"], openid, text))

    def qq(self, openid, text, seconds=0):
        return self._post(qq_message(self.secrets["qq"], openid, text, seconds=seconds))

    def wecom_hint(self, open_kfid):
        return self._post(wecom_hint(self.secrets["wecom"], open_kfid))

    def wecom_app(self, user, text):
        return self._post(wecom_app_message(self.secrets["wecom"], user, text))

    def wecom_query(self, sealed):
        return urlencode(wecom_proof(self.secrets["wecom"], sealed))

    def wecom_seal(self, text):
        account = self.secrets["wecom"]
        return seal(text, account["encoding_aes_key"], account["corp_id"])

    def _post(self, delivery):
        return self.outside.post(delivery)


def _b64(raw):
    return base64.b64encode(raw).decode()


@pytest.fixture(scope="module")
def providers(stack):
    return Providers(stack.outside)


def case_with(stack, agent, body):
    """The case that holds a message with this body, once it is there."""

    def find():
        found = [i for i in stack.items() if i.get("body", {}).get("S", "").strip() == body]
        return agent.read_case(found[0]["pk"]["S"].removeprefix("CASE#")) if found else None

    return wait_for(find, f"a case with {body!r}")


def acknowledgement(agent, name, state):
    def reached():
        messages = agent.read_case(name)["messages"]
        found = [m for m in messages if m["purpose"] == "acknowledgement"]
        return found[0] if found and found[0]["delivery"]["state"] == state else None

    return wait_for(reached, f"an acknowledgement that is {state}")


def test_line_is_understood_and_answered(stack, agent, providers):
    user = f"U{next(_numbers)}"
    assert providers.line(user, f"line {user}").status == 200

    file = case_with(stack, agent, f"line {user}")
    acknowledgement(agent, file["case"]["id"], "accepted")
    assert [m["to"] for m in stack.received("line")].count(user) == 1


def test_whatsapp_joins_the_sms_of_the_same_phone_and_its_statuses_settle_the_answer(
    stack, agent, providers
):
    phone = f"86132{next(_numbers)}"
    stack.outside.send_sms(f"+{phone}", f"sms {phone}")
    assert providers.whatsapp_text(phone, f"whatsapp {phone}").status == 200

    file = case_with(stack, agent, f"whatsapp {phone}")
    assert file["case"]["channels"] == ["sms", "messenger"]
    (sent,) = wait_for(lambda: stack.received("whatsapp", phone), "the answer in WhatsApp")
    callback = sent["request"]["biz_opaque_callback_data"] if "request" in sent else ""
    status = {
        "id": sent["provider_id"],
        "status": "read",
        "timestamp": str(int(time.time())),
        "recipient_id": phone,
        "biz_opaque_callback_data": callback,
    }
    metadata = {"display_phone_number": "15550001", "phone_number_id": "1065"}
    assert providers.whatsapp({"metadata": metadata, "statuses": [status]}).status == 200

    def is_read():
        messages = agent.read_case(file["case"]["id"])["messages"]
        return any((m["delivery"] or {}).get("state") == "read" for m in messages)

    wait_for(is_read, "the read receipt")


def test_messenger_receipts_find_the_answer_by_the_providers_id(stack, agent, providers):
    psid = str(next(_numbers))
    providers.messenger_text(psid, f"messenger {psid}")
    file = case_with(stack, agent, f"messenger {psid}")
    message = acknowledgement(agent, file["case"]["id"], "accepted")
    mids = [message["delivery"]["provider_id"]]

    providers.messenger(
        {
            "sender": {"id": psid},
            "recipient": {"id": "page-1"},
            "delivery": {"mids": mids, "watermark": 1},
        }
    )

    acknowledgement(agent, file["case"]["id"], "delivered")


def test_wechat_is_opened_understood_and_answered_with_a_token(stack, agent, providers):
    openid = f"o{next(_numbers)}"
    reply = providers.wechat(openid, f"wechat {openid}")
    assert (reply.status, reply.body) == (200, b"success")

    file = case_with(stack, agent, f"wechat {openid}")
    assert file["messages"][0]["author"] == f"wechat:gh_local.{openid}"
    acknowledgement(agent, file["case"]["id"], "accepted")
    assert [m["to"] for m in stack.received("wechat")].count(openid) == 1


def test_qq_is_understood_and_answered_with_a_token(stack, agent, providers):
    openid = f"Q{next(_numbers)}"
    reply = providers.qq(openid, f"qq {openid}")
    assert (reply.status, reply.json()) == (200, {"op": 12})

    file = case_with(stack, agent, f"qq {openid}")
    assert file["messages"][0]["author"].endswith(f".{openid}")
    acknowledgement(agent, file["case"]["id"], "accepted")
    assert len(stack.received("qq", openid)) == 1
    assert providers.qq(openid, "too old", int(time.time()) - 7200).status == 403


def test_qqs_challenge_is_answered(stack):
    url = f"{stack.outside.outputs['ApiUrl']}/intake/messenger/qq"
    secret = stack.outside.secrets["qq"]["app_secret"]

    reply = call_json("POST", url, {"op": 13, "d": {"plain_token": "abc", "event_ts": "1"}})

    assert reply.status == 200
    assert reply.json() == {"plain_token": "abc", "signature": qq_sign(secret, "1", b"abc")}


def test_wechats_handshake_answers_only_who_knows_the_token(stack):
    url = f"{stack.outside.outputs['ApiUrl']}/intake/messenger/wechat"
    ask = {"timestamp": "1795411473", "nonce": "1372623149", "echostr": "5927782489442352469"}
    token = stack.outside.secrets["wechat"]["token"]

    def greet(token):
        signature = wechat_sign(token, ask["timestamp"], ask["nonce"])
        return call("GET", f"{url}?{urlencode({**ask, 'signature': signature})}")

    assert (greet(token).status, greet(token).body) == (200, b"5927782489442352469")
    assert greet("wrong").status == 403


class CustomerService:
    """An account of 微信客服: what is said to it waits at WeCom until somebody pulls it."""

    def __init__(self, stack, customer):
        self.stack = stack
        self.customer = customer
        self.open_kfid = f"wk{next(_numbers)}"

    def say(self, text):
        said = {"origin": 3, "msgtype": "text", "text": {"content": text}}
        self._add(said | {"open_kfid": self.open_kfid, "external_userid": self.customer})

    def tell(self, kind, **more):
        event = {"event_type": kind, "open_kfid": self.open_kfid, **more}
        self._add({"origin": 4, "msgtype": "event", "event": event})

    def _add(self, message):
        named = {"msgid": f"msg{next(_numbers)}", "send_time": int(time.time()), **message}
        script = {"open_kfid": self.open_kfid, "messages": [named]}
        url = f"{self.stack.outside.outputs['SinkUrl']}/_sink/kf"
        assert call_json("POST", url, script).status == 201


def test_customer_service_in_wechat_is_pulled_after_a_hint_answered_and_told_of_failures(
    stack, agent, providers
):
    customer = f"wm{next(_numbers)}"
    desk = CustomerService(stack, customer)
    for number in range(5):
        desk.say(f"wecom {customer} {number}")
    assert providers.wecom_hint(desk.open_kfid).body == b"success"

    file = case_with(stack, agent, f"wecom {customer} 4")
    assert [m["body"] for m in file["messages"] if m["direction"] == "inbound"] == [
        f"wecom {customer} {number}" for number in range(5)
    ]
    sent = acknowledgement(agent, file["case"]["id"], "accepted")["delivery"]["provider_id"]
    received = stack.received("wecom", customer)
    assert (received[0]["from"], received[0]["provider_id"]) == (desk.open_kfid, sent)

    desk.tell("msg_send_fail", external_userid=customer, fail_msgid=sent, fail_type=10)
    providers.wecom_hint(desk.open_kfid)

    failed = acknowledgement(agent, file["case"]["id"], "failed")
    assert failed["delivery"]["error"] == "10 the customer refuses messages"


def test_a_pull_that_wecom_refuses_is_tried_again_before_long(stack, agent, providers):
    customer = f"wm{next(_numbers)}"
    desk = CustomerService(stack, customer)
    desk.say(f"throttled {customer}")
    url = f"{stack.outside.outputs['SinkUrl']}/_sink/faults"
    assert call_json("POST", url, {"provider": "wecom", "mode": "throttle"}).status == 201

    providers.wecom_hint(desk.open_kfid)

    # The queue by itself would bring it again after a minute and a half.
    case_with(stack, agent, f"throttled {customer}")


def test_what_no_hint_told_of_is_pulled_by_the_clock(stack, agent, providers):
    customer = f"wm{next(_numbers)}"
    desk = CustomerService(stack, customer)
    desk.say(f"hinted {customer}")
    providers.wecom_hint(desk.open_kfid)
    case_with(stack, agent, f"hinted {customer}")

    desk.say(f"not hinted {customer}")
    stack.invoke("WecomPulls", json.dumps({"now": "2100-01-01T00:00:00Z"}).encode())

    case_with(stack, agent, f"not hinted {customer}")


def test_an_application_of_wecom_is_understood_and_answered(stack, agent, providers):
    user = f"li.{next(_numbers)}"
    assert providers.wecom_app(user, f"app {user}").status == 200

    file = case_with(stack, agent, f"app {user}")
    acknowledgement(agent, file["case"]["id"], "accepted")
    assert [m["from"] for m in stack.received("wecom", user)] == ["1000002"]


def test_wecom_asks_whether_the_address_is_ours(stack, providers):
    sealed = providers.wecom_seal("1616140317555161061")
    url = f"{stack.outside.outputs['ApiUrl']}/intake/messenger/wecom"

    right = call("GET", f"{url}?{providers.wecom_query(sealed)}&{urlencode({'echostr': sealed})}")
    wrong = call("GET", f"{url}?{providers.wecom_query('')}&{urlencode({'echostr': sealed})}")

    assert (right.status, right.body) == (200, b"1616140317555161061")
    assert wrong.status == 403


@pytest.mark.parametrize("name", ["meta", "whatsapp"])
def test_the_handshake_answers_only_who_knows_the_token(stack, name):
    url = f"{stack.outside.outputs['ApiUrl']}/intake/messenger/{name}"
    ask = {"hub.mode": "subscribe", "hub.challenge": "1158201444"}
    token = stack.outside.secrets[name]["verify_token"]

    right = call("GET", f"{url}?{urlencode({**ask, 'hub.verify_token': token})}")
    wrong = call("GET", f"{url}?{urlencode({**ask, 'hub.verify_token': 'wrong'})}")

    assert (right.status, right.body) == (200, b"1158201444")
    assert wrong.status == 403
    assert call("GET", url.replace(name, "telegram")).status == 404


def test_vonage_is_understood_and_answered(stack, agent, providers):
    phone = f"86131{next(_numbers)}"
    assert providers.vonage(phone, f"vonage {phone}").status == 200

    case_with(stack, agent, f"vonage {phone}")
    wait_for(lambda: stack.received("vonage", phone), "the answer by Vonage")


@pytest.mark.parametrize("name", ["aliyun", "tencent"])
def test_where_no_free_text_can_be_sent_the_answer_is_visibly_failed(stack, agent, providers, name):
    phone = f"130{next(_numbers)}"
    reply = getattr(providers, name)(phone, f"{name} {phone}")
    assert reply.status == 200
    assert reply.json().get("code", reply.json().get("result")) == 0

    file = case_with(stack, agent, f"{name} {phone}")
    assert file["messages"][0]["author"] == f"phone:+86{phone}"
    failed = acknowledgement(agent, file["case"]["id"], "failed")
    assert failed["delivery"]["error"] == f"no answer can be sent by {name}"


def test_hosted_mail_becomes_a_case_with_its_files(stack, agent, providers):
    marker = f"mailgun {next(_numbers)}"
    mail = write_mail("kim@example.net", "hi", marker)
    assert providers.mailgun(mail).status == 200

    file = case_with(stack, agent, marker)
    assert (file["messages"][0]["provider"], file["messages"][0]["proof"]) == ("mailgun", "none")


def test_a_large_hosted_mail_is_kept_with_its_attachment(stack, agent, providers):
    marker, content = f"postmark {next(_numbers)}", b"\x89PNG" + bytes(600_000)
    reply = providers.postmark(
        From="kim@example.net",
        FromFull={"Email": "kim@example.net", "Name": "Kim"},
        To="support@desk.example",
        Subject="a picture",
        TextBody=marker,
        Attachments=[
            {
                "Name": "p.png",
                "Content": _b64(content),
                "ContentType": "image/png",
                "ContentLength": len(content),
            }
        ],
    )
    assert reply.status == 200

    (attachment,) = case_with(stack, agent, marker)["messages"][0]["attachments"]
    assert (attachment["name"], attachment["size"]) == ("p.png", len(content))
    assert call("GET", attachment["url"]).body == content


@pytest.mark.parametrize(
    "path",
    [
        "sms/vonage",
        "sms/aliyun",
        "sms/aliyun?token=wrong",
        "sms/tencent?token=wrong",
        "messenger/line",
        "messenger/meta",
        "messenger/qq",
        "messenger/wechat",
        "messenger/wecom",
        "messenger/whatsapp",
        "mail/mailgun",
        "mail/postmark",
        "mail/sendgrid",
    ],
)
def test_every_door_is_shut_to_who_cannot_sign(stack, path):
    before = len([i for i in stack.items() if i["pk"]["S"].startswith("IN#")])

    reply = call_json("POST", f"{stack.outside.outputs['ApiUrl']}/intake/{path}", {"x": 1})

    assert reply.status in (401, 403)
    after = len([i for i in stack.items() if i["pk"]["S"].startswith("IN#")])
    assert after == before


def test_an_unknown_mail_provider_is_not_found(stack):
    assert call_json("POST", f"{stack.outside.outputs['ApiUrl']}/intake/mail/x", {}).status == 404


@pytest.mark.parametrize(
    "arguments",
    [
        ("line", "--user", "U-sent"),
        ("meta", "--user", "7002", "--instagram"),
        ("whatsapp", "--phone", "+8613900139000"),
        ("aws", "--phone", "+8613900139001"),
        ("postmark", "--from", "kim@example.net"),
        ("sendgrid", "--from", "kim@example.net"),
        ("wecom", "--customer", "wm-sent"),
        ("chat",),
    ],
    ids=lambda arguments: arguments[0],
)
def test_what_the_command_sends_becomes_a_message(stack, agent, arguments):
    text = f"sent by {arguments[0]} {next(_numbers)}"

    result = CliRunner().invoke(
        main, ["send", *arguments, "--text", text, "--state-dir", str(stack.state_dir)]
    )

    assert result.exit_code == 0, result.output
    case_with(stack, agent, text)


def test_a_call_by_connect_becomes_a_case_with_the_claimed_number(stack, agent):
    phone = f"+86156{next(_numbers)}"
    arguments = ["send", "connect", "--phone", phone, "--state-dir", str(stack.state_dir)]

    result = CliRunner().invoke(main, arguments)

    assert result.exit_code == 0, result.output
    (contact,) = [i for i in stack.items() if i["sk"]["S"][:4] == "MSG#" and phone in str(i)]
    message = agent.read_case(contact["pk"]["S"].removeprefix("CASE#"))["messages"][0]
    assert (message["channel"], message["fields"]["phone"]) == ("voice", phone)


def test_the_doctor_finds_the_whole_local_stack_in_order(stack):
    result = CliRunner().invoke(main, ["doctor", "--json", "--state-dir", str(stack.state_dir)])

    found = json.loads(result.output)
    problems = {
        name: [one["en"] for one in findings if one["level"] == "problem"]
        for name, findings in found.items()
    }
    assert {name: said for name, said in problems.items() if said} == {}
    assert result.exit_code == 0
    assert {"telegram", "line", "twilio", "voice", "meta", "whatsapp", "wecom", "ses"} <= {*found}


def test_the_doctor_says_what_to_change(stack):
    parameter = "/caseweave/caseweave/providers/telegram"
    ssm = stack.client("ssm")
    kept = ssm.get_parameter(Name=parameter, WithDecryption=True)["Parameter"]["Value"]
    wrong = json.dumps({**json.loads(kept), "bot_token": "7:another", "bot_tokem": "slip"})

    def put(value):
        ssm.put_parameter(Name=parameter, Value=value, Type="SecureString", Overwrite=True)

    put(wrong)
    try:
        arguments = ["doctor", "telegram", "--lang", "zh-CN", "--state-dir", str(stack.state_dir)]
        result = CliRunner().invoke(main, arguments)
    finally:
        put(kept)

    assert result.exit_code == 1
    assert "bot_tokem 不会被读取；是否应为 bot_token？" in result.output
    assert "Telegram 拒绝 bot_token" in result.output
