"""The connector against a platform that plays what a test says, on a clock of the test's own."""

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseweave.errors import MissingSecretError
from caseweave.platform.answer import Answer, State, Trouble
from caseweave.platform.connector import Connector, World
from caseweave.platform.records import Account, Card, Order, Payment, Snapshot, Wallet
from caseweave.platform.transport import NoReply, Reply

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
BUDGET = timedelta(seconds=10)
ACCOUNT = {"user": "u-1001", "name": "林小雨", "tier": "vip"}
ORDER = {
    "order_no": "T20261123-7731",
    "user": "u-1001",
    "product": "game-topup",
    "title": "星海远征 6480 星晶",
    "amount": "648.00",
    "currency": "CNY",
    "state": "processing",
    "placed_at": "2026-11-23T19:02:11+08:00",
    "payment_id": "pay-1",
    "dispute": None,
}
KNOWN = Account("u-1001", "林小雨", "vip")
REFUSED = NoReply(Trouble.UNREACHABLE, "ConnectionRefusedError")
FAILED = NoReply(Trouble.FAILED, "it answered 500")


def said(value, status=200, kind="application/json", **headers):
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return Reply(status, body, {"content-type": kind, **headers})


def problem(status, **headers):
    value = {"type": "about:blank", "title": "…", "status": status}
    return said(value, status, "application/problem+json", **headers)


@dataclass
class Played:
    """Answers in turn with what it was given, the last for ever; each takes `takes` seconds."""

    answers: list = field(default_factory=lambda: [said(ACCOUNT)])
    now: datetime = NOON
    takes: float = 0.0
    draw: float = 0.5
    secrets: object = (SECRET,)
    asked: list = field(default_factory=list)
    slept: list = field(default_factory=list)
    ids: int = 0

    def open(self, url, headers, bounds):
        self.asked.append((url, headers, bounds))
        self.now += timedelta(seconds=self.takes)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)

    def new_id(self):
        self.ids += 1
        return f"q-{self.ids}"

    def read_secrets(self):
        if isinstance(self.secrets, MissingSecretError):
            raise self.secrets
        return self.secrets

    def connector(self, url="https://api.shop.example/desk"):
        world = World(
            now=lambda: self.now,
            sleep=self.sleep,
            draw=lambda: self.draw,
            new_id=self.new_id,
            open_url=self.open,
            read_secrets=self.read_secrets,
        )
        return Connector(url, world)

    def pass_time(self, **time):
        self.now += timedelta(**time)


def ask(connector, user="u-1001", budget=BUDGET):
    return connector.account(user, connector.deadline(budget))


def fail_until_open(played, connector):
    played.answers = [REFUSED]
    for user in ("u-1", "u-2"):
        ask(connector, user)
    assert len(played.asked) == 5


# ---------------------------------------------------------------- what is asked, and understood


def test_an_account_is_read():
    played = Played([said({**ACCOUNT, "frozen": True, "frozen_reason": "stolen", "wallets": [
        {"id": "w-1", "currency": "CNY", "balance": "12.50", "frozen": True, "colour": "red"}
    ]})])  # fmt: skip

    answer = ask(played.connector())

    wallets = (Wallet("w-1", "CNY", "12.50", is_frozen=True),)
    known = Account(
        "u-1001", "林小雨", "vip", is_frozen=True, frozen_reason="stolen", wallets=wallets
    )
    assert answer == Answer(State.OK, known, NOON)
    [(url, headers, _)] = played.asked
    assert url == "https://api.shop.example/desk/accounts/u-1001"
    assert headers["accept"] == "application/json, application/problem+json"


def test_an_order_is_read():
    played = Played([said(ORDER)])
    connector = played.connector()

    answer = connector.order("T20261123-7731", connector.deadline(BUDGET))

    assert answer.value == Order(
        order_no="T20261123-7731",
        user="u-1001",
        product="game-topup",
        title="星海远征 6480 星晶",
        amount="648.00",
        currency="CNY",
        state="processing",
        placed_at=datetime(2026, 11, 23, 11, 2, 11, tzinfo=UTC),
        payment_id="pay-1",
    )


def test_the_last_orders_are_no_more_than_were_asked_for():
    played = Played([said({"orders": [ORDER, {**ORDER, "order_no": "T20261122-0001"}, ORDER]})])
    connector = played.connector()

    answer = connector.orders("u-1001", 2, connector.deadline(BUDGET))

    assert [order.order_no for order in answer.value] == ["T20261123-7731", "T20261122-0001"]
    assert played.asked[0][0].endswith("/accounts/u-1001/orders?limit=2")


