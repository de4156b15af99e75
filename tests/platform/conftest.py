from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.platform.sample import FIRST, Sample, running


@pytest.fixture(scope="session")
def sample_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sample]:
    with running(Path(tmp_path_factory.mktemp("platform")) / "platform.sqlite3") as sample:
        yield sample


@pytest.fixture
def sample(sample_server: Sample) -> Iterator[Sample]:
    """The sample platform without a fault, and one secret that both sides know."""
    yield sample_server
    sample_server.recover()
    sample_server.later *= 0
    sample_server.ours[:] = sample_server.theirs[:] = [FIRST]
