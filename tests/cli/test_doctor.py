"""What the doctor makes of parameters, doors and what providers answer."""

import hmac
import json
import re
from typing import ClassVar

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from caseweave.channels.credentials import Credentials
from caseweave.channels.mail_registry import MAIL
from caseweave.channels.registry import MESSENGERS, SMS, VOICE
from caseweave.channels.request import ProviderAnswer, Refusal, Refused
from caseweave.channels.setting_up import FIELDS, PATHS, SHARED
from caseweave.cli import main
from caseweave.cli.doctor.checks import BY_HAND, CHECKS
from caseweave.cli.doctor.checks.account import Account
from caseweave.cli.doctor.checks.aws_side import (
    read_receipt_rules,
    read_ses_account,
    read_ses_identity,
    read_topic,
)
from caseweave.cli.doctor.door import greet, read_greeting, read_knock
from caseweave.cli.doctor.examine import NAMES, examine
from caseweave.cli.doctor.finding import Level
from caseweave.cli.doctor.parameter import check_parameter, read_parameter
from caseweave.cli.local_stack.provider_secrets import ensure_secrets, record_webhook_urls
from caseweave.cli.place import Place
from caseweave.errors import InvalidConfigError
from tests.conftest import ROOT

API_URL = "https://desk.example.com/prod"
TELEGRAM = {"bot_id": "71", "secret_token": "hook-1", "bot_token": "71:AAbb"}
TWILIO = {
    "account_sid": "AC1",
    "auth_token": "b2c0ffee",
    "from": "+15550001111",
    "webhook_url": f"{API_URL}/intake/sms/twilio",
}


def levels(findings):
    return [one.level.value for one in findings]


def said(findings, level="problem"):
    return [one.en for one in findings if one.level == level]


def answer(value, status=200):
    return ProviderAnswer(status, json.dumps(value).encode())


def account(name, values, nickname=""):
    return Account(nickname, Credentials(name, values), "https://provider.example", API_URL)


def check(name, values, answers, nickname=""):
    return list(CHECKS[name].read_answers(account(name, values, nickname), answers))


texts = st.text(max_size=9)
odd_values = st.one_of(
    texts, st.integers(), st.none(), st.booleans(), st.lists(texts), st.dictionaries(texts, texts)
)


class TestTheTable:
    def test_every_provider_has_fields_an_address_and_a_way_to_be_examined(self):
        providers = {*SMS, *MESSENGERS, *MAIL}
        assert {*FIELDS} == providers | {"human_check"}
        assert {*PATHS} == providers | {"voice"}
        assert {*VOICE} == {"twilio"}
        assert providers - {"aws"} == {*CHECKS} | ({*BY_HAND} - {"connect"})
        assert {*NAMES} == {*PATHS, "keys", "web", "ses", "connect"}

    def test_whatever_an_adapter_reads_is_a_field_of_somebody(self):
        """Else the doctor would call it a slip."""
        named = re.compile(r"credentials\.(?:live|current|values\.get)\(\s*[\"']([a-z_]+)[\"']")
        sources = (ROOT / "layers" / "caseweave" / "caseweave").rglob("*.py")
        read = {name for path in sources for name in named.findall(path.read_text())}
        known = {field.name for fields in FIELDS.values() for field in fields} | {*SHARED}

        assert {"bot_token", "caller_numbers", "media_hosts"} <= read
        assert read <= known

    @pytest.mark.parametrize("name", sorted({*FIELDS} - {"human_check"}))
    def test_the_local_stacks_secrets_are_right(self, name, tmp_path):
        ensure_secrets(tmp_path)
        secrets = record_webhook_urls(tmp_path, API_URL)
        topic = {key: secrets["aws_sms"][key] for key in ("topic_arns", "from")}
        values = topic if name == "aws" else secrets[name]

        assert {*levels(check_parameter(name, values, API_URL))} == {"ok"}


