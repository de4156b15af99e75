"""Two customers whose every word can be found again, or not; all that is kept of them."""

import json
import os
import zlib
from contextlib import suppress
from datetime import timedelta
from functools import partial
from hashlib import sha256
from itertools import count

import boto3

from caseweave.agents.caller import Caller, Moment
from caseweave.agents.cases import change_state, note, reply
from caseweave.domain.erasing import Cause, Deletion
from caseweave.domain.event import event_record
from caseweave.domain.evidence import find_broken_link
from caseweave.domain.media import FileOutcome, FileState
from caseweave.domain.message import Attachment, Channel, DeliveryState, Receipt
from caseweave.erasure import LOG_FOLDER, Shredder
from caseweave.errors import CaseweaveError, InvalidRequestError
from caseweave.indexing import forget_message
from caseweave.intake import take_in
from caseweave.storage import cases
from caseweave.storage.customers import list_customer_events, read_customer_of
from caseweave.storage.deletions import DeletionTask, put_task
from caseweave.storage.ledger import RawInput
from caseweave.storage.media import settle_file
from caseweave.storage.outbox import outbox_key
from caseweave.storage.table import Row
from tests.usecases.test_router import route
from tests.usecases.world import (
    NOON,
    YEAR,
    email,
    message,
    phone,
    platform,
    proven,
    sms,
)

MEI = Caller("mei", ("agent",))
BUCKET = "files"
FORGET = partial(forget_message, engine=None)
LATER = NOON + timedelta(days=1)
IDS = count()
NUMBERS = count(13_800_000_000)


def make_bucket():
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})


class Person:
    """Somebody whose every word has marks that nobody else's has."""

    def __init__(self, door, desk):
        self.door, self.desk = door, desk
        number = next(NUMBERS)
        self.phone, self.mail = f"+86{number}", f"mark{number}@example.com"
        self.user = f"user-mark{number}"
        self.marks = {str(number), f"mark{number}", f"Name{number}", f"secretfile{number}"}
        self.number = number
        self.at = NOON
        self.events = []

    def tick(self):
        self.at += timedelta(minutes=1)
        return self.at

    def mark(self, text):
        return f"{text} Name{self.number} mark{self.number}"

    def say(self, body, shared_file=None):
        event = f"SM{next(IDS)}"
        files = (shared_file or f"secretfile{self.number}".encode(),)
        inbound = sms(
            self.phone,
            self.mark(body),
            event,
            subject=self.mark("subject"),
            fields={"order": self.mark("A1")},
            attachments=tuple(
                Attachment(
                    f"mark{self.number}.png",
                    "image/png",
                    len(one),
                    sha256(one).hexdigest(),
                    "stored",
                )
                for one in files
            ),
        )
        raw = RawInput(
            "twilio", "account", self.tick(), YEAR, json.dumps({"From": self.phone}).encode() * 200
        )
        self.events.append((inbound, raw))
        keep(files[0])
        take_in([inbound], raw, self.door)
        return self.case_id()

    def say_again(self):
        self.say("again")

    def sign_in_again(self):
        self.sign_in("signed in")

    def sign_in(self, body):
        event = f"W{next(IDS)}"
        inbound = message(
            Channel.WEB,
            "web",
            proven(platform(self.user), phone(self.phone), email(self.mail)),
            self.mark(body),
            event,
        )
        raw = RawInput("web", "account", self.tick(), YEAR, self.mark("raw").encode())
        self.events.append((inbound, raw))
        take_in([inbound], raw, self.door)
        return self.case_id()

    def customer_id(self):
        return next(
            i["customer_id"]["S"]
            for i in everything()
            if i["pk"]["S"] == f"ADDR#phone#{self.phone}"
        )

    def case_id(self):
        return self.cases()[-1].id

    def cases(self):
        return cases.list_of_customer(self.customer_id(), 50, None).items

    def all_case_ids(self):
        return [case.id for case in self.cases()]

    def inbound(self):
        found = cases.list_messages(self.case_id())[0]
        return [one for one in found if one.direction == "inbound"]

    def be_routed(self):
        for one in self.inbound():
            with suppress(CaseweaveError):
                route(_Landed(self.case_id(), one.id), self.desk)

    def be_answered(self):
        with suppress(InvalidRequestError):
            reply(self.case_id(), {"body": self.mark("re")}, None, MEI, self.desk,
                  Moment(self.tick(), os.urandom), lambda *_: None)  # fmt: skip
            for one in cases.list_messages(self.case_id())[0]:
                if one.direction == "outbound" and one.delivery.state is DeliveryState.QUEUED:
                    self.deliver(one)

    def deliver(self, one):
        event = f"R{next(IDS)}"
        told = Receipt("twilio", "account", event, f"SMmark{self.number}", str(outbox_key(one)),
                       DeliveryState.FAILED, f"no route to {self.phone}")  # fmt: skip
        raw = RawInput("twilio", "account", self.tick(), YEAR, f"To=%2B{self.phone[1:]}".encode())
        take_in([told], raw, self.door)

    def be_noted(self):
        with suppress(InvalidRequestError):
            note(self.case_id(), {"body": self.mark("note")}, None, MEI, self.desk,
                 Moment(self.tick(), os.urandom))  # fmt: skip

    def stop(self):
        self.say_plainly("STOP")

    def say_plainly(self, body):
        event = f"SM{next(IDS)}"
        inbound = sms(self.phone, body, event, context={"number": "+100"})
        raw = RawInput("twilio", "account", self.tick(), YEAR, self.phone.encode())
        self.events.append((inbound, raw))
        take_in([inbound], raw, self.door)
        self.be_routed()

    def close(self):
        with suppress(InvalidRequestError):
            change_state(self.case_id(), {"state": "closed", "reason": self.mark("why")}, None, MEI,
                         self.desk, Moment(self.tick(), os.urandom))  # fmt: skip

    def store_files(self):
        for one in self.inbound():
            for index, file in enumerate(one.attachments):
                thumbnail = keep(f"secretfile{self.number}-small".encode(), "thumbnails")
                outcome = FileOutcome(one.id, index, FileState.STORED, file.digest, file.size,
                                      "image/png", thumbnail)  # fmt: skip
                settle_file(self.case_id(), outcome, self.tick())


