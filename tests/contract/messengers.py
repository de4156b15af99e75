"""Specimens of the messengers."""

from dataclasses import replace
from datetime import timedelta

from caseweave.channels import line, meta, qq, telegram, wechat, wecom, wecom_kf, whatsapp
from caseweave.channels.credentials import Credentials
from caseweave.channels.request import WebhookRequest
from tests.channels import (
    test_line,
    test_meta,
    test_meta_signature,
    test_qq,
    test_telegram,
    test_wechat,
    test_whatsapp,
    wecom_samples,
)
from tests.channels.samples import NOON, telegram_account
from tests.contract.sms import NO_BATCHES, NO_TIME, SHARED, as_json
from tests.contract.specimen import Specimen, in_header, in_query

NO_TIME_JUDGED = "its age is not judged: a repeated delivery is known by its event id"


def sign_line(request, secret):
    return test_line.signed(request.body, secret)


def line_event(event_id, message_id, **content):
    said = test_line.said(**content) | {"id": message_id}
    return test_line.event(message=said) | {"webhookEventId": event_id}


LINE_MESSAGE = line_event("01JDA1", "4441", text="还没到账")
LINE_UNSENT = test_line.event("unsend", unsend={"messageId": "4441"}) | {"webhookEventId": "01JDA4"}
LINE = Specimen(
    name="line",
    adapter=line,
    secret="channel_secret",
    required=("channel_secret",),
    account=test_line.account,
    sign=sign_line,
    proof=in_header("x-line-signature"),
    listed_at=("events",),
    deliveries={
        "message": as_json(test_line.delivery(LINE_MESSAGE)),
        "batch": as_json(
            test_line.delivery(
                LINE_MESSAGE,
                line_event("01JDA2", "4442", text="快点"),
                line_event("01JDA3", "4443", kind="image", contentProvider={"type": "line"}),
            )
        ),
        "media": as_json(
            test_line.delivery(
                line_event("01JDA3", "4443", kind="image", contentProvider={"type": "line"})
            )
        ),
        "edit": as_json(test_line.delivery(LINE_UNSENT)),
    },
    lacks={
        "receipt": "LINE tells nobody what was delivered or read",
        "echo": "it does not tell us what we sent",
        "time": NO_TIME,
        "owner": SHARED,
    },
)


def sign_meta(request, secret):
    proof = test_meta_signature.proof(secret, request.body)
    return replace(request, headers={"x-hub-signature-256": proof})


def meta_account(**values):
    known = {"app_secret": "s3cret", "access_token": "EAAB", "verify_token": "t0ken"}
    return Credentials("meta", known | values)


META_SAID = test_meta.event(message={"mid": "m_1", "text": "还没到账"})
META_FILE = {"type": "image", "payload": {"url": "https://scontent.xx.fbcdn.net/v/a.jpg"}}
META_PICTURE = test_meta.event(message={"mid": "m_3", "attachments": [META_FILE]})
META = Specimen(
    name="meta",
    adapter=meta,
    secret="app_secret",
    required=("app_secret",),
    account=meta_account,
    sign=sign_meta,
    proof=in_header("x-hub-signature-256"),
    listed_at=("entry", 0, "messaging"),
    deliveries={
        "message": as_json(test_meta.batch(META_SAID)),
        "batch": as_json(
            test_meta.batch(
                META_SAID, test_meta.event(message={"mid": "m_2", "text": "快点"}), META_PICTURE
            )
        ),
        "media": as_json(test_meta.batch(META_PICTURE)),
        "receipt": as_json(test_meta.batch(test_meta.event(delivery={"mids": ["m_900"]}))),
        "edit": as_json(
            test_meta.batch(
                test_meta.event(message_edit={"mid": "m_1", "text": "订单 18", "num_edit": 1})
            )
        ),
        "echo": as_json(
            test_meta.batch(
                test_meta.event(
                    page=test_meta.PSID,
                    user=test_meta.PAGE,
                    message={"mid": "m_900", "is_echo": True, "text": "您好，已经补发。"},
                )
            )
        ),
    },
    lacks={"time": NO_TIME, "owner": SHARED},
)


def whatsapp_account(**values):
    known = dict(test_whatsapp.ACCOUNT.values) | {"verify_token": "t0ken"}
    return Credentials("whatsapp", known | values)