class TestTheParameter:
    def test_one_that_is_missing_names_what_to_store(self):
        with pytest.raises(InvalidConfigError, match="secret_token"):
            read_parameter("telegram", None)

    @pytest.mark.parametrize(
        ("text", "complaint"),
        [("not json", "not JSON"), ("[]", "not an object"), ('"x"', "not an object")],
    )
    def test_one_that_is_no_object_is_explained(self, text, complaint):
        with pytest.raises(InvalidConfigError, match=complaint):
            read_parameter("telegram", text)

    def test_whole_values_are_right(self):
        assert levels(check_parameter("telegram", TELEGRAM, API_URL)) == ["ok"]

    def test_a_secret_under_rotation_is_right(self):
        values = {**TELEGRAM, "secret_token": ["new", "old"], "bot_token": ["71:new", "71:old"]}

        assert levels(check_parameter("telegram", values, API_URL)) == ["ok"]

    @pytest.mark.parametrize(
        ("change", "level", "complaint"),
        [
            ({"secret_token": ""}, "problem", "secret_token is missing: nothing can be received"),
            ({"secret_token": []}, "problem", "secret_token is missing: nothing can be received"),
            ({"bot_token": ""}, "warning", "bot_token is missing: answers cannot leave"),
            ({"secret_token": "…"}, "problem", "secret_token is a placeholder: write the real one"),
            (
                {"secret_token": ["new-1", "<old>"]},
                "problem",
                "secret_token is a placeholder: write the real one",
            ),
            (
                {"secret_token": "s3cret\n"},
                "problem",
                "secret_token begins or ends with a space or a line break: take it away",
            ),
            ({"bot_id": ["71"]}, "problem", "bot_id is a list: write one text"),
            ({"secret_token": {"a": 1}}, "problem", "secret_token holds dict: write a text"),
            (
                {"secret_tokn": "x"},
                "warning",
                "secret_tokn is read by nobody; did you mean secret_token?",
            ),
            (
                {"accounts": ["71"]},
                "problem",
                'accounts has to be an object of objects: {"<account>": {…}}',
            ),
        ],
    )
    def test_slips_are_named(self, change, level, complaint):
        findings = check_parameter("telegram", {**TELEGRAM, **change}, API_URL)

        assert [(one.level.value, one.en) for one in findings] == [(level, complaint)]

    def test_an_unknown_name_far_from_all_is_told_the_known_ones(self):
        (found,) = check_parameter("aliyun", {"token": "t-1", "zzz": 1}, API_URL)

        assert found.en == "zzz is read by nobody; known are token, accounts, media_hosts"

    def test_each_account_is_checked_with_what_is_shared(self):
        values = {
            "bot_token": "71:x",
            "accounts": {"71": {"secret_token": "a-1"}, "72": {"secret_tokn": "b-1"}},
        }

        findings = check_parameter("telegram", values, API_URL)

        assert [one.en for one in findings] == [
            "accounts.72.secret_tokn is read by nobody; did you mean secret_token?",
            "accounts.72.secret_token is missing: nothing can be received",
        ]

    def test_a_public_key_or_a_password_does_for_sendgrid(self):
        for values in ({"public_key": "MFk"}, {"user": "hook", "password": "pw-1"}):
            assert levels(check_parameter("sendgrid", values, API_URL)) == ["ok"]
        assert said(check_parameter("sendgrid", {"user": "hook"}, API_URL)) == [
            "public_key is missing (or user and password): nothing can be received"
        ]

    @pytest.mark.parametrize(
        ("url", "level"),
        [
            (f"{API_URL}/intake/sms/twilio", "ok"),
            ("https://own.example/intake/sms/twilio", "warning"),
            (f"{API_URL}/intake/sms/vonage", "problem"),
        ],
    )
    def test_twilios_address_has_to_be_ours(self, url, level):
        findings = check_parameter("twilio", {**TWILIO, "webhook_url": url}, API_URL)

        assert levels(findings) == [level]

    @given(values=st.dictionaries(st.sampled_from([*TWILIO, "accounts", "x"]), odd_values))
    def test_no_parameter_breaks_the_doctor(self, values):
        assert check_parameter("twilio", values, API_URL)


