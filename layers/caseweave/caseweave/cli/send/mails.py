"""Mail, as SES stores it or as a hosted provider posts it."""

import mimetypes
from collections.abc import Callable
from email.message import EmailMessage
from email.utils import formataddr
from pathlib import Path
from typing import Any, TypeVar

import click

from caseweave.cli.outside.customers import write_mail
from caseweave.cli.outside.hosted_mail import mailgun_mail, postmark_mail, sendgrid_mail
from caseweave.cli.send.posting import outside_of, report, text_option
from caseweave.cli.state_dir import state_dir_option

Command = TypeVar("Command", bound=Callable[..., Any])

_OPTIONS = (
    state_dir_option,
    text_option,
    click.option("--from", "sender", required=True, help="From which address."),
    click.option("--name", default="", help="The sender's name."),
    click.option("--subject", default=""),
    click.option(
        "--attach",
        "files",
        multiple=True,
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
    ),
)


def _letter_options(command: Command) -> Command:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command()
@_letter_options
@click.option("--dmarc", type=click.Choice(["pass", "fail"]), default="pass", show_default=True)
def mail(state_dir: Path, dmarc: str, **written: Any) -> None:
    """A mail, stored as SES stores it."""
    letter = _write(**written)
    click.echo(f"stored as {outside_of(state_dir).deliver_mail(letter, dmarc)}")


@click.command()
@_letter_options
def mailgun(state_dir: Path, **written: Any) -> None:
    """A mail, forwarded by a route of Mailgun."""
    letter, outside = _write(**written), outside_of(state_dir)
    report(outside.post(mailgun_mail(outside.secrets["mailgun"], letter)))


@click.command()
@_letter_options
def postmark(state_dir: Path, **written: Any) -> None:
    """A mail, posted by Postmark's inbound stream."""
    letter, outside = _write(**written), outside_of(state_dir)
    report(outside.post(postmark_mail(outside.secrets["postmark"], letter)))


@click.command()
@_letter_options
def sendgrid(state_dir: Path, **written: Any) -> None:
    """A mail, posted by SendGrid's Inbound Parse."""
    letter, outside = _write(**written), outside_of(state_dir)
    report(outside.post(sendgrid_mail(outside.secrets["sendgrid"], letter)))


def _write(
    *, sender: str, name: str, subject: str, text: str, files: tuple[Path, ...]
) -> EmailMessage:
    if "@" not in sender:
        raise click.BadParameter(
            "write an address such as xiaoyu.lin@example.com", param_hint="--from"
        )
    letter = write_mail(formataddr((name, sender)), subject, text)
    for file in files:
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        main, _, sub = kind.partition("/")
        letter.add_attachment(file.read_bytes(), maintype=main, subtype=sub, filename=file.name)
    return letter
