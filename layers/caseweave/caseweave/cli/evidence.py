"""`caseweave evidence`: export all that is known of a case, and verify such a file anywhere."""

import sys
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path

import click
from Crypto.Hash import SHA256
from Crypto.PublicKey import RSA
from Crypto.Signature import pkcs1_15

from caseweave.cli.state_dir import state_dir_option
from caseweave.domain.evidence_checks import Verdict, verify_pack
from caseweave.domain.packing import LARGEST


@click.group()
def evidence() -> None:
    """Export evidence of a case, and verify it."""


@evidence.command("export")
@state_dir_option
@click.argument("case")
@click.option("--to", "path", type=click.Path(path_type=Path), help="The file; CASE-evidence.zip.")
def export(state_dir: Path, case: str, path: Path | None) -> None:
    """Write the evidence pack of CASE (an id or a reference): one zip with its records, files,
    snapshots, signed digests and a readable page. The case records that you did.
    """
    from caseweave.cli.desk_api import ApiRefusedError, sign_in  # noqa: PLC0415 - verify needs no API
    from caseweave.cli.outside.http import call  # noqa: PLC0415 - the same

    told = sign_in(state_dir, "lead").export_evidence(case)
    reply = call("GET", told["url"])
    if reply.status != HTTPStatus.OK or sha256(reply.body).hexdigest() != told["sha256"]:
        raise ApiRefusedError(f"The pack could not be fetched ({reply.status}); export it again.")
    path = path or Path(f"{told['ref']}-evidence.zip")
    path.write_bytes(reply.body)
    click.echo(f"{path}: {len(reply.body)} bytes. Check it: caseweave evidence verify {path}")


@evidence.command("verify")
@click.argument("path", metavar="ZIP", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--key", default="", metavar="SHA256", help="The signing key that it must be of.")
def verify(path: Path, key: str) -> None:
    """Check an evidence pack, here and offline; exit code 1 if anything does not hold.

    Each problem names the record that it is about. Give --key the SHA-256 of the business's public
    key, as it tells it: without, the pack proves that it is whole, not whose it is.
    """
    if path.stat().st_size > LARGEST:
        raise click.ClickException(f"{path} is larger than any evidence pack.")
    verdict = verify_pack(path.read_bytes(), verify_rsa)
    for line in describe(verdict, key.strip().lower()):
        click.echo(line)
    sys.exit(0 if verdict.holds and key.strip().lower() in ("", verdict.key) else 1)


def describe(verdict: Verdict, key: str) -> list[str]:
    """What was found, line by line."""
    lines = [f"FAILED  {problem}" for problem in verdict.problems]
    lines += [f"        {note}" for note in verdict.notes]
    if verdict.key:
        lines.append(f"        signed with the key {verdict.key}")
    if key and key != verdict.key:
        lines.append(f"FAILED  that is not the key {key}")
    if verdict.holds and key in ("", verdict.key):
        lines.append("OK      everything in the pack holds")
        if not key:
            lines.append("        compare the key with the one that the business tells (--key)")
    return lines


def verify_rsa(key: bytes, content: bytes, signature: bytes) -> bool:
    """RSASSA-PKCS1-v1_5 with SHA-256; False for anything that is no key or no signature of it."""
    try:
        pkcs1_15.new(RSA.import_key(key)).verify(SHA256.new(content), signature)
    except (ValueError, IndexError, TypeError):
        return False
    return True
