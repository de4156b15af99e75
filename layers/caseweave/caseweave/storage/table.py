"""The one table: every key and index is spelled here and nowhere else (see docs/table.md)."""

from hashlib import sha256
from typing import Any

from pynamodb.attributes import (
    BinaryAttribute,
    DiscriminatorAttribute,
    JSONAttribute,
    NumberAttribute,
    TTLAttribute,
    UnicodeAttribute,
)
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.models import Model

from caseweave.domain.event import Owner, OwnerKind

DUE_SHARDS = 4
_OWNERS = {OwnerKind.CASE: "CASE", OwnerKind.CUSTOMER: "CUST"}
Key = tuple[str, str]


class WorklistIndex(GlobalSecondaryIndex["Row"]):
    """Team and state → priority, due time. Quarantined input has a list of its own."""

    class Meta:
        index_name = "worklist"
        projection = AllProjection()

    worklist_pk = UnicodeAttribute(hash_key=True)
    worklist_sk = UnicodeAttribute(range_key=True)


class DueIndex(GlobalSecondaryIndex["Row"]):
    """Only what a schedule must look at, by time: a sweep costs what is due, not what is open."""

    class Meta:
        index_name = "due"
        projection = AllProjection()

    due_pk = UnicodeAttribute(hash_key=True)
    due_sk = UnicodeAttribute(range_key=True)


class CustomerIndex(GlobalSecondaryIndex["Row"]):
    """A customer's cases by time of opening, and apart from them what makes up the timeline."""

    class Meta:
        index_name = "customer"
        projection = AllProjection()

    customer_pk = UnicodeAttribute(hash_key=True)
    customer_sk = UnicodeAttribute(range_key=True)


class AssigneeIndex(GlobalSecondaryIndex["Row"]):
    """An agent's own cases, by state and time of change."""

    class Meta:
        index_name = "assignee"
        projection = AllProjection()

    assignee_pk = UnicodeAttribute(hash_key=True)
    assignee_sk = UnicodeAttribute(range_key=True)


class ChangedIndex(GlobalSecondaryIndex["Row"]):
    """The ends of chains by the day of their last change: what a day's digest is made of."""

    class Meta:
        index_name = "changed"
        projection = KeysOnlyProjection()

    changed_pk = UnicodeAttribute(hash_key=True)
    changed_sk = UnicodeAttribute(range_key=True)


class Row(Model):
    """Any record of the table."""

    class Meta:
        table_name = ""
        # The defaults (15 s and 30 s) outlive the Lambda that waits for them.
        connect_timeout_seconds = 1
        read_timeout_seconds = 4

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    kind = DiscriminatorAttribute()
    expires_at = TTLAttribute(null=True)

    worklist_pk = UnicodeAttribute(null=True)
    worklist_sk = UnicodeAttribute(null=True)
    due_pk = UnicodeAttribute(null=True)
    due_sk = UnicodeAttribute(null=True)
    customer_pk = UnicodeAttribute(null=True)
    customer_sk = UnicodeAttribute(null=True)
    assignee_pk = UnicodeAttribute(null=True)
    assignee_sk = UnicodeAttribute(null=True)
    changed_pk = UnicodeAttribute(null=True)
    changed_sk = UnicodeAttribute(null=True)

    worklist = WorklistIndex()
    due = DueIndex()
    customer = CustomerIndex()
    assignee = AssigneeIndex()
    changed = ChangedIndex()


class LedgerRow(Row, discriminator="ledger"):
    """The raw input of one provider event, and at once the guard against taking it in twice."""

    provider = UnicodeAttribute()
    account = UnicodeAttribute(null=True)
    event_id = UnicodeAttribute()
    state = UnicodeAttribute()
    reason = UnicodeAttribute(null=True)
    received_at = UnicodeAttribute()
    parser = NumberAttribute()
    headers: JSONAttribute = JSONAttribute(null=True)
    body = BinaryAttribute(null=True, legacy_encoding=False)
    body_ref = UnicodeAttribute(null=True)
    held_ref = UnicodeAttribute(null=True)
    case_id = UnicodeAttribute(null=True)
    message_id = UnicodeAttribute(null=True)
    hint = UnicodeAttribute(null=True)


