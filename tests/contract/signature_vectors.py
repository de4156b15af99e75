"""What others signed and verified: each vector by itself, held against the door it is meant for.

A check returns what the vector was: "valid", "invalid" or another kind of vector; and
"excluded: …", with the reason, where it is none for our doors.
"""

import json
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlencode

from Crypto.Signature import eddsa

from caseweave.channels import (
    aws_sms,
    mailgun,
    meta_signature,
    qq,
    qq_signature,
    sns,
    twilio,
    wecom,
)
from caseweave.channels.credentials import Credentials
from caseweave.channels.request import WebhookRequest
from caseweave.channels.wechat_crypto import seal, sign
from caseweave.domain.times import from_rfc3339
from caseweave.errors import InvalidSignatureError
from tests.channels import (
    test_line,
    test_mailgun,
    test_qq,
    test_sendgrid,
    test_sns,
    test_vonage,
    test_wechat,
)
from tests.vectors import VECTORS


def expected(vector):
    return "valid" if vector["expected_valid"] else "invalid"


def lower_headers(vector):
    return {name.lower(): value for name, value in vector["headers"].items()}


def check_line(vector):
    headers = {"x-line-signature": vector["signature"]}
    request = WebhookRequest(vector["raw_body"].encode(), headers)
    accepted = test_line.is_accepted(request, channel_secret=vector["channel_secret"])
    assert accepted is vector["expected_valid"]
    return expected(vector)


def check_mailgun(vector):
    fields = {name: vector[name] for name in ("timestamp", "token", "signature")}
    request = WebhookRequest(urlencode(fields).encode(), test_mailgun.FORM)
    accepted = test_mailgun.is_accepted(request, signing_key=vector["signing_key"])
    is_close = mailgun.is_fresh(request, datetime.fromtimestamp(vector["clock_now"], UTC))
    assert accepted is vector["hmac_ok"]
    if vector["id"] == "rails-delayed":
        assert accepted
        assert is_close, "11 minutes late: Rails takes 2 minutes, we 15"
    else:
        assert (accepted and is_close) is vector["expected_valid"]
    return expected(vector)


def check_meta(vector):
    account = Credentials("meta", {"app_secret": vector["app_secret"]})
    headers, said = lower_headers(vector), vector["raw_body"]

    def is_valid(body):
        try:
            meta_signature.verify_signature(WebhookRequest(body, headers), account)
        except InvalidSignatureError:
            return False
        return True

    accepted = is_valid(said.encode())
    if "X-Hub-Signature-256" not in vector["headers"]:
        assert not accepted
        return "excluded: the SHA-1 header, which proves nothing to us"
    if not vector["validated"]["matches_raw_utf8_bytes"] and vector["expected_valid"]:
        assert not accepted
        assert is_valid(said.encode("ascii", "backslashreplace").replace(b"\\x", b"\\u00"))
        return "excluded: not told as it was sent, with its body escaped, and accepted as that"
    assert accepted is vector["expected_valid"]
    return expected(vector)


def check_qq(vector):
    credentials = test_qq.account(app_secret=vector["secret"])
    if "raw_body" in vector:
        headers = {
            "x-signature-timestamp": vector["timestamp"],
            "x-signature-ed25519": vector["signature"],
        }
        request = WebhookRequest(vector["raw_body"].encode(), headers)
        assert test_qq.is_accepted(request, credentials) is vector["expected_valid"]
        return "event"
    if "plain_token" in vector:
        body = vector["request_body"].encode()
        answer = json.loads(qq.answer_challenge(WebhookRequest(body), credentials))
        assert answer == {name: vector[name] for name in ("plain_token", "signature")}
        return "challenge"
    key = eddsa.import_public_key(bytes.fromhex(vector["public_key_hex"]))
    proof = bytes.fromhex(qq_signature.sign(b"x", vector["secret"]))
    eddsa.new(key, "rfc8032").verify(b"x", proof)
    return "key"


def check_sendgrid(vector):
    request = WebhookRequest(vector["raw_body"].encode(), lower_headers(vector))
    accepted = test_sendgrid.is_accepted(request, public_key=vector["public_key_der_base64"])
    assert accepted is vector["expected_valid"]
    return expected(vector)


