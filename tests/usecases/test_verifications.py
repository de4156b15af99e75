"""One-time codes: only who reads the address, and says it in the claim's case, gets it (P4)."""

import os

import pytest

from caseweave.agents import identities
from caseweave.channels.ses import compose_mail
from caseweave.domain.identity import Proof
from caseweave.domain.message import Channel, Remark
from caseweave.domain.tokens import read_reply_token
from caseweave.domain.verifying import HIDDEN_CODE, reveal_code
from caseweave.errors import InvalidRequestError, TooManyRequestsError
from caseweave.storage import cases, customers
from caseweave.verifications import Codes
from tests.usecases.conftest import KEYS
from tests.usecases.test_identities import (
    ANN,
    BOB,
    MEI,
    kinds,
    login,
    mail,
    merge,
    moment,
    now,
    take,
)
from tests.usecases.test_router import route
from tests.usecases.world import (
    email,
    message,
    platform,
    proven,
    receive,
    sms,
    telegram,
    unproven,
)

START = 5
MAIL = "ann@example.com"


@pytest.fixture
def claimant(table, door):
    """The case of an anonymous chat."""
    return take(door, chat("我的邮箱是 ann@example.com", "c1"))


def chat(body, event, case_id=""):
    nobody = proven(unproven("form.1" if not case_id else f"chat.{event}"), proof=Proof.SESSION)
    return message(Channel.WEB, "web", nobody, body, event, session_case_id=case_id)


def start(case, desk, minutes=START, kind="email", value=MAIL, customer_id=""):
    codes = Codes(desk, "twilio", now(minutes), os.urandom)
    said = {"kind": kind, "value": value, "case": case.ref}
    return identities.verify_address(customer_id or case.customer_id, said, MEI, codes)


def codes_of(case):
    """The messages with codes of a case, and the codes as they leave."""
    found = [m for m in cases.list_messages(case.id)[0] if m.purpose == "verification"]
    return found, [_read_code(reveal_code(one, KEYS).body) for one in found]


def _read_code(body):
    return next(word for word in _words(body) if len(word) == 6 and word.isdecimal())


def _words(body):
    return "".join(c if c.isascii() and c.isalnum() else " " for c in body).split()


def say(door, desk, case, body, event, minutes=START + 1.0):
    landed = receive(chat(body, event, case.id), door, now(minutes))
    route(landed, desk)
    return landed


def owner_of(case, kind="email", value=MAIL):
    links = identities.show_links(case.customer_id, MEI)["items"]
    return [link for link in links if (link["kind"], link["value"]) == (kind, value)]


def test_a_code_that_is_said_in_the_case_links_the_address(claimant, door, desk):
    assert start(claimant, desk) == {"state": "sent", "minutes": 10}
    (sent,), (code,) = codes_of(claimant)
    assert (sent.contact.address.value, sent.delivery.state) == (MAIL, "queued")
    say(door, desk, claimant, f"验证码是{code},谢谢", "c2")
    (link,) = owner_of(claimant)
    assert (link["proof"], link["strength"], link["source"]) == ("code", 7, "code")
    assert take(door, mail(MAIL, "m1"), 20).id == claimant.id
    assert kinds(claimant.customer_id)[-2:] == ["link_added", "verification_passed"]


def test_full_width_digits_and_sms_are_understood(claimant, door, desk):
    start(claimant, desk, kind="phone", value="+86 138 0013 8000")
    (sent,), (code,) = codes_of(claimant)
    assert (sent.channel, sent.provider, sent.contact.address.value) == ("sms", "twilio", ANN)
    say(
        door, desk, claimant, code.translate({ord("0") + d: ord("０") + d for d in range(10)}), "c2"
    )
    assert owner_of(claimant, "phone", ANN)


def test_neither_the_code_nor_its_digest_is_stored(claimant, desk, dump):
    start(claimant, desk)
    (sent,), (code,) = codes_of(claimant)
    assert HIDDEN_CODE in sent.body
    assert code not in str(dump())


def test_a_mail_with_a_code_lets_nobody_into_the_case(claimant, desk):
    start(claimant, desk)
    (sent,), (code,) = codes_of(claimant)
    told = compose_mail(reveal_code(sent, KEYS), "support@shop.example", KEYS).decode()
    token = told.partition("support+")[2].partition("@")[0]
    assert read_reply_token(token, MAIL, KEYS) is None
    assert claimant.ref not in told
    assert reveal_code(sent, KEYS).body.count(code) == 1


def test_a_code_for_another_customers_address_merges_the_two(claimant, door, desk):
    ann = take(door, mail(MAIL, "m1"), 1)
    start(claimant, desk)
    _, (code,) = codes_of(claimant)
    say(door, desk, claimant, code, "c2")
    family = customers.read_family(claimant.customer_id)
    assert set(family.ids) == {claimant.customer_id, ann.customer_id}
    assert "customer_merged" in kinds(claimant.customer_id)
    assert "verification_passed" in kinds(claimant.customer_id)


def test_the_answer_never_tells_whether_anybody_has_the_address(claimant, door, desk):
    unknown = start(claimant, desk, value="nobody@example.com")
    take(door, mail(MAIL, "m1"), 1)
    assert start(claimant, desk) == unknown


def test_a_guessed_code_is_good_for_five_tries_and_no_more(claimant, door, desk):
    start(claimant, desk)
    _, (code,) = codes_of(claimant)
    wrong = [f"{(int(code) + step) % 10**6:06}" for step in range(1, 6)]
    say(door, desk, claimant, " ".join(wrong[:3]), "c2")
    for place, guess in enumerate(wrong[3:]):
        say(door, desk, claimant, guess, f"g{place}")
    say(door, desk, claimant, code, "late")
    assert owner_of(claimant) == []
    assert kinds(claimant.customer_id)[-1] == "verification_failed"