class AddressRow(Row, discriminator="address"):
    """An address → its customer. `case_id` and `listed_under` (whose record of open cases has
    theirs) are hints that save intake reads; they may be stale.
    """

    customer_id = UnicodeAttribute()
    proof = UnicodeAttribute()
    case_id = UnicodeAttribute(null=True)
    listed_under = UnicodeAttribute(null=True)
    last_inbound_at = UnicodeAttribute(null=True)
    contact: JSONAttribute = JSONAttribute(null=True)


class CustomerRow(Row, discriminator="customer"):
    """A customer. Merging rewrites nothing else of theirs: the merged one names the customer it
    went into, the root all who are in it.
    """

    name = UnicodeAttribute(null=True)
    locale = UnicodeAttribute(null=True)
    tier = UnicodeAttribute(null=True)
    role = UnicodeAttribute(null=True)
    created_at = UnicodeAttribute()
    erased_at = UnicodeAttribute(null=True)
    merged_into = UnicodeAttribute(null=True)
    merged_at = UnicodeAttribute(null=True)
    # Of a root: everybody merged into it, also by way of others.
    members: JSONAttribute = JSONAttribute(null=True)
    # The end of the customer's chain, and the seal that it commits under.
    seq = NumberAttribute(null=True)
    chain = UnicodeAttribute(null=True)
    changed_at = UnicodeAttribute(null=True)
    seal = UnicodeAttribute(null=True)
    version = NumberAttribute(null=True)


class VerificationRow(Row, discriminator="verification"):
    """A one-time code that was sent to an address, to be said in one case; not the code itself."""

    address_kind = UnicodeAttribute()
    address_value = UnicodeAttribute()
    customer_id = UnicodeAttribute()
    nonce = UnicodeAttribute()
    state = UnicodeAttribute()
    tries = NumberAttribute()
    heard: JSONAttribute = JSONAttribute()
    started_at = UnicodeAttribute()
    version = NumberAttribute()


class LinkRow(Row, discriminator="link"):
    """One identity link of a customer: which address, on what proof, from where, since when."""

    address_kind = UnicodeAttribute()
    address_value = UnicodeAttribute()
    proof = UnicodeAttribute()
    source = UnicodeAttribute(null=True)
    actor = UnicodeAttribute(null=True)
    linked_at = UnicodeAttribute()


class SuggestionRow(Row, discriminator="suggestion"):
    """Who a customer may be besides, until an agent has decided, and what was decided."""

    address_kind = UnicodeAttribute()
    address_value = UnicodeAttribute()
    other_id = UnicodeAttribute(null=True)
    case_id = UnicodeAttribute(null=True)
    suggestion = UnicodeAttribute()
    reason = UnicodeAttribute()
    state = UnicodeAttribute()
    made_at = UnicodeAttribute()
    settled_at = UnicodeAttribute(null=True)
    settled_by = UnicodeAttribute(null=True)


class OpenCasesRow(Row, discriminator="open_cases"):
    """A customer's open and lately closed cases; every write raises `version`."""

    cases: JSONAttribute = JSONAttribute()
    moved_to = UnicodeAttribute(null=True)
    version = NumberAttribute()


class CaseRow(Row, discriminator="case"):
    """The head of a case. What no key, filter or condition needs is one JSON value, `head`: half
    the work of an intake is turning attributes into items and back.
    """

    ref = UnicodeAttribute()
    customer_id = UnicodeAttribute()
    state = UnicodeAttribute()
    team = UnicodeAttribute()
    head: JSONAttribute = JSONAttribute()
    version = NumberAttribute()


class MessageRow(Row, discriminator="message"):
    """A message; an outbound one is its own outbox entry (promise P6)."""

    message_id = UnicodeAttribute()
    customer_id = UnicodeAttribute()
    direction = UnicodeAttribute()
    channel = UnicodeAttribute()
    author = UnicodeAttribute()
    body = UnicodeAttribute(null=True)
    occurred_at = UnicodeAttribute()
    details: JSONAttribute = JSONAttribute()
    delivery_state = UnicodeAttribute(null=True)
    delivery_at = UnicodeAttribute(null=True)
    delivery_id = UnicodeAttribute(null=True)
    delivery_error = UnicodeAttribute(null=True)
    delivery_refusal = UnicodeAttribute(null=True)
    # Of a message that leaves in several parts: what became of each, and how far it is.
    delivery_parts: JSONAttribute = JSONAttribute(null=True)
    erased_at = UnicodeAttribute(null=True)


