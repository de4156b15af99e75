"""Links, suggestions, merging and un-merging, on stored customers (promises P4 and P10)."""

import os
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws

from caseweave.agents import identities
from caseweave.agents.caller import Caller, Moment
from caseweave.agents.cases import change_state
from caseweave.domain.evidence import find_broken_link
from caseweave.domain.identity import Proof
from caseweave.domain.message import Channel
from caseweave.errors import InvalidRequestError, NotFoundError
from caseweave.intake import Door
from caseweave.storage import cases, customers
from caseweave.storage.open_cases import read_open_cases
from tests.conftest import make_table
from tests.depth import DEPTH
from tests.domain.samples import link
from tests.usecases.conftest import KEYS
from tests.usecases.world import (
    NOON,
    email,
    just_before_write,
    message,
    phone,
    platform,
    proven,
    receive,
    sms,
    telegram,
    unproven,
)

ANN, BOB, CAT = "+8613800138000", "+8613900139000", "+8613700137000"
MEI = Caller("mei", ("agent",))
AUDITOR = Caller("kim", ("auditor",))


def now(minutes=0.0):
    return NOON + timedelta(minutes=minutes)


def moment(minutes=30.0):
    return Moment(now(minutes), bytes)


def take(door, inbound, minutes=0.0):
    return cases.read_head(receive(inbound, door, now(minutes)).case_id)


def mail(address, event, *, is_proven=True, body="请帮我看看", **more):
    senders = (
        proven(email(address), proof=Proof.DMARC)
        if is_proven
        else proven(unproven(f"mail.{event}"), proof=Proof.NONE)
    )
    claims = () if is_proven else (email(address),)
    return message(Channel.EMAIL, "ses", senders, body, event, claims, **more)


def login(user, *addresses, event):
    senders = proven(platform(user), *addresses, proof=Proof.LOGIN)
    return message(Channel.WEB, "web", senders, "登录后留言", event)


def merge(one, other, minutes=30.0):
    return identities.merge(one, {"customer_id": other, "reason": "同一人"}, MEI, moment(minutes))


def preview(one, other):
    return identities.show_unmerge(one, other, MEI)["written"]


def unmerge(one, other, desk, choices=(), minutes=60.0):
    said = {"member": other, "choices": dict(choices)}
    return identities.part(one, said, MEI, desk, moment(minutes))


def kinds(customer_id):
    events = customers.list_customer_events(customer_id)
    assert find_broken_link([link(event) for event in events]) is None
    assert customers.read_customer_of(customer_id).seq == len(events)
    return [str(event.kind) for event in events]


def view(customer_id):
    """What agents see of a customer: whose they are, their links, suggestions and cases."""
    family = customers.read_family(customer_id)
    listed = read_open_cases(customer_id)
    return {
        "family": (family.root, family.members),
        "links": identities.show_links(customer_id, AUDITOR)["items"],
        "suggestions": identities.show_suggestions(customer_id, AUDITOR)["items"],
        "cases": sorted(
            (case.id, case.customer_id, case.state, case.seq)
            for one in family.ids
            for case in cases.list_of_customer(one, 100, None).items
        ),
        "open": (listed.owner, listed.cases),
        "messages": sorted(
            (found.id, found.customer_id)
            for one in family.ids
            for case in cases.list_of_customer(one, 100, None).items
            for found in cases.list_messages(case.id)[0]
        ),
    }


def test_a_link_says_where_it_came_from_and_on_what_proof(table, door):
    ann = take(door, sms(ANN)).customer_id
    assert identities.show_links(ann, AUDITOR)["items"] == [
        {
            "customer_id": ann,
            "kind": "phone",
            "value": ANN,
            "proof": "provider",
            "strength": 6,
            "source": "sms/twilio",
            "actor": "system:intake",
            "at": "2026-11-23T12:00:00.000Z",
        }
    ]
    assert kinds(ann) == ["link_added"]


def test_proofs_are_ordered_as_the_desk_trusts_them():
    ordered = sorted(Proof, key=lambda proof: -proof.strength)
    assert [str(proof) for proof in ordered if proof.holds] == [
        "login", "code", "provider", "dmarc", "signed_link", "reply_token", "session", "agent",
    ]  # fmt: skip


