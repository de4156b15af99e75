"""The sample platform's data and faults: the same everywhere, and near enough to a business's."""

import json
import re
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from caseweave.config.desk import load_desk
from caseweave.domain.entities import find_references
from caseweave.domain.triage import find_entities
from caseweave.platform import cards as ours
from examples.platform.database import Database
from examples.platform.faults import Fault, Faults, InvalidFaultError, Mode
from examples.platform.seeding import digest_card, make_rows
from examples.platform.server import DATA, secrets_in
from examples.platform.signatures import is_signed
from tests.domain.samples import message

ROOT = Path(__file__).parents[2]
ROWS = make_rows(DATA)


def test_the_data_is_the_same_every_time():
    assert make_rows(DATA) == ROWS


def test_there_is_a_business_in_it():
    assert len(ROWS.users) > 300
    assert len(ROWS.orders) > 3000
    assert {user["role"] for user in ROWS.users} == {"consumer", "merchant"}
    assert {user["tier"] for user in ROWS.users} == {"standard", "gold", "vip"}
    assert {user["locale"] for user in ROWS.users} == {"zh-CN", "en"}
    assert len({user["region"] for user in ROWS.users}) >= 6
    assert {order["product"] for order in ROWS.orders} == {
        "game-topup",
        "card-secret",
        "gift-card",
        "wallet",
        "settlement",
    }
    assert Counter(dispute["state"] for dispute in ROWS.disputes)["open"] == 1
    assert "stolen_account" in {user["frozen_reason"] for user in ROWS.users}
    assert len(ROWS.settlements) > 100


def test_everything_belongs_to_something():
    users = {user["id"] for user in ROWS.users}
    orders = {order["number"] for order in ROWS.orders}

    assert {order["user_id"] for order in ROWS.orders} <= users
    assert {order["payment_id"] for order in ROWS.orders} == {one["id"] for one in ROWS.payments}
    for rows in (ROWS.payments, ROWS.cards, ROWS.disputes):
        assert {row["order_no"] for row in rows} <= orders
    assert len(orders) == len(ROWS.orders)


def test_an_order_number_is_one_that_the_desk_finds_in_a_text():
    desk = load_desk(ROOT / "config")
    for order in ROWS.orders[::97]:
        found = find_entities(message(f"订单{order['number']}还没到账", "2026-11-23 09:00"), desk)
        assert ("order_no", order["number"]) in found


def test_money_is_told_in_full():
    for rows in (ROWS.orders, ROWS.payments, ROWS.settlements):
        assert all(re.fullmatch(r"\d+\.\d\d", row["amount"]) for row in rows)


def test_no_card_secret_is_kept():
    assert all(re.fullmatch(r"sha256-[0-9a-f]{64}", card["digest"]) for card in ROWS.cards)
    assert "XK2026" not in json.dumps(ROWS.cards)


@pytest.mark.parametrize(
    "typed", ["XK20-2611-2204-5788", "xk20 2611 2204 5788", "XK20261122045788。"]
)
def test_both_sides_name_a_card_alike_however_it_is_typed(typed):
    assert ours.digest_card(typed) == digest_card("XK20261122045788")
    assert digest_card(typed) in [card["digest"] for card in ROWS.cards]


def test_a_card_is_one_that_the_desk_finds_in_a_text():
    written = message("卡密 XK20-2611-2204-5788 无效", "2026-11-23 09:00")

    assert find_references(written) == (("card", "XK20261122045788"),)


# ---------------------------------------------------------------- the file


def test_a_database_is_made_once(tmp_path):
    path = tmp_path / "platform.sqlite3"
    Database(path, DATA)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("update users set tier = 'gold' where id = 'u-1001'")

    found = Database(path, DATA).find("select tier from users where id = 'u-1001'")

    assert found == {"tier": "gold"}


@pytest.mark.parametrize("content", [b"", b"no database"])
def test_what_is_no_database_of_this_version_is_made_again(tmp_path, content):
    path = tmp_path / "platform.sqlite3"
    path.write_bytes(content)

    assert Database(path, DATA).find("select count(*) n from users") == {"n": len(ROWS.users)}


# ---------------------------------------------------------------- secrets and faults


@pytest.mark.parametrize(
    ("content", "secrets"),
    [
        ('{"platform": {"secret": ["a", "b"]}}', ["a", "b"]),
        ('{"platform": {"secret": "a"}}', ["a"]),
        ("{}", []),
        ("[]", []),
        ("no JSON", []),
    ],
)
def test_secrets_are_read_as_they_are_now(tmp_path, content, secrets):
    path = tmp_path / "secrets.json"
    read = secrets_in(path)
    assert list(read()) == []

    path.write_text(content)

    assert list(read()) == secrets


def test_the_published_example_of_a_signature_verifies():
    """That of the specification's libraries: a body and not a question, but signed alike."""
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,bad v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    secrets = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]

    assert is_signed(secrets, '{"test":', "2432232314}", headers, now=1614265330 + 299)
    assert not is_signed(secrets, '{"test":', "2432232314}", headers, now=1614265330 + 301)
    assert not is_signed(secrets, '{"test":', "2432232315}", headers, now=1614265330)
    assert not is_signed([], '{"test":', "2432232314}", headers, now=1614265330)


def test_faults_are_used_up_one_after_the_other():
    faults = Faults()
    faults.add(Fault(Mode.DOWN, 2))
    faults.add(Fault(Mode.GARBAGE))

    taken = [faults.take() for _ in range(4)]

    assert [fault.mode for fault in taken] == [Mode.DOWN, Mode.DOWN, Mode.GARBAGE, Mode.GARBAGE]
    faults.clear()
    assert faults.take() is None


@pytest.mark.parametrize(
    ("value", "advice"),
    [
        ({}, "mode must be one of"),
        ({"mode": "late"}, "mode must be one of"),
        ({"mode": ["down"]}, "mode must be one of"),
        ({"mode": "down", "count": 0}, "count must be"),
        ({"mode": "down", "count": True}, "count must be"),
        ({"mode": "slow", "seconds": 61}, "seconds must be"),
        ({"mode": "slow", "seconds": "1"}, "seconds must be"),
        ({"mode": "down", "times": 2}, "unknown fields: times"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused_with_what_to_write(value, advice):
    with pytest.raises(InvalidFaultError, match=advice):
        Fault.from_json(value)
