"""What customers say about earlier messages, and customers who change their number."""

from datetime import timedelta

import pytest

from caseweave.domain.identity import Address, AddressKind
from caseweave.domain.message import Channel, NumberChange, Remark
from caseweave.domain.times import to_rfc3339
from caseweave.errors import UnavailableError
from caseweave.intake import take_in
from caseweave.router import route_case
from caseweave.storage import cases
from tests.usecases.conftest import KEYS
from tests.usecases.world import NOON, crash_at_call, message, phone, proven, raw, receive

OLD, NEW = phone("+8613800138000"), phone("+85291234567")


def written(body, event, sender=OLD, **more):
    return message(Channel.MESSENGER, "whatsapp", proven(sender), body, event, **more)


def remark(kind, event, body="", about="W1", sender=OLD):
    return written(body, event, sender, remark=kind, about=about, is_automatic=True)


def moved(event="N1.number"):
    return NumberChange("whatsapp", "account", event, OLD, NEW)


@pytest.mark.parametrize("kind", [Remark.DELETION, Remark.REACTION, Remark.NUMBER_CHANGE])
def test_a_remark_stands_in_the_open_case_with_what_it_is_about(table, door, kind):
    first = receive(written("还没到账", "W1"), door)

    told = receive(remark(kind, "W2", "👍"), door, NOON + timedelta(minutes=1))

    assert told.case_id == first.case_id
    shown = cases.read_file(first.case_id).messages[-1]
    assert (shown.body, shown.fields) == ("👍", {"remark": kind, "about": "W1"})
    assert shown.is_automatic


@pytest.mark.parametrize("kind", [Remark.DELETION, Remark.REACTION, Remark.NUMBER_CHANGE])
def test_a_remark_without_an_open_case_opens_none_and_is_kept(table, door, dump, kind):
    told = receive(remark(kind, "W2"), door)

    assert (told.case_id, told.is_new) == ("", True)
    (kept,) = dump()
    assert kept["state"] == {"S": "ignored"}
    assert kept["reason"] == {"S": f"a {kind} of W1; the customer has no open case"}
    again = receive(remark(kind, "W2"), door)
    assert (again.case_id, again.is_new) == ("", False)


def test_an_edit_opens_a_case_as_any_message_does(table, door):
    landed = receive(written("订单 18", "W2", remark=Remark.EDIT, about="W1"), door)

    (shown,) = cases.read_file(landed.case_id).messages
    assert (shown.body, shown.fields) == ("订单 18", {"remark": "edit", "about": "W1"})


def test_a_customer_keeps_the_case_under_a_new_number_and_the_old_one_is_nobodys(table, door):
    first = receive(written("还没到账", "W1"), door)
    change = [moved(), remark(Remark.NUMBER_CHANGE, "N1", "moved", OLD.value, NEW)]

    assert take_in(change, raw(), door) == 2

    later = receive(written("在吗", "W3", NEW), door, NOON + timedelta(minutes=2))
    assert later.case_id == first.case_id
    case = cases.read_head(first.case_id)
    assert case.contacts[Channel.MESSENGER].address == NEW
    stranger = receive(written("hello", "W4", OLD), door, NOON + timedelta(minutes=3))
    assert stranger.case_id != first.case_id
    assert cases.read_head(stranger.case_id).customer_id != case.customer_id


def test_a_change_of_number_delivered_twice_changes_nothing_more(table, door, dump):
    receive(written("还没到账", "W1"), door)
    take_in([moved()], raw(), door)
    before = dump()

    assert take_in([moved()], raw(), door) == 0
    assert dump() == before


@pytest.mark.parametrize("known", [[], [NEW], [OLD, NEW]], ids=["nobody", "only new", "both"])
def test_a_change_between_strangers_or_two_customers_is_only_kept(table, door, known):
    landed = [
        receive(written("hi", f"W{number}", sender), door) for number, sender in enumerate(known)
    ]

    take_in([moved()], raw(), door)

    for number, (sender, one) in enumerate(zip(known, landed, strict=True)):
        later = receive(written("again", f"X{number}", sender), door)
        assert later.case_id == one.case_id


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", [1, 2])
def test_dying_while_a_number_moves_and_a_redelivery_move_it_once(table, door, number, after):
    first = receive(written("还没到账", "W1"), door)
    with crash_at_call(number, after=after), pytest.raises(UnavailableError):
        take_in([moved()], raw(), door)

    take_in([moved()], raw(), door)

    assert receive(written("在吗", "W3", NEW), door).case_id == first.case_id


def test_a_group_is_acknowledged_without_a_link_that_would_make_its_members_one_customer(
    table, door, desk
):
    group = Address(AddressKind.GROUP, "line.U1.C1")
    landed = receive(message(Channel.MESSENGER, "line", proven(group), "还没到账", "L1"), door)
    (said,) = cases.read_file(landed.case_id).messages

    key = f"MSG#{to_rfc3339(said.occurred_at)}#{said.id}"

    change = route_case(landed.case_id, key, desk, "desk_bot", KEYS, NOON)

    (acknowledgement,) = change.messages
    assert landed.ref in acknowledgement.body
    assert "t.me" not in acknowledgement.body
