"""Uploads: signed before, claimed by a message after; what nobody claims is deleted in a day."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from caseweave.aws.customer_uploads import UPLOAD_SECONDS, find_size, sign_upload
from caseweave.channels import web_form
from caseweave.channels.request import WebhookRequest
from caseweave.domain.customer_uploads import (
    Upload,
    issue_upload_token,
    read_upload_token,
    upload_key,
)
from caseweave.domain.form_advice import advise, refuse
from caseweave.domain.form_checking import as_text
from caseweave.domain.forms import FileRule, Form
from caseweave.domain.message import Attachment
from caseweave.domain.tokens import read_session_token
from caseweave.domain.web_rules import chat_form
from caseweave.errors import InvalidRequestError, NotFoundError, UnparseableError
from caseweave.http import Answer
from caseweave.web_desk import Client, WebDesk, count_client, meet_client

# The bucket's rule deletes uploads after a day; until then a message may claim them.
CLAIM_LIFETIME = timedelta(hours=20)
_LONGEST_NAME = 200
_DIGEST = re.compile(r"[0-9a-f]{64}")


def start_upload(request: WebhookRequest, desk: WebDesk, now: datetime) -> Answer:
    """Where the page may post one file, and the token by which a message claims it.

    Raises InvalidRequestError, NotFoundError, TooManyRequestsError, InvalidSignatureError.
    """
    client = meet_client(request, desk)
    try:
        said = web_form.read_body(request)
    except UnparseableError as error:
        raise InvalidRequestError("Post a JSON object.", (("body", "post JSON"),)) from error
    form, owner = _find_purpose(said, desk, client, now)
    upload = _read_upload(said, form, owner, client.language, desk.door.entropy(16).hex())
    limits = desk.read_rules().limits
    count_client(desk, client, "uploads", limits.uploads, limits.uploads, now)
    post = sign_upload(
        desk.files_bucket, upload_key(upload.id), upload.media_type, upload.size, upload.digest
    )
    token = issue_upload_token(upload, now + CLAIM_LIFETIME, desk.door.signing_keys)
    return Answer(
        HTTPStatus.CREATED,
        {
            "upload": token,
            "url": post["url"],
            "fields": post["fields"],
            "expires_in": UPLOAD_SECONDS,
        },
        headers={"Cache-Control": "no-store"},
    )


def claim_uploads(
    named: tuple[tuple[str, str], ...],
    form: Form,
    owner: str,
    desk: WebDesk,
    language: str,
    now: datetime,
) -> tuple[Attachment, ...]:
    """The attachments of (field, token) pairs, pending until the media function has them.

    *owner* is whose they have to be, unless they are the bearer's. Raises InvalidRequestError
    which names the field whose file is not there, or not theirs.
    """
    attachments, errors = [], []
    for field, token in named:
        upload = read_upload_token(token, desk.door.signing_keys, now)
        if upload is not None and _is_claimable(upload, form, field, owner, desk.files_bucket):
            attachments.append(_attach(upload))
        else:
            errors.append((field, advise("upload", language)))
    if errors:
        raise refuse(language, *errors)
    return tuple(attachments)


def _is_claimable(upload: Upload, form: Form, field: str, owner: str, bucket: str) -> bool:
    """For this field, theirs to claim, and all there."""
    is_meant = (upload.form, upload.field) == (form.name, field) and upload.owner in ("", owner)
    return is_meant and find_size(bucket, upload_key(upload.id)) == upload.size


def _attach(upload: Upload) -> Attachment:
    return Attachment(
        name=upload.name,
        media_type=upload.media_type,
        size=upload.size,
        state="pending",
        provider_ref=upload_key(upload.id),
    )


def _find_purpose(
    said: Mapping[str, Any], desk: WebDesk, client: Client, now: datetime
) -> tuple[Form, str]:
    """The form that the file is for, and whose it is."""
    session = as_text(said.get("session"))
    if session:
        case_id = read_session_token(session, desk.door.signing_keys, now)
        if case_id is None:
            raise NotFoundError("There is no such session.")
        return chat_form(desk.read_rules()), f"case:{case_id}"
    return desk.form(as_text(said.get("form"))), client.owner


def _read_upload(
    said: Mapping[str, Any], form: Form, owner: str, language: str, upload_id: str
) -> Upload:
    name, rule = _find_field(said, form)
    errors = []
    if as_text(said.get("media_type")) not in rule.media_types:
        known = ", ".join(rule.media_types)
        errors.append(("media_type", advise("upload_type", language, known)))
    size = said.get("size")
    if not isinstance(size, int) or isinstance(size, bool) or not 1 <= size <= rule.largest:
        errors.append(("size", advise("upload_size", language, str(rule.largest))))
    file_name = as_text(said.get("name")).strip()
    if not file_name:
        errors.append(("name", advise("required", language)))
    digest = as_text(said.get("sha256"))
    if digest and not _DIGEST.fullmatch(digest):
        errors.append(("sha256", "64 hexadecimal digits"))
    if errors or not isinstance(size, int):
        raise refuse(language, *errors)
    return Upload(
        id=upload_id,
        name=file_name[-_LONGEST_NAME:],
        media_type=as_text(said.get("media_type")),
        size=size,
        owner=owner,
        form=form.name,
        field=name,
        digest=digest,
    )


def _find_field(said: Mapping[str, Any], form: Form) -> tuple[str, FileRule]:
    """The field of files that is named, or the only one."""
    rules = {field.name: field.files for field in form.fields if field.files is not None}
    asked = as_text(said.get("field")) or (next(iter(rules)) if len(rules) == 1 else "")
    if asked not in rules:
        known = ", ".join(rules) or "none: this form takes no files"
        raise InvalidRequestError("Which field?", (("field", f"use one of: {known}"),))
    return asked, rules[asked]
