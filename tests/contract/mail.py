"""Specimens of the providers that receive mail for us."""

from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qsl, urlencode

from caseweave.channels import mailgun, postmark, sendgrid
from caseweave.channels.request import WebhookRequest
from tests.channels import test_mailgun, test_postmark, test_sendgrid
from tests.channels.samples import NOON
from tests.contract.messengers import NO_TIME_JUDGED
from tests.contract.sms import NO_BATCHES, NO_TIME, SHARED
from tests.contract.specimen import Specimen, in_form, in_header

LACKS = {
    "batch": NO_BATCHES,
    "receipt": "answers leave by SES",
    "edit": "a mail cannot be edited or taken back",
    "echo": "it does not tell us what we sent",
    "owner": SHARED,
}


def sign_mailgun(request, secret, age=timedelta(0)):
    """Into whichever kind of form it is."""
    at = str(int((NOON - age).timestamp()))
    proof = {
        "timestamp": at,
        "token": test_mailgun.TOKEN,
        "signature": test_mailgun.signature(secret, at),
    }
    if request.headers["content-type"].startswith("multipart"):
        parts = [(f'name="{name}"'.encode(), value.encode()) for name, value in proof.items()]
        body = test_mailgun.multipart(*parts).body.removesuffix(b"--b--\r\n") + request.body
        return replace(request, body=body)
    told = dict(parse_qsl(request.body.decode())) | proof
    return replace(request, body=urlencode(told).encode())


def signed_fields(request):
    fields = dict(parse_qsl(request.body.decode()))
    return [fields[name].encode() for name in ("timestamp", "token", "signature")]


MAILGUN = Specimen(
    name="mailgun",
    adapter=mailgun,
    secret="signing_key",
    required=("signing_key",),
    account=test_mailgun.account,
    sign=sign_mailgun,
    proof=in_form("signature"),
    covered=signed_fields,
    deliveries={
        "message": WebhookRequest(urlencode(test_mailgun.FIELDS).encode(), test_mailgun.FORM),
        "media": test_mailgun.multipart((b'name="body-mime"', test_mailgun.RAW)),
    },
    lacks=LACKS,
    aged=lambda request, age: sign_mailgun(request, "new", age),
    oldest=mailgun.LONGEST_AGE,
)


def with_password(request, secret):
    return replace(request, headers=test_postmark.basic(f"hook:{secret}"))


def postmark_mail(**changes):
    return test_postmark.request(**changes)


POSTMARK = Specimen(
    name="postmark",
    adapter=postmark,
    secret="password",
    required=("user", "password"),
    account=test_postmark.account,
    sign=with_password,
    proof=in_header("authorization"),
    deliveries={
        "message": postmark_mail(Attachments=[]),
        "media": postmark_mail(MessageID="73e6d360-0002"),
    },
    lacks=LACKS | {"body": "user and password are all there is: nobody signs", "time": NO_TIME},
)


def sign_sendgrid(request, secret):
    return test_sendgrid.signed(request, secret)


SENDGRID = Specimen(
    name="sendgrid",
    adapter=sendgrid,
    secret="public_key",
    required=("public_key",),
    account=test_sendgrid.account,
    sign=sign_sendgrid,
    store=test_sendgrid.public,
    proof=in_header(test_sendgrid.SIGNATURE),
    deliveries={
        "message": test_sendgrid.multipart(test_sendgrid.parts(test_sendgrid.FIELDS)),
        "media": test_sendgrid.multipart(
            [
                *test_sendgrid.parts(test_sendgrid.FIELDS),
                (test_sendgrid.FILE, b"\r\n\0\xff"),
            ]
        ),
    },
    lacks=LACKS | {"time": NO_TIME_JUDGED},
)
SPECIMENS = (MAILGUN, POSTMARK, SENDGRID)
