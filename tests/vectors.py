"""What others collected of providers' traffic; its licences keep it out of this project.

Set CASEWEAVE_VECTORS to the folder that holds it. `pytest -rP` shows what became of each of it.
"""

import json
import os
from pathlib import Path

import pytest

VECTORS = Path(os.environ.get("CASEWEAVE_VECTORS") or "/nowhere")
needs_vectors = pytest.mark.skipif(
    not VECTORS.is_dir(),
    reason="set CASEWEAVE_VECTORS to the folder of what others collected of providers' traffic",
)


def read_json(path):
    return json.loads(path.read_text("utf-8"))


def signature_vectors(folder):
    return read_json(folder / "signature_vectors.json")["vectors"]
