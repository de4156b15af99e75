"""Card secrets (卡密), passwords and keys: called so in the text, or of a product's shape."""

import re

from caseweave.domain.masking.shapes import Shape
from caseweave.domain.masking.text import (
    BLOCK,
    Atom,
    Finding,
    SecretKind,
    are_joined,
    found,
    hide,
    split_atoms,
)

_LABEL = re.compile(
    r"(?:卡密码?|兑换码|激活码|充值码|礼品码|密码|密钥|口令|"
    r"(?<![0-9A-Za-z\u2588])(?:(?:redeem|redemption|gift|gift card|activation|voucher|claim|product"
    r"|licen[cs]e|card|recharge)[ -]?(?:code|key|pin|secret)|cd[ -]?key|serial[ -]?key|password"
    r"|passwd|pwd))"
    r"(?![A-Za-z0-9])[\s:=,.，。：、\"'“”‘’「『（(【\[<是为即-]{0,6}(?:(?:is|was|are)[\s:=\"'-]{1,4})?",
    re.IGNORECASE,
)
_SHORTEST_SECRET, _LONGEST_SECRET = 6, 64
_NEAR_WINDOW = 40
# What stands in such groups is a key, whoever sells it.
_KEY_GROUPS = {4: 4, 5: 3, 6: 3}
_MOST_GROUPS = 8


def find_card_secrets(folded: str, shapes: tuple[Shape, ...]) -> list[Finding]:
    named = _find_named(folded, split_atoms(folded))
    rest = hide(folded, named)
    return named + _find_shaped(rest, split_atoms(rest), shapes)


def _find_named(folded: str, atoms: list[Atom]) -> list[Finding]:
    """What follows a word for it, as far as it looks like a secret and not like a sentence."""
    starts = {match.end() for match in _LABEL.finditer(folded)}
    findings: list[Finding] = []
    position = 0
    while position < len(atoms):
        group = _secret_at(folded, atoms, position) if atoms[position].start in starts else []
        length = sum(len(atom.value) for atom in group)
        if length >= _SHORTEST_SECRET and any(map(_has_digit, group)):
            findings.append(found(SecretKind.CARD_SECRET, group))
        position += len(group) or 1
    return findings


def _secret_at(folded: str, atoms: list[Atom], position: int) -> list[Atom]:
    group: list[Atom] = []
    length = 0
    for index in range(position, min(len(atoms), position + _LONGEST_SECRET)):
        atom = atoms[index]
        length += len(atom.value)
        joins = not group or are_joined(folded, group[-1], atom)
        if not (joins and atom.is_open and _is_like_a_key(atom)) or length > _LONGEST_SECRET:
            break
        group.append(atom)
    return group


def _is_like_a_key(atom: Atom) -> bool:
    return _has_digit(atom) or (atom.value.isupper() and len(atom.value) > 1)


def _has_digit(atom: Atom) -> bool:
    return any(map(str.isdecimal, atom.value))


def _find_shaped(folded: str, atoms: list[Atom], shapes: tuple[Shape, ...]) -> list[Finding]:
    findings: list[Finding] = []
    for chain in _list_chains(folded, atoms):
        kind = _kind_of(folded, chain, shapes)
        if kind is not None:
            findings.append(found(kind, chain))
    return findings


def _list_chains(folded: str, atoms: list[Atom]) -> list[list[Atom]]:
    """Atoms with single dashes between them, as long as they go, and nothing hidden beside them."""
    chains: list[list[Atom]] = []
    for atom in atoms:
        if chains and folded[chains[-1][-1].end : atom.start] == "-":
            chains[-1].append(atom)
        else:
            chains.append([atom])
    return [chain for chain in chains if _stands_alone(folded, chain)]


def _stands_alone(folded: str, chain: list[Atom]) -> bool:
    start, end = chain[0].start, chain[-1].end
    around = folded[max(0, start - 2) : start] + folded[end : end + 2]
    return chain[0].is_open and BLOCK not in around and "_" not in around


def _kind_of(folded: str, chain: list[Atom], shapes: tuple[Shape, ...]) -> SecretKind | None:
    values = [atom.value for atom in chain]
    if _is_key(values):
        return SecretKind.CARD_SECRET
    start = chain[0].start
    before = folded[max(0, start - _NEAR_WINDOW) : start].casefold()
    for shape in shapes:
        if shape.fits(values) and (not shape.near or any(word in before for word in shape.near)):
            return shape.kind
    return None


def _is_key(values: list[str]) -> bool:
    """Several groups of one length, with letters and digits among them."""
    content = "".join(values)
    return (
        len(set(map(len, values))) == 1
        and _KEY_GROUPS.get(len(values[0]), _MOST_GROUPS + 1) <= len(values) <= _MOST_GROUPS
        and any(map(str.isalpha, content))
        and any(map(str.isdecimal, content))
    )
