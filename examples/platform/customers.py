"""The platform's users and orders, as its own database would know them."""

import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Self


class OrderState(StrEnum):
    PAID = "paid"
    PROCESSING = "processing"
    DISPUTED = "disputed"
    COMPLETED = "completed"
    REFUNDED = "refunded"


# In these states the customer still waits for something.
OPEN_STATES = frozenset({OrderState.PAID, OrderState.PROCESSING, OrderState.DISPUTED})


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
    tier: str
    role: str
    email: str
    email_verified: bool
    phone_number: str | None
    phone_number_verified: bool
    orders: tuple[Order, ...]

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        orders = tuple(
            Order(**{**order, "state": OrderState(order["state"])}) for order in value["orders"]
        )
        return cls(**{**value, "orders": orders})


@dataclass(frozen=True, slots=True)
class Customers:
    password: str  # one for all: this is sample data
    products: tuple[str, ...]
    users: dict[str, User]

    def affected_by(self, product: str) -> list[str]:
        """Find whose open orders touch the product."""
        return [
            user.id
            for user in self.users.values()
            if any(o.product == product and o.state in OPEN_STATES for o in user.orders)
        ]


def load_customers(path: Path) -> Customers:
    data = json.loads(path.read_text(encoding="utf-8"))
    users = [User.from_json(value) for value in data["users"]]
    return Customers(data["password"], tuple(data["products"]), {user.id: user for user in users})
