"""Merkle trees as RFC 9162 makes them: one digest for many records, a short proof for each.

A leaf is SHA-256(0x00, record) and a node SHA-256(0x01, left, right), so that no node can pass for
a record; the left half of n records has the largest power of two below n.
https://www.rfc-editor.org/rfc/rfc9162#section-2.1
"""

from collections.abc import Sequence
from hashlib import sha256

_LEAF, _NODE = b"\x00", b"\x01"


def merkle_root(records: Sequence[bytes]) -> bytes:
    """The digest of all records in their order; of none, SHA-256 of nothing."""
    if not records:
        return sha256().digest()
    return _root([_leaf(record) for record in records])


def prove_inclusion(records: Sequence[bytes], position: int) -> list[bytes]:
    """The digests that lead from the record at *position* to the root, the nearest first."""
    leaves, proof = [_leaf(record) for record in records], list[bytes]()
    while len(leaves) > 1:
        middle = _split(len(leaves))
        if position < middle:
            proof.append(_root(leaves[middle:]))
            leaves = leaves[:middle]
        else:
            proof.append(_root(leaves[:middle]))
            leaves, position = leaves[middle:], position - middle
    return proof[::-1]


def follow_proof(record: bytes, position: int, count: int, proof: Sequence[bytes]) -> bytes | None:
    """The root that the proof leads to from *record*, at *position* of *count*; None if the proof
    has not the length that it must have.
    """
    turns = _turns(position, count) if 0 <= position < count else []
    if len(turns) != len(proof) or not 0 <= position < count:
        return None
    digest = _leaf(record)
    for is_left, other in zip(turns, proof, strict=True):
        digest = _node(digest, other) if is_left else _node(other, digest)
    return digest


def _turns(position: int, count: int) -> list[bool]:
    """Whether one is in the left half, from the leaf up."""
    turns = []
    while count > 1:
        middle = _split(count)
        turns.append(position < middle)
        position, count = (position, middle) if turns[-1] else (position - middle, count - middle)
    return turns[::-1]


def _root(leaves: Sequence[bytes]) -> bytes:
    """Level by level: what stands alone at the end of one goes up as it is."""
    level = list(leaves)
    while len(level) > 1:
        pairs = [_node(*level[at : at + 2]) for at in range(0, len(level) - 1, 2)]
        level = [*pairs, *level[len(pairs) * 2 :]]
    return level[0]


def _split(count: int) -> int:
    return 1 << ((count - 1).bit_length() - 1)


def _leaf(record: bytes) -> bytes:
    return sha256(_LEAF + record).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return sha256(_NODE + left + right).digest()