def test_an_agent_links_an_address_and_the_next_message_from_there_joins(table, door):
    case = take(door, sms(ANN))
    said = {"kind": "email", "value": "Ann.Li+shop@GoogleMail.com"}
    added = identities.add_link(case.customer_id, said, MEI, moment())
    assert (added["value"], added["proof"], added["actor"]) == (
        "annli@gmail.com",
        "agent",
        "agent:mei",
    )
    assert take(door, mail("annli@gmail.com", "m1"), 40).id == case.id
    assert kinds(case.customer_id) == ["link_added", "link_added"]


def test_what_is_personal_in_a_customers_chain_is_only_committed_to(table, door):
    ann = take(door, sms(ANN)).customer_id
    (event,) = customers.list_customer_events(ann)
    assert ANN not in str(event.data)
    assert event.private == {"address": f"phone:{ANN}"}


def test_an_address_that_was_removed_is_nobodys(table, door):
    case = take(door, sms(ANN))
    said = {"kind": "phone", "value": "+86 138 0013 8000", "reason": "号码已转给别人"}
    assert identities.remove_link(case.customer_id, said, MEI, moment())["items"] == []
    assert take(door, sms(ANN, event="SM2"), 40).customer_id != case.customer_id
    assert kinds(case.customer_id) == ["link_added", "link_removed"]


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"kind": "phone", "value": "13800138000"}, "value"),
        ({"kind": "email", "value": "nobody"}, "value"),
        ({"kind": "group", "value": "telegram.1.2"}, "kind"),
        ({"kind": "phone", "value": BOB}, "value"),
        ({"kind": "phone", "value": ANN}, "value"),
    ],
)
def test_a_link_that_cannot_be_is_refused_with_what_to_write(table, door, said, field):
    ann = take(door, sms(ANN)).customer_id
    take(door, sms(BOB, event="SM2"))
    with pytest.raises(InvalidRequestError) as refused:
        identities.add_link(ann, said, MEI, moment())
    assert [name for name, _ in refused.value.errors] == [field]
    assert kinds(ann) == ["link_added"]


def test_a_forged_from_with_a_known_customers_address_only_suggests(table, door):
    ann = take(door, mail("ann@example.com", "m1"))
    forged = take(door, mail("ann@example.com", "m2", is_proven=False), 1)
    assert forged.customer_id != ann.customer_id
    (found,) = identities.show_suggestions(forged.customer_id, MEI)["items"]
    assert (found["kind"], found["customer_id"], found["reason"]) == (
        "merge",
        ann.customer_id,
        "claimed, not proven",
    )
    assert identities.show_suggestions(ann.customer_id, MEI)["items"] == []


def test_a_text_that_claims_anothers_number_gets_a_case_of_its_own(table, door):
    ann = take(door, sms(ANN))
    claim = message(
        Channel.SMS, "twilio", proven(phone(BOB)), "我是13800138000", "SM2", (phone(ANN),)
    )
    assert take(door, claim, 1).customer_id != ann.customer_id


def test_a_claim_of_an_address_that_nobody_has_suggests_to_link_it(table, door):
    case = take(door, mail("new@example.com", "m1", is_proven=False))
    (found,) = identities.show_suggestions(case.customer_id, MEI)["items"]
    assert (found["kind"], found["customer_id"]) == ("link", None)
    said = {"decision": "accept"}
    identities.decide_suggestion(case.customer_id, found["id"], said, MEI, moment())
    assert take(door, mail("new@example.com", "m2"), 40).id == case.id
    assert kinds(case.customer_id) == ["suggestion_made", "link_added", "suggestion_accepted"]


def test_an_accepted_suggestion_merges_the_two(table, door):
    ann = take(door, mail("ann@example.com", "m1"))
    other = take(door, mail("ann@example.com", "m2", is_proven=False), 1).customer_id
    (found,) = identities.show_suggestions(other, MEI)["items"]
    identities.decide_suggestion(other, found["id"], {"decision": "accept"}, MEI, moment())
    assert customers.read_family(other).ids == (ann.customer_id, other)
    assert identities.show_suggestions(other, MEI)["items"] == []
    assert kinds(other) == ["suggestion_made", "customer_merged", "suggestion_accepted"]
    with pytest.raises(NotFoundError):
        identities.decide_suggestion(other, found["id"], {"decision": "accept"}, MEI, moment())


