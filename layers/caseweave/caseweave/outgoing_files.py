"""The files that agents send: how a provider, a customer and a mail come by them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus
from urllib.parse import quote, unquote

from caseweave.aws.files import sign_links
from caseweave.aws.mailbox import attachment_key
from caseweave.aws.objects import read_object
from caseweave.domain.message import Attachment
from caseweave.domain.tokens import issue_file_token, read_file_token
from caseweave.errors import NotFoundError
from caseweave.http import Answer
from caseweave.sending import Files

LINK_LIFETIME = timedelta(days=7)


def outgoing_files(bucket: str, public_url: str, keys: Sequence[bytes], now: datetime) -> Files:
    """Providers fetch from the bucket itself, at once; customers by a link of ours, for a week.

    An address of the bucket is 1,500 characters long and ends with the session of who signed it.
    """
    return Files(
        sign_url=lambda file: sign_links(bucket, file).url or "",
        make_link=partial(_make_link, public_url, keys, now + LINK_LIFETIME),
        read=lambda file: read_object(bucket, attachment_key(file.digest)),
    )


def answer_file_link(
    token: str, name: str, bucket: str, keys: Sequence[bytes], now: datetime
) -> Answer:
    """Lead whoever has a link to its file. Raises NotFoundError for one forged or too old."""
    named = unquote(name)
    digest = read_file_token(token, named, keys, now)
    if digest is None:
        raise NotFoundError("There is no such file, or the link is too old.")
    file = Attachment(named, "application/octet-stream", digest=digest, state="stored")
    headers = {
        "Location": sign_links(bucket, file).url or "",
        "Cache-Control": "no-store",
    }
    return Answer(HTTPStatus.FOUND, None, headers=headers)


def _make_link(public_url: str, keys: Sequence[bytes], until: datetime, file: Attachment) -> str:
    token = issue_file_token(file.digest, file.name, until, keys)
    return f"{public_url}/intake/files/{token}/{quote(file.name, safe='')}"