class EventRow(Row, discriminator="event"):
    """One link of the chain of a case, or of a customer."""

    at = UnicodeAttribute()
    actor = UnicodeAttribute()
    event = UnicodeAttribute()
    data: JSONAttribute = JSONAttribute()
    # What the chain only commits to; an erasure takes it away.
    private: JSONAttribute = JSONAttribute(null=True)
    previous = UnicodeAttribute()
    digest = UnicodeAttribute()


class FileRow(Row, discriminator="file"):
    """What became of one attachment of a message, once and for all."""

    state = UnicodeAttribute()
    details: JSONAttribute = JSONAttribute()


class CaseLinkRow(Row, discriminator="case_link"):
    """What another case is to this one, as it stands in its key."""

    at = UnicodeAttribute()
    actor = UnicodeAttribute()
    other_seq = NumberAttribute()


class MovedRow(Row, discriminator="moved"):
    """Which messages of a case moved, and to which."""

    messages: JSONAttribute = JSONAttribute()


class SeenRow(Row, discriminator="seen"):
    """That an agent looks at a case, or types; past `until` it says nothing any more."""

    doing = UnicodeAttribute()
    since = UnicodeAttribute()
    until = UnicodeAttribute()


class PointerRow(Row, discriminator="pointer"):
    """A name that leads to a case: its reference, or an entity that it mentions."""

    case_id = UnicodeAttribute()
    customer_id = UnicodeAttribute(null=True)
    at = UnicodeAttribute(null=True)


class PostingRow(Row, discriminator="posting"):
    """That a term stands in a message. There is nothing in it but its key, and when it ends."""


class IndexRow(Row, discriminator="index"):
    """Of which messages the text is indexed, and since when without a gap."""

    scope = UnicodeAttribute()
    since = UnicodeAttribute()


class SentRow(Row, discriminator="sent"):
    """A provider's id of a message that it took → our message, for receipts that know no other."""

    outbox_key = UnicodeAttribute()


class MailIdRow(Row, discriminator="mail_id"):
    """The Message-ID of a customer's mail → the case it went to: what a later mail refers to."""

    case_id = UnicodeAttribute()
    customer_id = UnicodeAttribute()


class AnswersRow(Row, discriminator="answers"):
    """When an address was answered automatically of late: what stops two machines that write to
    each other.
    """

    times: JSONAttribute = JSONAttribute()


class UsedTokenRow(Row, discriminator="used_token"):
    """A link token works once; this is the mark that it was used."""

    customer_id = UnicodeAttribute()


class AccessTokenRow(Row, discriminator="access_token"):
    """A provider's access token, and who may fetch the next one; every write raises `version`."""

    token = UnicodeAttribute(null=True)
    good_until = UnicodeAttribute(null=True)
    refresh_from = UnicodeAttribute(null=True)
    locked_until = UnicodeAttribute(null=True)
    version = NumberAttribute()


class PullRow(Row, discriminator="pull"):
    """How far an account's messages were pulled, and who may pull on; see `storage/pulls.py`."""

    cursor = UnicodeAttribute(null=True)
    wishes = NumberAttribute()
    holder = UnicodeAttribute(null=True)
    locked_until = UnicodeAttribute(null=True)
    pulled_at = UnicodeAttribute(null=True)
    version = NumberAttribute()


class RateRow(Row, discriminator="rate"):
    """How often a client of the web channel came in one window of time."""

    hits = NumberAttribute()


class ConsentRow(Row, discriminator="consent"):
    """What a customer's number last told one of our numbers: STOP or START."""

    state = UnicodeAttribute()
    at = UnicodeAttribute()
    message_id = UnicodeAttribute()
    confirmation = UnicodeAttribute(null=True)


class PartsRow(Row, discriminator="parts"):
    """The parts of a long SMS that wait for the others."""

    details: JSONAttribute = JSONAttribute()
    version = NumberAttribute()


class IncidentRow(Row, discriminator="incident"):
    title = UnicodeAttribute()
    products: JSONAttribute = JSONAttribute()
    platform_users: JSONAttribute = JSONAttribute()
    notice: JSONAttribute = JSONAttribute()
    started_at = UnicodeAttribute()
    declared_at = UnicodeAttribute()
    declared_by = UnicodeAttribute()
    state = UnicodeAttribute()
    all_clear: JSONAttribute = JSONAttribute(null=True)
    resolved_at = UnicodeAttribute(null=True)


