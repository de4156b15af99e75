"""The digest schedule: each day's ends of chains are signed and anchored (promise P9).

One object a day, put once and whole: a run that dies leaves the day without one, and the next run
makes up for it. Two runs at once make the same statement, or the second finds the day taken.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from caseweave.aws.anchors import anchor_digest, list_anchored, read_anchored
from caseweave.aws.signing_key import read_public_key, sign_bytes
from caseweave.domain.digests import DailyDigest, choose_leaves, make_statement, signed_bytes
from caseweave.storage.changed import list_changed

_DAY = timedelta(days=1)
# How long ago the last digest may be for the days since then to be made up for.
_LONGEST_GAP = timedelta(days=400)
# So many missing days are made in one run at most; the next run goes on.
MOST_DAYS = 31


@dataclass(frozen=True, slots=True)
class Notary:
    """The key that signs, and the bucket where what is signed is anchored."""

    key_id: str
    bucket: str

    def sign(self, content: bytes) -> bytes:
        return sign_bytes(self.key_id, content)

    def public_key(self) -> bytes:
        return read_public_key(self.key_id)


def anchor_days(notary: Notary, now: datetime) -> list[date]:
    """Digest every day that is over and has none, the earliest first; which ones these were.

    The first digest of all is of yesterday: what changed before is told of when it changes again.
    Raises UnavailableError.
    """
    today, anchored = now.date(), list[date]()
    previous = _find_last(notary, today)
    day = previous.day + _DAY if previous else today - _DAY
    while day < today and len(anchored) < MOST_DAYS:
        digest = _make(notary, day, previous)
        if anchor_digest(notary.bucket, day, digest.encode()):
            anchored.append(day)
        else:
            digest = DailyDigest.decode(read_anchored(notary.bucket, day))
        previous, day = digest, day + _DAY
    return anchored


def _find_last(notary: Notary, today: date) -> DailyDigest | None:
    last = None
    for last in list_anchored(notary.bucket, today - _LONGEST_GAP):  # noqa: B007 - the last one
        pass
    return DailyDigest.decode(read_anchored(notary.bucket, last)) if last else None


def _make(notary: Notary, day: date, previous: DailyDigest | None) -> DailyDigest:
    leaves = choose_leaves(list_changed(day), list_changed(day - _DAY), previous)
    key = notary.public_key()
    statement = make_statement(day, leaves, key, previous)
    return DailyDigest(statement, notary.sign(signed_bytes(statement)), key, leaves)
