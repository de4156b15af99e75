"""What becomes of files, as the chain and as people see it."""

from dataclasses import replace

import pytest

from caseweave.domain.event import EventKind, begin_change
from caseweave.domain.media import (
    FileOutcome,
    FileState,
    Shortfall,
    record_outcome,
    served_type,
    show_attachments,
)
from caseweave.domain.message import Attachment
from tests.domain.samples import at, opened, told

PHOTO = Attachment("photo.jpg", "image/jpeg", 900, provider_ref="file-id")
FILM = Attachment("film.mp4", "video/mp4", 0, provider_ref="film-id")
KEPT = FileOutcome(
    "message-1",
    0,
    FileState.STORED,
    digest="ab" * 32,
    size=901,
    media_type="image/png",
    thumbnail="cd" * 32,
    is_executable=True,
)
MISSED = FileOutcome(
    "message-1", 1, FileState.UNAVAILABLE, reason=Shortfall.TOO_LARGE, detail="more than 5 bytes"
)


def test_a_message_is_shown_with_what_became_of_its_files():
    message = replace(opened("hi", attachments=(PHOTO, FILM))[1], id="message-1")

    assert show_attachments(message, [MISSED, KEPT]) == (
        Attachment(
            "photo.jpg",
            "image/png",
            901,
            "ab" * 32,
            "stored",
            "file-id",
            declared_type="image/jpeg",
            thumbnail="cd" * 32,
            is_executable=True,
        ),
        Attachment(
            "film.mp4",
            "video/mp4",
            0,
            "",
            "unavailable",
            "film-id",
            reason="too_large",
            detail="more than 5 bytes",
        ),
    )


def test_what_is_not_known_yet_and_what_belongs_to_others_is_shown_as_it_came():
    message = replace(opened("hi", attachments=(PHOTO, FILM))[1], id="message-2")
    assert show_attachments(message, [KEPT, MISSED]) == (PHOTO, FILM)


def test_the_chain_says_which_bytes_were_kept_and_why_some_were_not():
    case, _ = opened("hi")
    change = record_outcome(begin_change(case), KEPT, at("2026-11-23 12:00"))
    change = record_outcome(change, MISSED, at("2026-11-23 12:01"))

    assert [(event.kind, told(event)) for event in change.events] == [
        (
            EventKind.ATTACHMENT_STORED,
            {
                "message_id": "message-1",
                "index": 0,
                "digest": "ab" * 32,
                "size": 901,
                "media_type": "image/png",
                "thumbnail": "cd" * 32,
                "is_executable": True,
            },
        ),
        (
            EventKind.ATTACHMENT_UNAVAILABLE,
            {
                "message_id": "message-1",
                "index": 1,
                "reason": "too_large",
                "detail": "more than 5 bytes",
            },
        ),
    ]
    assert (change.after.state, change.after.clocks) == (case.state, case.clocks)


@pytest.mark.parametrize(
    ("media_type", "served"),
    [
        ("image/jpeg", "image/jpeg"),
        ("video/mp4", "video/mp4"),
        ("application/pdf", "application/pdf"),
        ("text/plain", "text/plain"),
        ("text/html", "application/octet-stream"),
        ("image/svg+xml", "application/octet-stream"),
        ("text/xml", "application/octet-stream"),
        ("text/javascript", "application/octet-stream"),
        ("application/x-shockwave-flash", "application/octet-stream"),
        ("image/jpeg, text/html", "application/octet-stream"),
        ("", "application/octet-stream"),
    ],
)
def test_nothing_is_served_as_something_that_a_browser_runs(media_type, served):
    assert served_type(media_type) == served
