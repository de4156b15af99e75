"""Every provider at the deployed door: signed as it signs, understood, answered, receipted."""

import base64
import hashlib
import hmac
import itertools
import json
import time
from urllib.parse import urlencode

import pytest

from caseweave.channels.qq_signature import sign as qq_sign
from caseweave.channels.wechat_crypto import seal
from caseweave.channels.wechat_crypto import sign as wechat_sign
from caseweave.cli.outside.http import call, call_json
from tests.stack.conftest import wait_for

_numbers = itertools.count(70_000_000)


class Providers:
    """Posts to the webhooks as each provider does."""

    def __init__(self, outside):
        self.url = outside.outputs["ApiUrl"]
        self.secrets = outside.secrets

    def line(self, user, text):
        event = {
            "type": "message",
            "mode": "active",
            "timestamp": int(time.time() * 1000),
            "source": {"type": "user", "userId": user},
            "webhookEventId": f"E{next(_numbers)}",
            "deliveryContext": {"isRedelivery": False},
            "replyToken": "r",
            "message": {"id": str(next(_numbers)), "type": "text", "text": text},
        }
        body = json.dumps({"destination": "Ubot", "events": [event]}).encode()
        mac = hmac.digest(self.secrets["line"]["channel_secret"].encode(), body, "sha256")
        return self._post("messenger/line", body, {"X-Line-Signature": _b64(mac)})

    def whatsapp(self, value):
        entry = [{"id": "waba", "changes": [{"field": "messages", "value": value}]}]
        return self._meta("whatsapp", {"object": "whatsapp_business_account", "entry": entry})

    def whatsapp_text(self, wa_id, text):
        message = {
            "from": wa_id,
            "id": f"wamid.{next(_numbers)}",
            "timestamp": str(int(time.time())),
            "type": "text",
            "text": {"body": text},
        }
        return self.whatsapp(
            {
                "messaging_product": "whatsapp",
                "metadata": {"display_phone_number": "15550001", "phone_number_id": "1065"},
                "contacts": [{"profile": {"name": "Lin"}, "wa_id": wa_id}],
                "messages": [message],
            }
        )

    def messenger(self, event):
        entry = [{"id": "page-1", "time": 1, "messaging": [event]}]
        return self._meta("meta", {"object": "page", "entry": entry})

    def messenger_text(self, psid, text):
        message = {"mid": f"m_{next(_numbers)}", "text": text}
        return self.messenger(
            {
                "sender": {"id": psid},
                "recipient": {"id": "page-1"},
                "timestamp": int(time.time() * 1000),
                "message": message,
            }
        )

    def vonage(self, phone, text):
        fields = {
            "msisdn": phone,
            "to": "15005550009",
            "messageId": f"{next(_numbers):016X}",
            "text": text,
            "type": "text",
            "keyword": "HI",
            "message-timestamp": time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime()),
            "timestamp": str(int(time.time())),
            "nonce": "n",
        }
        signed = "".join(f"&{name}={fields[name]}" for name in sorted(fields))
        key = self.secrets["vonage"]["signature_secret"].encode()
        fields["sig"] = hmac.new(key, signed.encode(), hashlib.sha256).hexdigest()
        body = urlencode(fields).encode()
        return self._post("sms/vonage", body, {}, "application/x-www-form-urlencoded")

    def aliyun(self, phone, text):
        message = {
            "phone_number": phone,
            "content": text,
            "send_time": "2026-11-23 10:00:00",
            "dest_code": "1069",
            "sequence_id": str(next(_numbers)),
        }
        token = self.secrets["aliyun"]["token"]
        return self._post(f"sms/aliyun?token={token}", json.dumps([message]).encode(), {})

    def tencent(self, phone, text):
        message = {
            "extend": "1",
            "mobile": phone,
            "nationcode": "86",
            "sign": "desk",
            "text": text,
            "time": int(time.time()),
        }
        token = self.secrets["tencent"]["token"]
        return self._post(f"sms/tencent?token={token}", json.dumps(message).encode(), {})

    def mailgun(self, raw):
        timestamp, token = str(int(time.time())), f"{next(_numbers):050}"
        key = self.secrets["mailgun"]["signing_key"].encode()
        fields = {
            "recipient": "support@desk.example",
            "sender": "kim@example.net",
            "timestamp": timestamp,
            "token": token,
            "signature": hmac.new(key, f"{timestamp}{token}".encode(), "sha256").hexdigest(),
            "body-mime": raw,
        }
        body = urlencode(fields).encode()
        form = "application/x-www-form-urlencoded"
        return self._post("mail/mailgun/mime", body, {}, form)

    def postmark(self, **said):
        account = self.secrets["postmark"]
        basic = _b64(f"{account['user']}:{account['password']}".encode())
        mail = {"MessageID": f"pm-{next(_numbers)}", **said}
        headers = {"Authorization": f"Basic {basic}"}
        return self._post("mail/postmark", json.dumps(mail).encode(), headers)

    def wechat(self, openid, text):
        fields = {
            "ToUserName": "gh_local",
            "FromUserName": openid,
            "CreateTime": int(time.time()),
            "MsgType": "text",
            "Content": text,
            "MsgId": next(_numbers),
        }
        message = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())
        held = self.secrets["wechat"]
        sealed = seal(
            f"<xml>{message}</xml>".encode(), held["app_id"], held["encoding_aes_key"], bytes(16)
        )
        query = {"timestamp": str(int(time.time())), "nonce": str(next(_numbers))}
        signature = wechat_sign(held["token"], *query.values(), sealed)
        query |= {"encrypt_type": "aes", "msg_signature": signature}
        body = f"<xml><ToUserName>gh_local</ToUserName><Encrypt>{sealed}</Encrypt></xml>".encode()
        return self._post(f"messenger/wechat?{urlencode(query)}", body, {}, "text/xml")

    def qq(self, openid, text, seconds=None):
        said = {
            "id": f"ROBOT1.0_{next(_numbers)}",
            "author": {"user_openid": openid},
            "content": text,
            "timestamp": "2026-11-23T13:24:33+08:00",
        }
        event = {"id": f"E{next(_numbers)}", "op": 0, "t": "C2C_MESSAGE_CREATE", "d": said}
        body, at = json.dumps(event).encode(), str(seconds or int(time.time()))
        held = self.secrets["qq"]
        headers = {
            "X-Bot-Appid": held["app_id"],
            "X-Signature-Timestamp": at,
            "X-Signature-Ed25519": qq_sign(at.encode() + body, held["app_secret"]),
        }
        return self._post("messenger/qq", body, headers)

    def wecom_hint(self, open_kfid):
        inner = (
            f"<xml><ToUserName>corp</ToUserName><CreateTime>{int(time.time())}</CreateTime>"
            f"<MsgType>event</MsgType><Event>kf_msg_or_event</Event>"
            f"<Token>ENC{next(_numbers)}</Token><OpenKfId>{open_kfid}</OpenKfId></xml>"
        )
        return self._wecom(inner)

    def wecom_app(self, user, text):
        inner = (
            f"<xml><ToUserName>corp</ToUserName><FromUserName>{user}</FromUserName>"
            f"<CreateTime>{int(time.time())}</CreateTime><MsgType>text</MsgType>"
            f"<Content>{text}</Content><MsgId>{next(_numbers)}</MsgId>"
            f"<AgentID>1000002</AgentID></xml>"
        )
        return self._wecom(inner)

    def wecom_query(self, sealed):
        """What WeCom adds to the address; it signs the sealed text alone."""
        parts = {"timestamp": str(int(time.time())), "nonce": str(next(_numbers))}
        signature = wechat_sign(self.secrets["wecom"]["token"], *parts.values(), sealed)
        return urlencode({"msg_signature": signature, **parts})

    def wecom_seal(self, text):
        account = self.secrets["wecom"]
        key = account["encoding_aes_key"]
        return seal(text.encode(), account["corp_id"], key, b"0123456789abcdef")

    def _wecom(self, inner):
        sealed = self.wecom_seal(inner)
        body = f"<xml><Encrypt><![CDATA[{sealed}]]></Encrypt></xml>".encode()
        return self._post(f"messenger/wecom?{self.wecom_query(sealed)}", body, {}, "text/xml")

    def _meta(self, name, batch):
        body = json.dumps(batch).encode()
        mac = hmac.new(self.secrets[name]["app_secret"].encode(), body, "sha256").hexdigest()
        return self._post(f"messenger/{name}", body, {"X-Hub-Signature-256": f"sha256={mac}"})

    def _post(self, path, body, headers, content_type="application/json"):
        url = f"{self.url}/intake/{path}"
        return call("POST", url, body, {"Content-Type": content_type, **headers})


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
    assert reply.json() == {"plain_token": "abc", "signature": qq_sign(b"1abc", secret)}


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
    raw = (
        f"From: kim@example.net\r\nTo: support@desk.example\r\nSubject: hi\r\n"
        f"Message-ID: <{marker.replace(' ', '.')}@example.net>\r\n\r\n{marker}\r\n"
    )
    assert providers.mailgun(raw).status == 200

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
