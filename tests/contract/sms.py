"""Specimens of the providers of short messages and calls."""

import json
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlencode

from caseweave.channels import aliyun, aws_sms, sns, tencent, twilio, twilio_voice, vonage
from caseweave.channels.request import WebhookRequest
from tests.channels import (
    test_aliyun,
    test_aws_sms,
    test_sns,
    test_tencent,
    test_twilio_voice,
    test_vonage,
)
from tests.channels.samples import NOON, twilio_account, twilio_request
from tests.contract.specimen import Specimen, in_header, in_json, in_query

UNSIGNED = "a secret in the address is all there is: nobody signs the body"
NO_TIME = "no time is signed; a repeated delivery is known by its event id"
NO_BATCHES = "one event a request"
NO_RECEIPTS_HERE = "answers cannot leave by it"
NO_EDITS = "a short message cannot be edited or taken back"
NO_ECHOES = "it does not tell us what we sent"
SHARED = "one door for all accounts: the proof is good for each, the content names one"


def form(fields, query=()):
    return WebhookRequest(urlencode(fields).encode(), query=tuple(query))


def as_json(value):
    return WebhookRequest(json.dumps(value).encode())


def sign_form(url):
    def sign(request, secret):
        pairs = parse_qsl(request.body.decode(), keep_blank_values=True)
        return twilio_request(pairs, token=secret, url=_called(url, request), query=request.query)

    return sign


def _called(url, request):
    return twilio._with_query(url, request.query)


def with_token(request, secret):
    return replace(request, query=(*request.query, ("token", secret)))


SMS = {
    "MessageSid": "SM5d0c1",
    "AccountSid": "AC7f3d2b",
    "From": "+8613800138000",
    "To": "+15550001111",
    "Body": "还没到账",
}
RECEIPT = {"MessageSid": "SM900", "AccountSid": "AC7f3d2b", "MessageStatus": "delivered"}
PICTURE = {
    "NumMedia": "1",
    "MediaUrl0": "https://api.twilio.com/2010-04-01/Accounts/AC7f3d2b/Messages/MM1/Media/ME1",
    "MediaContentType0": "image/jpeg",
}

TWILIO = Specimen(
    name="twilio",
    adapter=twilio,
    secret="auth_token",
    required=("auth_token", "webhook_url"),
    account=twilio_account,
    sign=sign_form("https://desk.example.com/prod/intake/sms/twilio"),
    proof=in_header("x-twilio-signature"),
    deliveries={
        "message": form(SMS),
        "media": form(SMS | PICTURE | {"MessageSid": "MM1", "Body": ""}),
        "receipt": form(RECEIPT),
    },
    lacks={
        "batch": NO_BATCHES,
        "edit": NO_EDITS,
        "echo": NO_ECHOES,
        "time": NO_TIME,
        "owner": SHARED,
    },
)

TWILIO_VOICE = Specimen(
    name="twilio-voice",
    adapter=twilio_voice,
    secret="auth_token",
    required=("auth_token", "voice_url"),
    account=lambda **values: twilio_account(**{"voice_url": test_twilio_voice.URL, **values}),
    sign=sign_form(test_twilio_voice.URL),
    proof=in_header("x-twilio-signature"),
    deliveries={
        "message": form(test_twilio_voice.CALL),
        "media": form(test_twilio_voice.RECORDING, test_twilio_voice.WHO),
    },
    lacks={
        "batch": NO_BATCHES,
        "receipt": "answers leave by SMS, whose receipts come by Twilio's SMS",
        "edit": "a call cannot be taken back; what follows it is added to its case",
        "echo": "we call nobody",
        "time": NO_TIME,
        "owner": SHARED,
    },
)


def bearer(request, secret, age=timedelta(0)):
    issued = int(time.time() - age.total_seconds())
    return test_vonage.bearer(request.body, long_enough(secret), iat=issued)


def long_enough(secret):
    """Vonage's secrets are never shorter."""
    return secret.ljust(32, "0")


