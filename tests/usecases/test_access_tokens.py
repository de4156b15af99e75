"""Access tokens: fetched by one, used by all, never in the way of a message."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Barrier, Lock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws

from caseweave.access_tokens import (
    LOCK_LIFETIME,
    drop_access_token,
    name_token,
    with_access_token,
)
from caseweave.channels.credentials import Credentials
from caseweave.channels.request import (
    AccessToken,
    ProviderAnswer,
    ProviderRequest,
    Refusal,
    Refused,
)
from caseweave.errors import MissingSecretError, UnavailableError
from tests.conftest import make_table
from tests.depth import DEPTH
from tests.usecases.world import NOON, CrashError, crash_at_call

BASE = "https://issuer.example"
ACME = Credentials("acme", {"id": "a", "secret": "s"})
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
TWO_HOURS = timedelta(hours=2)


class Acme:
    """The pure side of a provider that hands out tokens."""

    API_URL = BASE

    def build_token_request(self, base_url: str, credentials: Credentials) -> ProviderRequest:
        query = f"id={credentials.current('id')}&secret={credentials.current('secret')}"
        return ProviderRequest(f"{base_url}/token?{query}", {}, method="GET")

    def read_token(self, answer: ProviderAnswer) -> AccessToken | Refused:
        said = json.loads(answer.body)
        if "token" not in said:
            return Refused(Refusal.PERMANENT, "wrong secret")
        return AccessToken(said["token"], timedelta(seconds=said["seconds"]))


@dataclass
class Issuer:
    """The provider itself: counts whom it served."""

    seconds: float = 7200
    is_down: bool = False
    asked: list[str] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def __call__(self, request: ProviderRequest) -> ProviderAnswer | Refused:
        with self.lock:
            self.asked.append(request.url)
            if self.is_down:
                return Refused(Refusal.UNKNOWN, "no answer: ReadTimeoutError")
            said = {"token": f"T{len(self.asked)}", "seconds": self.seconds}
            return ProviderAnswer(200, json.dumps(said).encode())


def token(issuer: Issuer, at: datetime = NOON, credentials: Credentials = ACME) -> str:
    return with_access_token(credentials, BASE, Acme(), issuer, at).current("access_token")


def drop(value: str) -> None:
    drop_access_token(ACME.having("access_token", value), BASE, Acme())


@pytest.fixture
def issuer(table) -> Issuer:
    return Issuer()


def test_a_token_is_fetched_once_and_kept(issuer):
    assert [token(issuer), token(issuer), token(issuer, NOON + HOUR)] == ["T1", "T1", "T1"]
    assert issuer.asked == [f"{BASE}/token?id=a&secret=s"]


def test_what_was_known_of_the_account_stays(issuer):
    found = with_access_token(ACME, BASE, Acme(), issuer, NOON)

    assert found.values == {"id": "a", "secret": "s", "access_token": "T1"}


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (TWO_HOURS - timedelta(minutes=11) - SECOND, "T1"),
        (TWO_HOURS - timedelta(minutes=11), "T2"),
        (TWO_HOURS - timedelta(minutes=1), "T2"),
        (TWO_HOURS, "T2"),
        (timedelta(days=3), "T2"),
    ],
)
def test_near_its_end_it_is_fetched_anew(issuer, age, expected):
    token(issuer)

    assert token(issuer, NOON + age) == expected


def test_near_its_end_the_old_one_is_used_while_the_issuer_does_not_answer(issuer):
    token(issuer)
    issuer.is_down = True
    last_good = NOON + TWO_HOURS - timedelta(minutes=1) - SECOND

    assert [token(issuer, last_good - SECOND), token(issuer, last_good)] == ["T1", "T1"]
    # The first try keeps the lock: nobody asks again at once.
    assert len(issuer.asked) == 2
    with pytest.raises(UnavailableError, match="another function"):
        token(issuer, last_good + SECOND)


def test_without_a_good_one_there_is_a_reason_to_try_again(issuer):
    issuer.is_down = True

    with pytest.raises(UnavailableError, match="acme has no access token: no answer"):
        token(issuer)
    with pytest.raises(UnavailableError, match="another function"):
        token(issuer, NOON + LOCK_LIFETIME - SECOND)

    issuer.is_down = False
    assert token(issuer, NOON + LOCK_LIFETIME) == "T2"


def test_an_issuer_that_refuses_is_named(table):
    def refuse(request):
        return ProviderAnswer(200, b'{"error": "nobody of that name"}')

    with pytest.raises(UnavailableError, match="wrong secret"):
        with_access_token(ACME, BASE, Acme(), refuse, NOON)


def test_a_missing_secret_asks_nobody(issuer):
    with pytest.raises(MissingSecretError):
        token(issuer, credentials=Credentials("acme", {"id": "a"}))
    assert issuer.asked == []


def test_accounts_that_share_a_secret_share_the_token_and_others_do_not(issuer):
    shared = Credentials("acme", {"id": "a", "secret": "s", "accounts": {"7": {"secret": "t"}}})

    found = [token(issuer, credentials=shared.of_account(name)) for name in ("1", "7", "2", "7")]

    assert found == ["T1", "T2", "T1", "T2"]


def test_a_rotated_secret_leads_to_a_new_token_at_once(issuer):
    token(issuer)

    assert (
        token(issuer, credentials=Credentials("acme", {"id": "a", "secret": ["new", "s"]})) == "T2"
    )


def test_a_token_that_was_refused_early_is_fetched_anew(issuer):
    token(issuer)
    drop("T1")

    assert [token(issuer), token(issuer)] == ["T2", "T2"]


def test_a_refusal_of_an_old_token_leaves_the_new_one(issuer):
    token(issuer)
    drop("T1")
    token(issuer)
    drop("T1")

    assert token(issuer) == "T2"


def test_dropping_what_was_never_kept_changes_nothing(issuer, dump):
    drop("T1")

    assert dump() == []


def test_the_secret_is_in_no_record(issuer, dump):
    very_secret = Credentials("acme", {"id": "a", "secret": "correct-horse-battery"})
    token(issuer, credentials=very_secret)

    assert len(dump()) == 1
    assert "correct-horse" not in str(dump())


def test_no_index_leads_to_a_token_and_it_does_not_stay(issuer, dump):
    token(issuer)

    (row,) = dump()
    assert set(row) == {
        "pk", "sk", "kind", "token", "good_until", "refresh_from", "version", "expires_at",
    }  # fmt: skip
    end = NOON + TWO_HOURS - timedelta(minutes=1)
    assert int(row["expires_at"]["N"]) == int((end + timedelta(days=1)).timestamp())


@pytest.mark.parametrize("seconds", [0, -5, 1e-6])
def test_a_token_without_a_life_is_used_once(issuer, seconds):
    issuer.seconds = seconds

    assert [token(issuer), token(issuer)] == ["T1", "T2"]


def test_a_token_that_claims_years_is_asked_for_within_a_day(issuer):
    issuer.seconds = 10 * 365 * 86400
    token(issuer)

    assert token(issuer, NOON + timedelta(days=1)) == "T2"


def test_names_differ_by_every_part_of_the_request():
    requests = [
        ProviderRequest("u", {}),
        ProviderRequest("u", {}, method="GET"),
        ProviderRequest("v", {}),
        ProviderRequest("u", {"a": "b"}),
        ProviderRequest("u", {}, b"body"),
    ]

    assert len({name_token(request) for request in requests}) == len(requests)


@pytest.mark.parametrize("senders", [2, 8])
def test_many_senders_at_once_ask_the_issuer_once(issuer, senders):
    """Nobody is told anything but the one token or "try again", and the second try has it."""
    start = Barrier(senders)

    def send(_):
        start.wait()
        try:
            return token(issuer)
        except UnavailableError:
            return "again"

    with ThreadPoolExecutor(senders) as pool:
        first = Counter(pool.map(send, range(senders)))

    assert set(first) <= {"T1", "again"}
    assert len(issuer.asked) == 1
    assert token(issuer) == "T1"


def test_many_senders_near_the_end_all_have_a_token(issuer):
    token(issuer)
    near = NOON + TWO_HOURS - timedelta(minutes=5)
    start = Barrier(6)

    def send(_):
        start.wait()
        return token(issuer, near)

    with ThreadPoolExecutor(6) as pool:
        found = set(pool.map(send, range(6)))

    assert found <= {"T1", "T2"}
    assert len(issuer.asked) == 2


@pytest.mark.parametrize("call", [1, 2, 3])
@pytest.mark.parametrize("after", [False, True])
def test_a_holder_that_dies_costs_the_time_of_the_lock_at_most(issuer, call, after):
    with crash_at_call(call, after=after), pytest.raises(CrashError):
        token(issuer)

    found = token(issuer, NOON + LOCK_LIFETIME)

    assert found == f"T{len(issuer.asked)}"
    assert len(issuer.asked) <= 2


def test_a_slow_holder_does_not_overwrite_who_came_after(issuer):
    """The lock runs out while the issuer is thinking; the next holder's token is the one kept."""

    def slow(request):
        assert token(issuer, NOON + LOCK_LIFETIME) == "T1"
        return ProviderAnswer(200, b'{"token": "late", "seconds": 7200}')

    late = with_access_token(ACME, BASE, Acme(), slow, NOON)

    assert late.current("access_token") == "late"
    assert token(issuer, NOON + HOUR) == "T1"