def test_what_was_dismissed_is_not_suggested_again(table, door):
    take(door, mail("ann@example.com", "m1"))
    claims = (email("ann@example.com"),)
    first = take(door, message(Channel.SMS, "twilio", proven(phone(BOB)), "我", "1", claims))
    (found,) = identities.show_suggestions(first.customer_id, MEI)["items"]
    said = {"decision": "dismiss"}
    identities.decide_suggestion(first.customer_id, found["id"], said, MEI, moment())
    again = take(door, message(Channel.SMS, "twilio", proven(phone(BOB)), "我", "2", claims), 40)
    assert again.id == first.id
    assert identities.show_suggestions(first.customer_id, MEI)["items"] == []
    suggested = [e for e in cases.read_file(first.id).events if e.kind == "customer_suggested"]
    assert len(suggested) == 1


def test_the_same_suspicion_is_kept_once(table, door):
    take(door, mail("ann@example.com", "m1"))
    claims = (email("ann@example.com"),)
    for event in ("1", "2", "3"):
        case = take(door, message(Channel.SMS, "twilio", proven(phone(BOB)), "我", event, claims))
    assert len(identities.show_suggestions(case.customer_id, MEI)["items"]) == 1


def test_two_platform_ids_are_a_conflict_that_nobody_can_merge_away(table, door, dump):
    ann = take(door, login("u-ann", phone(ANN), event="w1")).customer_id
    bob = take(door, login("u-bob", phone(ANN), event="w2"), 1).customer_id
    assert bob != ann
    (found,) = identities.show_suggestions(bob, MEI)["items"]
    assert (found["kind"], found["customer_id"]) == ("conflict", ann)
    before = dump()
    with pytest.raises(InvalidRequestError, match="cannot be one"):
        identities.decide_suggestion(bob, found["id"], {"decision": "accept"}, MEI, moment())
    for one, other in ((ann, bob), (bob, ann)):
        with pytest.raises(InvalidRequestError, match="cannot be one"):
            merge(one, other)
    assert dump() == before


def test_a_sign_in_by_another_user_does_not_join_a_family_with_a_platform_id(table, door):
    ann = take(door, login("u-ann", event="w1")).customer_id
    bob = take(door, sms(BOB), 1).customer_id
    merge(ann, bob)
    eve = take(door, login("u-eve", phone(BOB), event="w2"), 40)
    assert customers.read_family(eve.customer_id).ids == (eve.customer_id,)
    (found,) = identities.show_suggestions(eve.customer_id, MEI)["items"]
    assert found["kind"] == "conflict"


def test_merging_is_transitive_and_rewrites_nobodys_records(table, door, dump):
    ann, bob, cat = (
        take(door, sms(number, event=number), i).customer_id
        for i, number in enumerate((ANN, BOB, CAT))
    )
    before = {(i["pk"]["S"], i["sk"]["S"]): i for i in dump()}
    assert merge(bob, cat) == {"customer_id": bob, "members": [cat]}
    assert merge(ann, cat) == {"customer_id": ann, "members": [bob, cat]}
    assert customers.read_family(cat).ids == (ann, bob, cat)
    after = {(i["pk"]["S"], i["sk"]["S"]): i for i in dump()}
    changed = {key[1] for key, item in before.items() if after.get(key) != item}
    assert changed == {"CUST", "OPEN#case"}
    with pytest.raises(InvalidRequestError, match="one customer"):
        merge(cat, ann)


def test_messages_of_a_merged_customer_find_the_familys_cases(table, door):
    first = take(door, sms(ANN))
    second = take(door, sms(BOB, event="SM2"), 1)
    merge(first.customer_id, second.customer_id)
    again = take(door, sms(BOB, event="SM3"), 31)
    assert again.id == second.id
    take(door, sms(BOB, event="SM3"), 32)
    assert len(cases.list_messages(second.id)[0]) == 2


