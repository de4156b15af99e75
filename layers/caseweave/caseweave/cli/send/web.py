"""The customer's page: forms and live chat."""

from pathlib import Path

import click

from caseweave.cli.send.posting import outside_of, report, text_option
from caseweave.cli.state_dir import state_dir_option

user_option = click.option(
    "--user", help="Signed in as this user of the platform (u-1001); else anonymous."
)


@click.command()
@state_dir_option
@text_option
@click.option("--form", "name", default="question", show_default=True, help="Which form.")
@user_option
@click.option("--subject", default="")
@click.option("--phone", default="", help="Typed into the form: claimed, not proven.")
@click.option("--email", default="", help="Typed into the form: claimed, not proven.")
@click.option("--order", "order_no", default="")
@click.option("--product", default="")
def form(state_dir: Path, text: str, name: str, user: str | None, **typed: str) -> None:
    """A web form."""
    outside = outside_of(state_dir)
    fields = {"message": text, **{key: value for key, value in typed.items() if value}}
    token = outside.sign_in(user) if user else ""
    report(outside.send_form(name, fields, token))


@click.command()
@state_dir_option
@text_option
@user_option
@click.option("--session", default="", help="Go on in this chat; else a new one begins.")
def chat(state_dir: Path, text: str, user: str | None, session: str) -> None:
    """A line of a live chat; prints the session of a new one."""
    outside = outside_of(state_dir)
    if session:
        report(outside.send_chat(session, text))
        return
    reply = outside.start_chat(text, outside.sign_in(user) if user else "")
    report(reply)
    click.echo(f"session {reply.json()['session']}")
