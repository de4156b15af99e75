"""What the platform's own pages know of customers: who they are, and what they bought."""

import json
from dataclasses import dataclass
from pathlib import Path

from examples.platform.catalogue import PRODUCTS
from examples.platform.customers import OPEN_STATES, Order, OrderState, User
from examples.platform.database import Database
from examples.platform.seeding import Row


@dataclass(frozen=True, slots=True)
class Shop:
    database: Database
    password: str  # one for all: this is sample data
    products: tuple[str, ...] = PRODUCTS

    def find_user(self, user_id: str) -> User | None:
        row = self.database.find("select * from users where id = ?", user_id)
        return None if row is None else self._read_user(row)

    def list_users(self) -> list[User]:
        """In the order in which the data tells of them."""
        return [self._read_user(row) for row in self.database.list("select * from users")]

    def find_affected(self, product: str) -> list[str]:
        """Whose open orders touch the product."""
        states = ", ".join("?" for _ in OPEN_STATES)
        query = (
            f"select user_id from orders where product = ? and state in ({states})"  # noqa: S608
            " group by user_id order by user_id"
        )
        return [row["user_id"] for row in self.database.list(query, product, *OPEN_STATES)]

    def _read_user(self, row: Row) -> User:
        query = "select * from orders where user_id = ? order by placed_at desc, number"
        return User(
            id=row["id"],
            name=row["name"],
            locale=row["locale"],
            region=row["region"],
            tier=row["tier"],
            role=row["role"],
            email=row["email"],
            email_verified=bool(row["email_verified"]),
            phone_number=row["phone_number"],
            phone_number_verified=bool(row["phone_number_verified"]),
            orders=tuple(map(_read_order, self.database.list(query, row["id"]))),
        )


def _read_order(row: Row) -> Order:
    return Order(
        number=row["number"],
        product=row["product"],
        title=row["title"],
        amount=row["amount"],
        currency=row["currency"],
        state=OrderState(row["state"]),
    )


def open_shop(database: Path, data: Path) -> Shop:
    said = json.loads(data.read_text(encoding="utf-8"))
    return Shop(Database(database, data), said["password"])
