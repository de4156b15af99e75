"""Pulling the messages of 微信客服, after a hint or by the clock; each is taken in once (P1, P2).

The cursor is kept only after the page before it was taken in, so dying anywhere costs a second look
at what is known. Nothing is lost with a hint either: every known account is pulled by the clock.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from caseweave.access_tokens import Ask
from caseweave.channels import wecom_kf
from caseweave.channels.credentials import Credentials
from caseweave.channels.request import ProviderAnswer, Refusal, Refused
from caseweave.channels.wecom_kf import Page
from caseweave.errors import CaseweaveError, ContentionError, UnavailableError, UnparseableError
from caseweave.http import LONGEST_BODY
from caseweave.intake import Door, quarantine, take_in
from caseweave.storage.ledger import RawInput
from caseweave.storage.pulls import (
    PullState,
    PullWish,
    list_pulls,
    parse_wish,
    read_pull,
    write_pull,
)
from caseweave.storage.transaction import retry_on_contention
from caseweave.webhooks import parse_events

logger = logging.getLogger(__name__)

PROVIDER = "wecom"
# Longer than a page takes.
LOCK_LIFETIME = timedelta(seconds=45)
# No page is begun after that.
PATIENCE = timedelta(seconds=35)
# An entry of the queue comes again after twice the last pause, ever later.
_SHORTEST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=3), timedelta(minutes=2)
# An account that was pulled since is left alone by the clock.
_RECENT = timedelta(minutes=4)


class PullUnfinishedError(CaseweaveError):
    """There is more to pull than fits into one call: let the queue bring the wish again."""


class _LockLostError(CaseweaveError):
    """The lock ran out and somebody else goes on from the last cursor."""


@dataclass(frozen=True, slots=True)
class Source:
    """How WeCom is reached, and what intake needs.

    `resolve_account` gives an account's credentials with an access token, `read_credentials` those
    of all accounts without.
    """

    resolve_account: Callable[[str], Credentials]
    read_credentials: Callable[[], Credentials]
    forget_token: Callable[[Credentials], None]
    ask: Ask
    base_url: str
    make_door: Callable[[], Door]
    retention: timedelta
    now: Callable[[], datetime]


def pull_messages(queue_body: str, source: Source, holder: str, tries: int) -> int:
    """Pull the account that a queue entry names until it has nothing new; the number of pages.

    0 if another holder is at it, who will look once more. *holder* is a name drawn at random,
    *tries* counts this one. Raises PullUnfinishedError, UnavailableError, ContentionError,
    MissingSecretError or NotFoundError: then the queue brings the entry again.
    """
    wish = parse_wish(queue_body)
    held = retry_on_contention(lambda _: _begin(wish.account, holder, source.now()))
    if held.holder != holder:
        if tries > 1:
            # The lock may be one that an earlier try of this very entry could not give back.
            raise PullUnfinishedError(f"{wish.account} is locked")
        return 0
    try:
        return _pull_all(held, wish, source)
    except _LockLostError:
        logger.warning("the pull of %s went on elsewhere", wish.account)
        return 0
    except CaseweaveError:
        _let_go(wish.account, holder)
        raise


def pause_after(tries: int) -> timedelta:
    """When the queue should bring an entry again that could not be done."""
    doublings = min(tries - 1, 10)
    return min(_SHORTEST_PAUSE * (1 << doublings), _LONGEST_PAUSE)


def wish_for_all(queue_pull: Callable[[str], None], now: datetime) -> int:
    """Ask for a pull of every known account that was not pulled just now; how many these are."""
    waiting = [
        state
        for state in list_pulls(PROVIDER)
        if state.pulled_at is None or now - state.pulled_at >= _RECENT
    ]
    for state in waiting:
        queue_pull(str(PullWish(PROVIDER, state.account)))
    return len(waiting)


def _pull_all(held: PullState, wish: PullWish, source: Source) -> int:
    began, pages, seen = source.now(), 0, held.wishes
    while True:
        page = _fetch_page(held, wish.token, source)
        for message in page.messages:
            _take_in(message, wish.account, source)
        pages += 1
        cursor = page.cursor or held.cursor
        if page.has_more and cursor == held.cursor:
            raise UnavailableError("WeCom has more messages and no cursor that leads to them")
        is_done = not page.has_more
        held = _keep(held, partial(_turn_page, cursor, seen, source.now(), is_done=is_done))
        if not held.holder:
            return pages
        if is_done:
            # Somebody wished for another look while this one was under way.
            seen = held.wishes
        if source.now() - began > PATIENCE:
            raise PullUnfinishedError(f"{wish.account} has more than fits into one call")


def _begin(account: str, holder: str, now: datetime) -> PullState:
    """Take the lock; or, if another has it, leave a wish."""
    state = read_pull(PROVIDER, account)
    wished = replace(state, wishes=state.wishes + 1)
    if state.is_locked(now):
        return write_pull(wished)
    return write_pull(replace(wished, holder=holder, locked_until=now + LOCK_LIFETIME))


def _turn_page(
    cursor: str, seen: int, now: datetime, state: PullState, *, is_done: bool
) -> PullState:
    """The next cursor; and the lock given back, if nobody has wished for another look since."""
    if is_done and state.wishes == seen:
        return replace(state, cursor=cursor, holder="", locked_until=None, pulled_at=now)
    return replace(state, cursor=cursor, locked_until=now + LOCK_LIFETIME)


def _keep(held: PullState, change: Callable[[PullState], PullState]) -> PullState:
    """Raises _LockLostError when another holds the lock by now."""

    def attempt(_: int) -> PullState:
        state = read_pull(held.provider, held.account)
        if state.holder != held.holder:
            raise _LockLostError
        return write_pull(change(state))

    return retry_on_contention(attempt)


def _let_go(account: str, holder: str) -> None:
    """Give the lock back early; if that fails, it runs out."""
    state = PullState(PROVIDER, account, holder=holder)
    try:
        _keep(state, lambda kept: replace(kept, holder="", locked_until=None))
    except (_LockLostError, UnavailableError, ContentionError):
        logger.warning("the pull of %s stays locked for a while", account)


def _fetch_page(held: PullState, token: str, source: Source) -> Page:
    """The page at the cursor.

    What WeCom no longer accepts is left out: the hint's token ends after ten minutes, and without
    a cursor it begins with the oldest message, where everything known is known. Raises
    UnavailableError.
    """
    tries = dict.fromkeys([(held.cursor, token), (held.cursor, ""), ("", "")])
    refused = Refused(Refusal.UNKNOWN, "")
    for cursor, allowed_by in tries:
        page = _ask_for_page(held.account, cursor, allowed_by, source)
        if isinstance(page, Page):
            return page
        refused = page
        if page.kind is not Refusal.PERMANENT:
            break
        logger.warning("a pull of %s was refused: %s", held.account, page.detail)
    raise UnavailableError(f"WeCom gives no messages of {held.account}: {refused.detail}")


def _ask_for_page(account: str, cursor: str, token: str, source: Source) -> Page | Refused:
    """With a second access token, if the first one was refused."""
    page = _ask_once(account, cursor, token, source)
    if isinstance(page, Refused) and page.is_token_stale:
        return _ask_once(account, cursor, token, source)
    return page


def _ask_once(account: str, cursor: str, token: str, source: Source) -> Page | Refused:
    credentials = source.resolve_account(account)
    request = wecom_kf.build_pull(account, cursor, token, source.base_url, credentials)
    answer = source.ask(request)
    page = wecom_kf.read_page(answer) if isinstance(answer, ProviderAnswer) else answer
    if isinstance(page, Refused) and page.is_token_stale:
        source.forget_token(credentials)
    return page


def _take_in(message: Any, account: str, source: Source) -> None:
    """One message by itself: what is wrong with it costs no other."""
    body = wecom_kf.keep_pulled(message, account)
    raw = RawInput(PROVIDER, account, source.now(), source.retention, body)
    if len(body) > LONGEST_BODY:
        quarantine(replace(raw, body=body[:LONGEST_BODY]), f"longer than {LONGEST_BODY} bytes")
        return
    credentials = source.read_credentials()
    try:
        event = parse_events(lambda: wecom_kf.parse_pulled(body, credentials))
    except UnparseableError as error:
        quarantine(raw, str(error))
    else:
        take_in([event], raw, source.make_door())