class TestTheDoor:
    @pytest.mark.parametrize(
        ("status", "level"),
        [(403, "ok"), (401, "ok"), (200, "problem"), (404, "problem"), (503, "problem")],
    )
    def test_it_has_to_be_shut_to_who_cannot_sign(self, status, level):
        assert read_knock("line", API_URL, ProviderAnswer(status, b"")).level == level

    def test_an_open_door_is_called_so(self):
        found = read_knock("line", API_URL, ProviderAnswer(200, b"{}"))

        assert "accepted a request without a signature" in found.en

    def test_a_stack_that_is_not_there_is_a_problem(self):
        found = read_knock("line", API_URL, Refused(Refusal.UNKNOWN, "no answer"))

        assert found.level is Level.PROBLEM

    @pytest.mark.parametrize("name", ["meta", "qq", "wechat", "wecom", "whatsapp"])
    def test_providers_that_greet_are_played_and_their_echo_compared(self, name, tmp_path):
        ensure_secrets(tmp_path)
        values = record_webhook_urls(tmp_path, API_URL)[name]
        greeting = greet(name, API_URL, Credentials(name, values))

        right = ProviderAnswer(200, greeting.expected)
        assert read_greeting(greeting, right).level is Level.OK
        assert read_greeting(greeting, ProviderAnswer(200, b"x")).level is Level.PROBLEM
        assert read_greeting(greeting, ProviderAnswer(403, b"")).level is Level.PROBLEM

    def test_others_do_not_greet(self):
        assert greet("telegram", API_URL, Credentials("telegram", TELEGRAM)) is None


class TestTelegram:
    BOT: ClassVar = {"ok": True, "result": {"id": 71, "username": "desk_bot"}}
    HOOK: ClassVar = {
        "url": f"{API_URL}/intake/messenger/telegram",
        "pending_update_count": 0,
        "allowed_updates": ["message", "edited_message", "callback_query", "message_reaction"],
    }

    def read(self, hook=None, values=None, **bot):
        answers = {
            "bot": answer({"ok": True, "result": {**self.BOT["result"], **bot}}),
            "webhook": answer({"ok": True, "result": {**self.HOOK, **(hook or {})}}),
        }
        return check("telegram", values or TELEGRAM, answers)

    def test_what_is_right_is_fine(self):
        assert levels(self.read()) == ["ok", "ok"]

    def test_a_refused_token_is_the_only_finding(self):
        no = answer({"ok": False, "description": "Unauthorized"}, 401)

        (found,) = check("telegram", TELEGRAM, {"bot": no, "webhook": no})

        assert found.level is Level.PROBLEM
        assert "bot_token" in found.en

    @pytest.mark.parametrize(
        ("hook", "level", "words"),
        [
            ({"url": ""}, "problem", "is empty: enter"),
            ({"url": "https://old.example/x"}, "problem", "change it to"),
            ({"allowed_updates": ["message"]}, "problem", "edited_message, callback_query"),
            ({"allowed_updates": None}, "warning", "message_reaction"),
            ({"pending_update_count": 900}, "warning", "900 updates wait"),
            ({"last_error_message": "Wrong response: 403"}, "warning", "Wrong response: 403"),
        ],
    )
    def test_what_telegram_tells_is_judged(self, hook, level, words):
        assert [words in one for one in said(self.read(hook), level)] == [True]

    def test_the_bot_has_to_be_the_one_that_is_named(self):
        assert "change bot_id from 71" in said(self.read(id=72))[0]
        renamed = self.read(values={**TELEGRAM, "bot_username": "old_bot"})
        assert "bot_username has to be desk_bot" in said(renamed)[0]