VONAGE = Specimen(
    name="vonage",
    adapter=vonage,
    secret="signature_secret",
    required=("signature_secret",),
    account=test_vonage.account,
    sign=bearer,
    store=long_enough,
    proof=in_header("authorization"),
    deliveries={
        "message": as_json(test_vonage.SAID),
        "media": as_json(
            test_vonage.SAID
            | {
                "message_uuid": "aa-2",
                "channel": "mms",
                "message_type": "image",
                "image": {"url": "https://api-us.nexmo.com/v3/media/1", "name": "a.jpg"},
            }
        ),
        "receipt": as_json(
            {
                "message_uuid": "aa-900",
                "to": "8613800138000",
                "from": "15550001111",
                "timestamp": "2026-11-23T05:24:33Z",
                "status": "delivered",
                "channel": "sms",
            }
        ),
    },
    lacks={"batch": NO_BATCHES, "edit": NO_EDITS, "echo": NO_ECHOES, "owner": SHARED},
    aged=lambda request, age: bearer(request, "new", age),
    oldest=timedelta(hours=25),
    # PyJWT looks at the clock itself.
    now=lambda: datetime.now(UTC),
)


def uplink(number):
    return test_aliyun.item(sequence_id=str(1195411473 + number), content=f"第{number}条")


ALIYUN = Specimen(
    name="aliyun",
    adapter=aliyun,
    secret="token",
    required=("token",),
    account=test_aliyun.account,
    sign=with_token,
    proof=in_query("token"),
    deliveries={
        "message": as_json([test_aliyun.item()]),
        "batch": as_json([uplink(1), uplink(2), uplink(3)]),
    },
    listed_at=(),
    lacks={
        "media": "uplink SMS are text",
        "receipt": NO_RECEIPTS_HERE,
        "edit": NO_EDITS,
        "echo": NO_ECHOES,
        "body": UNSIGNED,
        "time": NO_TIME,
        "owner": SHARED,
    },
)

TENCENT = Specimen(
    name="tencent",
    adapter=tencent,
    secret="token",
    required=("token",),
    account=test_tencent.account,
    sign=with_token,
    proof=in_query("token"),
    deliveries={"message": as_json(test_tencent.reply())},
    lacks={
        "batch": NO_BATCHES,
        "media": "replies are text",
        "receipt": NO_RECEIPTS_HERE,
        "edit": NO_EDITS,
        "echo": NO_ECHOES,
        "body": UNSIGNED,
        "time": NO_TIME,
        "owner": SHARED,
    },
)


def seal(request, secret, **more):
    """A bare request holds the message; SNS wraps and signs it."""
    told = {"MessageId": "5f9d4c6b-1", **more}
    return test_sns.sealed(request.body.decode(), owner=secret, **told)


def sealed_at(request, age):
    at = (NOON - age).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return seal(request, "new", Timestamp=at)


def admit_sns(specimen, request, credentials, now):
    sns.certificate_url("aws", request, credentials)
    sns.check_time("aws", request, credentials, now)
    specimen.adapter.verify(request, credentials)


def sealed_values(request):
    said = json.loads(request.body)
    names = ("Type", "MessageId", "TopicArn", "Timestamp", "SignatureVersion", "Signature")
    # As they stand in the body: escaped.
    return [json.dumps(said[name])[1:-1].encode() for name in ("Message", *names)]


AWS = Specimen(
    name="aws",
    adapter=aws_sms,
    secret="certificate",
    required=("topic_arns", "certificate"),
    account=lambda **values: test_sns.account(None, **values),
    sign=seal,
    store=test_sns.certificate,
    proof=in_json("Signature"),
    covered=sealed_values,
    deliveries={
        "message": as_json(test_aws_sms.SMS),
        "receipt": as_json(test_aws_sms.EVENT | {"context": {}}),
    },
    lacks={
        "batch": NO_BATCHES,
        "media": "AWS takes in no MMS",
        "edit": NO_EDITS,
        "echo": NO_ECHOES,
        "rotation": "each message names the certificate that it was signed with",
        "owner": SHARED,
    },
    aged=sealed_at,
    oldest=sns.OLDEST,
    admit=admit_sns,
)
SPECIMENS = (ALIYUN, AWS, TENCENT, TWILIO, TWILIO_VOICE, VONAGE)
