"""`caseweave send`: one message to the desk as a customer writes it, signed as providers sign.

One command for each provider, under its name; `COMMANDS` says where each is.
"""

import click

from caseweave.cli.send.mails import mail, mailgun, postmark, sendgrid
from caseweave.cli.send.messengers import line, meta, qq, telegram, wechat, wecom, whatsapp
from caseweave.cli.send.phone import call_hotline, connect
from caseweave.cli.send.texts import aliyun, aws, sms, tencent, vonage
from caseweave.cli.send.web import chat, form

COMMANDS = {
    "form": form,
    "chat": chat,
    "mail": mail,
    "ses": mail,
    "mailgun": mailgun,
    "postmark": postmark,
    "sendgrid": sendgrid,
    "sms": sms,
    "twilio": sms,
    "aws": aws,
    "vonage": vonage,
    "aliyun": aliyun,
    "tencent": tencent,
    "telegram": telegram,
    "line": line,
    "meta": meta,
    "whatsapp": whatsapp,
    "qq": qq,
    "wechat": wechat,
    "wecom": wecom,
    "call": call_hotline,
    "connect": connect,
}


@click.group(commands=COMMANDS)
def send() -> None:
    """Write to the desk as a customer; every message is signed as its provider signs.

    `sms` and `twilio` are the same, and so are `mail` and `ses`.
    """
