from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caseweave.domain.merkle import follow_proof, merkle_root, prove_inclusion

RECORDS = st.lists(st.binary(max_size=4), min_size=1, max_size=20)


def leaf(record):
    return sha256(b"\x00" + record).digest()


def node(left, right):
    return sha256(b"\x01" + left + right).digest()


def test_the_tree_is_that_of_rfc_9162():
    a, b, c, d, e = (leaf(bytes([letter])) for letter in b"abcde")
    assert merkle_root([]) == sha256().digest()
    assert merkle_root([b"a"]) == a
    assert merkle_root([b"a", b"b", b"c"]) == node(node(a, b), c)
    assert merkle_root([b"a", b"b", b"c", b"d", b"e"]) == node(node(node(a, b), node(c, d)), e)


def test_the_proof_of_the_last_of_five_is_one_digest():
    records = [b"a", b"b", b"c", b"d", b"e"]
    assert prove_inclusion(records, 4) == [merkle_root(records[:4])]
    assert prove_inclusion([b"a"], 0) == []


@settings(max_examples=80, deadline=None)
@given(RECORDS, st.data())
def test_every_record_is_proved_and_no_other(records, data):
    position = data.draw(st.integers(0, len(records) - 1))
    proof, root = prove_inclusion(records, position), merkle_root(records)
    assert follow_proof(records[position], position, len(records), proof) == root
    other = data.draw(st.binary(max_size=4).filter(lambda one: one != records[position]))
    assert follow_proof(other, position, len(records), proof) != root


@settings(max_examples=80, deadline=None)
@given(RECORDS, st.data())
def test_a_proof_with_any_bit_flipped_proves_nothing(records, data):
    position = data.draw(st.integers(0, len(records) - 1))
    proof = prove_inclusion(records, position)
    if not proof:
        return
    place = data.draw(st.integers(0, len(proof) - 1))
    bit = data.draw(st.integers(0, 255))
    flipped = bytearray(proof[place])
    flipped[bit // 8] ^= 1 << bit % 8
    proof[place] = bytes(flipped)
    root = merkle_root(records)
    assert follow_proof(records[position], position, len(records), proof) != root


@pytest.mark.parametrize(
    ("position", "count", "extra"), [(0, 2, 1), (0, 2, -1), (2, 2, 0), (-1, 2, 0), (0, 0, 0)]
)
def test_a_proof_of_the_wrong_length_or_place_is_none(position, count, extra):
    proof = prove_inclusion([b"a", b"b"], 0)
    given_proof = [*proof, b""] if extra > 0 else proof[:extra] if extra else proof
    assert follow_proof(b"a", position, count, given_proof) is None