def test_a_payment_and_a_card_are_read():
    payment = {"id": "pay-1", "order_no": "T1", "amount": "1", "currency": "CNY", "state": "paid"}
    card = {"reference": "V-2001", "digest": "sha256-ab", "product": "card-secret", "state": "sold"}
    played = Played([said(payment), said(card)])
    connector = played.connector()
    deadline = connector.deadline(BUDGET)

    assert connector.payment("pay-1", deadline).value == Payment(
        "pay-1", "T1", "", "1", "CNY", "paid"
    )
    assert connector.card("sha256-ab", deadline).value == Card("V-2001", "card-secret", "sold")


def test_a_snapshot_is_the_very_bytes_and_never_an_earlier_one():
    body = b'{ "order": {"order_no":"T1"},\n "delivery": null }'
    played = Played([said(body), said(body + b" ")])
    connector = played.connector()
    deadline = connector.deadline(BUDGET)

    assert connector.snapshot("T1", deadline).value == Snapshot("T1", body, NOON)
    assert connector.snapshot("T1", deadline).value == Snapshot("T1", body + b" ", NOON)


@pytest.mark.parametrize(
    ("user", "path"),
    [
        ("林/小雨", "/accounts/%E6%9E%97%2F%E5%B0%8F%E9%9B%A8"),
        ("u?limit=1#x", "/accounts/u%3Flimit%3D1%23x"),
        ("..a", "/accounts/..a"),
        ("a b%2e", "/accounts/a%20b%252e"),
    ],
)
def test_no_name_leads_elsewhere(user, path):
    played = Played([problem(404)])

    ask(played.connector(), user)

    assert played.asked[0][0] == f"https://api.shop.example/desk{path}"


@pytest.mark.parametrize("user", ["", ".", "..", "\ud800", "a\nb", "u" * 201])
def test_of_what_can_be_no_name_nothing_is_known_and_nobody_is_asked(user):
    played = Played()

    assert ask(played.connector(), user) == Answer(State.OK, None, NOON)
    assert played.asked == []


def test_404_is_that_nothing_is_known():
    assert ask(Played([problem(404)]).connector()) == Answer(State.OK, None, NOON)


# ---------------------------------------------------------------- signatures


def test_each_attempt_is_signed_anew_under_the_id_of_the_question():
    played = Played([FAILED, said(ACCOUNT)], takes=1.5)

    ask(played.connector())

    first, second = (headers for _, headers, _ in played.asked)
    assert first["webhook-id"] == second["webhook-id"] == "q-1"
    stamps = [int(one["webhook-timestamp"]) - int(NOON.timestamp()) for one in (first, second)]
    assert stamps == [0, 1]
    assert first["webhook-signature"] != second["webhook-signature"]


def test_a_rotated_secret_is_used_from_the_next_question_on():
    played = Played()
    connector = played.connector()
    ask(connector, "u-1")
    played.secrets = ("whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", SECRET)
    ask(connector, "u-2")

    counts = [len(headers["webhook-signature"].split(" ")) for _, headers, _ in played.asked]
    assert counts == [1, 2]


# ---------------------------------------------------------------- when there is no answer


@pytest.mark.parametrize("url", ["", "shop", "https://", "https://[::1", "https://a:port"])
def test_without_an_address_there_is_no_platform(url):
    played = Played()

    assert ask(played.connector(url)) == Answer(
        State.NOT_CONFIGURED, None, None, Trouble.NO_ADDRESS, "PlatformUrl is empty, or no address"
    )
    assert played.asked == []


@pytest.mark.parametrize("secrets", [MissingSecretError("no parameter"), ("12345",)])
def test_without_a_secret_nobody_is_asked(secrets):
    played = Played(secrets=secrets)

    answer = ask(played.connector())

    assert answer == Answer(
        State.NOT_CONFIGURED,
        trouble=Trouble.NO_SECRET,
        detail="its secret is missing or of another form",
    )
    assert played.asked == []


