"""`caseweave send`: one message to the desk as a customer writes it, signed as providers sign."""

import mimetypes
from email.utils import formataddr
from pathlib import Path
from typing import Any
from uuid import uuid4

import click

from caseweave.cli.local_stack import read_outputs, read_secrets
from caseweave.cli.outside.customers import Outside, write_mail
from caseweave.cli.outside.http import Reply
from caseweave.cli.state_dir import state_dir_option

text_option = click.option("--text", required=True, help="What the customer writes.")


@click.group()
def send() -> None:
    """Write to the desk as a customer; every message is signed as its provider signs."""


@send.command()
@state_dir_option
@text_option
@click.option("--form", "name", default="question", show_default=True, help="Which form.")
@click.option("--user", help="Signed in as this user of the platform (u-1001); else anonymous.")
@click.option("--subject", default="")
@click.option("--phone", default="", help="Typed into the form: claimed, not proven.")
@click.option("--email", default="", help="Typed into the form: claimed, not proven.")
@click.option("--order", "order_no", default="")
@click.option("--product", default="")
def form(state_dir: Path, text: str, name: str, user: str | None, **typed: str) -> None:
    """A web form."""
    outside = _outside(state_dir)
    fields = {"message": text, **{key: value for key, value in typed.items() if value}}
    token = outside.sign_in(user) if user else ""
    _report(outside.send_form(name, fields, token))


@send.command()
@state_dir_option
@text_option
@click.option("--phone", required=True, help="From which number: +8613800138000.")
def sms(state_dir: Path, text: str, phone: str) -> None:
    """A text message, by Twilio."""
    _report(_outside(state_dir).send_sms(phone, text))


@send.command("call")
@state_dir_option
@click.option("--text", required=True, help="What the caller says: the transcript.")
@click.option("--phone", required=True, help="From which number: +8613800138000; or anonymous.")
def call_hotline(state_dir: Path, text: str, phone: str) -> None:
    """A phone call, by Twilio, and its transcript."""
    outside, sid = _outside(state_dir), f"CA{uuid4().hex}"
    _report(outside.call_hotline(phone, sid))
    transcript = {"TranscriptionSid": f"TR{uuid4().hex}", "TranscriptionText": text}
    _report(outside.call_hotline(phone, sid, CallStatus="completed", **transcript))


@send.command()
@state_dir_option
@text_option
@click.option("--id", "user_id", type=int, required=True, help="The user's Telegram id.")
@click.option("--name", default="Telegram user", show_default=True)
@click.option("--locale", default="en", show_default=True, help="Their app's language: zh-hans.")
def telegram(state_dir: Path, text: str, user_id: int, name: str, locale: str) -> None:
    """A private message to the bot; "/start <token>" opens the link of an acknowledgement."""
    user: dict[str, Any] = {"id": user_id, "first_name": name, "language_code": locale}
    _report(_outside(state_dir).send_telegram(user, text))


@send.command()
@state_dir_option
@text_option
@click.option("--from", "sender", required=True, help="From which address.")
@click.option("--name", default="", help="The sender's name.")
@click.option("--subject", default="")
@click.option("--dmarc", type=click.Choice(["pass", "fail"]), default="pass", show_default=True)
@click.option(
    "--attach", "files", multiple=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
def mail(
    state_dir: Path,
    text: str,
    sender: str,
    name: str,
    subject: str,
    dmarc: str,
    files: tuple[Path, ...],
) -> None:
    """A mail, stored as SES stores it."""
    if "@" not in sender:
        raise click.BadParameter(
            "write an address such as xiaoyu.lin@example.com", param_hint="--from"
        )
    outside = _outside(state_dir)
    letter = write_mail(formataddr((name, sender)), subject, text)
    for file in files:
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        main, _, sub = kind.partition("/")
        letter.add_attachment(file.read_bytes(), maintype=main, subtype=sub, filename=file.name)
    click.echo(f"stored as {outside.deliver_mail(letter, dmarc)}")


def _outside(state_dir: Path) -> Outside:
    return Outside(read_outputs(state_dir), read_secrets(state_dir))


def _report(reply: Reply) -> None:
    """Status, and the reference where the channel answers with one; exit code 1 if refused."""
    is_json = "json" in {key.lower(): value for key, value in reply.headers.items()}.get(
        "content-type", ""
    )
    said = reply.json() if is_json and reply.body else {}
    reference = said.get("reference") if isinstance(said, dict) else None
    click.echo(f"{reply.status} {reference}" if reference else str(reply.status))
    if reply.status >= 400:
        raise click.exceptions.Exit(1)
