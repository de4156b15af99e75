"""Seconds and memory for the largest mails there can be: `python -m bench.mail_reading`.

Each is read in a process of its own, whose peak is that of a function that reads only this mail.
"""

import os
import resource
import time
from base64 import encodebytes
from collections.abc import Callable

from caseweave.channels.mail_reading import LARGEST_MAIL, read_mail

_PICTURE = b"Content-Type: image/png; name=a.png\r\nContent-Transfer-Encoding: base64\r\n\r\n"


def _mail(files: int) -> bytes:
    content = encodebytes(os.urandom(28_000_000 // files)).replace(b"\n", b"\r\n")
    return (
        b"From: a@example.com\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
        + (b"--x\r\n" + _PICTURE + content) * files
        + b"--x--\r\n"
    )


def _filled(head: bytes, piece: bytes) -> bytes:
    return head + piece * ((LARGEST_MAIL - len(head)) // len(piece))


MAILS: dict[str, Callable[[], bytes]] = {
    "one attachment": lambda: _mail(1),
    "90 attachments": lambda: _mail(90),
    "empty lines": lambda: _filled(b"Subject: x\n\n", b"\n"),
    "headers": lambda: _filled(b"From: a@example.com\n", b"X: y\n"),
    "HTML": lambda: _filled(b"Content-Type: text/html\n\n", b"<p>x</p>\n"),
    "uuencoded": lambda: _filled(
        b"Content-Transfer-Encoding: uuencode\n\nbegin 644 x\n", b"#86)C\n"
    ),
    "false boundaries": lambda: _filled(
        b"Content-Type: multipart/mixed; boundary=x\n\n--x\n\n", b"z\n--x"
    ),
}


def main() -> None:
    for name, make in MAILS.items():
        process = os.fork()
        if process == 0:
            _measure(name, make())
            os._exit(0)
        os.waitpid(process, 0)


def _measure(name: str, raw: bytes) -> None:
    started = time.process_time()
    mail = read_mail(raw)
    seconds = time.process_time() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    read = f"{len(mail.kept_files)} files, {len(mail.text)} characters"
    print(f"{name}: {len(raw) >> 20} MB, {seconds:.2f} s, peak {peak} MB, {read}", flush=True)


if __name__ == "__main__":
    main()
