"""Mail intake: a MIME object in the mail bucket becomes a message with its files."""

from collections.abc import Callable
from datetime import datetime, timedelta

from caseweave.aws.mailbox import keep_attachment, read_object
from caseweave.channels import ses
from caseweave.channels.mail_reading import LARGEST_MAIL
from caseweave.errors import UnparseableError
from caseweave.intake import Door, Landed, quarantine, receive_message
from caseweave.storage.ledger import RawInput
from caseweave.webhooks import parse_events


def receive_mail(
    bucket: str,
    key: str,
    files_bucket: str,
    make_door: Callable[[], Door],
    retention: timedelta,
    now: datetime,
) -> Landed | None:
    """Take in one delivered mail; None if it was quarantined or is no mail.

    The raw mail stays in the bucket, the ledger names it. Files are kept before the message that
    mentions them: a crash in between leaves a file too many, never one too few. Raises
    NotFoundError, ContentionError, UnavailableError.
    """
    object_id = key.rpartition("/")[2]
    if object_id == ses.SETUP_OBJECT:
        return None
    # One byte more than is read, so that the reader knows there was more.
    content = read_object(bucket, key, LARGEST_MAIL + 1)
    raw = RawInput(ses.PROVIDER, "", now, retention, body_ref=f"s3://{bucket}/{key}")
    try:
        inbound, mail = parse_events(lambda: ses.parse(content, object_id))
    except UnparseableError as error:
        quarantine(raw, str(error))
        return None
    for file in mail.kept_files:
        keep_attachment(files_bucket, file.digest, file.media_type, file.content)
    return receive_message(inbound, raw, make_door())