def test_a_message_full_of_numbers_is_not_more_than_five_tries(claimant, door, desk):
    start(claimant, desk)
    _, (code,) = codes_of(claimant)
    guesses = [f"{(int(code) + step) % 10**6:06}" for step in range(1, 40)]
    say(door, desk, claimant, " ".join([*guesses, code]), "c2")
    assert owner_of(claimant) == []


def test_a_code_works_for_ten_minutes(claimant, door, desk):
    start(claimant, desk)
    _, (code,) = codes_of(claimant)
    say(door, desk, claimant, code, "c2", START + 10)
    assert owner_of(claimant) == []


def test_a_code_replayed_after_it_was_used_changes_nothing(claimant, door, desk, dump):
    start(claimant, desk)
    _, (code,) = codes_of(claimant)
    landed = say(door, desk, claimant, code, "c2")
    identities.remove_link(
        claimant.customer_id, {"kind": "email", "value": MAIL}, MEI, moment(START + 2)
    )
    before = dump()
    route(landed, desk)
    assert dump() == before
    say(door, desk, claimant, code, "c3", START + 3)
    assert owner_of(claimant) == []


def test_a_stream_record_that_comes_again_is_not_another_try(claimant, door, desk):
    start(claimant, desk)
    _, (code,) = codes_of(claimant)
    landed = say(door, desk, claimant, f"{(int(code) + 1) % 10**6:06}", "c2")
    for _ in range(6):
        route(landed, desk)
    say(door, desk, claimant, code, "c3")
    assert owner_of(claimant)


def test_a_code_said_in_another_case_proves_nothing(claimant, door, desk):
    start(claimant, desk)
    _, (code,) = codes_of(claimant)
    eve = take(door, sms(BOB, code, "SM9"), START + 1)
    route(receive(sms(BOB, code, "SM9"), door, now(START + 1)), desk)
    assert owner_of(eve) == owner_of(claimant) == []


def test_the_owner_of_the_address_who_answers_the_mail_gives_nothing_away(claimant, door, desk):
    start(claimant, desk)
    _, (code,) = codes_of(claimant)
    owner = take(door, mail(MAIL, "m1", body=f"我没有要验证码 {code}"), START + 1)
    assert owner.customer_id != claimant.customer_id
    assert customers.read_family(claimant.customer_id).members == ()


def test_a_new_code_makes_the_last_one_worthless(claimant, door, desk):
    start(claimant, desk)
    start(claimant, desk, START + 1)
    _, (first, second) = codes_of(claimant)
    say(door, desk, claimant, first, "c2", START + 2)
    assert owner_of(claimant) == []
    say(door, desk, claimant, second, "c3", START + 3)
    assert owner_of(claimant)


def test_an_address_gets_three_codes_an_hour_whoever_asks(claimant, door, desk, dump):
    other = take(door, sms(BOB), 1)
    for minute, case in ((5, claimant), (30, other), (50, claimant)):
        start(case, desk, minute)
    before = dump()
    with pytest.raises(TooManyRequestsError):
        start(other, desk, 64)
    assert dump() == before
    start(other, desk, 66)


def test_a_verified_address_of_another_platform_user_stays_a_conflict(table, door, desk):
    ann = take(door, login("u-ann", email(MAIL), event="w1"))
    eve = take(door, login("u-eve", event="w2"), 1)
    start(eve, desk)
    _, (code,) = codes_of(eve)
    body = message(Channel.WEB, "web", proven(platform("u-eve"), proof=Proof.LOGIN), code, "w3")
    route(receive(body, door, now(START + 1)), desk)
    assert customers.read_family(eve.customer_id).ids == (eve.customer_id,)
    (found,) = identities.show_suggestions(eve.customer_id, MEI)["items"]
    assert (found["kind"], found["customer_id"]) == ("conflict", ann.customer_id)


@pytest.mark.parametrize("kind", ["platform", "telegram", "qq"])
def test_a_platform_id_is_not_proven_by_a_code(claimant, desk, kind):
    with pytest.raises(InvalidRequestError):
        start(claimant, desk, kind=kind, value="u-ann")


def test_nobody_starts_one_in_another_customers_case(claimant, door, desk):
    other = take(door, sms(BOB), 1)
    with pytest.raises(InvalidRequestError, match="another customer's"):
        start(claimant, desk, customer_id=other.customer_id)


def test_a_merged_customer_proves_for_themselves(claimant, door, desk):
    other = take(door, sms(BOB), 1)
    merge(other.customer_id, claimant.customer_id, 2)
    start(claimant, desk)
    _, (code,) = codes_of(claimant)
    say(door, desk, claimant, code, "c2")
    (link,) = owner_of(claimant)
    assert link["customer_id"] == claimant.customer_id


def test_an_edit_and_a_machine_say_no_code(table, door, desk):
    case = take(door, message(Channel.MESSENGER, "telegram", proven(telegram("7")), "在吗", "t1"))
    start(case, desk)
    _, (code,) = codes_of(case)
    for event, more in (
        ("t2", {"remark": Remark.EDIT, "about": "t1"}),
        ("t3", {"is_automatic": True}),
    ):
        said = message(Channel.MESSENGER, "telegram", proven(telegram("7")), code, event, **more)
        route(receive(said, door, now(START + 1)), desk)
    assert owner_of(case) == []