class TestLine:
    VALUES: ClassVar = {"channel_secret": "s-1", "channel_access_token": "t-1"}
    BOT: ClassVar = {"userId": "Ub", "displayName": "Desk", "chatMode": "bot"}
    HOOK: ClassVar = {"endpoint": f"{API_URL}/intake/messenger/line", "active": True}

    def read(self, bot=None, hook=None, nickname=""):
        answers = {
            "bot": answer({**self.BOT, **(bot or {})}),
            "webhook": answer({**self.HOOK, **(hook or {})}),
        }
        return check("line", self.VALUES, answers, nickname)

    def test_what_is_right_is_fine(self):
        assert levels(self.read()) == ["ok", "ok"]
        assert levels(self.read(nickname="Ub")) == ["ok", "ok"]

    def test_the_slips_are_named(self):
        assert "rename accounts.Ux to Ub" in said(self.read(nickname="Ux"))[0]
        assert "switched off" in said(self.read(hook={"active": False}))[0]
        assert "change it to" in said(self.read(hook={"endpoint": "https://x.example/"}))[0]
        assert "chat mode" in said(self.read({"chatMode": "chat"}), "warning")[0]

    def test_a_refused_token_is_the_only_finding(self):
        no = answer({"message": "invalid token"}, 401)
        assert levels(check("line", self.VALUES, {"bot": no, "webhook": no})) == ["problem"]


class TestMeta:
    VALUES: ClassVar = {"app_secret": "s-1", "verify_token": "v-1", "access_token": "t-1"}
    PAGE: ClassVar = {"id": "p1", "name": "Desk"}
    FIELDS: ClassVar = [
        "messages",
        "messaging_postbacks",
        "message_deliveries",
        "message_reactions",
    ]

    def read(self, fields, nickname=""):
        apps = {"data": [{"subscribed_fields": fields}]}
        return check(
            "meta", self.VALUES, {"page": answer(self.PAGE), "apps": answer(apps)}, nickname
        )

    def test_what_can_be_asked_is_fine_and_the_rest_is_said(self):
        findings = self.read(self.FIELDS)
        assert levels(findings) == ["ok", "warning"]
        assert "callback URL of the app cannot be asked" in findings[1].en

    def test_a_page_that_is_not_subscribed_is_a_problem(self):
        assert "not subscribed to messages, messaging_postbacks" in said(self.read([]))[0]
        assert "message_deliveries" in said(self.read(self.FIELDS[:2]), "warning")[0]

    def test_the_request_proves_the_apps_secret(self):
        request = CHECKS["meta"].build_questions(account("meta", self.VALUES))["page"]
        assert f"appsecret_proof={hmac.digest(b's-1', b't-1', 'sha256').hex()}" in request.url
        assert "t-1" not in request.url

    @pytest.mark.parametrize(
        ("error", "words"),
        [
            ({"code": 190, "message": "expired"}, "refuses the access_token (expired)"),
            ({"code": 100, "message": "Invalid appsecret_proof"}, "app_secret is not that of"),
            ({"code": 200, "message": "no permission"}, "200 no permission"),
        ],
    )
    @pytest.mark.parametrize(("name", "question"), [("meta", "page"), ("whatsapp", "number")])
    def test_refusals_are_told_apart(self, name, question, error, words):
        no = answer({"error": error}, 400)
        values = {**self.VALUES, "phone_number_id": "1065"}
        (found,) = check(name, values, {question: no, "apps": no})
        assert (found.level, words in found.en) == (Level.PROBLEM, True)

    def test_whatsapps_nearest_address_counts(self):
        ours = f"{API_URL}/intake/messenger/whatsapp"
        number = {"display_phone_number": "+1", "verified_name": "Desk"}
        told = {"application": ours, "phone_number": "https://other.example/"}
        values = {**self.VALUES, "phone_number_id": "1065"}

        def read(**more):
            return levels(check("whatsapp", values, {"number": answer(number | more)}))

        assert read(webhook_configuration={"application": ours}) == ["ok", "ok"]
        assert read(webhook_configuration=told) == ["ok", "problem"]
        assert read() == ["ok", "warning"]
        rated = read(webhook_configuration={"application": ours}, quality_rating="RED")
        assert rated == ["ok", "warning", "ok"]


