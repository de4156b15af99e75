"""The sample platform, in this process, and the connector that asks it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

from caseweave.platform.connector import Connector, World
from caseweave.platform.transport import open_url
from examples.platform.faults import Fault
from examples.platform.server import PlatformServer

FIRST = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
SECOND = "whsec_Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA="


@dataclass
class Sample:
    """`ours` are the secrets that sign, `theirs` those that the platform knows."""

    url: str
    server: PlatformServer
    theirs: list[str]
    ours: list[str] = field(default_factory=lambda: [FIRST])
    later: timedelta = timedelta(0)

    def fail(self, **fault: Any) -> None:
        self.server.platform.desk.faults.add(Fault.from_json(fault))

    def recover(self) -> None:
        self.server.platform.desk.faults.clear()

    def connector(self) -> Connector:
        """With what happens by chance fixed, and pauses that take no time."""
        world = World(
            now=lambda: datetime.now(UTC) + self.later,
            sleep=lambda seconds: None,
            draw=lambda: 0.5,
            new_id=lambda: "question-1",
            open_url=open_url,
            read_secrets=lambda: self.ours,
        )
        return Connector(self.url, world)


@contextmanager
def running(database: Path) -> Iterator[Sample]:
    theirs = [FIRST]
    with PlatformServer(0, database, read_secrets=lambda: theirs) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield Sample(f"http://127.0.0.1:{server.server_port}", server, theirs)
        server.shutdown()
        thread.join(5)
