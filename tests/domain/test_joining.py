"""Promise P4 as a table: whoever is not proven to be the customer does not get in."""

import pytest

from caseweave.domain.identity import (
    Address,
    AddressKind,
    Proof,
    ProvenAddress,
    Sender,
    Suggestion,
    SuggestionKind,
)
from caseweave.domain.joining import Joining, Person, Ticket, join_customer
from caseweave.domain.message import KnownAddress

ANN, BOB = "customer-ann", "customer-bob"
ANN_MAIL = Address(AddressKind.EMAIL, "ann@example.com")
ANN_PHONE = Address(AddressKind.PHONE, "+8613800138000")
BOB_PHONE = Address(AddressKind.PHONE, "+8613900139000")
ANN_ID = Address(AddressKind.PLATFORM, "u-ann")
BOB_ID = Address(AddressKind.PLATFORM, "u-bob")
CHAT = Address(AddressKind.TELEGRAM, "4711")
FORM = Address(AddressKind.UNPROVEN, "form-1")

BY_FORM = ProvenAddress(FORM, Proof.NONE)
BY_MAIL = ProvenAddress(ANN_MAIL, Proof.DMARC)
BY_PHONE = ProvenAddress(ANN_PHONE, Proof.PROVIDER)
BY_CHAT = ProvenAddress(CHAT, Proof.PROVIDER)
BY_LOGIN = ProvenAddress(BOB_ID, Proof.LOGIN)
PHONE_IN_LOGIN = ProvenAddress(ANN_PHONE, Proof.LOGIN)

CLAIMED = "claimed, not proven"
CONFLICT = SuggestionKind.CONFLICT
BOTH = "proven address of both customers"


def known(**owners: Address) -> dict[Address, KnownAddress]:
    """Addresses as the store has them: `known(ann=ANN_MAIL)`."""
    return {
        address: KnownAddress(address, f"customer-{name}", Proof.PROVIDER)
        for name, address in owners.items()
    }


@pytest.mark.parametrize(
    ("sender", "store", "joining"),
    [
        pytest.param(Sender((BY_PHONE,)), known(), Joining(None, (BY_PHONE,)), id="nobody we know"),
        pytest.param(
            Sender((BY_PHONE,)), known(ann=ANN_PHONE), Joining(ANN), id="a proven phone is ann"
        ),
        pytest.param(
            Sender((BY_MAIL,)), known(ann=ANN_MAIL), Joining(ANN), id="a mail that passes dmarc"
        ),
        pytest.param(
            Sender((BY_FORM,), claims=(ANN_MAIL,)),
            known(ann=ANN_MAIL),
            Joining(None, (BY_FORM,), (), (Suggestion(ANN, ANN_MAIL, CLAIMED),)),
            id="a forged From only suggests",
        ),
        pytest.param(
            Sender((BY_FORM,), claims=(ANN_PHONE, ANN_MAIL)),
            {**known(ann=ANN_PHONE), **known(bob=ANN_MAIL)},
            Joining(
                None,
                (BY_FORM,),
                (),
                (Suggestion(ANN, ANN_PHONE, CLAIMED), Suggestion(BOB, ANN_MAIL, CLAIMED)),
            ),
            id="each claim on a form is a suggestion",
        ),
        pytest.param(
            Sender((BY_FORM,), claims=(ANN_MAIL,)),
            known(),
            Joining(None, (BY_FORM,)),
            id="a claim on nobody's address is nothing, and is not linked",
        ),
        pytest.param(
            Sender((BY_CHAT,), claims=(ANN_PHONE,)),
            {**known(bob=CHAT), **known(ann=ANN_PHONE)},
            Joining(BOB, (), (), (Suggestion(ANN, ANN_PHONE, CLAIMED),)),
            id="bob who types ann's number stays bob",
        ),
        pytest.param(
            Sender((BY_PHONE,), claims=(ANN_MAIL,)),
            {**known(ann=ANN_PHONE), ANN_MAIL: KnownAddress(ANN_MAIL, ANN, Proof.DMARC)},
            Joining(ANN),
            id="ann's own claim needs no suggestion",
        ),
        pytest.param(
            Sender((BY_PHONE, BY_MAIL)),
            known(ann=ANN_PHONE),
            Joining(ANN, (BY_MAIL,)),
            id="what is proven beside it becomes ann's",
        ),
        pytest.param(
            Sender((BY_MAIL, ProvenAddress(BOB_PHONE, Proof.PROVIDER))),
            {**known(ann=ANN_MAIL), **known(bob=BOB_PHONE)},
            Joining(ANN, (), (), (Suggestion(BOB, BOB_PHONE, BOTH),)),
            id="two proven addresses of two customers",
        ),
    ],
)
def test_joining_is_by_proof_only(sender, store, joining):
    assert join_customer(sender, store, {}) == joining


