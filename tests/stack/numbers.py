"""Telephone numbers that no other test of the stack has: all of them share its table."""

from itertools import count

_numbers = count(10_000_000)


def new_phone():
    return f"+86136{next(_numbers)}"
