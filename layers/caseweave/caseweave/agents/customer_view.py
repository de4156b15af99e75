"""A customer as an agent sees them: what the agent would otherwise have to ask.

What the desk knows itself, and what the business's platform adds while it answers. Nothing here is
decided automatically: what the platform warns of is shown.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from caseweave.agents.caller import ROLES, Caller
from caseweave.agents.identity_view import describe_link
from caseweave.agents.view import describe_case
from caseweave.domain.case import Case
from caseweave.domain.consent import CONSENT_CATEGORY
from caseweave.domain.identity import AddressKind, Customer, Link
from caseweave.domain.incident import NOTICE_CATEGORY
from caseweave.domain.times import optional_rfc3339, to_rfc3339
from caseweave.platform.answer import Answer
from caseweave.platform.connector import Connector
from caseweave.platform.records import Account, Order
from caseweave.storage.portraits import Portrait, read_portrait

# An agent waits for this view.
_BUDGET = timedelta(seconds=3)
_LAST_ORDERS = 10
_MOST_TOPICS = 5


@dataclass(frozen=True, slots=True)
class Heard:
    """What the platform said of its user `user`, "" for a customer of whom it knows none."""

    user: str
    account: Answer[Account]
    orders: Answer[tuple[Order, ...]]


def show_customer(customer_id: str, caller: Caller, connector: Connector) -> dict[str, Any]:
    """Raises NotFoundError, ForbiddenError, UnavailableError: never for the platform's sake."""
    caller.require(*ROLES)
    portrait = read_portrait(customer_id)
    heard = _ask_platform(_find_user(portrait.links), connector)
    account, orders = heard.account.value, heard.orders.value
    return {
        "customer": _describe_customer(portrait, account),
        "links": [describe_link(link) for link in portrait.links],
        "cases": {
            "open": [describe_case(case) for case in portrait.open],
            "past": [describe_case(case) for case in portrait.past],
            "has_more": portrait.has_more,
        },
        "topics": _count_topics((*portrait.open, *portrait.past)),
        "promises": _list_promises(portrait.open),
        # Nobody is asked yet how satisfied they were.
        "satisfaction": None,
        "account": _describe_account(account) if account else None,
        "orders": None if orders is None else [_describe_order(order) for order in orders],
        "warnings": _list_warnings(account, orders or ()),
        "platform": _describe_platform(heard),
    }


def _find_user(links: Sequence[Link]) -> str:
    """Whose account on the platform it is: of all that are proven the best, then the oldest."""
    users = [one for one in links if one.address.kind is AddressKind.PLATFORM and one.proof.holds]
    best = min(users, key=lambda link: (-link.proof.strength, link.at), default=None)
    return best.address.value if best else ""


def _ask_platform(user: str, connector: Connector) -> Heard:
    """Both questions together take no longer than an agent waits."""
    deadline = connector.deadline(_BUDGET)
    account = connector.account(user, deadline)
    return Heard(user, account, connector.orders(user, _LAST_ORDERS, deadline))


def _describe_platform(heard: Heard) -> dict[str, Any]:
    """How far the platform was heard: where it was not, the view goes on without it."""
    worse = heard.account if not heard.account.is_ok else heard.orders
    reason = str(worse.trouble) if worse.trouble else None
    if worse.is_ok and not heard.user:
        reason = "no_user"
    elif worse.is_ok and heard.account.value is None:
        reason = "unknown_user"
    return {
        "state": str(worse.state),
        "since": optional_rfc3339(worse.since if heard.user or not worse.is_ok else None),
        "reason": reason,
        "detail": worse.detail or None,
        "user": heard.user or None,
    }


def _describe_customer(portrait: Portrait, account: Account | None) -> dict[str, Any]:
    """The platform knows best; what it does not say is told as the desk last heard it."""
    customers = portrait.customers
    names = (account.name if account else "", *(customer.name for customer in customers))
    return {
        "id": portrait.family.root,
        "members": list(portrait.family.ids),
        "names": list(dict.fromkeys(filter(None, names))),
        "tier": _best(account.tier if account else "", (one.tier for one in customers)),
        "role": _best(account.role if account else "", (one.role for one in customers)),
        "locale": _best(account.locale if account else "", (one.locale for one in customers)),
        "region": (account.region if account else "") or None,
        "known_since": _find_beginning(customers),
    }


def _best(told: str, known: Iterable[str]) -> str | None:
    return told or next(filter(None, known), None)


def _find_beginning(customers: Sequence[Customer]) -> str | None:
    times = [customer.created_at for customer in customers if customer.created_at]
    return optional_rfc3339(min(times, default=None))


_NO_TOPICS = (NOTICE_CATEGORY, CONSENT_CATEGORY)


def _count_topics(cases: Iterable[Case]) -> list[dict[str, Any]]:
    """What they came for most often, in the cases shown. Notices of an incident were our idea, and
    STOP is no question.
    """
    topics = (case.category for case in cases)
    counted = Counter(topic for topic in topics if topic and topic not in _NO_TOPICS)
    ranked = sorted(counted.items(), key=lambda one: (-one[1], one[0]))
    return [{"category": name, "cases": number} for name, number in ranked[:_MOST_TOPICS]]


def _list_promises(cases: Iterable[Case]) -> list[dict[str, Any]]:
    """What was promised and is not kept yet, the most pressing first; a paused one last."""
    waiting = [(clock, case) for case in cases for clock in case.clocks if not clock.stopped_at]
    waiting.sort(key=lambda one: (one[0].due_at is None, one[0].due_at or one[0].started_at))
    return [
        {
            "ref": case.ref,
            "kind": str(clock.kind),
            "due_at": optional_rfc3339(clock.due_at),
            "is_breached": clock.breached_at is not None,
        }
        for clock, case in waiting
    ]


def _describe_account(account: Account) -> dict[str, Any]:
    return {
        "is_frozen": account.is_frozen,
        "frozen_reason": account.frozen_reason or None,
        "wallets": [
            {
                "id": wallet.id,
                "currency": wallet.currency,
                "balance": wallet.balance,
                "is_frozen": wallet.is_frozen,
            }
            for wallet in account.wallets
        ],
    }


def _describe_order(order: Order) -> dict[str, Any]:
    return {
        "order_no": order.order_no,
        "product": order.product,
        "title": order.title,
        "amount": order.amount,
        "currency": order.currency,
        "state": order.state,
        "placed_at": to_rfc3339(order.placed_at),
        "payment_id": order.payment_id or None,
        "dispute": order.dispute or None,
    }


def _list_warnings(account: Account | None, orders: Iterable[Order]) -> list[dict[str, str]]:
    """What an agent should see before they answer: `about` is what it concerns."""
    found = []
    if account and account.is_frozen:
        found.append(("account_frozen", account.user, account.frozen_reason))
    wallets = account.wallets if account else ()
    found += [("wallet_frozen", wallet.id, "") for wallet in wallets if wallet.is_frozen]
    found += [("order_disputed", one.order_no, one.dispute) for one in orders if one.dispute]
    return [{"kind": kind, "about": about, "detail": detail} for kind, about, detail in found]
