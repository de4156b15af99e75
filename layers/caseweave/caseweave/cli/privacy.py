"""`caseweave privacy`: export a customer, erase one, see what retention does, do it all again."""

import json
import os
from pathlib import Path
from typing import Any

import boto3
import click

from caseweave.cli.desk_api import DeskApi, sign_in
from caseweave.cli.local_stack.cloud import tool_environment
from caseweave.cli.place import Place, find_deployed, find_local, stack_options
from caseweave.cli.state_dir import state_dir_option
from caseweave.erasure import LOG_FOLDER
from caseweave.storage.deletions import ask_again
from caseweave.storage.table import use_table

_customer = click.argument("customer", metavar="CUSTOMER")


@click.group()
def privacy() -> None:
    """What customers may ask of the desk, and how long it keeps things."""


@privacy.command()
@state_dir_option
@_customer
def export(state_dir: Path, customer: str) -> None:
    """Make one file of everything of a customer; print where it can be fetched for an hour."""
    told = sign_in(state_dir, "admin").export_customer(customer)
    click.echo(f"{told['cases']} cases, {told['size']} bytes, SHA-256 {told['sha256']}")
    click.echo(told["url"])


@privacy.command()
@state_dir_option
@click.option("--reason", default="", help="Why, without naming the customer. Without it: preview.")
@_customer
def erase(state_dir: Path, customer: str, reason: str) -> None:
    """Show what an erasure would delete; with --reason, and after a question, ask for it."""
    api: DeskApi = sign_in(state_dir, "admin")
    preview = api.preview_erasure(customer)
    _show(preview)
    if not reason:
        return
    click.confirm("Delete this for good?", abort=True)
    asked = api.ask_erasure(customer, {"confirm": preview["digest"], "reason": reason})
    click.echo(f"{asked['id']} {asked['state']}: done within minutes (GET /v1/deletions/{{id}})")


@privacy.command()
@state_dir_option
@click.option("--preview", is_flag=True, help="Only show; the schedule does it every night.")
def retention(state_dir: Path, *, preview: bool) -> None:
    """Show the rules, and the cases whose contents are due to go."""
    if not preview:
        raise click.UsageError("Say --preview: the schedule deletes, every night.")
    _show(sign_in(state_dir, "admin").show_retention())


@privacy.command()
@state_dir_option
@click.option("--table", default="", help="The restored table; the stack's own if left out.")
@stack_options
def reapply(state_dir: Path, table: str, stack: str | None, region: str | None) -> None:
    """After the table was restored: ask again for every deletion that was ever asked for.

    What is gone already is found gone. Runs here, for the local stack or with your AWS keys for
    --stack; the schedule of that stack does the work.
    """
    place = _enter(state_dir, stack, region)
    use_table(table or place.outputs["TableName"])
    s3, bucket = boto3.client("s3"), place.outputs["FilesBucket"]
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=LOG_FOLDER)
    keys = [one["Key"] for page in pages for one in page.get("Contents", ())]
    bodies = (s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys)
    asked = sum(map(ask_again, bodies))
    click.echo(f"{len(keys)} deletions in the log, {asked} asked for again.")


def _enter(state_dir: Path, stack: str | None, region: str | None) -> Place:
    """Where to work. From then on this process asks the AWS it is on."""
    if stack:
        if region:
            os.environ["AWS_DEFAULT_REGION"] = region
        return find_deployed(stack, region, "")
    place = find_local(state_dir)
    environment = tool_environment(place.outputs["EndpointUrl"])
    os.environ.clear()  # a profile of the caller, too
    os.environ.update(environment)
    return place


def _show(told: Any) -> None:
    click.echo(json.dumps(told, ensure_ascii=False, indent=2))
