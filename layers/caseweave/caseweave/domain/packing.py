"""The container of an evidence pack: a zip that can be written in one way only.

Nothing is compressed, nothing is optional, names are in order, all times are the same. So whoever
reads it can write it again and compare every byte: what hides in the corners of other zips (a
second directory, extra fields, comments, data between entries) has no place here, and neither has
a bomb. Any unzip program opens it. https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
"""

import re
import struct
from collections.abc import Mapping
from zlib import crc32

from caseweave.errors import CaseweaveError

# One GB: the format itself ends at four, and whoever verifies holds it in memory.
LARGEST = 1 << 30
MOST_ENTRIES = 65_000
_LONGEST_NAME = 200
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*", re.ASCII)
_LOCAL, _CENTRAL, _END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
# Version 2.0, UTF-8 names, stored; 1980-01-01 00:00.
_COMMON = struct.pack("<HHHHH", 20, 0x0800, 0, 0, 0x0021)
_HEADER = 30


class PackError(CaseweaveError):
    """The container is not as we write it; the message says where."""


def write_pack(entries: Mapping[str, bytes]) -> bytes:
    """The zip of these entries. Raises PackError for what does not fit into one."""
    names = sorted(entries)
    for name in names:
        _check_name(name)
    size = sum(2 * len(name) + 76 + len(entries[name]) for name in names) + 22
    if len(names) > MOST_ENTRIES or size > LARGEST:
        raise PackError(f"{len(names)} entries and {size} bytes are more than a pack can hold")
    written, offsets = bytearray(), {}
    for name in names:
        offsets[name] = len(written)
        written += _local(name, entries[name]) + entries[name]
    return bytes(written + _directory(entries, offsets, len(written)))


def read_pack(packed: bytes) -> dict[str, bytes]:
    """The entries of a pack that is byte for byte as we write it. Raises PackError."""
    if len(packed) > LARGEST:
        raise PackError(f"the file has {len(packed)} bytes: no pack is that large")
    entries: dict[str, bytes] = {}
    offsets: dict[str, int] = {}
    at, last = 0, ""
    while packed[at : at + 4] == _LOCAL:
        name, content = _read_entry(packed, at, last)
        entries[name], offsets[name] = content, at
        at, last = at + _HEADER + len(name) + len(content), name
        if len(entries) > MOST_ENTRIES:
            raise PackError("there are more entries than a pack can hold")
    if not entries:
        raise PackError("this is no evidence pack: it does not begin as one")
    _check_directory(packed, entries, offsets, at)
    return entries


def _read_entry(packed: bytes, at: int, last: str) -> tuple[str, bytes]:
    where = f"the entry after {last}" if last else "the first entry"
    header = packed[at : at + _HEADER]
    if len(header) < _HEADER:
        raise PackError(f"{where}: the file ends in the middle of it")
    digest, packed_size, size, name_size = struct.unpack("<IIIH", header[14:28])
    start = at + _HEADER + name_size
    try:
        name = packed[at + _HEADER : start].decode("ascii")
        _check_name(name)
    except (UnicodeDecodeError, PackError):
        raise PackError(f"{where}: its name is not one that we give") from None
    if name <= last:
        raise PackError(f"{name}: it stands after {last}, but entries are in order")
    if packed_size != size or start + size > len(packed):
        raise PackError(f"{name}: its header tells a size that it has not")
    content = packed[start : start + size]
    if crc32(content) != digest:
        raise PackError(f"{name}: its bytes are not those that were packed")
    if header + packed[at + _HEADER : start] != _local(name, content):
        raise PackError(f"{name}: its header is not as we write it")
    return name, content


def _check_directory(
    packed: bytes, entries: Mapping[str, bytes], offsets: Mapping[str, int], at: int
) -> None:
    """Everything after the entries has to be the directory that they make, and nothing else."""
    for name in entries:
        record = _central(name, entries[name], offsets[name])
        if packed[at : at + len(record)] != record:
            raise PackError(f"{name}: what the zip's directory says of it is not as we write it")
        at += len(record)
    if packed[at:] != _end(entries, offsets, at):
        raise PackError("the end of the zip is not as we write it")


def _check_name(name: str) -> None:
    if len(name) > _LONGEST_NAME or not _NAME.fullmatch(name):
        raise PackError(f"{name[:_LONGEST_NAME]!r} cannot be the name of an entry")


def _local(name: str, content: bytes) -> bytes:
    return _LOCAL + _COMMON + _sizes(content) + struct.pack("<HH", len(name), 0) + name.encode()


def _central(name: str, content: bytes, offset: int) -> bytes:
    made_by = struct.pack("<H", 20)
    tail = struct.pack("<HHHHHII", len(name), 0, 0, 0, 0, 0, offset)
    return _CENTRAL + made_by + _COMMON + _sizes(content) + tail + name.encode()


def _sizes(content: bytes) -> bytes:
    return struct.pack("<III", crc32(content), len(content), len(content))


def _directory(entries: Mapping[str, bytes], offsets: Mapping[str, int], at: int) -> bytes:
    records = b"".join(_central(name, entries[name], offsets[name]) for name in sorted(entries))
    return records + _end(entries, offsets, at + len(records))


def _end(entries: Mapping[str, bytes], offsets: Mapping[str, int], at: int) -> bytes:
    """*at* is where the directory ends."""
    size = sum(46 + len(name) for name in offsets)
    return _END + struct.pack("<HHHHIIH", 0, 0, len(entries), len(entries), size, at - size, 0)
