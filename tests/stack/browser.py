"""A real Chromium, driven over its debugging pipe.

https://chromedevtools.github.io/devtools-protocol/
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

# The browser reads from 3 and writes to 4.
_PLACE_PIPES = """\
import os, sys
reading, writing = (os.dup(int(number)) for number in sys.argv[1:3])
for found, wanted in ((reading, 3), (writing, 4)):
    os.dup2(found, wanted)
    os.set_inheritable(wanted, True)
os.execv(sys.argv[3], sys.argv[3:])
"""
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


class Page:
    """One tab."""

    def __init__(self, write: Any, read: Any) -> None:
        self._write, self._read, self._last = write, read, 0
        target = self._call("Target.createTarget", {"url": "about:blank"})["targetId"]
        attached = self._call("Target.attachToTarget", {"targetId": target, "flatten": True})
        self._session = attached["sessionId"]

    def open(self, url: str) -> None:
        self._call("Page.navigate", {"url": url}, self._session)
        self.wait("document.body && document.body.dataset.ready === 'yes'")

    def run(self, script: str) -> Any:
        """The value of a script, awaited."""
        asked = {"expression": script, "awaitPromise": True, "returnByValue": True}
        answer = self._call("Runtime.evaluate", asked, self._session)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait(self, script: str, seconds: float = 30) -> Any:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = self.run(script)
            if found:
                return found
            time.sleep(0.2)
        pytest.fail(f"the page never had: {script}\n{self.run('document.body.innerText')}")

    def _call(self, method: str, arguments: dict[str, Any], session: str = "") -> Any:
        self._last += 1
        asked = {"id": self._last, "method": method, "params": arguments}
        if session:
            asked["sessionId"] = session
        self._write.write(json.dumps(asked).encode() + b"\0")
        self._write.flush()
        while True:
            answer = json.loads(self._read_message())
            if answer.get("id") == self._last:
                assert "error" not in answer, answer
                return answer["result"]

    def _read_message(self) -> bytes:
        found = bytearray()
        while (byte := self._read.read(1)) != b"\0":
            assert byte, "the browser is gone"
            found += byte
        return bytes(found)


@contextmanager
def open_browser(profile: Path) -> Iterator[Page]:
    """Skips the test where there is no browser."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip(f"no browser here: install one of {', '.join(PROGRAMS)}")
    to_browser, from_us = os.pipe()
    from_browser, to_us = os.pipe()
    process = subprocess.Popen(
        [
            *(sys.executable, "-c", _PLACE_PIPES, str(to_browser), str(to_us), program),
            *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
            *("--remote-debugging-pipe", f"--user-data-dir={profile}", "about:blank"),
        ],
        pass_fds=(to_browser, to_us),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(to_browser)
    os.close(to_us)
    try:
        with os.fdopen(from_us, "wb") as write, os.fdopen(from_browser, "rb") as read:
            yield Page(write, read)
    finally:
        process.kill()
        process.wait()
