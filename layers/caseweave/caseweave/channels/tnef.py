"""winmail.dat: what Outlook makes of a mail when it thinks that Outlook reads it (TNEF).

A reader of our own: the libraries for it are unmaintained or written in C, and this is what a
stranger may send. Every length is checked against what is there, nothing is read twice.
https://learn.microsoft.com/en-us/openspecs/exchange_server_protocols/ms-oxtnef/
https://learn.microsoft.com/en-us/openspecs/exchange_server_protocols/ms-oxrtfcp/
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from struct import Struct
from struct import error as struct_error

from caseweave.channels.charsets import decode_text

_SIGNATURE = b"\x78\x9f\x3e\x22"
_ATTRIBUTE = Struct("<BII")
_UINT32 = Struct("<I")
_PROPERTY = Struct("<HH")
_RTF_HEAD = Struct("<IIII")

_BODY, _MAPI_PROPERTIES, _CODE_PAGE = 0x0002800C, 0x00069003, 0x00069007
_ATTACH_START, _ATTACH_TITLE = 0x00069002, 0x00018010
_ATTACH_DATA, _ATTACH_PROPERTIES = 0x0006800F, 0x00069005

_TEXT, _HTML, _RTF = 0x1000, 0x1013, 0x1009
_LONG_NAME, _MEDIA_TYPE, _CONTENT_ID, _DATA_OBJECT = 0x3707, 0x370E, 0x3712, 0x3701

_STRING8, _UNICODE, _BINARY, _OBJECT = 0x1E, 0x1F, 0x102, 0x0D
_SIZES = {2: 4, 3: 4, 4: 4, 5: 8, 6: 8, 7: 8, 0xA: 4, 0xB: 4, 0x14: 8, 0x40: 8, 0x48: 16}
_IS_MULTIPLE = 0x1000
_NAMED = 0x8000
_MOST_PROPERTIES = 2_000
_MOST_FILES = 100
_LONGEST_RTF = 10_000_000
_COMPRESSED, _UNCOMPRESSED = 0x75465A4C, 0x414C454D
# What every compressed text starts from, as the specification prints it.
_RTF_DICTIONARY = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript "
    rb"\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0"
    b"\r\n"
    rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
)


@dataclass(slots=True)
class TnefFile:
    """A file in a winmail.dat; `name` is as its sender wrote it."""

    name: str = ""
    media_type: str = ""
    content_id: str = ""
    content: bytes = b""


@dataclass(slots=True)
class Tnef:
    """`is_whole` is False if something in it could not be understood."""

    text: str = ""
    html: str = ""
    rtf: bytes = b""
    files: list[TnefFile] = field(default_factory=list)
    is_whole: bool = True


def read_tnef(content: bytes) -> Tnef:
    """What is in a winmail.dat, as far as it can be read."""
    found = Tnef()
    code_page = ""
    try:
        for attribute, data in _attributes(content):
            if attribute == _CODE_PAGE and len(data) >= _UINT32.size:
                code_page = f"cp{_UINT32.unpack_from(data)[0]}"
            elif attribute == _BODY:
                found.text = _string(data, code_page)
            elif attribute == _MAPI_PROPERTIES:
                _read_message(found, data, code_page)
            elif attribute == _ATTACH_START:
                found.files.append(TnefFile())
            elif found.files:
                _read_file(found.files[-1], attribute, data, code_page)
            if len(found.files) > _MOST_FILES:
                raise ValueError("too many files")  # noqa: TRY301 - ends the reading like the rest
    except (struct_error, ValueError, IndexError):
        found.is_whole = False
    found.files = [file for file in found.files[:_MOST_FILES] if file.content]
    return found


def _attributes(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Raises ValueError or struct.error where the stream breaks off."""
    if not content.startswith(_SIGNATURE):
        raise ValueError("no TNEF")
    at = len(_SIGNATURE) + 2
    while at < len(content):
        _, attribute, length = _ATTRIBUTE.unpack_from(content, at)
        at += _ATTRIBUTE.size
        if at + length > len(content):
            raise ValueError("cut off")
        yield attribute, content[at : at + length]
        # A checksum of two bytes, which many writers get wrong.
        at += length + 2


def _read_message(found: Tnef, data: bytes, code_page: str) -> None:
    for kind, name, value in _properties(data):
        if name == _TEXT:
            found.text = _property_text(kind, value, code_page)
        elif name == _HTML:
            found.html = _property_text(kind, value, code_page)
        elif name == _RTF:
            found.rtf = decompress_rtf(value)


