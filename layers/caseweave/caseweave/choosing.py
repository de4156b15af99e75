"""Which case a message joins: what is read for the choice, and what the choice means for the
customer's record (the rules themselves are in domain/threading.py).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from caseweave.admission import Standing
from caseweave.domain.case import Case
from caseweave.domain.entities import digest_references, find_references
from caseweave.domain.message import InboundMessage, KnownMail, Remark
from caseweave.domain.open_cases import ListedCase, OpenCases, join_entities, list_case
from caseweave.domain.threading import Choice, Facts, Rule, ThreadingPolicy, choose_case
from caseweave.errors import ContentionError, NotFoundError
from caseweave.storage.cases import follow_merges, read_current
from caseweave.storage.intake import Candidates, read_candidates

# Of the cases whose messages a message answers, only so many heads are read.
_MOST_ANSWERED = 2
# Chosen by what the record says of several cases: it must still say so.
_GUARDED = (Rule.ENTITY, Rule.TOPIC)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The choice, with the head of the case that is joined or that the new one goes on from.

    `candidates` are what it was made from, None if nothing was looked at; `topic` and `entities`
    are what the message declares and names.
    """

    choice: Choice
    case: Case | None = None
    followed: Case | None = None
    candidates: Candidates | None = None
    topic: str = ""
    entities: tuple[str, ...] = ()

    @property
    def listed_under(self) -> str:
        """Whose record it is, if the customer's own one leads to another's."""
        found = self.candidates
        return found.listed.owner if found and found.own.moved_to else ""

    def note(self, case: Case, at: datetime) -> OpenCases | None:
        """The customer's record as it is once *case*, new or joined, has the message; None if that
        leaves it as it is.
        """
        listed = self.candidates.listed if self.candidates else OpenCases(case.customer_id)
        if self.case is None:
            opened = ListedCase(
                case.id,
                case.customer_id,
                opened_at=at,
                active_at=at,
                topic=self.topic,
                entities=join_entities((), self.entities),
                follows=self.choice.follows,
            )
            return listed.note(opened, at=at)
        known = listed.find(case.id) or list_case(self.case)
        entities = join_entities(known.entities, self.entities)
        names_more = not set(self.entities) <= set(known.entities)
        if not case.is_active or self.candidates is None:
            return None
        if self.choice.reopens or names_more or self.choice.rule in _GUARDED:
            now = replace(known, entities=entities, active_at=at, closed_at=None)
            return listed.note(now, at=at)
        return None


def choose(
    inbound: InboundMessage,
    standing: Standing,
    mails: Mapping[str, KnownMail],
    at: datetime,
    policy: ThreadingPolicy,
    keys: Sequence[bytes],
    *,
    consistent: bool,
) -> Chosen:
    """Read 2, and the choice. Raises ContentionError where the records are of different moments."""
    admission = standing.admission
    if admission is not None and inbound.remark is Remark.ADDITION:
        because = "it adds to a message of this case"
        return Chosen(Choice(admission.case.id, Rule.REFERENCE, because), admission.case)
    references = find_references(inbound)
    facts = Facts(
        customers=frozenset(),
        at=at,
        channel=inbound.channel,
        entities=frozenset(digest for key in keys for digest in digest_references(references, key)),
        topic=policy.read_topic(inbound.fields),
        is_automatic=inbound.is_automatic,
    )
    named = digest_references(references, keys[0]) if keys else ()
    customer_id = standing.joining.customer_id
    if customer_id is None:
        return Chosen(choose_case(facts, (), policy), topic=facts.topic, entities=named)
    facts = _look_around(facts, inbound, standing, mails, customer_id)
    wanted = dict.fromkeys(filter(None, (facts.signed, *facts.answered, facts.last_case)))
    place = standing.origin.listed_under if standing.origin else ""
    found = read_candidates(customer_id, place, tuple(wanted), consistent=consistent)
    facts, cases, heads = _resolve(facts, found, customer_id)
    choice = choose_case(facts, cases, policy)
    if choice.is_tied:
        choice = choose_case(facts, _ask_heads(cases, heads), policy)
    by_id = {case.id: case for case in cases}
    return Chosen(
        choice,
        _find_head(choice.case_id, heads, by_id),
        _find_head(choice.follows, heads, by_id),
        found,
        facts.topic,
        named,
    )


def _look_around(
    facts: Facts,
    inbound: InboundMessage,
    standing: Standing,
    mails: Mapping[str, KnownMail],
    customer_id: str,
) -> Facts:
    """What the message names, and where its sender was heard from last."""
    origin, signed = standing.origin, standing.signed
    is_own = origin is not None and origin.customer_id == customer_id
    # The most direct one is named last.
    named = [mails[name] for name in reversed(inbound.references) if name in mails]
    named += [mails[name] for name in (inbound.context.get("reply_to", ""),) if name in mails]
    answered = tuple(dict.fromkeys(one.case_id for one in named))[:_MOST_ANSWERED]
    return replace(
        facts,
        signed=signed.case_id if signed else "",
        signed_by=signed.because if signed else "",
        answered=answered,
        last_case=origin.case_id if origin and is_own else "",
        last_word_at=origin.last_inbound_at if origin and is_own else None,
    )


def _resolve(
    facts: Facts, found: Candidates, customer_id: str
) -> tuple[Facts, list[ListedCase], dict[str, Case]]:
    """The facts with names that lead on through merges; the candidates, and the heads known."""
    finals = {name: follow_merges(head) for name, head in found.heads.items()}
    heads = {head.id: head for head in finals.values()}
    names = {name: head.id for name, head in finals.items()}
    listed = found.listed
    cases = [
        *listed.cases,
        *(list_case(head) for head in heads.values() if listed.find(head.id) is None),
    ]
    facts = replace(
        facts,
        customers=frozenset({customer_id, listed.owner, *(c.customer_id for c in listed.cases)}),
        signed=names.get(facts.signed, facts.signed),
        answered=tuple(names.get(name, name) for name in facts.answered),
        last_case=names.get(facts.last_case, facts.last_case),
    )
    return facts, cases, heads


def _ask_heads(cases: Iterable[ListedCase], heads: dict[str, Case]) -> list[ListedCase]:
    """The cases, the open ones with the time of the customer's last word in them."""
    asked = []
    for case in cases:
        if case.is_open:
            head = _find_head(case.id, heads, {case.id: case})
            words = [contact.at for contact in head.contacts.values()] if head else []
            asked.append(replace(case, active_at=max((case.active_at, *words))))
        else:
            asked.append(case)
    return asked


def _find_head(
    case_id: str | None, heads: dict[str, Case], listed: Mapping[str, ListedCase]
) -> Case | None:
    if not case_id:
        return None
    try:
        head = heads.get(case_id) or read_current(case_id)
    except NotFoundError as error:
        raise ContentionError("the case is not readable yet") from error
    heads[case_id] = head
    if head.id != case_id or head.is_active != listed[case_id].is_open:
        raise ContentionError(f"case {head.ref} was listed as it is no longer")
    return head