def test_a_new_case_of_a_family_is_of_the_member_whose_address_it_came_from(table, door, desk):
    first = take(door, sms(ANN))
    second = take(door, sms(BOB, event="SM2"), 1)
    merge(first.customer_id, second.customer_id)
    for case in (first, second):
        for state in ("resolved", "closed"):
            change_state(case.id, {"state": state}, None, MEI, desk, moment(31))
    later = take(door, sms(BOB, event="SM3"), 60 * 24 * 80)
    assert later.customer_id == second.customer_id
    assert later.id not in (first.id, second.id)


def test_an_unmerge_gives_each_their_own_back_and_leaves_two_events(table, door, desk):
    ann, bob = take(door, sms(ANN)).customer_id, take(door, sms(BOB, event="SM2")).customer_id
    before = view(ann), view(bob)
    merge(ann, bob)
    assert view(bob)["family"] == (ann, (bob,))
    assert preview(ann, bob) == []
    unmerge(ann, bob, desk)
    assert (view(ann), view(bob)) == before
    assert kinds(ann) == kinds(bob) == ["link_added", "customer_merged", "customer_unmerged"]


def test_a_message_in_the_other_ones_case_needs_a_choice(table, door, desk):
    case = take(door, sms(ANN))
    ann = case.customer_id
    bob = take(door, login("u-bob", event="w1"), 1)
    _close(bob, desk)
    merge(ann, bob.customer_id)
    # Bob's own case is closed and long ago, so what he writes goes on in the family's open one.
    crossing = take(door, login("u-bob", event="w2"), 60 * 24 * 80)
    assert crossing.id == case.id
    (written,) = preview(ann, bob.customer_id)
    assert (written["what"], written["proposed"], written["needs_choice"]) == (
        "message",
        bob.customer_id,
        True,
    )
    with pytest.raises(InvalidRequestError) as refused:
        unmerge(ann, bob.customer_id, desk)
    assert [name for name, _ in refused.value.errors] == [f"choices.{written['id']}"]
    assert customers.read_family(ann).ids == (ann, bob.customer_id)


def _close(case, desk):
    for state in ("resolved", "closed"):
        change_state(case.id, {"state": state}, None, MEI, desk, moment(5))


@pytest.fixture
def crossed(table, door, desk):
    """Ann's open case, in which Bob wrote while the two were merged; and the message's id."""
    case = take(door, sms(ANN))
    bob = take(door, login("u-bob", event="w1"), 1)
    _close(bob, desk)
    merge(case.customer_id, bob.customer_id)
    take(door, login("u-bob", event="w2"), 60 * 24 * 80)
    (written,) = preview(case.customer_id, bob.customer_id)
    return case, bob.customer_id, written["id"]


def test_a_message_may_be_left_where_it_is(crossed, desk):
    case, bob, name = crossed
    unmerge(case.customer_id, bob, desk, {name: case.customer_id}, 60 * 24 * 81)
    owners = {one.customer_id for one in cases.list_messages(case.id)[0]}
    assert owners == {case.customer_id}
    assert [str(e.kind) for e in cases.read_file(case.id).events][-1] == "customer_changed"


def test_a_message_that_goes_to_its_sender_gets_a_case_of_its_own(crossed, desk):
    case, bob, name = crossed
    unmerge(case.customer_id, bob, desk, {name: bob}, 60 * 24 * 81)
    assert name not in {one.id for one in cases.list_messages(case.id)[0]}
    (new,) = [c for c in cases.list_of_customer(bob, 9, None).items if c.is_active]
    assert [(m.id, m.customer_id) for m in cases.list_messages(new.id)[0]] == [(name, bob)]
    assert [c.id for c in read_open_cases(bob).open] == [new.id]
    assert [c.id for c in read_open_cases(case.customer_id).open] == [case.id]


@pytest.mark.parametrize(
    ("choices", "field"),
    [({"nothing": "x"}, "choices.nothing"), ({"{name}": "somebody"}, "choices.{name}")],
)
def test_choices_that_cannot_be_made_are_named(crossed, desk, dump, choices, field):
    case, bob, name = crossed
    before = dump()
    said = {one.format(name=name): owner for one, owner in choices.items()}
    with pytest.raises(InvalidRequestError) as refused:
        unmerge(case.customer_id, bob, desk, said)
    assert field.format(name=name) in [one for one, _ in refused.value.errors]
    assert dump() == before