def check_sns(entry):
    request = WebhookRequest((VECTORS / "sns-http" / entry["file"]).read_bytes())
    said = json.loads(request.body)
    pem = (VECTORS / "sns-http" / entry["certificate"]).read_text()
    then = test_sns.account(pem, topic_arns=[said["TopicArn"]], signature_versions=["1", "2"])
    at = from_rfc3339(said["Timestamp"])
    holds = sns._read_certificate(pem)
    if not holds.begins_at <= at <= holds.ends_at:
        # Signed anew by its collectors, under a certificate of another year.
        sns.certificate_url("aws", request, then)
        aws_sms.verify(request, then)
    else:
        assert test_sns.is_accepted(request, then, at) is entry["expected_valid"]
    assert not test_sns.is_accepted(request, then, datetime(2036, 1, 1, tzinfo=UTC))
    other = test_sns.changed(request, Message=said["Message"] + ".")
    assert not test_sns.is_accepted(other, then, at)
    return "signed message"


def check_twilio(vector):
    if "raw_body" in vector:
        return "excluded: a JSON body, signed by bodySHA256: no webhook that we register sends one"
    form = vector["validated"]["matching_url_form"] or "as-is"
    if form != "as-is":
        return f"excluded: {form}: SDKs guess the URL, we are told it"
    if not vector["url"].isascii():
        return "excluded: a query that nobody escaped: the gateway hands us a decoded one"
    url, _, query = vector["url"].partition("?")
    request = WebhookRequest(
        body=urlencode(list(map(tuple, vector["form_params"]))).encode(),
        headers={"x-twilio-signature": vector["signature"]},
        query=tuple(parse_qsl(query, keep_blank_values=True)),
    )
    account = Credentials("twilio", {"auth_token": vector["auth_token"], "webhook_url": url})
    try:
        twilio.verify(request, account)
    except InvalidSignatureError:
        is_valid = False
    else:
        is_valid = True
    assert is_valid is vector["expected_valid"]
    return expected(vector)


def check_vonage(vector):
    if vector["scheme"] == "jwt-hs256" and vector["expected_valid"]:
        return "excluded: a generic token: no payload_hash, and years old"
    if not vector["signature_secret"]:
        return "excluded: an empty secret, which we never take for one"
    if vector["scheme"] == "legacy-sig":
        fields = vector["params"] | {"sig": vector["sig"]}
        requests = [shape(fields) for shape in test_vonage.SHAPES]
    else:
        token = vector["headers"]["Authorization"]
        requests = [WebhookRequest(body=b"{}", headers={"authorization": token})]
    for request in requests:
        for told in (vector.get("algorithm"), None):
            accepted = test_vonage.is_accepted(
                request, signature_secret=vector["signature_secret"], signature_method=told
            )
            assert accepted is vector["expected_valid"]
    return expected(vector)


def check_wechat(vector):
    kind = vector["kind"]
    if kind == "sha1-sorted-concat":
        assert sign(*vector["parts"]) == vector["expected"]
        return kind
    if kind == "encrypt":
        plaintext, random = vector["plaintext"].encode(), vector["random16"].encode()
        encrypt = seal(plaintext, vector["receive_id"], vector["encoding_aes_key"], random)
        assert encrypt == vector["expected_encrypt"]
        return kind
    credentials = Credentials(
        "wechat",
        {
            "token": vector["token"],
            "encoding_aes_key": vector.get("encoding_aes_key"),
            "app_id": vector.get("receive_id"),
        },
    )
    query = {name: vector[name] for name in ("timestamp", "nonce")}
    if kind == "plain-signature":
        body, query["signature"] = b"", vector["signature"]
    else:
        body = test_wechat.xml(ToUserName="gh_1", Encrypt=vector["encrypt"])
        query["msg_signature"] = vector["msg_signature"]
    request = WebhookRequest(body, query=tuple(query.items()))
    assert test_wechat.is_accepted(request, credentials) is vector["expected_valid"]
    return kind


def check_wecom(vector):
    if vector["kind"] not in ("echostr", "msg-signature") or not vector.get("receive_id"):
        return f"excluded: {vector['kind']}, of the Official Account alone"
    assert opens_wecom(vector) is vector["expected_valid"]
    return expected(vector)


def opens_wecom(vector):
    """Does WeCom's door let the vector in, and open it to the text it should have?"""
    account = Credentials(
        "wecom",
        {
            "corp_id": vector["receive_id"],
            "token": vector["token"],
            "encoding_aes_key": vector["encoding_aes_key"],
        },
    )
    query = tuple((name, vector[name]) for name in ("msg_signature", "timestamp", "nonce"))
    try:
        if vector["kind"] == "echostr":
            asked = WebhookRequest(b"", {}, (*query, ("echostr", vector["encrypt"])))
            text = wecom.greet(asked, account)
            return text == vector.get("expected_plaintext", text)
        body = f"<xml><Encrypt><![CDATA[{vector['encrypt']}]]></Encrypt></xml>".encode()
        wecom.verify(WebhookRequest(body, {}, query), account)
    except InvalidSignatureError:
        return False
    return True