class _Landed:
    def __init__(self, case_id, message_id):
        self.case_id, self.message_id = case_id, message_id


def keep(content, folder="attachments"):
    digest = sha256(content).hexdigest()
    boto3.client("s3").put_object(Bucket=BUCKET, Key=f"{folder}/{digest}", Body=content)
    return digest


def everything():
    pages = boto3.client("dynamodb").get_paginator("scan")
    return [i for page in pages.paginate(TableName=Row.Meta.table_name) for i in page["Items"]]


def objects():
    """(key, version) → bytes, of every version there is, but for the log of deletions."""
    s3 = boto3.client("s3")
    found = {}
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=BUCKET):
        for one in page.get("Versions", []):
            if one["Key"].startswith(LOG_FOLDER):
                continue
            body = s3.get_object(Bucket=BUCKET, Key=one["Key"], VersionId=one["VersionId"])["Body"]
            found[one["Key"], one["VersionId"]] = body.read()
    return found


def readable(item):
    """Every text of a record, unpacked."""
    told = json.dumps({k: v for k, v in item.items() if "B" not in v}, ensure_ascii=False)
    packed = item.get("body", {}).get("B", b"")
    if packed:
        raw = packed[1:] if packed[:1] == b"\0" else zlib.decompress(packed[1:])
        told += raw.decode("utf-8", "replace")
    return told


def find_marks(person):
    """Where anything of theirs still stands."""
    table = [
        (item["pk"]["S"], item["sk"]["S"], mark)
        for item in everything()
        for mark in person.marks
        if mark in readable(item)
    ]
    kept = [(key, mark) for key, body in objects().items() for mark in person.marks
            if mark.encode() in body]  # fmt: skip
    return table + kept


def chains_hold():
    rows = [i["pk"]["S"] for i in everything() if i["kind"]["S"] == "event"]
    for owner in set(rows):
        events, chain = read_chain(owner)
        assert len(events) == rows.count(owner)
        links = [
            (e.previous, e.digest, event_record(e.owner, e.seq, e.at, e.actor, e.kind, e.data))
            for e in events
        ]
        assert find_broken_link(links) is None
        assert chain == events[-1].digest
    return True


def read_chain(partition):
    kind, _, owner_id = partition.partition("#")
    if kind == "CASE":
        file = cases.read_file(owner_id)
        return file.events, file.case.chain
    return list_customer_events(owner_id), read_customer_of(owner_id).chain


def ask(customer_id, at=LATER):
    task = DeletionTask(
        Deletion(f"D{next(IDS):08}", Cause.ERASURE, at), "ann", "asked", (customer_id,)
    )
    put_task(task)
    return task.id


def shredder(has_time=lambda: True):
    return Shredder(BUCKET, "", timedelta(days=3650), lambda: LATER, FORGET, has_time)


def of_others(customer_id, case_ids):
    """What may not change: everything that is not the customer's."""
    own = {f"CUST#{customer_id}", *(f"CASE#{case}" for case in case_ids)}
    return [
        item
        for item in everything()
        if item["pk"]["S"] not in own
        and not item["pk"]["S"].startswith("DELETION")
        and not {customer_id, *case_ids}
        & {item.get(n, {}).get("S") for n in ("customer_id", "case_id")}
    ]


def live(person, acts):
    person.say("first")
    for act in acts:
        getattr(person, act)()


def make_two(door, desk):
    """Who is erased, and who is not, after a busy day."""
    make_bucket()
    ling, wang = Person(door, desk), Person(door, desk)
    live(ling, ["be_routed", "be_answered", "store_files", "be_noted", "sign_in_again", "stop"])
    live(wang, ["be_routed", "be_answered", "store_files", "sign_in_again"])
    return ling, wang
