"""`media.yaml`: how large a file may be on each channel."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from caseweave.config.folder import config_folder
from caseweave.config.nodes import read_file
from caseweave.domain.message import Channel

# What the media function has memory for (template.yaml).
MOST_MEGABYTES = 100
_MEGABYTE = 1_000_000


@cache
def deployed_media_limits() -> Mapping[Channel, int]:
    """The most bytes of a file, by channel. Raises InvalidConfigError."""
    return load_media_limits(config_folder())


def load_media_limits(folder: Path) -> dict[Channel, int]:
    """Raises InvalidConfigError with file, line and what to write instead."""
    node = read_file(folder / "media.yaml").mapping("most_megabytes").get("most_megabytes")
    node.mapping(*[str(channel) for channel in Channel])
    advice = f"write a whole number of megabytes from 1 to {MOST_MEGABYTES}"
    return {
        channel: node.get(channel).convert(_read_megabytes, advice) * _MEGABYTE
        for channel in Channel
    }


def _read_megabytes(text: str) -> int:
    number = int(text) if text.isascii() and text.isdecimal() else 0
    if not 1 <= number <= MOST_MEGABYTES:
        raise ValueError(text)
    return number