class TestTwilio:
    NUMBER: ClassVar = {
        "phone_number": "+15550001111",
        "sms_url": f"{API_URL}/intake/sms/twilio",
        "sms_method": "POST",
        "voice_url": "https://demo.twilio.com/",
        "voice_method": "POST",
    }

    def read(self, values=None, **number):
        told = {"incoming_phone_numbers": [{**self.NUMBER, **number}]}
        return check("twilio", values or TWILIO, {"numbers": answer(told)})

    def test_what_is_right_is_fine_but_a_messaging_service_may_stand_before_it(self):
        findings = self.read()
        assert levels(findings) == ["ok", "ok", "warning"]
        assert "Messaging Service" in findings[-1].en

    def test_calls_count_only_where_they_are_taken_in(self):
        values = {**TWILIO, "voice_url": f"{API_URL}/intake/voice/twilio"}
        assert "voice_url is https://demo.twilio.com/: change it" in said(self.read(values))[0]

    def test_the_slips_are_named(self):
        assert "choose POST" in said(self.read(sms_method="GET"))[0]
        assert "change it to" in said(self.read(sms_url="https://demo.twilio.com/"))[0]
        assert "takes no SMS" in said(self.read(capabilities={"sms": False}))[0]
        assert "owns no number" in said(self.read(phone_number="+1"), "warning")[0]
        no = answer({"code": 20003, "message": "Authenticate"}, 401)
        assert "20003 Authenticate" in said(check("twilio", TWILIO, {"numbers": no}))[0]


class TestVonage:
    VALUES: ClassVar = {
        "api_key": "k",
        "api_secret": "s-1",
        "signature_secret": "x-1",
        "from": "+1555",
    }

    def read(self, value, status=200):
        return check("vonage", self.VALUES, {"numbers": answer(value, status)})

    def test_the_number_and_its_webhook_are_compared(self):
        ours = f"{API_URL}/intake/sms/vonage"

        def numbers(**more):
            return levels(self.read({"numbers": [{"msisdn": "1555", **more}]}))

        assert numbers(moHttpUrl=ours) == ["ok", "ok"]
        assert numbers() == ["ok", "warning"]
        assert numbers(moHttpUrl="https://x.example/") == ["ok", "problem"]
        assert levels(self.read({})) == ["warning"]
        assert levels(self.read({}, 401)) == ["problem"]


class TestTokens:
    WECHAT: ClassVar = {"app_id": "wx1", "app_secret": "s-1", "token": "t-1"}

    def test_a_token_is_fine(self):
        found = check(
            "wechat", self.WECHAT, {"token": answer({"access_token": "T", "expires_in": 7200})}
        )
        assert levels(found) == ["ok", "warning"]

    def test_an_address_that_is_not_allowed_is_told(self):
        no = {"errcode": 40164, "errmsg": "invalid ip 203.0.113.9 ipv6 ::ffff, not in whitelist"}
        (words,) = said(check("wechat", self.WECHAT, {"token": answer(no)}))
        assert words.startswith("the address 203.0.113.9 is not allowed")
        assert "IP 白名单" in words

    def test_a_wrong_secret_is_told(self):
        no = {"errcode": 40125, "errmsg": "invalid appsecret"}
        (words,) = said(check("wechat", self.WECHAT, {"token": answer(no)}))
        assert "compare the id and app_secret" in words

    def test_the_token_of_the_older_kind_is_left_alone(self):
        one = account("wechat", {**self.WECHAT, "token_api": "token"})
        assert CHECKS["wechat"].build_questions(one) == {}
        assert levels(CHECKS["wechat"].read_answers(one, {})) == ["warning", "warning"]

    def test_wecom_and_qq_are_asked_alike(self):
        wecom = {"corp_id": "ww1", "secret": "s-1"}
        no = answer({"errcode": 60020, "errmsg": "not allow to access from your ip, 203.0.113.9"})
        assert "203.0.113.9" in said(check("wecom", wecom, {"token": no}))[0]
        yes = answer({"access_token": "T", "expires_in": "7200"})
        assert levels(check("qq", {"app_id": "1", "app_secret": "s"}, {"token": yes}))[0] == "ok"


