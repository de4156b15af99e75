"""Whatever customers, strangers and agents do, in any order: one customer, one history.

Promises P2, P3, P4 and P10 after every step. Who really wrote a message is known here alone; the
desk sees addresses, proofs and claims.
"""

import os
from collections import defaultdict
from datetime import timedelta
from itertools import count

import boto3
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from moto import mock_aws

from caseweave.agents import identities, relations
from caseweave.agents.caller import Caller, Moment
from caseweave.agents.cases import change_state
from caseweave.customer_merging import preview_unmerge
from caseweave.domain.identity import Proof
from caseweave.domain.message import Channel, Direction
from caseweave.domain.tokens import issue_reply_token
from caseweave.errors import InvalidRequestError
from caseweave.intake import Door
from caseweave.storage.customers import read_family
from tests.audit import audit, read_records
from tests.conftest import clear_table, make_table
from tests.depth import DEPTH
from tests.usecases.conftest import KEYS, THREADING
from tests.usecases.test_router import route
from tests.usecases.world import (
    NOON,
    email,
    message,
    phone,
    platform,
    proven,
    receive,
    telegram,
    unproven,
)

MEI = Caller("mei", ("agent",))
PEOPLE = st.integers(0, 3)
TEXTS = st.sampled_from(
    [
        "还没到账",
        "T202611230001 还没到账",
        "T202611230002 还没到账",
        "my account was stolen",
        "谢谢",
    ]
)


def number_of(person):
    return phone(f"+86138001380{person:02}")


def mailbox_of(person):
    return email(f"p{person}@example.com")


def telegram_of(person):
    return telegram(f"77{person}")


def user_of(person):
    """Two of the four have an account on the platform."""
    return platform(f"u-{person}")


def own_addresses(person):
    """Each way to write that proves who writes: (channel, provider, what is proven)."""
    ways = [
        (Channel.SMS, "twilio", proven(number_of(person))),
        (Channel.MESSENGER, "telegram", proven(telegram_of(person))),
        (Channel.EMAIL, "ses", proven(mailbox_of(person), proof=Proof.DMARC)),
    ]
    if person < 2:
        ways.append((Channel.WEB, "web", proven(user_of(person), proof=Proof.LOGIN)))
    return ways


def is_lasting(items):
    """Of what stays for ever: presence, locks and counters come and go."""
    return sorted(map(str, items))


class World:
    """One table for all histories: making one takes longer than a history."""

    def __init__(self, desk):
        self.desk = desk
        self.table = make_table()

    def items(self):
        pages = boto3.client("dynamodb").get_paginator("scan").paginate(TableName=self.table)
        return [item for page in pages for item in page["Items"]]