def whatsapp_batch(*messages):
    return as_json(
        test_whatsapp.batch(
            test_whatsapp.change(contacts=test_whatsapp.CONTACTS, messages=list(messages))
        )
    )


WA_SAID = test_whatsapp.said(text={"body": "还没到账"})
WA_PICTURE = test_whatsapp.said("image", id="wamid.3", image={"id": "77", "mime_type": "image/png"})
WA_ECHO = {
    "from": "15550001111",
    "to": test_whatsapp.LIN,
    "id": "wamid.900",
    "timestamp": "1795411500",
    "type": "text",
    "text": {"body": "您好，已经补发。"},
}
WHATSAPP = Specimen(
    name="whatsapp",
    adapter=whatsapp,
    secret="app_secret",
    required=("app_secret",),
    account=whatsapp_account,
    sign=sign_meta,
    proof=in_header("x-hub-signature-256"),
    listed_at=("entry", 0, "changes", 0, "value", "messages"),
    deliveries={
        "message": whatsapp_batch(WA_SAID),
        "batch": whatsapp_batch(
            WA_SAID, test_whatsapp.said(id="wamid.2", text={"body": "快点"}), WA_PICTURE
        ),
        "media": whatsapp_batch(WA_PICTURE),
        "receipt": as_json(
            test_whatsapp.batch(
                test_whatsapp.change(statuses=[{"id": "wamid.900", "status": "delivered"}])
            )
        ),
        "edit": whatsapp_batch(
            test_whatsapp.said("revoke", id="wamid.4", revoke={"original_message_id": "wamid.1"})
        ),
        "echo": as_json(
            test_whatsapp.batch(
                test_whatsapp.change("smb_message_echoes", message_echoes=[WA_ECHO])
            )
        ),
    },
    lacks={"time": NO_TIME, "owner": SHARED},
)


def sign_telegram(request, secret):
    return replace(request, headers={"x-telegram-bot-api-secret-token": secret})


def update(number, **content):
    return as_json({"update_id": number, **content})


TG_PICTURE = test_telegram.said(photo=[{"file_id": "S", "file_size": 9}]) | {"message_id": 42}
TELEGRAM = Specimen(
    name="telegram",
    adapter=telegram,
    secret="secret_token",
    required=("secret_token",),
    account=telegram_account,
    sign=sign_telegram,
    proof=in_header("x-telegram-bot-api-secret-token"),
    deliveries={
        "message": update(870_001, message=test_telegram.said(text="还没到账")),
        "media": update(870_002, message=TG_PICTURE),
        "edit": update(
            870_003, edited_message=test_telegram.said(text="订单 18", edit_date=1_795_411_500)
        ),
    },
    lacks={
        "batch": "one update a request",
        "receipt": "Telegram tells no bot what was delivered or read",
        "echo": "it does not tell us what we sent",
        "body": "the secret header is all there is: nobody signs the body",
        "time": NO_TIME,
        "owner": SHARED,
    },
)


def sign_qq(request, secret, age=timedelta(0)):
    seconds = str(int((NOON - age).timestamp()))
    # No secret of theirs is shorter.
    return test_qq.signed(request.body, secret, seconds)


QQ = Specimen(
    name="qq",
    adapter=qq,
    secret="app_secret",
    required=("app_secret",),
    account=test_qq.account,
    sign=sign_qq,
    proof=in_header("x-signature-ed25519"),
    deliveries={
        "message": as_json(test_qq.envelope(**test_qq.said())),
        "media": as_json(
            test_qq.envelope(
                **test_qq.said(
                    id="ROBOT1.0_.2",
                    content="",
                    attachments=[
                        {
                            "content_type": "image/png",
                            "filename": "a.png",
                            "size": 9,
                            "url": "https://multimedia.nt.qq.com.cn/a",
                        }
                    ],
                )
            )
        ),
        "receipt": as_json(
            test_qq.envelope("MESSAGE_AUDIT_REJECT", audit_id="A900", message_id="M1")
            | {"id": "MESSAGE_AUDIT_REJECT:1"}
        ),
        "edit": as_json(
            test_qq.envelope(
                "DIRECT_MESSAGE_DELETE",
                message={**test_qq.GUILD, "id": "M9"},
                op_user={"id": "1234"},
            )
            | {"id": "DIRECT_MESSAGE_DELETE:1"}
        ),
    },
    lacks={"batch": NO_BATCHES, "echo": "it does not tell us what we sent"},
    aged=lambda request, age: sign_qq(request, "new", age),
    oldest=qq.LONGEST_AGE,
    owner=test_qq.BOT,
)


