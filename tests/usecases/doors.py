"""One small request for every way in, as its door hands it to the ledger."""

import json
from collections.abc import Callable
from urllib.parse import urlencode

from caseweave.agents.caller import Caller, Moment
from caseweave.agents.contacts import enter_contact
from caseweave.channels import connect
from caseweave.channels.mail_registry import MAIL
from caseweave.channels.registry import MESSENGERS, SMS, VOICE
from caseweave.channels.request import WebhookRequest
from caseweave.channels.wecom_kf import keep_pulled, parse_pulled
from caseweave.connect_intake import receive_contact_event, receive_transcript
from caseweave.hosted_mail_intake import receive_hosted_mail
from caseweave.intake import take_in
from caseweave.mail_intake import receive_mail
from caseweave.mail_receipts import receive_receipt
from caseweave.storage.ledger import RawInput
from caseweave.webhooks import receive_webhook
from tests.channels import (
    test_aliyun,
    test_aws_sms,
    test_connect,
    test_line,
    test_mailgun,
    test_meta,
    test_postmark,
    test_qq,
    test_sendgrid,
    test_telegram,
    test_tencent,
    test_twilio,
    test_twilio_voice,
    test_vonage,
    test_wechat,
    test_whatsapp,
    wecom_samples,
)
from tests.channels.samples import OUTBOX_KEY, telegram_account, twilio_account
from tests.usecases.world import NOON, YEAR

FILES = "files"
KEPT = "Analysis/Voice/2026/11/23/0a5e_analysis_2026-11-23T05_31_00Z.json"
BOUNCE = {
    "id": "e-1",
    "detail": {
        "eventType": "Bounce",
        "mail": {"messageId": "0102018f5a2b3c4d-000000"},
        "bounce": {"bounceType": "Permanent"},
    },
}
A_MAIL = "From: Lin <lin@example.com>\r\nMessage-ID: <a@example.com>\r\n\r\n还没到账\r\n"


def post(said, query=(), **headers):
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return WebhookRequest(body, named, tuple(query))


def envelope(said):
    return {
        "Type": "Notification",
        "MessageId": "SNS1",
        "TopicArn": "arn:t",
        "Message": json.dumps(said),
        "Timestamp": "2026-11-23T12:00:00.000Z",
    }


ACCOUNTS = {
    "aliyun": test_aliyun.account(),
    "aws": test_aws_sms.ACCOUNT,
    "line": test_line.account(),
    "mailgun": test_mailgun.account(),
    "meta": test_meta.ACCOUNT,
    "postmark": test_postmark.account(),
    "qq": test_qq.BOTH,
    "sendgrid": test_sendgrid.account(),
    "telegram": telegram_account(),
    "tencent": test_tencent.account(),
    "twilio": twilio_account(voice_url=test_twilio_voice.URL),
    "vonage": test_vonage.account(),
    "wechat": test_wechat.account(),
    "wecom": wecom_samples.wecom_account(),
    "whatsapp": test_whatsapp.ACCOUNT,
}
RECEIPT = urlencode({"MessageSid": "SM9", "MessageStatus": "delivered", "From": "+15550001111"})
# By the name of the door and what came; the query tokens are what must not be kept.
WEBHOOKS: dict[str, tuple[str, WebhookRequest]] = {
    "aliyun": ("aliyun", post([test_aliyun.item()], [("token", test_aliyun.TOKEN)])),
    "aws": ("aws", post(envelope(test_aws_sms.SMS))),
    "line": ("line", post(test_line.delivery(test_line.event(message=test_line.said(text="x"))))),
    "meta": ("meta", post(test_meta.batch(test_meta.event(message={"mid": "m_1", "text": "x"})))),
    # With two bots, whose it is stands in a header alone.
    "qq": ("qq", test_qq.signed(json.dumps(test_qq.envelope(**test_qq.said())).encode())),
    "telegram": (
        "telegram",
        post({"update_id": 1, "message": test_telegram.said(text="x")}),
    ),
    "tencent": ("tencent", post(test_tencent.reply(), [("token", test_tencent.TOKEN)])),
    "twilio": ("twilio", post(test_twilio.SMS)),
    "twilio receipt": ("twilio", post(RECEIPT.encode(), [("message", OUTBOX_KEY)])),
    "vonage": ("vonage", post(test_vonage.SMS)),
    # A GET: the query is all there is.
    "vonage query": ("vonage", test_vonage.as_query(test_vonage.SMS)),
    "wechat": ("wechat", test_wechat.sealed(test_wechat.TEXT)),
    "wecom": (
        "wecom",
        wecom_samples.callback(wecom_samples.said("text", "<Content>x</Content>")),
    ),
    "wecom hint": ("wecom", wecom_samples.callback(wecom_samples.hint())),
    "whatsapp": (
        "whatsapp",
        post(
            test_whatsapp.batch(
                test_whatsapp.change(messages=[test_whatsapp.said(text={"body": "x"})])
            )
        ),
    ),
}
CALLS = {
    "voice": post(urlencode(test_twilio_voice.CALL).encode()),
    # Who called stands in the address that we gave for the recording.
    "voice recording": post(urlencode(test_twilio_voice.RECORDING).encode(), test_twilio_voice.WHO),
    "voice done": post(
        urlencode({"CallSid": "CA1", "CallStatus": "in-progress"}).encode(), [("step", "done")]
    ),
}
MAILS = {
    "mailgun": test_mailgun.form(),
    "postmark": test_postmark.request(),
    "sendgrid": test_sendgrid.REQUEST,
}