@pytest.mark.parametrize(
    ("reply", "trouble", "detail"),
    [
        (problem(500), Trouble.FAILED, "it answered 500"),
        (problem(503), Trouble.FAILED, "it answered 503"),
        (problem(429), Trouble.THROTTLED, "it answered 429"),
        (problem(401), Trouble.REFUSED, "it answered 401"),
        (problem(302), Trouble.REFUSED, "it answered 302"),
        (said({}, 204), Trouble.REFUSED, "it answered 204"),
        (said(b"<h1>nginx</h1>", 404, "text/html"), Trouble.REFUSED, "it answered 404"),
        (said(b"<html>", 200, "text/html"), Trouble.ODD_ANSWER, "the answer is not JSON"),
        (said([]), Trouble.ODD_ANSWER, "the answer is JSON, but not an object"),
        (said({}), Trouble.ODD_ANSWER, "user is missing"),
        (
            said({"user": "u-1002"}),
            Trouble.ODD_ANSWER,
            "user is not the one that was asked for",
        ),
        (said({**ACCOUNT, "tier": 1}), Trouble.ODD_ANSWER, "tier is not a text"),
        (NoReply(Trouble.TIMEOUT, "no answer in time"), Trouble.TIMEOUT, "no answer in time"),
        (NoReply(Trouble.ODD_ANSWER, "too large"), Trouble.ODD_ANSWER, "too large"),
    ],
)
def test_what_is_wrong_is_said(reply, trouble, detail):
    answer = ask(Played([reply]).connector())

    assert (answer.state, answer.value) == (State.UNAVAILABLE, None)
    assert (answer.trouble, answer.detail) == (trouble, detail)
    assert NOON <= answer.since <= NOON + BUDGET


def test_an_order_of_somebody_else_is_not_shown():
    played = Played([said({"orders": [{**ORDER, "user": "u-1002"}]})])
    connector = played.connector()

    answer = connector.orders("u-1001", 5, connector.deadline(BUDGET))

    assert (answer.value, answer.detail) == (None, "orders has an order of another user")


# ---------------------------------------------------------------- once more


@pytest.mark.parametrize("trouble", [REFUSED, FAILED, problem(502), problem(429)])
def test_what_passes_is_tried_again_after_a_pause(trouble):
    played = Played([trouble, trouble, said(ACCOUNT)])

    assert ask(played.connector()).value == KNOWN
    assert played.slept == [0.1, 0.2]


@pytest.mark.parametrize("reply", [problem(401), said(b"garbage"), problem(404)])
def test_what_would_not_pass_is_not_tried_again(reply):
    played = Played([reply])

    ask(played.connector())

    assert len(played.asked) == 1


def test_there_are_three_attempts():
    played = Played([REFUSED])

    ask(played.connector())

    assert len(played.asked) == 3


def test_no_attempt_goes_on_longer_than_there_is_time():
    played = Played([NoReply(Trouble.TIMEOUT, "no answer in time")], takes=2)

    answer = ask(played.connector(), budget=timedelta(seconds=3))

    assert answer.trouble is Trouble.TIMEOUT
    bounds = [(one.connect, one.read, round(one.whole, 3)) for _, _, one in played.asked]
    assert bounds == [(1.0, 2.0, 3.0), (pytest.approx(0.9), pytest.approx(0.9), 0.9)]


def test_without_time_nobody_is_asked():
    played = Played()

    answer = ask(played.connector(), budget=timedelta(0))

    assert (answer.trouble, played.asked) == (Trouble.TIMEOUT, [])
    assert ask(played.connector()).is_ok


# ---------------------------------------------------------------- leaving it alone


def test_after_five_failures_it_is_left_alone_and_the_answer_says_since_when():
    played = Played()
    connector = played.connector()
    fail_until_open(played, connector)
    played.pass_time(seconds=10)

    answer = ask(connector)

    assert answer == Answer(
        State.UNAVAILABLE, None, NOON, Trouble.UNREACHABLE, "ConnectionRefusedError"
    )
    assert len(played.asked) == 5


def test_after_a_rest_one_attempt_looks_and_an_answer_ends_it():
    played = Played()
    connector = played.connector()
    fail_until_open(played, connector)
    played.pass_time(seconds=15)
    ask(connector, "u-3")
    assert len(played.asked) == 6
    ask(connector, "u-4")
    assert len(played.asked) == 6

    played.pass_time(seconds=15)
    played.answers = [said(ACCOUNT)]

    assert ask(connector).value == KNOWN
    assert ask(connector, "u-5").trouble is Trouble.ODD_ANSWER
    assert len(played.asked) == 8


