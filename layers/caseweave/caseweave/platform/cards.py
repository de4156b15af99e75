"""Naming a card secret to the platform without telling it."""

from hashlib import sha256


def digest_card(secret: str) -> str:
    """`sha256-…`, the same for every way to type it: case, spaces and dashes do not count."""
    kept = "".join(one for one in secret.upper() if one.isascii() and one.isalnum())
    return f"sha256-{sha256(kept.encode()).hexdigest()}"
