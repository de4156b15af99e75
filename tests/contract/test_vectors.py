"""All that others collected, folder by folder: nothing falls over, nothing is dropped unseen.

Set CASEWEAVE_VECTORS to the folder that holds it. `pytest -rP` shows the report.
"""

import json
import os
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path

import pytest

from caseweave.errors import UnparseableError
from tests.channels import (
    test_line,
    test_mailgun,
    test_meta_signature,
    test_qq,
    test_sendgrid,
    test_sns,
    test_vectors,
    test_vonage,
    test_wechat,
)
from tests.contract.specimens import SPECIMENS
from tests.contract.vector_payloads import NOT_OURS, classify

VECTORS = Path(os.environ.get("CASEWEAVE_VECTORS") or "/nowhere")
pytestmark = pytest.mark.skipif(
    not VECTORS.is_dir(), reason="CASEWEAVE_VECTORS names no folder of provider vectors"
)


def read_json(path):
    return json.loads(path.read_text("utf-8"))


@cache
def roles():
    """What the manifests say of each mail's file."""
    return {
        manifest.parent / entry["file"]: entry["role"]
        for manifest in (VECTORS / "email").rglob("manifest.json")
        for entry in read_json(manifest)["files"]
    }


def outcome(path):
    folder = path.relative_to(VECTORS).parts[0]
    if folder == "email" and roles().get(path) in ("expected", "attachment-reference"):
        return ["no payload: says how a mail should be read"]
    return classify(folder, path)


def test_every_file_becomes_something_that_can_be_counted():
    report, reasons, seen = defaultdict(Counter), Counter(), 0
    for path in sorted(VECTORS.rglob("*")):
        if not path.is_file():
            continue
        seen += 1
        folder = path.relative_to(VECTORS).parts[0]
        found = outcome(path)
        assert found, path
        report[folder]["files"] += 1
        for name in found:
            kind, _, reason = name.partition(": ")
            report[folder][kind] += 1
            if reason:
                reasons[f"{folder}: {name}"] += 1
    columns = sorted({kind for counts in report.values() for kind in counts})
    print(f"{'folder':<20}" + "".join(f"{column:>14}" for column in columns))
    for folder, counts in sorted(report.items()):
        print(f"{folder:<20}" + "".join(f"{counts[column]:>14}" for column in columns))
    total = sum(report.values(), Counter())
    print(f"{'all':<20}" + "".join(f"{total[column]:>14}" for column in columns))
    for reason, count in sorted(reasons.items()):
        print(f"{count:>6} {reason}")
    assert total["files"] == seen
    # A bounce of a mail of ours is a report on it.
    assert total["message"] + total["receipt"] > 1000
    assert total["quarantined"] <= 10
    for folder in set(report) - set(NOT_OURS) - {"README.md", "aws-lambda-events", "ses", "qqbot"}:
        kept = sum(report[folder][kind] for kind in ("message", "receipt", "remark", "ignored"))
        assert kept, folder


def test_no_door_falls_over_what_was_meant_for_another():
    bodies = [path.read_bytes() for path in VECTORS.rglob("*") if is_small_payload(path)]
    assert len(bodies) > 300
    counts = Counter()
    for specimen in SPECIMENS:
        for body in bodies:
            request = type(specimen.deliveries["message"])(
                body, specimen.deliveries["message"].headers
            )
            try:
                counts["understood"] += len(specimen.parse(request)) > 0
            except UnparseableError:
                counts["unparseable"] += 1
    print(dict(counts))


def is_small_payload(path):
    is_mail = "email" in path.parts
    return path.is_file() and not is_mail and path.stat().st_size < 50_000


# Signatures: how each collection is checked is where its provider's other tests are.
SIGNATURES = {
    "line": test_line.test_the_vectors_of_others,
    "mailgun": test_mailgun.test_the_vectors,
    "meta": test_meta_signature.test_every_signature_that_others_verified_is_accepted_and_no_other,
    "qqbot": test_qq.test_every_signature_that_qqs_own_library_accepts_is_accepted_and_no_other,
    "sendgrid": test_sendgrid.test_the_signature_vectors,
    "sns-http": (
        test_sns.test_every_message_that_sns_really_signed_is_accepted_then_and_refused_now_or_changed
    ),
    "twilio": (
        test_vectors.test_every_form_that_twilios_own_libraries_accept_is_accepted_and_no_other
    ),
    "vonage": test_vonage.test_the_signature_vectors_of_others,
    "wechat": test_wechat.test_every_signature_that_other_programs_accept_is_accepted_and_no_other,
}


def signed_in(folder):
    """The vectors of a folder: each by itself, or each signed message."""
    listed = folder / "signature_vectors.json"
    if listed.is_file():
        return [vector["id"] for vector in read_json(listed)["vectors"]]
    manifest = folder / "manifest.json"
    files = read_json(manifest)["files"] if manifest.is_file() else []
    return [entry["file"] for entry in files if "certificate" in entry]


def test_every_signature_vector_gives_what_it_should_or_is_named(capsys):
    counts, lines = Counter(), []
    for folder in sorted(path for path in VECTORS.iterdir() if path.is_dir()):
        vectors = signed_in(folder)
        if not vectors:
            continue
        if folder.name in NOT_OURS:
            lines.append(f"{folder.name:<20}{len(vectors):>4} excluded: {NOT_OURS[folder.name]}")
            counts["excluded"] += len(vectors)
            continue
        SIGNATURES[folder.name]()
        named = [
            line for line in capsys.readouterr().out.splitlines() if line.startswith("excluded")
        ]
        lines += [f"{folder.name:<20}{len(vectors):>4} checked, of them {len(named)} named", *named]
        counts["checked"] += len(vectors) - len(named)
        counts["excluded"] += len(named)
    print("\n".join(lines), dict(counts), sep="\n")
    assert counts["checked"] + counts["excluded"] >= 108
    assert counts["excluded"] < 30