def _read_file(file: TnefFile, attribute: int, data: bytes, code_page: str) -> None:
    if attribute == _ATTACH_TITLE:
        file.name = file.name or _string(data, code_page)
    elif attribute == _ATTACH_DATA:
        file.content = data
    elif attribute == _ATTACH_PROPERTIES:
        for kind, name, value in _properties(data):
            if name == _LONG_NAME:
                file.name = _property_text(kind, value, code_page)
            elif name == _MEDIA_TYPE:
                file.media_type = _property_text(kind, value, code_page)
            elif name == _CONTENT_ID:
                file.content_id = _property_text(kind, value, code_page)
            elif name == _DATA_OBJECT and not file.content:
                # A GUID says what kind of object it is: here a message, TNEF again.
                file.content = value[16:]


def _properties(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """(type, id, first value) of MAPI properties. Raises ValueError or struct.error."""
    (count,) = _UINT32.unpack_from(data)
    at = _UINT32.size
    for _ in range(min(count, _MOST_PROPERTIES)):
        kind, name = _PROPERTY.unpack_from(data, at)
        at += _PROPERTY.size
        if name >= _NAMED:
            at = _skip_name(data, at)
        value, at = _value(data, at, kind)
        yield kind & ~_IS_MULTIPLE, name, value


def _skip_name(data: bytes, at: int) -> int:
    (is_string,) = _UINT32.unpack_from(data, at + 16)
    at += 20
    (length,) = _UINT32.unpack_from(data, at)
    return at + 4 + (_padded(length) if is_string else 0)


def _value(data: bytes, at: int, kind: int) -> tuple[bytes, int]:
    plain = kind & ~_IS_MULTIPLE
    count = 1
    if plain in {_STRING8, _UNICODE, _BINARY, _OBJECT}:
        (count,) = _UINT32.unpack_from(data, at)
        at += 4
        first = b""
        for number in range(count):
            (length,) = _UINT32.unpack_from(data, at)
            at += 4
            if at + length > len(data):
                raise ValueError("cut off")
            if number == 0:
                first = data[at : at + length]
            at += _padded(length)
        return first, at
    if plain not in _SIZES:
        raise ValueError("no type of property")
    if kind & _IS_MULTIPLE:
        (count,) = _UINT32.unpack_from(data, at)
        at += 4
    end = at + _SIZES[plain] * count
    if end > len(data):
        raise ValueError("cut off")
    return data[at : at + _SIZES[plain]], end


def _padded(length: int) -> int:
    return (length + 3) // 4 * 4


def _property_text(kind: int, value: bytes, code_page: str) -> str:
    if kind == _UNICODE:
        return value.decode("utf-16-le", "replace").rstrip("\0")
    return _string(value, code_page)


def _string(data: bytes, code_page: str) -> str:
    return decode_text(data.rstrip(b"\0"), code_page)


def decompress_rtf(data: bytes) -> bytes:
    """The RTF of a compressed one. Raises ValueError or struct.error for what is none."""
    _, size, kind, _ = _RTF_HEAD.unpack_from(data)
    packed = data[_RTF_HEAD.size :]
    if kind == _UNCOMPRESSED:
        return packed[:size]
    if kind != _COMPRESSED or size > _LONGEST_RTF:
        raise ValueError("no compressed RTF")
    # The last 4096 bytes are the dictionary; here it is the tail of what was written.
    window = bytearray(4096)
    window[: len(_RTF_DICTIONARY)] = _RTF_DICTIONARY
    place, at, out = len(_RTF_DICTIONARY), 0, bytearray()
    while at < len(packed) and len(out) < size:
        control = packed[at]
        at += 1
        for bit in range(8):
            if at >= len(packed) or len(out) >= size:
                break
            if not control >> bit & 1:
                piece = packed[at : at + 1]
                at += 1
            else:
                if at + 1 >= len(packed):
                    return bytes(out)
                offset = packed[at] << 4 | packed[at + 1] >> 4
                length = (packed[at + 1] & 15) + 2
                at += 2
                if offset == place:
                    return bytes(out)
                piece = b""
                for step in range(length):
                    byte = window[(offset + step) % 4096]
                    window[place] = byte
                    place = (place + 1) % 4096
                    out.append(byte)
                continue
            window[place] = piece[0]
            place = (place + 1) % 4096
            out += piece
    return bytes(out[:size])
