"""Phone calls."""

from pathlib import Path
from uuid import uuid4

import click

from caseweave.cli.outside.connect import contact_event
from caseweave.cli.outside.scheduler import run_schedule
from caseweave.cli.send.posting import outside_of, report
from caseweave.cli.state_dir import state_dir_option


@click.command("call")
@state_dir_option
@click.option("--text", required=True, help="What the caller says: the transcript.")
@click.option("--phone", required=True, help="From which number: +8613800138000; or anonymous.")
def call_hotline(state_dir: Path, text: str, phone: str) -> None:
    """A phone call, by Twilio, and its transcript."""
    outside, sid = outside_of(state_dir), f"CA{uuid4().hex}"
    report(outside.call_hotline(phone, sid))
    transcript = {"TranscriptionSid": f"TR{uuid4().hex}", "TranscriptionText": text}
    report(outside.call_hotline(phone, sid, CallStatus="completed", **transcript))


@click.command()
@state_dir_option
@click.option("--channel", type=click.Choice(["VOICE", "CHAT"]), default="VOICE", show_default=True)
@click.option("--phone", default="", help="From which number: +8613800138000; else hidden.")
@click.option("--contact", default="", help="The contact's id; else a new one.")
@click.option("--ended", "is_ended", is_flag=True, help="It ends; else it begins.")
def connect(state_dir: Path, channel: str, phone: str, contact: str, *, is_ended: bool) -> None:
    """A contact of Amazon Connect, whose events are signed by nobody: they come by IAM."""
    # The sink, which plays Connect's API, reads the number there.
    name = contact or ".".join(filter(None, (phone, str(uuid4()))))
    event = contact_event(name, channel, "DISCONNECTED" if is_ended else "INITIATED")
    run_schedule(outside_of(state_dir).outputs, "IntakeConnectFunction", event)
    click.echo(f"contact {name}")
