"""The sample platform's database: SQLite, made from the seed and read through short connections."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path

from examples.platform.seeding import Row, make_rows

# A file that an earlier version made is made again.
VERSION = 2
_SCHEMA = """
create table users (
  id text primary key, name text not null, locale text not null, region text not null,
  tier text not null, role text not null, email text not null, email_verified integer not null,
  phone_number text, phone_number_verified integer not null, frozen_reason text,
  registered_at text not null
);
create table wallets (
  id text primary key, user_id text not null references users, currency text not null,
  balance text not null, frozen integer not null
);
create table orders (
  number text primary key, user_id text not null references users,
  merchant_id text references users, product text not null, title text not null,
  amount text not null, currency text not null, state text not null, placed_at text not null,
  payment_id text not null, delivered_at text
);
create index orders_of_user on orders (user_id, placed_at);
create table payments (
  id text primary key, order_no text not null references orders, method text not null,
  amount text not null, currency text not null, state text not null, paid_at text
);
create table cards (
  reference text primary key, digest text not null unique, product text not null,
  order_no text not null references orders, state text not null, sold_at text not null,
  redeemed_at text
);
create index cards_of_order on cards (order_no);
create table settlements (
  batch_no text primary key, merchant_id text not null references users, amount text not null,
  currency text not null, state text not null, until text not null
);
create table disputes (
  id text primary key, order_no text not null unique references orders, state text not null,
  reason text not null, opened_at text not null
);
"""


class Database:
    """A file at *path*, made from *data* where there is none of this version."""

    def __init__(self, path: Path, data: Path) -> None:
        self._path = path
        if not self._is_current():
            _make(path, data)

    def find(self, query: str, *values: object) -> Row | None:
        return next(iter(self.list(query, *values)), None)

    def list(self, query: str, *values: object) -> list[Row]:
        with self._read() as connection:
            return [dict(row) for row in connection.execute(query, values)]

    @contextmanager
    def _read(self) -> Iterator[sqlite3.Connection]:
        """One for each question, since each is asked on a thread of its own."""
        with closing(
            sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=ro", uri=True)
        ) as connection:
            connection.row_factory = sqlite3.Row
            yield connection

    def _is_current(self) -> bool:
        try:
            found = self.find("pragma user_version")
        except sqlite3.DatabaseError:
            return False
        return found == {"user_version": VERSION}


def _make(path: Path, data: Path) -> None:
    """Beside the old one and then in its place: who asks meanwhile gets one or the other."""
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with closing(sqlite3.connect(draft)) as connection, connection:
        connection.executescript(_SCHEMA)
        for table, rows in asdict(make_rows(data)).items():
            _insert(connection, table, rows)
        connection.execute(f"pragma user_version = {VERSION}")
    draft.replace(path)


def _insert(connection: sqlite3.Connection, table: str, rows: list[Row]) -> None:
    names = [str(one["name"]) for one in _columns(connection, table)]
    places = ", ".join(f":{name}" for name in names)
    connection.executemany(f"insert into {table} values ({places})", rows)  # noqa: S608 (ours)


def _columns(connection: sqlite3.Connection, table: str) -> list[Row]:
    rows = connection.execute("select name from pragma_table_info(?)", (table,))
    return [{"name": name} for (name,) in rows]
