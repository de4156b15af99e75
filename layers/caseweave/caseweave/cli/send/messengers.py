"""Messengers, each with the id by which it knows a person."""

from pathlib import Path
from typing import Any

import click

from caseweave.cli.outside.http import call_json
from caseweave.cli.outside.line import line_message
from caseweave.cli.outside.meta import INSTAGRAM, PAGE, messenger_message, whatsapp_message
from caseweave.cli.outside.qq import qq_message
from caseweave.cli.outside.telegram import telegram_message
from caseweave.cli.outside.wechat import (
    customer_service_text,
    wechat_message,
    wecom_app_message,
    wecom_hint,
)
from caseweave.cli.send.posting import outside_of, report, text_option
from caseweave.cli.state_dir import state_dir_option


@click.command()
@state_dir_option
@text_option
@click.option("--id", "user_id", type=int, required=True, help="The user's Telegram id.")
@click.option("--name", default="Telegram user", show_default=True)
@click.option("--locale", default="en", show_default=True, help="Their app's language: zh-hans.")
def telegram(state_dir: Path, text: str, user_id: int, name: str, locale: str) -> None:
    """A private message to the bot; "/start <token>" opens the link of an acknowledgement."""
    outside = outside_of(state_dir)
    user: dict[str, Any] = {"id": user_id, "first_name": name, "language_code": locale}
    report(outside.post(telegram_message(outside.secrets["telegram"], user, text)))


@click.command()
@state_dir_option
@text_option
@click.option("--user", required=True, help="The user's LINE id: U4af4980629.")
@click.option("--group", default="", help="Said in this group: C4af4980629.")
def line(state_dir: Path, text: str, user: str, group: str) -> None:
    """A message to the LINE Official Account."""
    outside = outside_of(state_dir)
    report(outside.post(line_message(outside.secrets["line"], user, text, group)))


@click.command()
@state_dir_option
@text_option
@click.option("--user", required=True, help="The PSID, or the IGSID: 6789012345678901.")
@click.option("--instagram", "is_instagram", is_flag=True, help="On Instagram.")
@click.option("--media", default="", help="Address of a picture that comes with it.")
def meta(state_dir: Path, text: str, user: str, media: str, *, is_instagram: bool) -> None:
    """A message by Facebook Messenger, or on Instagram."""
    outside = outside_of(state_dir)
    product = INSTAGRAM if is_instagram else PAGE
    account = outside.secrets["meta"]
    report(outside.post(messenger_message(account, user, text, product, picture=media)))


@click.command()
@state_dir_option
@text_option
@click.option("--phone", required=True, help="From which number: +8613800138000.")
@click.option("--name", default="WhatsApp user", show_default=True)
def whatsapp(state_dir: Path, text: str, phone: str, name: str) -> None:
    """A message by WhatsApp (Cloud API)."""
    outside = outside_of(state_dir)
    account = outside.secrets["whatsapp"]
    wa_id, number_id = phone.lstrip("+"), account["phone_number_id"]
    report(outside.post(whatsapp_message(account, wa_id, text, name, number_id)))


@click.command()
@state_dir_option
@text_option
@click.option("--openid", required=True, help="The user's id at this bot, or in the group.")
@click.option("--group", default="", help="Said in the group with this openid.")
def qq(state_dir: Path, text: str, openid: str, group: str) -> None:
    """A message to the QQ bot."""
    outside = outside_of(state_dir)
    report(outside.post(qq_message(outside.secrets["qq"], openid, text, group)))


@click.command()
@state_dir_option
@text_option
@click.option("--openid", required=True, help="The follower's id: oLin_1.")
@click.option("--plain", "is_plain", is_flag=True, help="Not sealed: refused while a key is set.")
def wechat(state_dir: Path, text: str, openid: str, *, is_plain: bool) -> None:
    """A message to the WeChat Official Account (微信公众号)."""
    outside = outside_of(state_dir)
    account = outside.secrets["wechat"]
    report(outside.post(wechat_message(account, openid, text, is_plain=is_plain)))


@click.command()
@state_dir_option
@text_option
@click.option("--customer", default="", help="From WeChat, by this external_userid: wmLin.")
@click.option("--account", "open_kfid", default="wkLocal", show_default=True, help="To which.")
@click.option("--member", default="", help="From a colleague, by this userid, to an application.")
def wecom(state_dir: Path, text: str, customer: str, open_kfid: str, member: str) -> None:
    """A message by 微信客服 (--customer), or to an application of WeCom (--member)."""
    if bool(customer) == bool(member):
        raise click.UsageError("say who writes: either --customer wmLin or --member li.na")
    outside = outside_of(state_dir)
    account = outside.secrets["wecom"]
    if member:
        report(outside.post(wecom_app_message(account, member, text)))
        return
    waiting = {
        "open_kfid": open_kfid,
        "messages": [customer_service_text(open_kfid, customer, text)],
    }
    call_json("POST", f"{outside.outputs['SinkUrl']}/_sink/kf", waiting)
    report(outside.post(wecom_hint(account, open_kfid)))
