"""What an agent sees of a customer, with the sample platform up and in trouble."""

from datetime import timedelta

import pytest

from caseweave.agents.caller import Caller, Moment
from caseweave.agents.cases import change_state
from caseweave.agents.customer_view import show_customer
from caseweave.customer_merging import merge_into, unmerge
from caseweave.domain.identity import Proof
from caseweave.domain.message import Channel
from caseweave.errors import ForbiddenError, NotFoundError
from caseweave.platform.connector import Connector
from caseweave.storage.cases import read_head
from tests.platform.sample import running
from tests.usecases.test_router import route
from tests.usecases.world import (
    NOON,
    crash_at_call,
    message,
    platform,
    proven,
    receive,
    sms,
)

MEI = Caller("mei", ("agent",))
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def running_sample(tmp_path_factory):
    with running(tmp_path_factory.mktemp("platform") / "platform.sqlite3") as sample:
        yield sample


@pytest.fixture
def sample(running_sample):
    yield running_sample
    running_sample.recover()


@pytest.fixture
def connector(sample):
    return sample.connector()


@pytest.fixture
def nowhere(sample):
    """There is no platform."""
    return Connector("", sample.connector().world)


def write_form(user, body, door, desk, event="W1", at=NOON, proof=Proof.LOGIN):
    senders = proven(platform(user), proof=proof)
    landed = receive(message(Channel.WEB, "web", senders, body, event), door, at)
    route(landed, desk)
    return landed


def close(case_id, desk, at):
    said = {"state": "closed", "reason": "solved"}
    change_state(case_id, said, None, MEI, desk, Moment(at, bytes))


def customer_of(landed):
    return read_head(landed.case_id).customer_id


def look(landed, connector):
    return show_customer(customer_of(landed), MEI, connector)


@pytest.fixture
def ling(table, door, desk):
    """The demo's customer: a case that was solved, and one that is open."""
    first = write_form("u-1001", "充值没到账,订单 T20261123-7731", door, desk)
    close(first.case_id, desk, NOON + HOUR)
    second = write_form("u-1001", "充值还是没到账", door, desk, "W2", NOON + 2 * HOUR)
    assert first.case_id != second.case_id
    return second


def test_an_agent_sees_who_it_is_and_what_was(ling, connector):
    seen = look(ling, connector)
    customer = customer_of(ling)

    assert seen["customer"] == {
        "id": customer,
        "members": [customer],
        "names": ["林小雨"],
        "tier": "vip",
        "role": "consumer",
        "locale": "zh-CN",
        "region": "CN",
        "known_since": "2026-11-23T12:00:00.000Z",
    }
    assert seen["links"] == [
        {
            "customer_id": customer,
            "kind": "platform",
            "value": "u-1001",
            "proof": "login",
            "strength": Proof.LOGIN.strength,
            "source": "web/web",
            "actor": "system:intake",
            "at": "2026-11-23T12:00:00.000Z",
        }
    ]
    assert [case["id"] for case in seen["cases"]["open"]] == [ling.case_id]
    assert [case["state"] for case in seen["cases"]["past"]] == ["closed"]
    assert seen["cases"]["has_more"] is False
    assert seen["topics"] == [{"category": "topup_fault", "cases": 2}]
    assert seen["satisfaction"] is None


def test_an_agent_sees_the_last_orders_and_the_wallets(ling, connector):
    seen = look(ling, connector)

    assert [(one["order_no"], one["state"]) for one in seen["orders"]] == [
        ("T20261123-7731", "processing"),
        ("K20261102-1180", "completed"),
    ]
    [wallet] = seen["account"]["wallets"]
    assert (wallet["id"], wallet["is_frozen"]) == ("w-1001-cny", False)
    platform_said = seen["platform"]
    assert platform_said.pop("since").endswith("Z")
    assert platform_said == {"state": "ok", "reason": None, "detail": None, "user": "u-1001"}


def test_an_agent_sees_what_was_promised_the_most_pressing_first(ling, nowhere):
    promises = look(ling, nowhere)["promises"]

    ref = read_head(ling.case_id).ref
    assert [(one["ref"], one["kind"], one["is_breached"]) for one in promises] == [
        (ref, "first_reply", False),
        (ref, "outcome", False),
    ]
    assert promises[0]["due_at"] == "2026-11-23T14:10:00.000Z"


def test_a_disputed_order_is_a_warning_and_changes_nothing(table, door, desk, connector, dump):
    landed = write_form("u-1003", "卡密无效", door, desk)
    before = dump()

    warnings = look(landed, connector)["warnings"]

    assert warnings == [{"kind": "order_disputed", "about": "K20261122-0457", "detail": "open"}]
    assert dump() == before


def test_a_frozen_account_is_a_warning_with_its_wallets(table, door, desk, sample, connector):
    [user, *_] = sample.server.platform.desk.database.list(
        "select id from users where frozen_reason = 'stolen_account' and locale = 'en'"
    )
    seen = look(write_form(user["id"], "I cannot sign in", door, desk), connector)

    number = user["id"].removeprefix("u-")
    kinds = [(one["kind"], one["about"][: len(number) + 2]) for one in seen["warnings"]]
    assert kinds[:2] == [("account_frozen", user["id"]), ("wallet_frozen", f"w-{number}")]
    assert seen["warnings"][0]["detail"] == "stolen_account"
    assert seen["account"]["is_frozen"] is True


