"""A message as the requests in which it leaves, one after another."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from caseweave.channels.request import Abilities
from caseweave.domain.message import Attachment, Message, Progress
from caseweave.domain.splitting import measure, split_text

# What `(12/34) ` in front of a part takes.
_NUMBERING = 8


@dataclass(frozen=True, slots=True)
class Part:
    """What one request carries: words, or a file, which is a link in words where `is_link`.

    `sent` is how far the message is once the provider has taken this.
    """

    number: int
    of: int
    body: str
    file: Attachment | None = None
    is_link: bool = False
    quick_replies: tuple[str, ...] = ()
    sent: Progress = field(default_factory=Progress)


def whole_message(message: Message) -> list[Part]:
    """The one part of a message that leaves as it is, files and all."""
    return [Part(1, 1, message.body, quick_replies=message.quick_replies)]


def plan_parts(message: Message, abilities: Abilities) -> list[Part]:
    """What has still to leave of *message*, in order: its files, then its words, under the last
    of which the quick replies stand. At least one part, however little there is to say.
    """
    sent = message.delivery.sent if message.delivery else Progress()
    parts = [*_files(message, abilities, sent), *_words(message, abilities, sent)]
    parts = parts or [Part(0, 0, message.body)]
    of = sent.parts + len(parts)
    return [_number(part, sent.parts + n, of, abilities) for n, part in enumerate(parts, 1)]


def write_choices(body: str, quick_replies: tuple[str, ...]) -> str:
    """*body*, and the quick replies in numbered lines under it."""
    lines = [f"{number}. {choice}" for number, choice in enumerate(quick_replies, 1)]
    return "\n".join([body, "", *lines] if body and lines else [body, *lines]).strip("\n")


def takes_file(abilities: Abilities, media_type: str, size: int) -> bool:
    kind = media_type.partition("/")[0]
    largest = abilities.files.get(media_type, abilities.files.get(kind, abilities.files.get("*")))
    return largest is not None and size <= largest


def _files(message: Message, abilities: Abilities, sent: Progress) -> Iterator[Part]:
    for count, file in enumerate(message.attachments[sent.files :], sent.files + 1):
        is_link = not takes_file(abilities, file.media_type, file.size)
        yield Part(0, 0, "", file, is_link, sent=Progress(files=count, characters=sent.characters))


def _words(message: Message, abilities: Abilities, sent: Progress) -> Iterator[Part]:
    text, choices = message.body, message.quick_replies
    if not _can_offer(abilities, choices):
        text, choices = write_choices(text, choices), ()
    at, files = sent.characters, len(message.attachments)
    is_numbered = not abilities.keeps_order and (
        files > 0 or measure(text, abilities.unit) > abilities.longest_body
    )
    longest = abilities.longest_body - (_NUMBERING if is_numbered else 0)
    pieces = split_text(text[at:], longest, abilities.unit)
    if choices and pieces and abilities.longest_body_with_choices:
        pieces[-1:] = split_text(pieces[-1], abilities.longest_body_with_choices, abilities.unit)
    # A provider refuses what is only white space; nobody misses it.
    last = max((count for count, piece in enumerate(pieces) if piece.strip()), default=-1)
    for count, piece in enumerate(pieces):
        at += len(piece)
        if piece.strip():
            progress = Progress(files=files, characters=at)
            yield Part(0, 0, piece, quick_replies=choices if count == last else (), sent=progress)


def _can_offer(abilities: Abilities, choices: tuple[str, ...]) -> bool:
    return len(choices) <= abilities.most_choices and all(
        len(choice) <= abilities.longest_choice for choice in choices
    )


def _number(part: Part, number: int, of: int, abilities: Abilities) -> Part:
    """Numbers for people only where the parts may arrive in another order."""
    is_numbered = of > 1 and (part.body or part.is_link) and not abilities.keeps_order
    body = f"({number}/{of}) {part.body}" if is_numbered else part.body
    return replace(part, number=number, of=of, body=body, sent=replace(part.sent, parts=number))
