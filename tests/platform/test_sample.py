"""The connector and the sample platform, over HTTP: what one asks the other answers."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from caseweave.platform.answer import State, Trouble
from caseweave.platform.cards import digest_card
from caseweave.platform.connector import Connector
from caseweave.platform.records import Account, Order, Wallet
from caseweave.platform.transport import Bounds, open_url
from tests.platform.sample import FIRST, SECOND

BUDGET = timedelta(seconds=6)
HER_ORDER = "T20261123-7731"


@pytest.fixture
def connector(sample):
    return sample.connector()


def account(connector, user="u-1001", budget=BUDGET):
    return connector.account(user, connector.deadline(budget))


def test_the_demos_customer_is_known(connector):
    known = account(connector).value

    [wallet] = known.wallets
    assert known == Account(
        user="u-1001",
        name="林小雨",
        tier="vip",
        role="consumer",
        locale="zh-CN",
        region="CN",
        wallets=(Wallet("w-1001-cny", "CNY", wallet.balance),),
    )


def test_her_last_orders_are_known_the_newest_first(connector):
    orders = connector.orders("u-1001", 5, connector.deadline(BUDGET)).value

    assert [order.order_no for order in orders] == [HER_ORDER, "K20261102-1180"]
    assert orders[0] == Order(
        order_no=HER_ORDER,
        user="u-1001",
        product="game-topup",
        title="星海远征 6480 星晶",
        amount="648.00",
        currency="CNY",
        state="processing",
        placed_at=orders[0].placed_at,
        payment_id="P20261123-7731-T",
    )


def test_an_order_leads_to_its_payment_and_a_card_to_its_order(connector):
    deadline = connector.deadline(BUDGET)
    order = connector.order("K20261122-0457", deadline).value
    payment = connector.payment(order.payment_id, deadline).value
    card = connector.card("V-20261122-0457", deadline).value
    by_digest = connector.card(digest_card("xk20 2611-2204 5788"), deadline).value

    assert (order.user, order.dispute) == ("u-1003", "open")
    assert (payment.order_no, payment.amount) == (order.order_no, order.amount)
    assert (card.order_no, card.state) == (order.order_no, "redeemed")
    assert by_digest == card


def test_a_snapshot_holds_all_of_an_order(connector):
    snapshot = connector.snapshot("K20261122-0457", connector.deadline(BUDGET)).value

    for part in (b'"order"', b'"payment"', b"V-20261122-0457", b"j***@example.com"):
        assert part in snapshot.body
    assert b"XK2026112204" not in snapshot.body
    assert b"jianguo.wang@example.com" not in snapshot.body


def test_stolen_accounts_are_frozen_with_their_wallets(sample, connector):
    rows = sample.server.platform.desk.database.list(
        "select id from users where frozen_reason = 'stolen_account'"
    )

    assert rows
    for row in rows:
        known = account(connector, row["id"]).value
        assert (known.is_frozen, known.frozen_reason) == (True, "stolen_account")
        assert all(wallet.is_frozen for wallet in known.wallets)


def test_every_account_of_the_sample_is_understood(sample, connector):
    rows = sample.server.platform.desk.database.list("select id from users order by random()")

    for row in rows[:40]:
        deadline = connector.deadline(BUDGET)
        assert connector.account(row["id"], deadline).value is not None
        assert connector.orders(row["id"], 50, deadline).value is not None


@pytest.mark.parametrize("name", ["u-9999", "u-1001'; drop table users --", "林", "a/b", "%"])
def test_of_others_nothing_is_known(connector, name):
    deadline = connector.deadline(BUDGET)

    answers = [
        connector.account(name, deadline),
        connector.orders(name, 5, deadline),
        connector.order(name, deadline),
        connector.payment(name, deadline),
        connector.card(name, deadline),
        connector.snapshot(name, deadline),
    ]

    assert [(one.state, one.value) for one in answers] == [(State.OK, None)] * 6


# ---------------------------------------------------------------- signatures


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ([FIRST], [FIRST]),
        ([SECOND, FIRST], [FIRST]),
        ([SECOND, FIRST], [SECOND, FIRST]),
        ([SECOND, FIRST], [SECOND]),
        ([SECOND], [SECOND, FIRST]),
    ],
)
def test_at_no_step_of_a_rotation_is_a_question_refused(sample, ours, theirs):
    sample.ours[:], sample.theirs[:] = ours, theirs

    assert account(sample.connector()).is_ok


@pytest.mark.parametrize(("ours", "theirs"), [([SECOND], [FIRST]), ([FIRST], [])])
def test_with_a_secret_that_is_not_theirs_it_is(sample, ours, theirs):
    sample.ours[:], sample.theirs[:] = ours, theirs

    answer = account(sample.connector())

    assert (answer.state, answer.trouble) == (State.UNAVAILABLE, Trouble.REFUSED)


@pytest.mark.parametrize("minutes", [-6, 6])
def test_an_old_question_is_refused(sample, minutes):
    sample.later = timedelta(minutes=minutes)

    assert account(sample.connector()).trouble is Trouble.REFUSED


def test_a_signature_is_good_for_its_own_question_alone(sample):
    seen = {}

    def spy(url, headers, bounds):
        seen.update(headers)
        return open_url(url, headers, bounds)

    world = replace(sample.connector().world, open_url=spy)
    assert account(Connector(sample.url, world)).is_ok

    def replay(path, **changes):
        return open_url(sample.url + path, {**seen, **changes}, Bounds(1, 2, 5, 100_000)).status

    assert replay("/accounts/u-1001") == 200
    assert replay("/accounts/u-1002") == 401
    assert replay("/accounts/u-1001?limit=1") == 401
    assert replay("/accounts/u-1001", **{"webhook-id": "question-2"}) == 401
    assert replay("/accounts/u-1001", **{"webhook-signature": "v1,"}) == 401
    assert replay("/accounts/u-1001", **{"webhook-timestamp": "soon"}) == 401


# ---------------------------------------------------------------- faults


@pytest.mark.parametrize(
    ("fault", "trouble"),
    [
        ({"mode": "down"}, Trouble.UNREACHABLE),
        ({"mode": "server_error"}, Trouble.FAILED),
        ({"mode": "throttle"}, Trouble.THROTTLED),
        ({"mode": "garbage"}, Trouble.ODD_ANSWER),
        ({"mode": "slow", "seconds": 2}, Trouble.TIMEOUT),
    ],
)
def test_a_platform_in_trouble_is_named_so_in_time(sample, fault, trouble):
    sample.fail(**fault)
    connector = sample.connector()
    began = datetime.now(UTC)

    answer = account(connector, budget=timedelta(seconds=1))

    assert (answer.state, answer.value, answer.trouble) == (State.UNAVAILABLE, None, trouble)
    assert datetime.now(UTC) - began < timedelta(seconds=2)


@pytest.mark.parametrize("mode", ["down", "server_error"])
def test_a_moment_of_trouble_is_not_noticed(sample, mode):
    sample.fail(mode=mode, count=2)

    assert account(sample.connector()).is_ok


def test_it_is_asked_again_when_it_has_recovered(sample):
    sample.fail(mode="down")
    connector = sample.connector()
    for user in ("u-1001", "u-1002"):
        assert not account(connector, user).is_ok
    sample.recover()
    assert account(connector).trouble is Trouble.UNREACHABLE

    sample.later = timedelta(seconds=15)

    assert account(connector).is_ok
