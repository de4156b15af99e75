"""One-time codes that wait to be said, each in its case; and how many an address got of late."""

from caseweave.domain.identity import Address, AddressKind
from caseweave.domain.times import from_rfc3339, to_rfc3339
from caseweave.domain.verifying import CODE_LIFETIME, CODES_WITHIN, Verification, VerificationState
from caseweave.storage import table
from caseweave.storage.items import IS_NEW, batch_get, has, make_item
from caseweave.storage.rows import Values
from caseweave.storage.table import VerificationRow
from caseweave.storage.transaction import Transaction


def read_verification(case_id: str, address: Address) -> Verification | None:
    """The last one for this address in this case; one consistent read."""
    key = table.verification_key(case_id, address.kind, address.value)
    for _, values in batch_get([key], consistent=True):
        return _read(values)
    return None


def list_verifications(case_id: str) -> list[Verification]:
    """One consistent query."""
    partition = table.verification_key(case_id, "", "")[0]
    rows = VerificationRow.query(partition, consistent_read=True)
    return [_read(row.attribute_values) for row in rows]


def put_verification(write: Transaction, pending: Verification) -> None:
    """Add it to a transaction, which is refused if it has changed since it was read."""
    address, version = pending.address, pending.version
    item = make_item(
        VerificationRow,
        table.verification_key(pending.case_id, address.kind, address.value),
        address_kind=str(address.kind),
        address_value=address.value,
        customer_id=pending.customer_id,
        nonce=pending.nonce,
        state=str(pending.state),
        tries=pending.tries,
        heard=list(pending.heard),
        started_at=to_rfc3339(pending.started_at),
        version=version + 1,
        expires_at=pending.started_at + CODE_LIFETIME + CODES_WITHIN,
    )
    condition = has(VerificationRow, version=version) if version else IS_NEW
    write.put("verification", item, condition)


def _read(values: Values) -> Verification:
    return Verification(
        case_id=values["pk"].removeprefix("VERIFY#"),
        address=Address(AddressKind(values["address_kind"]), values["address_value"]),
        customer_id=values["customer_id"],
        nonce=values["nonce"],
        started_at=from_rfc3339(values["started_at"]),
        state=VerificationState(values["state"]),
        tries=int(values["tries"]),
        heard=tuple(values["heard"]),
        version=int(values["version"]),
    )
