"""Which case a message joins: what is read for the choice, and what the choice means for the
customer's record (the rules themselves are in domain/threading.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from caseweave.admission import Standing
from caseweave.domain.case import Case
from caseweave.domain.entities import digest_references, find_references
from caseweave.domain.message import InboundMessage, KnownMail, Remark
from caseweave.domain.open_cases import MOST_CASES, ListedCase, OpenCases, join_entities, list_case
from caseweave.domain.threading import Choice, Facts, Rule, ThreadingPolicy, choose_case
from caseweave.errors import ContentionError, NotFoundError
from caseweave.storage.cases import follow_merges, read_head
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
    choice, head, found = _choose_among(facts, found, customer_id, policy, consistent=consistent)
    return Chosen(
        choice,
        head if choice.case_id else None,
        None if choice.case_id else head,
        found,
        facts.topic,
        named,
    )


def _choose_among(
    facts: Facts,
    found: Candidates,
    customer_id: str,
    policy: ThreadingPolicy,
    *,
    consistent: bool,
) -> tuple[Choice, Case | None, Candidates]:
    """The choice with the head of the case that it names, and the candidates as they are.

    Where the record and the head of that case say different things, it is the head that counts;
    unless both were only read cheaply: then, a ContentionError is raised.
    """
    names = _lead_on(found.heads)
    heads = {head.id: head for head in names.values()}
    for _ in range(MOST_CASES + len(heads) + 1):
        told, cases = _gather(facts, found.listed, heads, names, customer_id)
        choice = choose_case(told, cases, policy)
        if choice.is_tied:
            choice = choose_case(told, [_ask_head(case, heads) for case in cases], policy)
        case = next((c for c in cases if c.id == (choice.case_id or choice.follows)), None)
        if case is None:
            return choice, None, found
        head = _find_head(case.id, heads)
        if head is not None and head.is_active == case.is_open:
            return choice, head, found
        if not consistent:
            raise ContentionError("the open cases were listed as they are no longer")
        found = replace(found, listed=_correct(found.listed, case, head, facts.at))
    raise ContentionError("the open cases are listed as none of them is")


def _correct(listed: OpenCases, case: ListedCase, head: Case | None, at: datetime) -> OpenCases:
    """The record with what the head says of a case; without it, if there is none any more."""
    if head is None:
        return listed.drop(case.id)
    return listed.note(replace(case, closed_at=list_case(head).closed_at), at=at)


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


def _lead_on(heads: Mapping[str, Case]) -> dict[str, Case]:
    """By each name, the case that it leads to through merges."""
    led = {}
    for name, head in heads.items():
        try:
            led[name] = follow_merges(head)
        except NotFoundError:
            continue
    return {name: head for name, head in led.items() if _can_be_joined(head)}


def _gather(
    facts: Facts,
    listed: OpenCases,
    heads: Mapping[str, Case],
    names: Mapping[str, Case],
    customer_id: str,
) -> tuple[Facts, list[ListedCase]]:
    """The facts by the cases' last names, and the candidates: listed, or known by their heads."""
    final = {name: head.id for name, head in names.items()}
    unlisted = [list_case(head) for head in heads.values() if listed.find(head.id) is None]
    facts = replace(
        facts,
        customers=frozenset({customer_id, listed.owner, *(c.customer_id for c in listed.cases)}),
        signed=final.get(facts.signed, facts.signed),
        answered=tuple(final.get(name, name) for name in facts.answered),
        last_case=final.get(facts.last_case, facts.last_case),
    )
    return facts, [*listed.cases, *unlisted]


def _ask_head(case: ListedCase, heads: dict[str, Case]) -> ListedCase:
    """An open case with the time of the customer's last word in it, which its head knows."""
    head = _find_head(case.id, heads) if case.is_open else None
    words = [contact.at for contact in head.contacts.values()] if head else []
    return replace(case, active_at=max((case.active_at, *words)))


def _find_head(case_id: str, heads: dict[str, Case]) -> Case | None:
    """The head of a case that can be joined, and is read once; None for one that cannot."""
    if case_id not in heads:
        try:
            head = read_head(case_id)
        except NotFoundError:
            return None
        if head.merged_into or not _can_be_joined(head):
            return None
        heads[case_id] = head
    return heads[case_id]


def _can_be_joined(head: Case) -> bool:
    """Not a case that was erased: what came into it would be lost."""
    return head.is_active or bool(head.seal)
