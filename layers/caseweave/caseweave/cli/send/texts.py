"""SMS, by each provider."""

from pathlib import Path
from typing import Any

import click

from caseweave.cli.outside.mainland_sms import aliyun_sms, tencent_sms
from caseweave.cli.outside.sns import sms_by_sns
from caseweave.cli.outside.twilio import twilio_sms
from caseweave.cli.outside.vonage import vonage_sms
from caseweave.cli.send.posting import outside_of, report, text_option
from caseweave.cli.state_dir import state_dir_option

phone_option = click.option("--phone", required=True, help="From which number: +8613800138000.")
mainland_option = click.option("--phone", required=True, help="From which number: 13800138000.")


@click.command()
@state_dir_option
@text_option
@phone_option
@click.option("--whatsapp", "is_whatsapp", is_flag=True, help="By WhatsApp instead of SMS.")
@click.option("--media", default="", help="Address of a picture that comes with it.")
def sms(state_dir: Path, text: str, phone: str, media: str, *, is_whatsapp: bool) -> None:
    """A text message, by Twilio."""
    outside = outside_of(state_dir)
    account = outside.secrets["twilio"]
    more = {"NumMedia": "1", "MediaUrl0": media, "MediaContentType0": "image/jpeg"}
    fields = more if media else {}
    if is_whatsapp:
        phone, fields = f"whatsapp:{phone}", {**fields, "To": f"whatsapp:{account['from']}"}
    report(outside.post(twilio_sms(account, phone, text, **fields)))


@click.command()
@state_dir_option
@text_option
@phone_option
def aws(state_dir: Path, text: str, phone: str) -> None:
    """A text message, by AWS End User Messaging and SNS."""
    outside = outside_of(state_dir)
    report(outside.post(sms_by_sns(outside.secrets["aws_sms"], phone, text)))


@click.command()
@state_dir_option
@text_option
@phone_option
def vonage(state_dir: Path, text: str, phone: str) -> None:
    """A text message, by Vonage's SMS API."""
    outside = outside_of(state_dir)
    report(outside.post(vonage_sms(outside.secrets["vonage"], phone.lstrip("+"), text)))


@click.command()
@state_dir_option
@text_option
@mainland_option
def aliyun(state_dir: Path, text: str, phone: str) -> None:
    """A text message, by Alibaba Cloud (阿里云短信)."""
    _post(state_dir, "aliyun", aliyun_sms, phone, text)


@click.command()
@state_dir_option
@text_option
@mainland_option
def tencent(state_dir: Path, text: str, phone: str) -> None:
    """A text message, by Tencent Cloud (腾讯云短信)."""
    _post(state_dir, "tencent", tencent_sms, phone, text)


def _post(state_dir: Path, name: str, write: Any, phone: str, text: str) -> None:
    outside = outside_of(state_dir)
    mobile = phone.removeprefix("+86")
    report(outside.post(write(outside.secrets[name], mobile, text)))
