"""Mail intake: a MIME object in the mail bucket becomes a message with its files."""

from collections.abc import Callable
from datetime import datetime, timedelta

from caseweave.aws.mailbox import keep_attachment
from caseweave.aws.objects import read_object
from caseweave.channels import ses
from caseweave.channels.mail_reading import LARGEST_MAIL
from caseweave.errors import UnparseableError
from caseweave.intake import Door, quarantine, take_in
from caseweave.storage.ledger import RawInput
from caseweave.webhooks import parse_events


def receive_mail(
    bucket: str,
    key: str,
    files_bucket: str,
    make_door: Callable[[], Door],
    retention: timedelta,
    now: datetime,
) -> int:
    """Take in one delivered mail; how many of its events were new.

    The raw mail stays in the bucket, the ledger names it. Files are kept before the message that
    mentions them: a crash in between leaves a file too many, never one too few. Raises
    NotFoundError, ContentionError, UnavailableError.
    """
    object_id = key.rpartition("/")[2]
    if object_id == ses.SETUP_OBJECT:
        return 0
    # One byte more than is read, so that the reader knows there was more.
    content = read_object(bucket, key, LARGEST_MAIL + 1)
    ref = f"s3://{bucket}/{key}"
    raw = RawInput(ses.PROVIDER, "", now, retention, body_ref=ref, hold_in=files_bucket)
    try:
        events, files = parse_events(lambda: ses.parse(content, object_id))
    except UnparseableError as error:
        return int(quarantine(raw, str(error)))
    for file in files:
        keep_attachment(files_bucket, file.digest, file.media_type, file.content)
    return take_in(events, raw, make_door())