def test_a_case_opened_in_between_may_be_given_to_the_other(table, door, desk):
    first = take(door, login("u-ann", event="w1"))
    second = take(door, sms(BOB, event="SM2"), 1)
    for case in (first, second):
        _close(case, desk)
    merge(first.customer_id, second.customer_id)
    opened = take(door, sms(BOB, event="SM9"), 60 * 24 * 80)
    ann, bob = first.customer_id, second.customer_id
    assert opened.customer_id == bob
    names = {one["what"]: one["id"] for one in preview(ann, bob)}
    choices = {names["case"]: ann, names["message"]: ann}
    unmerge(ann, bob, desk, choices, 60 * 24 * 81)
    assert cases.read_head(opened.id).customer_id == ann
    assert [c.id for c in read_open_cases(ann).open] == [opened.id]
    assert read_open_cases(bob).open == ()


def test_taking_one_out_of_the_middle_takes_those_who_came_with_them(table, door, desk):
    ann, bob, cat = (
        take(door, sms(number, event=number), i).customer_id
        for i, number in enumerate((ANN, BOB, CAT))
    )
    merge(bob, cat)
    before = view(ann), view(bob), view(cat)
    merge(ann, bob)
    unmerge(ann, bob, desk)
    assert (view(ann), view(bob), view(cat)) == before
    merge(ann, bob)
    unmerge(ann, cat, desk, minutes=70)
    assert customers.read_family(ann).ids == (ann, bob)
    assert customers.read_family(cat).ids == (cat,)
    assert [c.customer_id for c in read_open_cases(cat).cases] == [cat]


def test_a_customer_who_is_not_merged_cannot_be_unmerged(table, door, desk):
    ann, bob = take(door, sms(ANN)).customer_id, take(door, sms(BOB, event="SM2")).customer_id
    with pytest.raises(InvalidRequestError, match="not merged"):
        unmerge(ann, bob, desk)


LATER = 60 * 24 * 80


@pytest.fixture
def family(table, door, desk):
    """Ann, who has the one open case, and Bob, whose own was closed long ago; they are merged."""
    case, bob = take(door, sms(ANN)), take(door, login("u-bob", event="w1"), 1)
    _close(bob, desk)
    merge(case.customer_id, bob.customer_id)
    return case, bob.customer_id


def test_a_message_that_meets_an_unmerge_goes_to_its_senders_own_case(family, door, desk):
    case, bob = family
    with just_before_write(lambda: unmerge(case.customer_id, bob, desk)):
        crossing = take(door, login("u-bob", event="w2"), LATER)
    assert crossing.id != case.id
    assert (crossing.customer_id, customers.read_family(bob).ids) == (bob, (bob,))
    assert len(cases.list_messages(case.id)[0]) == 1
    assert [one.id for one in read_open_cases(bob).open] == [crossing.id]


def test_an_unmerge_that_meets_a_message_asks_whose_it_is(family, door, desk):
    case, bob = family
    crossing = login("u-bob", event="w2")
    with (
        just_before_write(lambda: take(door, crossing, LATER)),
        pytest.raises(InvalidRequestError) as refused,
    ):
        unmerge(case.customer_id, bob, desk)
    (kept,) = [m for m in cases.list_messages(case.id)[0] if m.customer_id == bob]
    assert [name for name, _ in refused.value.errors] == [f"choices.{kept.id}"]
    assert customers.read_family(bob).ids == (case.customer_id, bob)


def test_a_first_message_that_meets_a_merge_is_in_the_familys_record(table, door, desk):
    ann, bob = take(door, sms(ANN)), take(door, sms(BOB, event="SM2"), 1)
    for case in (ann, bob):
        _close(case, desk)
    with just_before_write(lambda: merge(ann.customer_id, bob.customer_id)):
        opened = take(door, sms(BOB, event="SM3"), LATER)
    assert opened.customer_id == bob.customer_id
    assert [one.id for one in read_open_cases(ann.customer_id).open] == [opened.id]
    assert len(cases.list_messages(opened.id)[0]) == 1


