"""What customers' numbers told our numbers: one record for each pair, the latest word in it."""

from collections.abc import Mapping
from typing import Any

from pynamodb.exceptions import PynamoDBException

from caseweave.domain.consent import Consent, our_number
from caseweave.domain.message import Contact
from caseweave.domain.times import from_rfc3339, to_rfc3339
from caseweave.errors import UnavailableError
from caseweave.storage import table
from caseweave.storage.items import IS_NEW, batch_get, has, make_item
from caseweave.storage.table import ConsentRow
from caseweave.storage.transaction import Transaction

# The message of a word that outlived its sender's erasure.
ERASED = "erased"


def read_consent(contact: Contact) -> Consent | None:
    """One consistent read; None if nothing was ever said. Raises UnavailableError.

    Where the contact tells no number of ours, an opt-out from any of them counts.
    """
    # A number whose owner was erased said it under its digest.
    keys = _key(contact), _erased_key(contact)
    try:
        if our_number(contact):
            found = {values["pk"]: values for _, values in batch_get(keys, consistent=True)}
            return next((_read(found[pk]) for pk, _ in keys if pk in found), None)
        said = [
            _read(row.attribute_values)
            for pk, _ in keys
            for row in ConsentRow.query(pk, consistent_read=True)
        ]
    except PynamoDBException as error:
        raise UnavailableError(f"the store cannot be read: {error}") from error
    return max(said, key=lambda one: (one.is_opted_out, one.at), default=None)


def find_opt_out(contact: Contact) -> Consent | None:
    """The STOP that keeps our SMS from a contact; None if nothing does. Raises UnavailableError."""
    if not contact.channel.leaves_as_sms:
        return None
    consent = read_consent(contact)
    return consent if consent is not None and consent.is_opted_out else None


def put_consent(
    write: Transaction, contact: Contact, consent: Consent, known: Consent | None
) -> None:
    """Write *consent* if what is stored is still *known*; else the part `consent` is refused."""
    item = make_item(
        ConsentRow,
        _key(contact),
        state="opted_out" if consent.is_opted_out else "opted_in",
        at=to_rfc3339(consent.at),
        message_id=consent.message_id,
        confirmation=consent.confirmation or None,
    )
    is_stored = known is not None and known.message_id != ERASED
    unchanged = has(ConsentRow, message_id=known.message_id) if known and is_stored else IS_NEW
    write.put("consent", item, unchanged)


def _key(contact: Contact) -> table.Key:
    return table.consent_key(our_number(contact), contact.address.value)


def _erased_key(contact: Contact) -> table.Key:
    return table.erased_consent_key(our_number(contact), contact.address.value)


def _read(values: Mapping[str, Any]) -> Consent:
    return Consent(
        is_opted_out=values["state"] == "opted_out",
        at=from_rfc3339(values["at"]),
        message_id=values["message_id"],
        confirmation=values.get("confirmation") or "",
    )
