"""Files on their way from an agent's machine to a reply."""

from hashlib import sha256

from caseweave.aws.clients import client
from caseweave.aws.mailbox import keep_attachment
from caseweave.aws.objects import read_object
from caseweave.domain.uploading import Upload, upload_key
from caseweave.errors import InvalidRequestError, NotFoundError

URL_SECONDS = 900


def sign_upload_url(bucket: str, case_id: str, upload: Upload) -> str:
    """An address to PUT the file to, once it has the type and the size that were told."""
    url: str = client("s3").generate_presigned_url(
        "put_object",
        Params={
            "Bucket": bucket,
            "Key": upload_key(case_id, upload.digest),
            "ContentType": upload.media_type,
            "ContentLength": upload.size,
        },
        ExpiresIn=URL_SECONDS,
    )
    return url


def keep_upload(bucket: str, case_id: str, upload: Upload) -> None:
    """Make an uploaded file one that can be sent, if it is what was told.

    Raises InvalidRequestError, UnavailableError.
    """
    try:
        content = read_object(bucket, upload_key(case_id, upload.digest))
    except NotFoundError:
        raise InvalidRequestError(
            f"{upload.name} was not uploaded.", (("attachments", "upload the file first"),)
        ) from None
    if len(content) != upload.size or sha256(content).hexdigest() != upload.digest:
        raise InvalidRequestError(
            f"{upload.name} is not the file that was told.",
            (("attachments", "upload it again, with the size and SHA-256 that it has"),),
        )
    keep_attachment(bucket, upload.digest, upload.media_type, content)
