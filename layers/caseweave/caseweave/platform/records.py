"""What the platform knows, as far as the desk asks: see docs/platform-connector.openapi.yaml.

Amounts are decimal texts with a currency, since money must not pass through floats. States are the
platform's own words.
"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Wallet:
    id: str
    currency: str
    balance: str
    is_frozen: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    user: str
    name: str = ""
    tier: str = ""
    role: str = ""
    locale: str = ""
    region: str = ""
    is_frozen: bool = False
    frozen_reason: str = ""
    wallets: tuple[Wallet, ...] = ()


@dataclass(frozen=True, slots=True)
class Order:
    """`user` is who bought; `dispute` the state of a dispute about it, "" where there is none."""

    order_no: str
    user: str
    product: str
    title: str
    amount: str
    currency: str
    state: str
    placed_at: datetime
    payment_id: str = ""
    dispute: str = ""


@dataclass(frozen=True, slots=True)
class Payment:
    id: str
    order_no: str
    method: str
    amount: str
    currency: str
    state: str
    paid_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """A card secret that was sold, without the secret."""

    reference: str
    product: str
    state: str
    order_no: str = ""
    sold_at: datetime | None = None
    redeemed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An order with payment, card and delivery, byte for byte as the platform told it."""

    order_no: str
    body: bytes
    taken_at: datetime
