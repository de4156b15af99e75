"""`caseweave evidence export`: what is written is what the API made."""

import json
from hashlib import sha256

import pytest
from click.testing import CliRunner

from caseweave.cli import desk_api
from caseweave.cli.desk_api import DeskApi
from caseweave.cli.evidence import evidence
from caseweave.cli.outside import http
from caseweave.cli.outside.http import Reply
from tests.conftest import ROOT

GOLDEN = (ROOT / "tests" / "usecases" / "golden-pack.zip").read_bytes()


@pytest.fixture
def desk(monkeypatch):
    """A desk whose pack is the golden one; the bytes that its link serves can be changed."""
    served = [GOLDEN]
    told = {"ref": "C-1", "url": "http://s3/pack", "sha256": sha256(GOLDEN).hexdigest()}
    answer = Reply(200, {}, json.dumps(told).encode())
    monkeypatch.setattr(desk_api, "call_json", lambda *_args, **_more: answer)
    monkeypatch.setattr(desk_api, "sign_in", lambda *_: DeskApi("http://desk", "T"))
    monkeypatch.setattr(http, "call", lambda *_: Reply(200, {}, served[0]))
    return served


@pytest.mark.usefixtures("desk")
def test_the_pack_is_written_under_the_name_of_the_case(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(evidence, ["export", "C-1", "--state-dir", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "C-1-evidence.zip").read_bytes() == GOLDEN
    verified = CliRunner().invoke(evidence, ["verify", "C-1-evidence.zip"])
    assert verified.exit_code == 0


def test_a_pack_that_arrived_damaged_is_not_written(desk, tmp_path):
    desk[0] = GOLDEN[:-1]
    path = tmp_path / "pack.zip"
    asked = ["export", "C-1", "--state-dir", str(tmp_path), "--to", str(path)]
    done = CliRunner().invoke(evidence, asked)
    assert "export it again" in str(done.exception)
    assert not path.exists()