# ---------------------------------------------------------------- without the platform


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        ("down", "unreachable"),
        ("server_error", "failed"),
        ("throttle", "throttled"),
        ("garbage", "odd_answer"),
    ],
)
def test_while_the_platform_is_in_trouble_the_view_goes_on_and_says_so(ling, sample, mode, reason):
    sample.fail(mode=mode)

    seen = look(ling, sample.connector())

    assert (seen["platform"]["state"], seen["platform"]["reason"]) == ("unavailable", reason)
    assert seen["platform"]["since"] is not None
    assert (seen["account"], seen["orders"], seen["warnings"]) == (None, None, [])
    assert [case["id"] for case in seen["cases"]["open"]] == [ling.case_id]


def test_if_only_the_orders_are_not_heard_the_account_is_shown(ling, sample):
    connector = sample.connector()
    customer = customer_of(ling)
    connector.account("u-1001", connector.deadline(HOUR))
    sample.fail(mode="server_error")

    seen = show_customer(customer, MEI, connector)

    assert seen["platform"]["state"] == "unavailable"
    assert (seen["account"]["is_frozen"], seen["orders"]) == (False, None)


def test_without_a_platform_the_desks_own_knowledge_is_shown(ling, nowhere):
    seen = look(ling, nowhere)

    assert seen["platform"] == {
        "state": "not configured",
        "since": None,
        "reason": "no_address",
        "detail": "PlatformUrl is empty, or no address",
        "user": "u-1001",
    }
    assert (seen["customer"]["region"], seen["account"], seen["orders"]) == (None, None, None)


def test_of_a_customer_without_an_account_nobody_is_asked(table, door, desk, sample, connector):
    landed = receive(sms("+8613800138000"), door)
    sample.fail(mode="down")

    seen = look(landed, connector)

    assert seen["platform"] == {
        "state": "ok",
        "since": None,
        "reason": "no_user",
        "detail": None,
        "user": None,
    }
    assert (seen["account"], seen["orders"]) == (None, None)


def test_an_account_that_the_platform_does_not_know_is_said(table, door, desk, connector):
    seen = look(write_form("u-9999", "充值没到账", door, desk), connector)

    assert (seen["platform"]["state"], seen["platform"]["reason"]) == ("ok", "unknown_user")
    assert seen["platform"]["user"] == "u-9999"


# ---------------------------------------------------------------- who may see whom


def test_nobody_else_is_shown(ling, nowhere):
    with pytest.raises(NotFoundError):
        show_customer("nobody", MEI, nowhere)


def test_nobody_sees_a_customer_without_a_role(ling, nowhere):
    with pytest.raises(ForbiddenError):
        show_customer(customer_of(ling), Caller("eve", ()), nowhere)


@pytest.fixture
def two(ling, door, desk):
    """She, and somebody of whom only a phone number is known."""
    other = receive(sms("+8613800138000", "充值没到账"), door, NOON + 3 * HOUR)
    route(other, desk)
    return customer_of(ling), customer_of(other)


def test_a_family_is_shown_as_one_whoever_of_it_is_asked_for(two, connector):
    root, member = two
    alone = [show_customer(one, MEI, connector)["cases"]["open"] for one in two]
    merge_into(root, member, "the same person", MEI.actor, NOON + 4 * HOUR)

    seen = show_customer(member, MEI, connector)

    assert seen == show_customer(root, MEI, connector)
    assert (seen["customer"]["id"], seen["customer"]["members"]) == (root, [root, member])
    assert seen["cases"]["open"] == [*alone[1], *alone[0]]
    assert [(link["kind"], link["customer_id"]) for link in seen["links"]] == [
        ("platform", root),
        ("phone", member),
    ]
    assert seen["platform"]["user"] == "u-1001"


def test_after_an_unmerge_each_is_shown_as_before(two, desk, connector):
    root, member = two
    before = [show_customer(one, MEI, connector) for one in two]
    merge_into(root, member, "the same person", MEI.actor, NOON + 4 * HOUR)
    unmerge(root, member, {}, "two people", MEI.actor, desk, NOON + 5 * HOUR, bytes)

    assert [show_customer(one, MEI, connector) for one in two] == before


# ---------------------------------------------------------------- what it costs


def test_the_view_of_one_customer_is_seven_reads_however_many_cases_there_were(
    ling, door, desk, nowhere
):
    for number in range(8):
        at = NOON + timedelta(days=1 + number)
        landed = write_form("u-1001", "充值没到账", door, desk, f"P{number}", at)
        close(landed.case_id, desk, at + HOUR)
    write_form("u-1001", "充值没到账", door, desk, "P9", NOON + timedelta(days=30))
    customer = customer_of(ling)

    with crash_at_call(0, after=False) as calls:
        seen = show_customer(customer, MEI, nowhere)

    assert (len(seen["cases"]["open"]), len(seen["cases"]["past"])) == (1, 9)
    assert sorted(calls) == ["BatchGetItem"] * 4 + ["GetItem"] + ["Query"] * 2


def test_each_member_of_a_family_is_two_small_queries_more(two, nowhere):
    merge_into(*two, "the same person", MEI.actor, NOON + 4 * HOUR)

    with crash_at_call(0, after=False) as calls:
        show_customer(two[0], MEI, nowhere)

    assert sorted(calls) == ["BatchGetItem"] * 4 + ["GetItem"] + ["Query"] * 4