def make_machine(world):  # noqa: C901 - a rule for each thing that may happen
    class Histories(RuleBasedStateMachine):
        sent = Bundle("sent")

        @initialize()
        def begin(self):
            clear_table(world.table)
            self.door = Door("frontline", KEYS, os.urandom, threading=THREADING)
            self.seconds = count(1)
            self.events = count(1)
            # Who really wrote each message, by its id; strangers are each their own person.
            self.writers = {}
            # (customer, customer, people of the one, people of the other) of merges in force.
            self.merged = []
            # Nobody can be imitated who is not known.
            for person in range(3):
                self.write(person, person, "还没到账", is_routed=True)
                self.write(person, 2, "还没到账", is_routed=False)

        def now(self):
            return NOON + timedelta(seconds=next(self.seconds))

        def moment(self):
            return Moment(self.now(), os.urandom)

        def take(self, inbound, writer):
            landed = receive(inbound, self.door, self.now())
            if landed.message_id:
                self.writers.setdefault(landed.message_id, writer)
            return landed

        # What customers do

        @rule(
            target=sent, person=PEOPLE, way=st.integers(0, 3), text=TEXTS, is_routed=st.booleans()
        )
        def write(self, person, way, text, is_routed):
            ways = own_addresses(person)
            channel, provider, senders = ways[way % len(ways)]
            inbound = message(channel, provider, senders, text, f"E{next(self.events)}")
            landed = self.take(inbound, person)
            if is_routed:
                route(landed, world.desk)
            return inbound, person

        @rule(target=sent, person=PEOPLE, claimed=PEOPLE, text=TEXTS)
        def claim(self, person, claimed, text):
            """By SMS, with somebody's mail address in the text's form."""
            name = f"E{next(self.events)}"
            senders = proven(number_of(person))
            claims = (mailbox_of(claimed),)
            inbound = message(Channel.SMS, "twilio", senders, text, name, claims)
            self.take(inbound, person)
            return inbound, person

        @rule(sent=sent)
        def bring_again(self, sent):
            inbound, _ = sent
            before = is_lasting(world.items())
            landed = receive(inbound, self.door, self.now())
            assert not landed.is_new
            assert is_lasting(world.items()) == before

        # What strangers do

        @rule(victim=PEOPLE, text=TEXTS)
        def forge_a_sender(self, victim, text):
            name = f"E{next(self.events)}"
            senders = proven(unproven(name), proof=Proof.NONE)
            inbound = message(Channel.EMAIL, "ses", senders, text, name, (mailbox_of(victim),))
            self.take(inbound, name)

        @rule(person=PEOPLE, index=st.integers(0, 99), text=TEXTS)
        def guess_a_reference(self, person, index, text):
            """Somebody's own mail, with the reference of any case in it."""
            found = sorted(read_records(world.items()).references)
            subject = found[index % len(found)] if found else "C-0000-0000"
            senders = proven(mailbox_of(person), proof=Proof.DMARC)
            name = f"E{next(self.events)}"
            inbound = message(
                Channel.EMAIL, "ses", senders, f"{subject} {text}", name, subject=f"Re: {subject}"
            )
            self.take(inbound, person)

        @rule(person=PEOPLE, victim=PEOPLE, index=st.integers(0, 99))
        def carry_a_token(self, person, victim, index):
            """A reply token that was issued to somebody else, from one's own mailbox."""
            found = sorted(read_records(world.items()).cases)
            if not found or person == victim:
                return
            case_id = found[index % len(found)]
            token = issue_reply_token(case_id, mailbox_of(victim).value, KEYS)
            senders = proven(mailbox_of(person), proof=Proof.DMARC)
            name = f"E{next(self.events)}"
            inbound = message(Channel.EMAIL, "ses", senders, "hi", name, reply_tokens=(token,))
            self.take(inbound, person)

        # What agents do

        @rule(index=st.integers(0, 99))
        def close(self, index):
            active = sorted(c.id for c in read_records(world.items()).cases.values() if c.is_active)
            if active:
                name = active[index % len(active)]
                change_state(name, {"state": "closed"}, None, MEI, world.desk, self.moment())

        @rule(one=st.integers(0, 99), other=st.integers(0, 99))
        def merge_customers(self, one, other):
            records = read_records(world.items())
            known = sorted(records.customers)
            if not known:
                return
            target, source = known[one % len(known)], known[other % len(known)]
            people = self.people(records)
            roots = records.root(target), records.root(source)
            try:
                said = {"customer_id": source, "reason": "one person"}
                identities.merge(target, said, MEI, self.moment())
            except InvalidRequestError:
                # The same already, or two accounts of the platform.
                return
            self.merged.append((*roots, people[roots[0]], people[roots[1]]))

        @rule(one=st.integers(0, 99), other=st.integers(0, 99))
        def merge_and_take_it_back(self, one, other):
            """P10: the view is as it was, record by record, but for the two chains' own events."""
            records = read_records(world.items())
            known = sorted(records.customers)
            if not known:
                return
            target, source = known[one % len(known)], known[other % len(known)]
            root = records.root(source)
            before = self.view()
            try:
                said = {"customer_id": source, "reason": "one person"}
                identities.merge(target, said, MEI, self.moment())
            except InvalidRequestError:
                return
            identities.part(target, {"member": root}, MEI, world.desk, self.moment())
            assert self.view() == before

        @rule(index=st.integers(0, 99))
        def unmerge_customers(self, index):
            """As is proposed: everything written in between goes to who wrote it."""
            if not self.merged:
                return
            entry = self.merged[index % len(self.merged)]
            target, source, *_ = entry
            try:
                _, written = preview_unmerge(target, source)
                choices = {one.id: one.owner for one in written}
                said = {"member": source, "choices": choices}
                identities.part(target, said, MEI, world.desk, self.moment())
            except InvalidRequestError:
                # Cases of both were merged: those come first.
                return
            self.merged.remove(entry)

        @rule(one=st.integers(0, 99), other=st.integers(0, 99))
        def merge_cases(self, one, other):
            known = sorted(read_records(world.items()).cases)
            if not known:
                return
            name, into = known[one % len(known)], known[other % len(known)]
            try:
                relations.merge(name, {"into": into}, None, MEI, world.desk, self.moment())
            except InvalidRequestError:
                # Of two customers, the same, or closed.
                return

        @rule(index=st.integers(0, 99))
        def split_off(self, index):
            inbound = sorted(
                (one.case_id, one.id)
                for one in read_records(world.items()).messages
                if one.direction is Direction.INBOUND
            )
            if not inbound:
                return
            case_id, message_id = inbound[index % len(inbound)]
            said = {"message": message_id, "excerpt": "another matter"}
            try:
                relations.split(case_id, said, None, MEI, world.desk, self.moment())
            except InvalidRequestError:
                # Closed, or already quoted.
                return

        # What must hold

        def people(self, records):
            """Root customer → who really wrote the messages in their cases."""
            found = defaultdict(set)
            for one in records.messages:
                if one.direction is Direction.INBOUND:
                    root = records.root(records.cases[one.case_id].customer_id)
                    found[root].add(self.writers[one.id])
            return found

        def view(self):
            """What agents see of every customer."""
            records = read_records(world.items())
            return {
                one: (
                    read_family(one),
                    identities.show_links(one, MEI),
                    identities.show_suggestions(one, MEI),
                    [case for case in records.cases.values() if case.customer_id == one],
                    sorted(records.listed.get(one, [])),
                )
                for one in sorted(records.customers)
            }

        @invariant()
        def the_promises_hold(self):
            items = world.items()
            records = read_records(items)
            assert audit(items) == []
            self.require_every_message_once(records)
            self.require_nobody_in_somebody_elses_case(records)

        def require_every_message_once(self, records):
            """P3, of those that were ever taken in."""
            inbound = [one for one in records.messages if one.direction is Direction.INBOUND]
            assert sorted(one.id for one in inbound) == sorted(self.writers)

        def require_nobody_in_somebody_elses_case(self, records):
            """P4: two people meet in one customer only where an agent said that they are one."""
            together = {}

            def find(person):
                while together.get(person, person) != person:
                    person = together[person]
                return person

            for *_, one, other in self.merged:
                first, *others = [*one, *other] or [None]
                for person in others:
                    together[find(person)] = find(first)
            for people in self.people(records).values():
                assert len({find(person) for person in people}) == 1

    return Histories


def test_whatever_happens_there_is_one_customer_and_one_history(desk):
    with mock_aws():
        run_state_machine_as_test(
            make_machine(World(desk)),
            settings=settings(
                max_examples=2 * DEPTH,
                stateful_step_count=20,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
