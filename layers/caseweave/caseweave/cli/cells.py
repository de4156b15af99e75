"""Values as cells of a table on the terminal. What customers wrote never steers the terminal."""

from rich.text import Text


def plain(text: str, style: str = "") -> Text:
    """The text as it is: no markup of ours in it, no control characters of theirs."""
    kept = (
        character if character == "\n" or character.isprintable() else "\N{REPLACEMENT CHARACTER}"
        for character in text.strip().replace("\r\n", "\n").replace("\t", " ")
    )
    return Text("".join(kept), style=style)


def clock_time(moment: str | None) -> str:
    """`05:24:33` of an RFC 3339 time."""
    return moment[11:19] if moment else "–"


def date_time(moment: str | None) -> str:
    """`2026-11-23 05:24` of an RFC 3339 time."""
    return moment[:16].replace("T", " ") if moment else "–"