steps = st.lists(
    st.tuples(
        st.sampled_from(["use", "refuse", "down", "up", "die"]),
        st.integers(0, 7500),
        st.sampled_from([30, 600, 7200]),
    ),
    max_size=12,
)


@given(steps)
@settings(deadline=None, max_examples=10 * DEPTH)
def test_whatever_happens_a_token_is_good_or_there_is_none(story):
    """Against a clock that only goes on: what is handed out was issued and is not past its life."""
    with mock_aws():
        make_table()
        issuer, now = Issuer(), NOON
        issued: dict[str, datetime] = {}

        def ask(request):
            answer = issuer(request)
            if isinstance(answer, ProviderAnswer):
                issued[f"T{len(issuer.asked)}"] = now + timedelta(seconds=issuer.seconds)
            return answer

        last = ""
        for what, wait, seconds in story:
            now += timedelta(seconds=wait)
            issuer.seconds = seconds
            issuer.is_down = what == "down" or (issuer.is_down and what != "up")
            try:
                if what == "refuse" and last:
                    drop(last)
                elif what == "die":
                    with crash_at_call(3, after=False):
                        last = token(ask, now)
                else:
                    last = token(ask, now)
            except UnavailableError:
                continue
            if what != "refuse":
                assert now < issued[last]
        issuer.is_down = False
        now += LOCK_LIFETIME
        assert token(ask, now) in issued