def test_a_merge_that_meets_a_first_message_takes_its_case_along(table, door, desk):
    ann, bob = take(door, sms(ANN)), take(door, sms(BOB, event="SM2"), 1)
    _close(bob, desk)
    with just_before_write(lambda: take(door, sms(BOB, event="SM3"), LATER)):
        merge(ann.customer_id, bob.customer_id)
    listed = {one.customer_id for one in read_open_cases(ann.customer_id).open}
    assert listed == {ann.customer_id, bob.customer_id}


def test_a_platform_id_that_is_linked_at_the_same_moment_forbids_the_merge(table, door):
    ann = take(door, login("u-ann", event="w1")).customer_id
    bob = take(door, sms(BOB, event="SM2"), 1).customer_id
    cat = take(door, sms(CAT, event="SM3"), 2).customer_id
    merge(bob, cat)
    signed_in = login("u-cat", phone(CAT), event="w3")
    with (
        just_before_write(lambda: take(door, signed_in, 3)),
        pytest.raises(InvalidRequestError, match="cannot be one"),
    ):
        merge(ann, bob)
    assert customers.find_platform_ids([cat]) == {"u-cat"}


def test_a_sign_in_that_meets_a_merge_does_not_bring_two_platform_ids_together(table, door):
    ann = take(door, login("u-ann", event="w1")).customer_id
    bob = take(door, sms(BOB, event="SM2"), 1).customer_id
    with just_before_write(lambda: merge(ann, bob)):
        signed_in = take(door, login("u-bob", phone(BOB), event="w3"), 3)
    assert signed_in.customer_id not in (ann, bob)
    assert customers.find_platform_ids([ann, bob]) == {"u-ann"}


PEOPLE = ("a", "b", "c")
ADDRESSES = {
    "a": (phone(ANN), email("a@example.com"), platform("u-a")),
    "b": (phone(BOB), email("b@example.com"), telegram("b")),
    "c": (phone(CAT), email("c@example.com"), telegram("c")),
}


@st.composite
def histories(draw):
    """Who writes from which of their addresses, claiming which other one; who is linked to whom."""
    said = st.tuples(
        st.sampled_from(PEOPLE), st.integers(0, 2), st.sampled_from((None, *PEOPLE)), st.booleans()
    )
    merges = draw(st.permutations(PEOPLE))
    return draw(st.lists(said, max_size=6)), merges[:2], draw(st.booleans())


@settings(max_examples=8 * DEPTH, deadline=None)
@given(histories())
def test_merge_then_unmerge_leaves_the_view_exactly_as_it_was(desk, history):
    said, (one, other), with_third = history
    with mock_aws():
        make_table()
        _check_round_trip(Door("frontline", KEYS, os.urandom), desk, said, one, other, with_third)


def _check_round_trip(door, desk, said, one, other, with_third):
    ids = {}
    for place, name in enumerate(PEOPLE):
        first = message(Channel.SMS, "twilio", proven(ADDRESSES[name][0]), "在吗", f"first-{name}")
        ids[name] = take(door, first, place).customer_id
    for place, (name, address, claimed, is_closing) in enumerate(said):
        claims = (ADDRESSES[claimed][1],) if claimed else ()
        senders = proven(ADDRESSES[name][0], ADDRESSES[name][address])
        case = take(
            door,
            message(
                Channel.SMS, "twilio", tuple(dict.fromkeys(senders)), "在吗", f"{place}", claims
            ),
            5 + place,
        )
        if is_closing and cases.read_head(case.id).is_active:
            _close(case, desk)
    third = next(name for name in PEOPLE if name not in (one, other))
    if with_third:
        merge(ids[one], ids[third], 20)
    before = {name: view(ids[name]) for name in PEOPLE}
    merge(ids[one], ids[other], 30)
    assert len(customers.read_family(ids[other]).ids) == 2 + with_third
    unmerge(ids[one], ids[other], desk)
    assert {name: view(ids[name]) for name in PEOPLE} == before
    for name in PEOPLE:
        kinds(ids[name])
