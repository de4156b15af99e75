"""The platform's users and orders, as its own pages show them."""

from dataclasses import dataclass
from enum import StrEnum


class OrderState(StrEnum):
    PAID = "paid"
    PROCESSING = "processing"
    DISPUTED = "disputed"
    COMPLETED = "completed"
    REFUNDED = "refunded"
    FAILED = "failed"


# In these states the customer still waits for something.
OPEN_STATES = (OrderState.PAID, OrderState.PROCESSING, OrderState.DISPUTED)


@dataclass(frozen=True, slots=True)
class Order:
    number: str
    product: str
    title: str
    amount: str  # decimal, as money must not pass through floats
    currency: str
    state: OrderState


@dataclass(frozen=True, slots=True)
class User:
    id: str
    name: str
    locale: str
    region: str
    tier: str
    role: str
    email: str
    email_verified: bool
    phone_number: str | None
    phone_number_verified: bool
    orders: tuple[Order, ...]