def read_account(name):
    return ACCOUNTS[name]


def webhooks(door, monkeypatch) -> dict[str, Callable[[], object]]:
    """Every webhook, its proof left aside: that is other tests' matter."""
    for provider in (*SMS.values(), *MESSENGERS.values(), *VOICE.values(), *MAIL.values()):
        monkeypatch.setattr(provider, "verify", lambda *_: None)
    monkeypatch.setattr("caseweave.webhooks.verify_time", lambda *_: None)
    monkeypatch.setattr("caseweave.hosted_mail_intake.verify_time", lambda *_: None)

    def hook(name, providers, request):
        return lambda: receive_webhook(
            name, providers, request, read_account, lambda: door, YEAR, NOON
        )

    def mail(name, request):
        return lambda: receive_hosted_mail(
            name, MAIL, request, FILES, read_account, lambda: door, YEAR, NOON
        )

    messages = SMS | MESSENGERS
    return (
        {label: hook(name, messages, request) for label, (name, request) in WEBHOOKS.items()}
        | {label: hook("twilio", VOICE, request) for label, request in CALLS.items()}
        | {name: mail(name, request) for name, request in MAILS.items()}
    )


def other_doors(door, s3) -> dict[str, Callable[[], object]]:
    """What comes by no webhook."""
    s3.put_object(Bucket=FILES, Key="inbound/0a1b", Body=A_MAIL.encode())
    s3.put_object(Bucket=FILES, Key=KEPT, Body=json.dumps(test_connect.TRANSCRIPT).encode())
    lin = ("TELEPHONE_NUMBER", "+8613800138000", "Lin")
    said = {"body": "来店里问了", "phone": "+8613800138000", "name": "琳"}
    pulled = keep_pulled(wecom_samples.kf_text("x"), wecom_samples.KFID)

    def pull():
        raw = RawInput("wecom", wecom_samples.KFID, NOON, YEAR, pulled)
        return take_in([parse_pulled(pulled, ACCOUNTS["wecom"])], raw, door)

    return {
        "ses": lambda: receive_mail(FILES, "inbound/0a1b", FILES, lambda: door, YEAR, NOON),
        connect.PROVIDER: lambda: receive_contact_event(
            test_connect.event(), lambda *_: lin, lambda: door, YEAR, NOON
        ),
        "connect transcript": lambda: receive_transcript(
            FILES, KEPT, FILES, lambda: door, YEAR, NOON
        ),
        "ses receipt": lambda: receive_receipt(BOUNCE, lambda: door, YEAR, NOON),
        "wecom pulled": pull,
        "desk": lambda: enter_contact(
            said, "S1", Caller("agent-7", ("agent",)), door, YEAR, Moment(NOON, door.entropy)
        ),
    }
