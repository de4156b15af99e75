"""A calendar invitation as a line that people can read.

RFC 5545, RFC 5546 (METHOD).
"""

import re

_LONGEST_SOURCE = 200_000
_MOST_EVENTS = 5
_FOLD = re.compile(r"\r?\n[ \t]")
_LINE = re.compile(r"([A-Za-z-]{1,60})((?:;[^\r\n:\"]*+(?:\"[^\"\r\n]*\"[^\r\n:\"]*+)*+)?):(.*)")
_TZID = re.compile(r";TZID=\"?([^;:\"]{1,100})", re.IGNORECASE)
_CN = re.compile(r";CN=(?:\"([^\"]{1,200})\"|([^;:\"]{1,200}))", re.IGNORECASE)
_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(?:\d\d)?(Z?))?")
_ESCAPE = re.compile(r"\\([\\;,nN])")
_NAMES = {"SUMMARY", "DTSTART", "DTEND", "LOCATION", "ORGANIZER"}


def describe_invitation(source: str) -> str:
    """A line for each event: method, what, when with its zone, where, by whom; "" if there is none.

    The times are those of the invitation: it names a zone or means the reader's own.
    """
    method, lines = "", []
    event: dict[str, tuple[str, str]] | None = None
    for line in _FOLD.sub("", source[:_LONGEST_SOURCE]).splitlines():
        found = _LINE.fullmatch(line.strip())
        if found is None:
            continue
        name, parameters, value = found.group(1).upper(), found.group(2), found.group(3).strip()
        if name == "METHOD":
            method = value.upper()[:20]
        elif (name, value.upper()) == ("BEGIN", "VEVENT"):
            event = {}
        elif (name, value.upper()) == ("END", "VEVENT") and event is not None:
            lines.append(event)
            event = None
        elif event is not None and name in _NAMES:
            event.setdefault(name, (parameters, value))
    return "\n".join(_describe(one, method) for one in lines[:_MOST_EVENTS])


def _describe(event: dict[str, tuple[str, str]], method: str) -> str:
    title = _plain(event.get("SUMMARY", ("", ""))[1])
    kind = f" ({method})" if method else ""
    said = [f"日程邀请 Invitation{kind}: {title or '—'}", _describe_time(event)]
    place = _plain(event.get("LOCATION", ("", ""))[1])
    organiser = _describe_person(*event.get("ORGANIZER", ("", "")))
    said += [f"地点 where: {place}" if place else ""]
    said += [f"组织者 organiser: {organiser}" if organiser else ""]
    return " · ".join(part for part in said if part)


def _describe_time(event: dict[str, tuple[str, str]]) -> str:
    parameters, start = event.get("DTSTART", ("", ""))
    begin, end = _read_time(start), _read_time(event.get("DTEND", ("", ""))[1])
    if not begin:
        return ""
    if end.partition(" ")[0] == begin.partition(" ")[0]:
        end = end.partition(" ")[2]
    zone = _TZID.search(parameters)
    named = f" ({zone.group(1)})" if zone else ""
    return f"时间 when: {begin}{f' – {end}' if end else ''}{named}"


def _read_time(value: str) -> str:
    found = _TIME.fullmatch(value)
    if found is None:
        return _plain(value)[:40]
    year, month, day, hour, minute, is_utc = found.groups()
    clock = f" {hour}:{minute}{' UTC' if is_utc else ''}" if hour else ""
    return f"{year}-{month}-{day}{clock}"


def _describe_person(parameters: str, value: str) -> str:
    found = _CN.search(parameters)
    name = (found.group(1) or found.group(2)).strip() if found else ""
    address = re.sub("^mailto:", "", value, flags=re.IGNORECASE)
    return _plain(f"{name} <{address}>" if name and address else name or address)


def _plain(value: str) -> str:
    text = _ESCAPE.sub(lambda one: " " if one.group(1) in "nN" else one.group(1), value)
    return " ".join(text.split())[:300]
