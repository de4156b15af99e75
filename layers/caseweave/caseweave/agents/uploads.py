"""Files that agents send: where to put one, and what of them a reply takes along."""

from collections.abc import Callable, Mapping
from typing import Any

from caseweave.agents.caller import WRITERS, Caller
from caseweave.agents.versions import require_version
from caseweave.domain.message import Attachment
from caseweave.domain.uploading import MOST_FILES, Upload, describe_upload
from caseweave.errors import InvalidRequestError
from caseweave.storage import cases

# (case id, file) → an address to PUT it to, for a while.
SignUpload = Callable[[str, Upload], str]
# Make an uploaded file (case id, file) one that can be sent. Raises InvalidRequestError.
KeepUpload = Callable[[str, Upload], None]


def ask_upload(
    name: str, said: Mapping[str, Any], version: int | None, caller: Caller, sign: SignUpload
) -> dict[str, Any]:
    """Where to put a file, and what to write into `attachments` of the reply afterwards.

    Nothing of the case changes; but who writes from a stale version learns so before the upload.
    """
    caller.require(*WRITERS)
    upload = _describe(said)
    case = cases.read_current(cases.find_named_id(name))
    require_version(case, version)
    return {
        "upload": {
            "method": "PUT",
            "url": sign(case.id, upload),
            "headers": {"Content-Type": upload.media_type},
        },
        "attachment": {
            "name": upload.name,
            "media_type": upload.media_type,
            "size": upload.size,
            "sha256": upload.digest,
        },
    }


def take_uploads(case_id: str, said: Mapping[str, Any], keep: KeepUpload) -> tuple[Attachment, ...]:
    """The files of a reply, from now on stored. Raises InvalidRequestError."""
    told = said.get("attachments", [])
    if not isinstance(told, list) or len(told) > MOST_FILES:
        advice = f"write a list of at most {MOST_FILES} files, each as its upload described it"
        raise InvalidRequestError("The files cannot be sent.", (("attachments", advice),))
    uploads = [_describe(one if isinstance(one, dict) else {}) for one in told]
    for upload in uploads:
        keep(case_id, upload)
    return tuple(
        Attachment(one.name, one.media_type, one.size, one.digest, "stored") for one in uploads
    )


def _describe(said: Mapping[str, Any]) -> Upload:
    return describe_upload(*(said.get(name) for name in ("name", "media_type", "size", "sha256")))