def test_while_one_looks_the_others_do_not():
    played = Played()
    connector = played.connector()
    fail_until_open(played, connector)
    played.pass_time(seconds=15)

    assert [connector.breaker.lets_through(played.now) for _ in range(3)] == [True, False, False]


def test_an_answer_in_between_starts_the_count_anew():
    played = Played()
    connector = played.connector()
    for number in range(4):
        played.answers = [REFUSED, REFUSED, said({**ACCOUNT, "user": f"u-{number}"})]
        assert ask(connector, f"u-{number}").is_ok


def test_it_is_left_alone_for_as_long_as_it_asks():
    played = Played([problem(429, **{"retry-after": "60"})])
    connector = played.connector()
    ask(connector)
    played.pass_time(seconds=59)
    ask(connector)
    assert len(played.asked) == 1

    played.pass_time(seconds=1)
    played.answers = [said(ACCOUNT)]

    assert ask(connector).value == KNOWN


@pytest.mark.parametrize("wish", ["86400", "99999"])
def test_but_not_for_longer_than_two_minutes(wish):
    played = Played([problem(503, **{"retry-after": wish}), said(ACCOUNT)])
    connector = played.connector()
    ask(connector)
    played.pass_time(minutes=2)

    assert ask(connector).value == KNOWN


@pytest.mark.parametrize("wish", ["", "soon", "-1", "٣", "1e9", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_a_wish_that_is_no_number_is_none(wish):
    played = Played([problem(503, **{"retry-after": wish}), said(ACCOUNT)])

    assert ask(played.connector()).value == KNOWN


@pytest.mark.parametrize("reply", [problem(404), problem(401), said(b"garbage")])
def test_who_answers_is_not_left_alone(reply):
    played = Played([reply])
    connector = played.connector()

    for number in range(10):
        ask(connector, f"u-{number}")

    assert len(played.asked) == 10


# ---------------------------------------------------------------- what is known for a while


@pytest.mark.parametrize(
    ("reply", "seconds"), [(said(ACCOUNT), 30), (problem(404), 10), (said(b"garbage"), 5)]
)
def test_an_answer_holds_for_a_while(reply, seconds):
    played = Played([reply])
    connector = played.connector()
    first = ask(connector)
    played.pass_time(seconds=seconds, microseconds=-1)
    assert ask(connector) == first
    assert len(played.asked) == 1

    played.pass_time(microseconds=1)
    ask(connector)

    assert len(played.asked) == 2


def test_an_outage_is_not_remembered_as_an_answer():
    played = Played([REFUSED, REFUSED, REFUSED, said(ACCOUNT)])
    connector = played.connector()

    assert not ask(connector).is_ok
    assert ask(connector).value == KNOWN


def test_what_is_known_is_told_while_the_platform_is_down():
    played = Played()
    connector = played.connector()
    ask(connector)
    played.answers = [REFUSED]
    ask(connector, "u-2")

    assert ask(connector) == Answer(State.OK, KNOWN, NOON)


def test_the_memory_is_bounded():
    played = Played([problem(404)])
    connector = played.connector()

    for number in range(300):
        ask(connector, f"u-{number}")

    assert len(connector.cache.kept) == 256
    assert "/accounts/u-299" in connector.cache.kept


@given(
    st.lists(
        st.tuples(
            st.floats(0, 40),
            st.sampled_from([REFUSED, problem(503), problem(404), said(ACCOUNT), said(b"x")]),
        ),
        max_size=25,
    )
)
def test_it_is_never_hurried_while_it_is_down(days):
    """Whatever it answers and whenever it is asked: five failures in a row, then one in a rest."""
    played, outcomes = Played(), []
    connector = played.connector()

    def open_url(url, headers, bounds):
        outcomes.append((played.now, played.answers[0] in (REFUSED, problem(503))))
        return played.answers[0]

    connector = Connector(connector.url, replace(connector.world, open_url=open_url))
    for number, (seconds, answer) in enumerate(days):
        played.pass_time(seconds=seconds)
        played.answers = [answer]
        ask(connector, f"u-{number}")

    failures, last = 0, played.now
    for at, is_failure in outcomes:
        assert failures < 5 or at - last >= timedelta(seconds=15)
        failures, last = (failures + 1 if is_failure else 0), at