class TestMailgun:
    def read(self, *actions, status=200, api_key="key-1"):
        told = answer({"items": [{"actions": list(actions)}]}, status)
        values = {"signing_key": "s-1", "api_key": api_key}
        one = account("mailgun", values)
        answers = dict.fromkeys(CHECKS["mailgun"].build_questions(one), told)
        return levels(CHECKS["mailgun"].read_answers(one, answers))

    def test_a_route_has_to_forward_to_us(self):
        ours = f"{API_URL}/intake/mail/mailgun"
        assert self.read(f'forward("{ours}/mime")') == ["ok"]
        assert self.read(f'forward("{ours}")') == ["warning"]
        assert self.read('forward("https://x.example/")') == ["problem"]
        assert self.read(status=401) == ["problem"]
        assert self.read(api_key="") == ["warning"]


class TestAws:
    def test_ses_has_to_send_to_everybody(self):
        good = {"SendingEnabled": True, "ProductionAccessEnabled": True}
        assert levels(read_ses_account(good)) == ["ok"]
        assert "sandbox" in said(read_ses_account({"SendingEnabled": True}))[0]
        assert "does not send" in said(read_ses_account({**good, "SendingEnabled": False}))[0]

    def test_the_domain_has_to_be_verified_and_should_be_signed(self):
        verified = {"VerifiedForSendingStatus": True}
        signed = {**verified, "DkimAttributes": {"Status": "SUCCESS"}}
        assert levels(read_ses_identity("x.example", signed)) == ["ok"]
        assert levels(read_ses_identity("x.example", verified)) == ["ok", "warning"]
        assert levels(read_ses_identity("x.example", None)) == ["problem"]

    @pytest.mark.parametrize(
        ("change", "level"),
        [
            ({}, ["ok"]),
            ({"Recipients": ["desk.example"]}, ["ok"]),
            ({"Recipients": []}, ["ok"]),
            ({"Recipients": ["other.example"]}, ["problem"]),
            ({"Enabled": False}, ["problem"]),
            ({"ScanEnabled": False}, ["ok", "warning"]),
            ({"Actions": [{"S3Action": {"BucketName": "another"}}]}, ["problem"]),
        ],
    )
    def test_a_rule_has_to_store_mail_in_our_bucket(self, change, level):
        rule = {
            "Enabled": True,
            "ScanEnabled": True,
            "Recipients": ["support@desk.example"],
            "Actions": [{"S3Action": {"BucketName": "mail"}}],
        }
        assert (
            levels(read_receipt_rules([{**rule, **change}], "mail", "support@desk.example"))
            == level
        )

    @pytest.mark.parametrize(
        ("version", "change", "level"),
        [
            ("2", {}, ["ok"]),
            ("1", {}, ["problem", "ok"]),
            ("2", {"SubscriptionArn": "PendingConfirmation"}, ["problem"]),
            ("2", {"RawMessageDelivery": "true"}, ["problem"]),
            ("2", {"Endpoint": "https://x.example/"}, ["problem"]),
        ],
    )
    def test_the_topic_has_to_sign_and_to_deliver_to_us(self, version, change, level):
        ours = f"{API_URL}/intake/sms/aws"
        known = {
            "Endpoint": ours,
            "SubscriptionArn": "arn:aws:sns:x",
            "RawMessageDelivery": "false",
        }
        topic = read_topic("arn:t", {"SignatureVersion": version}, [{**known, **change}], ours)
        assert levels(topic) == level


names = st.sampled_from(
    ["ok", "result", "url", "allowed_updates", "pending_update_count", "data", "error", "code",
     "subscribed_fields", "numbers", "msisdn", "items", "actions", "errcode", "access_token",
     "incoming_phone_numbers", "phone_number", "capabilities", "webhook_configuration", "userId"]
)  # fmt: skip
odd_objects = st.recursive(
    st.one_of(st.text(max_size=5), st.integers(), st.none(), st.just(True), st.just("v-1")),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=4)),
    max_leaves=12,
)