class DeletionRow(Row, discriminator="deletion"):
    """One deletion of contents: the task, until it is done, and from then on the log of it."""

    cause = UnicodeAttribute()
    state = UnicodeAttribute()
    requested_at = UnicodeAttribute()
    requested_by = UnicodeAttribute()
    reason = UnicodeAttribute(null=True)
    preview_digest = UnicodeAttribute(null=True)
    finished_at = UnicodeAttribute(null=True)
    # Ids alone: of the customers, or of the case.
    subjects: JSONAttribute = JSONAttribute()
    counts: JSONAttribute = JSONAttribute()
    # How far the work is: what it looks for, and where its look through the table stands.
    progress: JSONAttribute = JSONAttribute(null=True)
    version = NumberAttribute()


class DoomedRow(Row, discriminator="doomed"):
    """An object that a deletion ends, unless somebody else's message refers to it as well."""

    bucket = UnicodeAttribute()


class NoticeRow(Row, discriminator="notice"):
    """That a customer was told something of an incident: at most once each."""

    case_id = UnicodeAttribute(null=True)
    at = UnicodeAttribute()


def ledger_key(provider: str, account: str, event_id: str) -> Key:
    return f"IN#{provider}#{account}#{event_id}", "IN"


def address_key(kind: str, value: str) -> Key:
    return f"ADDR#{kind}#{value}", "ADDR"


def customer_key(customer_id: str) -> Key:
    return f"CUST#{customer_id}", "CUST"


def link_key(customer_id: str, kind: str, value: str) -> Key:
    return f"CUST#{customer_id}", f"LINK#{kind}#{value}"


def verification_key(case_id: str, kind: str, value: str) -> Key:
    return f"VERIFY#{case_id}", f"{kind}#{value}"


def codes_key(kind: str, value: str) -> Key:
    """Beside the automatic answers that the address had."""
    return f"ADDR#{kind}#{value}", "CODES"


def suggestion_key(customer_id: str, suggestion_id: str) -> Key:
    return f"CUST#{customer_id}", f"SUGGEST#{suggestion_id}"


def open_cases_key(customer_id: str) -> Key:
    return f"CUST#{customer_id}", "OPEN#case"


def case_key(case_id: str) -> Key:
    return f"CASE#{case_id}", "CASE"


def message_key(case_id: str, occurred_at: str, message_id: str) -> Key:
    return f"CASE#{case_id}", f"MSG#{occurred_at}#{message_id}"


def event_key(owner: Owner, seq: int) -> Key:
    return f"{_OWNERS[owner.kind]}#{owner.id}", f"EVT#{seq:08d}"


def read_owner(partition: str) -> Owner:
    """Whose records are in a partition of a case or a customer."""
    prefix, _, owner_id = partition.partition("#")
    return Owner(next(kind for kind, name in _OWNERS.items() if name == prefix), owner_id)


def file_key(case_id: str, message_id: str, index: int) -> Key:
    """Between a case's events and its messages, so that a timeline with its files is one query."""
    return f"CASE#{case_id}", f"FILE#{message_id}#{index:04d}"


def case_link_key(case_id: str, kind: str, other_id: str) -> Key:
    return f"CASE#{case_id}", f"LINK#{kind}#{other_id}"


def moved_key(case_id: str) -> Key:
    return f"CASE#{case_id}", "MOVED"


def seen_key(case_id: str, agent: str) -> Key:
    return f"CASE#{case_id}", f"SEEN#{agent}"


# The first and the last sort key of a case's files, links and messages.
TIMELINE = ("FILE#", "MSG#~")


# What stands before the places in a customer's timeline, and after all of them.
PLACE = "AT#"
LAST_PLACE = "AT#~"


def timeline_sort_key(at: str, rank: int, name: str) -> str:
    """Where something stands in a customer's timeline; what happened at once, by *rank*."""
    return f"{PLACE}{at}#{rank}#{name}"


def reference_key(ref: str) -> Key:
    return f"REF#{ref}", "REF"


def sent_key(provider: str, provider_id: str) -> Key:
    return f"OUT#{provider}#{provider_id}", "OUT"


def mail_id_key(message_id: str) -> Key:
    return f"MAIL#{sha256(message_id.encode()).hexdigest()}", "MAIL"


