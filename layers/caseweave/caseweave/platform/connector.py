"""The business's own systems behind one small HTTP contract: docs/platform-connector.openapi.yaml.

Asking never raises and never takes longer than its deadline: a case goes on without an answer, and
whoever shows it says so.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

from caseweave.errors import MissingSecretError, UnparseableError
from caseweave.platform.answer import (
    PASSING,
    Answer,
    State,
    Trouble,
    not_configured,
    unavailable,
)
from caseweave.platform.breaker import Breaker
from caseweave.platform.cache import Cache
from caseweave.platform.reading import (
    check_snapshot,
    read_account,
    read_card,
    read_json,
    read_order,
    read_orders,
    read_payment,
)
from caseweave.platform.records import Account, Card, Order, Payment, Snapshot
from caseweave.platform.signing import read_secret, sign, signed_content
from caseweave.platform.transport import Bounds, NoReply, Open, Reply, find_target

logger = logging.getLogger(__name__)

T = TypeVar("T")
Read = Callable[[dict[str, Any]], T]

_CONNECT, _READ = 1.0, 2.0
_ATTEMPTS = 3
# Seconds before the second attempt, at most; twice as many before the third.
_PAUSE = 0.2
# No time at all would mean not to wait for anything, to a socket.
_SHORTEST = 0.001
_LONGEST_ANSWER, _LONGEST_SNAPSHOT = 256 * 1024, 1024 * 1024
_LONGEST_NAME = 200
_PROBLEM_TYPE = "application/problem+json"
_ACCEPT = f"application/json, {_PROBLEM_TYPE}"


@dataclass(frozen=True, slots=True)
class World:
    """What the connector does not have of itself. `draw` gives a number from 0 to 1."""

    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    draw: Callable[[], float]
    new_id: Callable[[], str]
    open_url: Open
    read_secrets: Callable[[], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Connector:
    """Asks the platform at *url* (empty: there is none). Kept by each process, with what it learned
    of the platform's health and its answers of the last seconds.
    """

    url: str
    world: World
    breaker: Breaker = field(default_factory=Breaker)
    cache: Cache = field(default_factory=Cache)

    def deadline(self, budget: timedelta) -> datetime:
        """For several questions that together may take *budget*."""
        return self.world.now() + budget

    def account(self, user: str, deadline: datetime) -> Answer[Account]:
        return self._ask(_path("accounts", user), partial(read_account, user=user), deadline)

    def orders(self, user: str, limit: int, deadline: datetime) -> Answer[tuple[Order, ...]]:
        """The last orders of an account, the newest first."""
        path = _path("accounts", user, f"/orders?limit={limit}")
        return self._ask(path, partial(read_orders, user=user, limit=limit), deadline)

    def order(self, order_no: str, deadline: datetime) -> Answer[Order]:
        return self._ask(
            _path("orders", order_no), partial(read_order, order_no=order_no), deadline
        )

    def payment(self, payment_id: str, deadline: datetime) -> Answer[Payment]:
        read = partial(read_payment, payment_id=payment_id)
        return self._ask(_path("payments", payment_id), read, deadline)

    def card(self, name: str, deadline: datetime) -> Answer[Card]:
        """By digest (`digest_card`) or reference; a secret is never sent."""
        return self._ask(_path("cards", name), partial(read_card, name=name), deadline)

    def snapshot(self, order_no: str, deadline: datetime) -> Answer[Snapshot]:
        """Evidence: the exact bytes, as the platform tells it now and not some seconds ago."""
        path = _path("orders", order_no, "/snapshot")
        reply = self._fetch(path, _LONGEST_SNAPSHOT, deadline)
        if not isinstance(reply, Reply):
            return reply
        now = self.world.now()
        snapshot = Snapshot(order_no, reply.body, now)
        return _understand(reply, partial(_check, snapshot), now)

    def _ask(self, path: str, read: Read[T], deadline: datetime) -> Answer[T]:
        known = self.cache.find(path, self.world.now())
        if known is not None:
            return known
        reply = self._fetch(path, _LONGEST_ANSWER, deadline)
        if not isinstance(reply, Reply):
            return reply
        now = self.world.now()
        answer = _understand(reply, read, now)
        self.cache.keep(path, answer, now)
        return answer

    def _fetch(self, path: str, longest: int, deadline: datetime) -> Reply | Answer[Any]:
        """What the platform says, or why nothing was heard."""
        keys = self._read_keys()
        if isinstance(keys, Answer):
            return keys
        if not path:  # not the name of anything, so nothing is known under it
            return Answer(State.OK, since=self.world.now())
        if not self.breaker.lets_through(self.world.now()):
            return self._describe_outage()
        return self._try(self.url + path, keys, longest, deadline)

    def _read_keys(self) -> Sequence[bytes] | Answer[Any]:
        if not _is_address(self.url):
            return not_configured(Trouble.NO_ADDRESS, "PlatformUrl is empty, or no address")
        try:
            return [read_secret(secret) for secret in self.world.read_secrets()]
        except MissingSecretError as error:
            # It may name the parameter, which is for ops alone.
            logger.warning("the platform cannot be asked: %s", error)
            return not_configured(Trouble.NO_SECRET, "its secret is missing or of another form")

    def _try(
        self, url: str, keys: Sequence[bytes], longest: int, deadline: datetime
    ) -> Reply | Answer[Any]:
        """As many attempts as are worth it."""
        question = self.world.new_id()
        for attempt in range(_ATTEMPTS):
            if not self._may_try(attempt, deadline):
                break
            outcome = self._try_once(url, keys, question, longest, deadline)
            if not isinstance(outcome, NoReply):
                return outcome
            if outcome.trouble not in PASSING:
                return unavailable(outcome.trouble, outcome.detail, self.world.now())
        return self._describe_outage()

    def _may_try(self, attempt: int, deadline: datetime) -> bool:
        """Whether there is time and sense in this attempt; waits a little before all but the first.

        The pause is drawn from all up to the longest, so that not all who failed together come back
        together.
        """
        if attempt == 0:
            return self.world.now() < deadline
        if self.breaker.is_open:
            return False
        pause = self.world.draw() * _PAUSE * attempt
        if self.world.now() + timedelta(seconds=pause) >= deadline:
            return False
        self.world.sleep(pause)
        return True

    def _try_once(
        self, url: str, keys: Sequence[bytes], question: str, longest: int, deadline: datetime
    ) -> Reply | NoReply:
        """One attempt, and what the breaker learns of it. The id is the question's, and the time
        the attempt's.
        """
        now = self.world.now()
        headers = sign(keys, question, now, signed_content("GET", find_target(url)))
        left = max((deadline - now).total_seconds(), _SHORTEST)
        bounds = Bounds(min(_CONNECT, left), min(_READ, left), left, longest)
        outcome = _judge(self.world.open_url(url, {**headers, "accept": _ACCEPT}, bounds))
        if isinstance(outcome, NoReply):
            logger.warning("the platform was not heard: %s, %s", outcome.trouble, outcome.detail)
        if isinstance(outcome, NoReply) and outcome.trouble in PASSING:
            self.breaker.record_failure(self.world.now(), outcome)
        else:
            self.breaker.record_answer()
        return outcome

    def _describe_outage(self) -> Answer[Any]:
        """Of the last failure, also where nothing was tried since; or there was no time at all."""
        last, now = self.breaker.last, self.world.now()
        if last is None:
            return unavailable(Trouble.TIMEOUT, "no time was left to ask", now)
        return unavailable(last.trouble, last.detail, self.breaker.failing_since or now)


def _is_address(url: str) -> bool:
    try:
        host, port = urlsplit(url).hostname, urlsplit(url).port
    except ValueError:
        return False
    return bool(host) and port != 0


def _path(kind: str, name: str, rest: str = "") -> str:
    """Where something is asked; "" for what can be the name of nothing.

    Dots alone would be another path, and half a surrogate pair cannot be sent.
    """
    is_name = 0 < len(name) <= _LONGEST_NAME and name.isprintable() and name.strip(".") != ""
    return f"/{kind}/{quote(name, safe='')}{rest}" if is_name else ""


def _judge(outcome: Reply | NoReply) -> Reply | NoReply:
    """What the contract says is passed on: 200, and a problem document with 404."""
    if isinstance(outcome, NoReply):
        return outcome
    status, detail = outcome.status, f"it answered {outcome.status}"
    is_problem = outcome.headers.get("content-type", "").startswith(_PROBLEM_TYPE)
    if status == HTTPStatus.OK or (status == HTTPStatus.NOT_FOUND and is_problem):
        return outcome
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return NoReply(Trouble.THROTTLED, detail, _read_wish(outcome.headers))
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return NoReply(Trouble.FAILED, detail, _read_wish(outcome.headers))
    # Also a 404 without a problem document: that is a wrong address, and not "nothing is known".
    return NoReply(Trouble.REFUSED, detail)


def _read_wish(headers: Mapping[str, str]) -> timedelta | None:
    """For how long the platform asks to be left alone, if it says so in seconds."""
    told = headers.get("retry-after", "")
    is_number = told.isascii() and told.isdecimal() and len(told) < 6
    return timedelta(seconds=int(told)) if is_number else None


def _understand(reply: Reply, read: Read[T], now: datetime) -> Answer[T]:
    if reply.status == HTTPStatus.NOT_FOUND:
        return Answer(State.OK, since=now)
    try:
        return Answer(State.OK, read(read_json(reply.body)), now)
    except UnparseableError as error:
        logger.warning("the platform breaks the contract: %s", error)
        return unavailable(Trouble.ODD_ANSWER, str(error), now)


def _check(snapshot: Snapshot, said: dict[str, Any]) -> Snapshot:
    check_snapshot(said, snapshot.order_no)
    return snapshot