@pytest.mark.parametrize("name", sorted(CHECKS))
@given(told=st.one_of(odd_objects, st.binary(max_size=40)), status=st.sampled_from([200, 401, 500]))
def test_no_answer_breaks_a_check(name, told, status):
    body = told if isinstance(told, bytes) else json.dumps(told).encode()
    values = {field.name: "v-1" for field in FIELDS[name]}
    one = account(name, values)
    answers = dict.fromkeys(CHECKS[name].build_questions(one), ProviderAnswer(status, body))

    assert all(finding.zh and finding.en for finding in CHECKS[name].read_answers(one, answers))


class TestTheWhole:
    def test_nothing_is_asked_of_the_provider_while_the_parameter_is_wrong(self):
        asked = []

        def ask(request):
            asked.append(request.url)
            return ProviderAnswer(503, b"")

        findings = examine("telegram", desk({"telegram": {"bot_id": "71"}}), ask)

        assert asked == [f"{API_URL}/intake/messenger/telegram"]
        assert levels(findings) == ["problem", "warning", "problem"]

    def test_each_account_is_asked_about_itself(self):
        accounts = {name: {"channel_access_token": f"t-{name}"} for name in ("Ua", "Ub")}
        asked = []

        def ask(request):
            asked.append(request.headers.get("Authorization"))
            return ProviderAnswer(403, b"{}")

        examine("line", desk({"line": {"channel_secret": "s-1", "accounts": accounts}}), ask)

        assert {*asked} == {None, "Bearer t-Ua", "Bearer t-Ub"}

    def test_what_is_whole_beside_its_accounts_is_asked_too(self):
        keys = {"token": "t-1", "encoding_aes_key": "a" * 43}
        shared = {"corp_id": "ww1", "secret": "kf-1", **keys}
        asked = []

        def ask(request):
            asked.append(request.url)
            return ProviderAnswer(403, b"{}")

        accounts = {"1000002": {"secret": "app-2"}}
        examine("wecom", desk({"wecom": {**shared, "accounts": accounts}}), ask)

        tokens = [url.partition("corpsecret=")[2] for url in asked if "gettoken" in url]
        assert tokens == ["kf-1", "app-2"]

    def test_our_own_keys_are_examined_too(self):
        assert levels(examine("keys", desk({}), None)) == ["problem"]
        right = desk({}, signing=["ab" * 32])
        assert levels(examine("keys", right, None)) == ["ok"]

    @pytest.mark.parametrize(
        ("setting", "level"), [("", "ok"), ("none", "ok"), ("turnstile", "problem")]
    )
    def test_only_a_human_check_that_is_on_needs_its_parameter(self, setting, level):
        settings = {"WebOrigins": "https://shop.example"} | (
            {"HumanCheck": setting} if setting else {}
        )
        findings = examine("web", desk({}, settings), lambda _: ProviderAnswer(200, b"[]"))
        assert levels(findings)[-1] == level

    def test_calls_need_an_address_of_their_own(self):
        findings = examine("voice", desk({"twilio": TWILIO}), lambda _: ProviderAnswer(403, b""))
        assert "voice_url is missing: calls cannot be received" in said(findings)


def desk(parameters, settings=(), **keys):
    """A deployed desk as SSM knows it."""
    texts = {f"providers/{name}": json.dumps(values) for name, values in parameters.items()}
    texts |= {"keys": json.dumps(keys)} if keys else {}
    outputs, settings = {"MailBucket": "mail"}, dict(settings)
    return Place(API_URL, "/caseweave/x", outputs, settings, "", texts.get, lambda _: None)


def test_without_a_stack_it_says_how_to_start_one(tmp_path):
    result = CliRunner().invoke(main, ["doctor", "--state-dir", str(tmp_path)])

    assert result.exit_code == 1
    assert "Start it with: caseweave up" in result.output


def test_an_unknown_provider_is_explained():
    result = CliRunner().invoke(main, ["doctor", "fax"])

    assert result.exit_code == 2
    assert "'fax' is not one of" in result.output