def seal_wechat(request, secret):
    return test_wechat.sealed(request.body, token=secret)


def wechat_xml(**fields):
    return WebhookRequest(test_wechat.xml(**fields))


def only_sealed(body):
    """The text in which everything is that was signed; what stands beside it was not."""
    return body.split(b"<Encrypt><![CDATA[")[1].split(b"]]>")[0]


WECHAT = Specimen(
    name="wechat",
    adapter=wechat,
    secret="token",
    required=("token",),
    account=test_wechat.account,
    sign=seal_wechat,
    proof=in_query("msg_signature"),
    covered=lambda request: [only_sealed(request.body)],
    deliveries={
        "message": wechat_xml(**test_wechat.said(Content="还没到账")),
        "media": wechat_xml(
            **test_wechat.said("image", PicUrl="http://mmbiz.qpic.cn/a", MediaId="media-1")
            | {"MsgId": 24_563_689_963_896_701}
        ),
        "receipt": wechat_xml(
            **test_wechat.event("TEMPLATESENDJOBFINISH", MsgID=900, Status="success")
        ),
    },
    lacks={
        "batch": NO_BATCHES,
        "edit": "an Official Account is not told of what is taken back",
        "echo": "it does not tell us what we sent",
        "time": NO_TIME_JUDGED,
    },
    owner=test_wechat.GH,
)


def seal_wecom(request, secret):
    return wecom_samples.callback(request.body.decode(), token=secret)


def wecom_xml(text):
    return WebhookRequest(text.encode())


WECOM = Specimen(
    name="wecom",
    adapter=wecom,
    secret="token",
    required=("token", "encoding_aes_key", "corp_id"),
    account=wecom_samples.wecom_account,
    sign=seal_wecom,
    proof=in_query("msg_signature"),
    covered=lambda request: [only_sealed(request.body)],
    deliveries={
        "message": wecom_xml(
            wecom_samples.said("text", "<Content><![CDATA[充值没到账]]></Content>")
        ),
        "media": wecom_xml(
            wecom_samples.said(
                "image",
                "<PicUrl><![CDATA[https://p.example.com/a]]></PicUrl>"
                "<MediaId><![CDATA[media-1]]></MediaId>",
                message_id="7234567890123457",
            )
        ),
    },
    lacks={
        "batch": NO_BATCHES,
        "receipt": "an application is not told what was delivered",
        "edit": "an application is not told of what is taken back",
        "echo": "it does not tell us what we sent",
        "time": NO_TIME_JUDGED,
        "owner": SHARED,
    },
)


def pulled(message):
    return WebhookRequest(wecom_kf.keep_pulled(message, wecom_samples.KFID))


# What the pull brings has no signature: WeCom's API is asked over TLS, with our token.
NOT_SENT = "nobody sends it to us: we ask WeCom for it"
WECOM_KF = Specimen(
    name="wecom-kf",
    adapter=wecom,
    secret="token",
    account=wecom_samples.wecom_account,
    sign=lambda request, _: request,
    proof=in_header(""),
    deliveries={
        "message": pulled(wecom_samples.kf_text("充值没到账")),
        "media": pulled(wecom_samples.kf("image", {"media_id": "media-1"}, "M2")),
        "receipt": pulled(
            wecom_samples.kf_event("msg_send_fail", "E2", fail_msgid="0a900c", fail_type=4)
        ),
        "edit": pulled(
            wecom_samples.kf_event(
                "user_recall_msg",
                recall_msgid="M1",
                external_userid=wecom_samples.CUSTOMER,
            )
        ),
        "echo": pulled(wecom_samples.kf("text", {"content": "您好"}, "0a900c", origin=5)),
    },
    lacks={
        "verify": NOT_SENT,
        "batch": "each message of a page is taken in by itself",
    },
)
SPECIMENS = (LINE, META, QQ, TELEGRAM, WECHAT, WECOM, WECOM_KF, WHATSAPP)
