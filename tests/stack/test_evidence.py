"""Evidence of a real dispute over HTTP: taken, locked, signed by KMS, exported, verified."""

import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner

from caseweave.cli.evidence import evidence, verify_rsa
from caseweave.cli.outside.http import call
from caseweave.domain.evidence_checks import verify_pack
from caseweave.domain.packing import read_pack
from tests.stack.conftest import wait_for

# An order of the sample platform.
ORDER = "K20261122-0457"
_numbers = count(31_000_000)


@pytest.fixture(scope="module")
def auditor(stack):
    return stack.api("auditor")


@pytest.fixture(scope="module")
def disputed(stack, agent):
    """A dispute about an order of the sample platform, once its evidence is taken; its name."""
    phone = f"+8613{next(_numbers)}9"
    stack.outside.send_sms(phone, f"我要退款,重复扣款 {ORDER}")
    name = wait_for(lambda: find_case(agent, phone), "the dispute")
    wait_for(lambda: events(agent, name, "snapshot_taken"), "the snapshot", 60)
    return name


def find_case(agent, phone):
    for one in agent.get("/v1/cases?limit=100").json()["items"]:
        if one["category"] == "dispute" and ORDER in one["subject"]:
            file = agent.read_case(one["ref"])
            if any(phone in m["author"] for m in file["messages"]):
                return one["ref"]
    return None


def events(agent, name, kind):
    return [e for e in agent.read_case(name)["events"] if e["kind"] == kind]


def export(api, name):
    reply = api.get(f"/v1/cases/{name}/evidence")
    assert reply.status == 200, reply.body
    told = reply.json()
    packed = call("GET", told["url"]).body
    assert sha256(packed).hexdigest() == told["sha256"]
    return packed


def locked(stack, case_id):
    bucket = stack.outside.outputs["EvidenceBucket"]
    found = stack.client("s3").list_object_versions(Bucket=bucket, Prefix=f"cases/{case_id}/")
    return bucket, found.get("Versions", [])


def test_the_platforms_snapshot_is_taken_once_and_cannot_be_deleted(stack, agent, disputed):
    case = agent.read_case(disputed)["case"]
    (taken,) = events(agent, disputed, "snapshot_taken")
    bucket, (version,) = locked(stack, case["id"])
    body = stack.client("s3").get_object(Bucket=bucket, Key=version["Key"])["Body"].read()
    assert taken["private"]["digest"] == sha256(body).hexdigest()
    assert ORDER in body.decode()
    place = {"Bucket": bucket, "Key": version["Key"], "VersionId": version["VersionId"]}
    with pytest.raises(ClientError, match="AccessDenied"):
        stack.client("s3").delete_object(**place)


def test_a_pack_of_it_verifies_offline_and_one_flipped_byte_does_not(
    auditor, agent, disputed, tmp_path: Path
):
    packed = export(auditor, disputed)
    path = tmp_path / "pack.zip"
    path.write_bytes(packed)
    done = CliRunner().invoke(evidence, ["verify", str(path)])
    assert (done.exit_code, done.output.count("FAILED")) == (0, 0), done.output
    broken = bytearray(packed)
    broken[len(packed) // 2] ^= 1
    path.write_bytes(broken)
    assert CliRunner().invoke(evidence, ["verify", str(path)]).exit_code == 1
    (exported,) = events(agent, disputed, "evidence_exported")
    assert exported["data"]["sha256"] == sha256(packed).hexdigest()


def test_the_nights_digest_is_signed_by_kms_anchored_and_proves_the_case(
    stack, auditor, agent, disputed
):
    """As if the night had come: the case's last change is moved to yesterday."""
    case_id = agent.read_case(disputed)["case"]["id"]
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    move_to_day(stack, case_id, yesterday)

    made = json.loads(stack.invoke("DigestsFunction"))

    assert made["days"][-1:] == [yesterday]
    bucket, key = stack.outside.outputs["AnchorBucket"], f"digests/{yesterday}.json"
    (version,) = stack.client("s3").list_object_versions(Bucket=bucket, Prefix=key)["Versions"]
    with pytest.raises(ClientError, match="AccessDenied"):
        stack.client("s3").delete_object(Bucket=bucket, Key=key, VersionId=version["VersionId"])
    said = json.loads(stack.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())
    assert case_id in [leaf["id"] for leaf in said["leaves"]]
    assert json.loads(stack.invoke("DigestsFunction")) == {"days": []}


def move_to_day(stack, case_id, day):
    table = stack.outside.outputs["TableName"]
    key = {"pk": {"S": f"CASE#{case_id}"}, "sk": {"S": "CASE"}}
    stack.client("dynamodb").update_item(
        TableName=table,
        Key=key,
        UpdateExpression="SET changed_pk = :day",
        ExpressionAttributeValues={":day": {"S": f"CHANGED#{day}#0"}},
    )


def test_who_is_no_lead_and_no_auditor_gets_no_pack(agent, disputed):
    assert agent.get(f"/v1/cases/{disputed}/evidence").status == 403
    assert agent.get("/v1/cases/C-0000-0000/evidence").status in (403, 404)


def test_a_pack_holds_the_readable_page_and_the_key(auditor, disputed):
    packed = export(auditor, disputed)
    entries = read_pack(packed)
    assert "我要退款" in entries["summary.html"].decode()
    verdict = verify_pack(packed, verify_rsa)
    assert f"keys/{verdict.key}.der" in entries


def test_the_command_exports_a_pack_that_the_command_verifies(stack, disputed, tmp_path: Path):
    path = tmp_path / "pack.zip"
    asked = ["export", disputed, "--state-dir", str(stack.state_dir), "--to", str(path)]
    done = CliRunner().invoke(evidence, asked)
    assert done.exit_code == 0, done.output
    assert CliRunner().invoke(evidence, ["verify", str(path)]).exit_code == 0
