"""Everything of a customer in one file: for them, or for whoever they ask to have it."""

import io
import json
import zipfile
from datetime import datetime
from hashlib import sha256
from typing import Any

from caseweave.agents.caller import DECLARERS, Caller, Moment
from caseweave.agents.view import describe_event, describe_in_full
from caseweave.aws.objects import put_object, sign_get
from caseweave.domain.customer_change import begin_customer_change
from caseweave.domain.erasing import export_folder
from caseweave.domain.event import EventKind
from caseweave.domain.media import Links, show_attachments
from caseweave.domain.message import Attachment, Message
from caseweave.domain.times import optional_rfc3339, to_rfc3339
from caseweave.errors import NotFoundError
from caseweave.storage.cases import read_file
from caseweave.storage.customers import commit_customer_change, read_customer_of, read_family
from caseweave.storage.exporting import list_own_records
from caseweave.storage.incidents import list_notices_of
from caseweave.storage.shredding import list_case_ids
from caseweave.storage.transaction import retry_on_contention

# The version of the document's shape, which docs/privacy.md describes.
SHAPE = 1
_LINK_SECONDS = 3600
_A_DAY_OF_1980 = (1980, 1, 1, 0, 0, 0)


def export_customer(
    customer_id: str, caller: Caller, moment: Moment, bucket: str
) -> dict[str, Any]:
    """Write the file, say so in the customer's chain, and answer where it can be fetched for an
    hour: no event, no address.

    An answer of the API holds 6 MB, and a history may be larger: it is always an object, which a
    rule of the bucket ends after a day. Raises NotFoundError, ForbiddenError, UnavailableError.
    """
    caller.require(*DECLARERS)
    document = describe_everything(customer_id, moment.now)
    content = _pack(document)
    key = f"{export_folder(read_family(customer_id).root)}{moment.new_id()}.zip"
    put_object(bucket, key, content, "application/zip")
    retry_on_contention(lambda _: _record(customer_id, content, caller, moment))
    name = f'attachment; filename="customer-{customer_id}.zip"'
    return {
        "url": sign_get(bucket, key, _LINK_SECONDS, ResponseContentDisposition=name),
        "expires_in": _LINK_SECONDS,
        "size": len(content),
        "sha256": sha256(content).hexdigest(),
        "cases": len(document["cases"]),
    }


def _record(customer_id: str, content: bytes, caller: Caller, moment: Moment) -> None:
    change = begin_customer_change(read_customer_of(read_family(customer_id).root))
    told = {"size": len(content), "sha256": sha256(content).hexdigest()}
    kind = EventKind.CUSTOMER_EXPORTED
    commit_customer_change(change.record(kind, caller.actor, moment.now, told))


def describe_everything(customer_id: str, now: datetime) -> dict[str, Any]:
    """The document: see docs/privacy.md. Raises NotFoundError."""
    family = read_family(customer_id)
    if read_customer_of(family.root).erased_at is not None:
        raise NotFoundError(f"Customer {customer_id} was erased.")
    case_ids = sorted({case for one in family.ids for case in list_case_ids(one)})
    return {
        "shape": SHAPE,
        "exported_at": to_rfc3339(now),
        "customers": [_describe_customer(one) for one in family.ids],
        "cases": [_describe_case(case_id) for case_id in case_ids],
        "notices": list(list_notices_of(family.ids)),
        "records": [record for one in family.ids for record in list_own_records(one)],
    }


def _describe_customer(customer_id: str) -> dict[str, Any]:
    customer = read_customer_of(customer_id)
    return {
        "id": customer.id,
        "name": customer.name,
        "locale": customer.locale,
        "tier": customer.tier,
        "role": customer.role,
        "created_at": optional_rfc3339(customer.created_at),
        "merged_into": customer.merged_into or None,
    }


def _describe_case(case_id: str) -> dict[str, Any]:
    file = read_file(case_id)
    case = file.case
    return {
        "id": case.id,
        "ref": case.ref,
        "customer_id": case.customer_id,
        "state": str(case.state),
        "category": case.category,
        "subject": case.subject,
        "opened_at": to_rfc3339(case.opened_at),
        "updated_at": to_rfc3339(case.updated_at),
        "contacts": [
            {"channel": str(one.channel), "address": str(one.address), "context": dict(one.context)}
            for one in case.contacts.values()
        ],
        "messages": [_describe_message(one, file.files) for one in file.messages],
        "events": [
            {**describe_event(event), "private": dict(event.private)} for event in file.events
        ],
    }


def _describe_message(message: Message, files: Any) -> dict[str, Any]:
    """In full; a file by its digest, which is its name in the bucket."""
    shown = show_attachments(message, files)
    told = describe_in_full(message, _no_link)
    attachments = [_describe_file(one) for one in shown]
    return {**told, "attachments": attachments, "page": message.page_digest or None}


def _describe_file(attachment: Attachment) -> dict[str, Any]:
    return {
        "name": attachment.name,
        "media_type": attachment.media_type,
        "size": attachment.size,
        "state": attachment.state,
        "sha256": attachment.digest or None,
        "object": f"attachments/{attachment.digest}" if attachment.digest else None,
    }


def _no_link(_attachment: Attachment) -> Links:
    return Links()


def _pack(document: dict[str, Any]) -> bytes:
    """A zip with one JSON file; the same document is the same bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        text = json.dumps(document, ensure_ascii=False, indent=1)
        archive.writestr(zipfile.ZipInfo("customer.json", _A_DAY_OF_1980), text)
    return packed.getvalue()