@pytest.mark.parametrize(
    ("sender", "people", "joining"),
    [
        pytest.param(
            Sender((BY_LOGIN, PHONE_IN_LOGIN)),
            {ANN: Person(ANN, "u-ann")},
            Joining(None, (BY_LOGIN,), (), (Suggestion(ANN, ANN_PHONE, BOTH, kind=CONFLICT),)),
            id="bob's login with ann's old number does not become ann",
        ),
        pytest.param(
            Sender((BY_LOGIN, PHONE_IN_LOGIN)),
            {ANN: Person(ANN, "")},
            Joining(ANN, (BY_LOGIN,)),
            id="a login by a customer known only by phone",
        ),
        pytest.param(
            Sender((BY_LOGIN, PHONE_IN_LOGIN)),
            {ANN: Person(ANN, "u-bob")},
            Joining(ANN, (BY_LOGIN,)),
            id="the same platform id is the same customer",
        ),
        pytest.param(
            Sender((PHONE_IN_LOGIN,)),
            {ANN: Person(ANN, "u-ann")},
            Joining(ANN),
            id="without a platform id of their own nothing is vetoed",
        ),
    ],
)
def test_two_platform_ids_are_two_customers(sender, people, joining):
    assert join_customer(sender, known(ann=ANN_PHONE), people) == joining


def test_a_vetoed_owner_does_not_stop_the_next_address_from_joining():
    store = {**known(ann=ANN_PHONE), **known(bob=ANN_MAIL)}
    joined = join_customer(
        Sender((BY_LOGIN, PHONE_IN_LOGIN, BY_MAIL)),
        store,
        {ANN: Person(ANN, "u-ann"), BOB: Person(BOB)},
    )
    conflict = Suggestion(ANN, ANN_PHONE, BOTH, kind=CONFLICT)
    assert joined == Joining(BOB, (BY_LOGIN,), (), (conflict,))


def test_a_signed_link_makes_an_unknown_chat_the_customers():
    joined = join_customer(Sender((BY_CHAT,)), {}, {}, Ticket(ANN, is_link=True))
    assert joined == Joining(ANN, (ProvenAddress(CHAT, Proof.SIGNED_LINK),))


def test_a_signed_link_moves_a_chat_and_leaves_a_suggestion_of_who_had_it():
    joined = join_customer(Sender((BY_CHAT,)), known(bob=CHAT), {}, Ticket(ANN, is_link=True))
    assert joined == Joining(
        ANN,
        (ProvenAddress(CHAT, Proof.SIGNED_LINK),),
        (CHAT,),
        (Suggestion(BOB, CHAT, "wrote from here before it was linked"),),
    )


def test_a_signed_link_of_ones_own_moves_nothing():
    joined = join_customer(Sender((BY_CHAT,)), known(ann=CHAT), {}, Ticket(ANN, is_link=True))
    assert joined == Joining(ANN, (ProvenAddress(CHAT, Proof.SIGNED_LINK),))


def test_a_reply_token_admits_an_unproven_message_without_linking_its_address():
    sender = Sender((BY_FORM,), claims=(ANN_MAIL,))
    assert join_customer(sender, {}, {}, Ticket(ANN, is_link=False)) == Joining(ANN)


def test_a_reply_token_makes_a_proven_address_that_nobody_has_the_customers():
    joined = join_customer(Sender((BY_MAIL,)), {}, {}, Ticket(ANN, is_link=False))
    assert joined == Joining(ANN, (BY_MAIL,))


def test_a_reply_token_does_not_take_an_address_from_another_customer():
    joined = join_customer(Sender((BY_MAIL,)), known(bob=ANN_MAIL), {}, Ticket(ANN, is_link=False))
    assert joined == Joining(ANN, (), (), (Suggestion(BOB, ANN_MAIL, BOTH),))


def test_a_reply_token_does_not_turn_a_claim_into_a_link():
    sender = Sender((BY_FORM,), claims=(ANN_MAIL,))
    joined = join_customer(sender, known(bob=ANN_MAIL), {}, Ticket(ANN, is_link=False))
    assert joined == Joining(ANN, (), (), (Suggestion(BOB, ANN_MAIL, CLAIMED),))


def test_customers_who_were_merged_suggest_nothing_to_each_other():
    people = {ANN: Person(ANN), BOB: Person(ANN)}
    sender = Sender((BY_MAIL, BY_PHONE), claims=(BOB_PHONE,))
    store = known(ann=ANN_MAIL) | known(bob=ANN_PHONE) | known(bob=BOB_PHONE)
    assert join_customer(sender, store, people) == Joining(ANN)