def answers_key(kind: str, value: str) -> Key:
    return f"ADDR#{kind}#{value}", "ANSWERS"


def entity_key(kind: str, value: str, case_id: str) -> Key:
    return f"ENT#{kind}#{value}", f"CASE#{case_id}"


def posting_key(term: str, message: Key) -> Key:
    """Newest cases last: their ids begin with the time of opening."""
    return f"TERM#{term}", "#".join(message)


def parse_posting(sort_key: str) -> Key:
    """The key of the message in which a term stands."""
    partition, place = sort_key[: len("CASE#") + 26], sort_key[len("CASE#") + 27 :]
    return partition, place


INDEX_KEY: Key = ("INDEX#text", "INDEX")


def token_key(digest: str) -> Key:
    return f"TOKEN#{digest}", "TOKEN"


def access_token_key(provider: str, name: str) -> Key:
    return f"ACCESS#{provider}#{name}", "ACCESS"


def pull_key(provider: str, account: str) -> Key:
    return f"PULL#{provider}", account


def rate_key(scope: str, client: str, window: int) -> Key:
    return f"RATE#{scope}#{client}", str(window)


def consent_key(ours: str, theirs: str) -> Key:
    return f"CONSENT#{theirs}", f"NUMBER#{ours}"


def parts_key(provider: str, account: str, sender: str, ref: str, total: int) -> Key:
    return f"PARTS#{provider}#{account}#{sender}#{ref}#{total}", "PARTS"


def incident_key(incident_id: str) -> Key:
    return "INCIDENT", incident_id


def notice_key(incident_id: str, kind: str, customer_id: str) -> Key:
    return f"INCIDENT#{incident_id}", f"NOTICE#{kind}#{customer_id}"


DELETIONS = "DELETION"


def deletion_key(deletion_id: str) -> Key:
    return DELETIONS, deletion_id


def doomed_key(deletion_id: str, name: str) -> Key:
    return f"{DELETIONS}#{deletion_id}", f"OBJECT#{name}"


def erased_consent_key(ours: str, theirs: str) -> Key:
    """Where the word of a number stands whose owner was erased: under its digest."""
    return f"CONSENT#{sha256(theirs.encode()).hexdigest()}", f"NUMBER#{ours}"


def worklist_partition(team: str, state: str) -> str:
    return f"{team}#{state}"


QUARANTINE_PARTITION = "QUARANTINE"
# Deletions that are not done yet, by when they were asked for.
DELETIONS_DUE_PARTITION = "DUE#DELETIONS"
# Texts that wait for their parts, by when the waiting is over.
PARTS_DUE_PARTITION = "DUE#PARTS"


def due_partition(case_id: str) -> str:
    """Cases spread over a few partitions, so that a busy minute does not heat one."""
    return f"DUE#{sum(case_id.encode()) % DUE_SHARDS}"


def due_partitions() -> list[str]:
    return [f"DUE#{shard}" for shard in range(DUE_SHARDS)]


def changed_partition(day: str, owner_id: str) -> str:
    """The ends of the chains that last changed on a day (`2026-11-23`), spread like what is due."""
    return f"CHANGED#{day}#{sum(owner_id.encode()) % DUE_SHARDS}"


def changed_partitions(day: str) -> list[str]:
    return [f"CHANGED#{day}#{shard}" for shard in range(DUE_SHARDS)]


def closed_partition(case_id: str) -> str:
    """Closed cases by the last thing that happened, until what was said in them has to go."""
    return f"CLOSED#{sum(case_id.encode()) % DUE_SHARDS}"


def closed_partitions() -> list[str]:
    return [f"CLOSED#{shard}" for shard in range(DUE_SHARDS)]


def unread_partition(case_id: str) -> str:
    """Answers on the web that nobody fetched yet, spread like the cases that are due."""
    return f"UNREAD#{sum(case_id.encode()) % DUE_SHARDS}"


def unread_partitions() -> list[str]:
    return [f"UNREAD#{shard}" for shard in range(DUE_SHARDS)]


def use_table(name: str) -> None:
    """Bind every row to the table *name*; called once, by the entry point."""
    Row.Meta.table_name = name
    _connect()


def _connect() -> Any:
    """Open one connection that all row classes share: each would open its own otherwise."""
    return Row._get_connection()  # noqa: SLF001
