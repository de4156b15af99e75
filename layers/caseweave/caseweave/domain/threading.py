"""Which case does a message join? One table of rules, and a reason that stands in the event.

Only cases of the message's own customer are looked at: whose it is was decided before, by proof
(promise P4). What is weaker than these rules (a reference in a subject, a quoted mail of somebody
else) names no case here and stays a suggestion.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from caseweave.domain.message import Channel
from caseweave.domain.open_cases import ListedCase

# A new case names no more.
MOST_RELATIVES = 10


class Rule(StrEnum):
    """Why a message is in its case, in the order in which it is asked."""

    # A session, the reply address that we gave the sender, or an agent's word.
    REFERENCE = "reference"
    # It answers a message of the case.
    REPLY = "reply"
    CONVERSATION = "conversation"
    ENTITY = "entity"
    TOPIC = "topic"
    # The case that it would have joined was closed too long before: a new one goes on from there.
    FOLLOW_UP = "follow_up"
    NEW = "new"


class After(StrEnum):
    """What a customer's word makes of a case that was closed too long before to open it again."""

    FOLLOW_UP = "follow_up"
    # A case is over when it is closed: its names count for nothing any more.
    NEW = "new"


class Several(StrEnum):
    """What becomes of a message that fits several open cases equally."""

    LATEST = "latest"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class ClosedRule:
    """A closed case is opened again until `reopen_within` has passed; 0 is never."""

    reopen_within: timedelta
    after: After


@dataclass(frozen=True, slots=True)
class ThreadingPolicy:
    """`windows` is, per channel, for how long a sender's next message goes on where the last one
    went (0: it does not). `closed` is by category. `topics` maps, per field of a message, the
    values that declare a category. Without any of it, a closed case stays closed.
    """

    windows: Mapping[Channel, timedelta] = field(default_factory=dict)
    default: ClosedRule = ClosedRule(timedelta(0), After.NEW)
    closed: Mapping[str, ClosedRule] = field(default_factory=dict)
    several: Several = Several.LATEST
    topics: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def rule_of(self, topic: str) -> ClosedRule:
        return self.closed.get(topic, self.default)

    def read_topic(self, fields: Mapping[str, str]) -> str:
        """The category that a message declares itself, by its form or its queue; "" for none."""
        declared = (known.get(fields.get(name, "")) for name, known in self.topics.items())
        return next(filter(None, declared), "")

    def opens_again(self, case: ListedCase, at: datetime) -> bool:
        within = self.rule_of(case.topic).reopen_within
        return case.closed_at is not None and bool(within) and at - case.closed_at <= within


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a message: whose it is, and which cases it names or is near to.

    `customers` are the ids of the one customer whose it is, before and after merges. `signed` is
    the case that its token leads to, in the words of `signed_by`; `answered` those of the messages
    that it answers; `last_case` that of the sender's last message, at `last_word_at`.
    """

    customers: frozenset[str]
    at: datetime
    channel: Channel
    signed: str = ""
    signed_by: str = ""
    answered: Sequence[str] = ()
    last_case: str = ""
    last_word_at: datetime | None = None
    entities: frozenset[str] = frozenset()
    topic: str = ""
    is_automatic: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """The case that a message joins, None for a new one; by which rule, and why.

    `reopens` a closed case, or is kept in it as it is. A new case goes on from `follows` (""
    for none) and has the customer's other cases as `relatives`. `is_tied`: it was chosen among
    several by nothing but when they were last active.
    """

    case_id: str | None
    rule: Rule
    because: str
    reopens: bool = False
    follows: str = ""
    relatives: tuple[str, ...] = ()
    is_tied: bool = False


_Named = Iterable[tuple[ListedCase, str]]


def choose_case(facts: Facts, candidates: Iterable[ListedCase], policy: ThreadingPolicy) -> Choice:
    """The first rule of the table that names a case decides, whatever the order of *candidates*."""
    own = _sort(case for case in candidates if case.customer_id in facts.customers)
    for rule, find in _TABLE:
        for case, because in find(facts, own, policy):
            choice = _settle(rule, case, because, facts, own, policy)
            if choice is not None:
                return choice
    fitting = _fitting(facts, own)
    if len(fitting) == 1 or (fitting and policy.several is Several.LATEST):
        return Choice(
            fitting[0].id, Rule.TOPIC, _describe_fit(facts, fitting), is_tied=len(fitting) > 1
        )
    for case, because in _find_conversation(facts, own, policy):
        # A conversation whose case is closed goes on there only while nothing else is open for it.
        choice = (
            None
            if case.is_open or fitting
            else _settle(Rule.CONVERSATION, case, because, facts, own, policy)
        )
        if choice is not None:
            return choice
    return Choice(None, Rule.NEW, _describe_new(facts, own, fitting), relatives=_relatives(own))


def _find_signed(facts: Facts, own: Sequence[ListedCase], _: ThreadingPolicy) -> _Named:
    return [(case, facts.signed_by) for case in own if case.id == facts.signed]


def _find_answered(facts: Facts, own: Sequence[ListedCase], _: ThreadingPolicy) -> _Named:
    named = [case for name in facts.answered for case in own if case.id == name]
    return [(case, "it answers a message of this case") for case in _open_first(named)]


def _find_conversation(facts: Facts, own: Sequence[ListedCase], policy: ThreadingPolicy) -> _Named:
    window = policy.windows.get(facts.channel, timedelta(0))
    if facts.last_word_at is None or not window or facts.at - facts.last_word_at > window:
        return []
    since = format_span(facts.at - facts.last_word_at)
    because = (
        f"the sender's last message went here {since} before; by {facts.channel}"
        f" a conversation lasts {format_span(window)}"
    )
    return [(case, because) for case in own if case.id == facts.last_case]


def _find_open_conversation(
    facts: Facts, own: Sequence[ListedCase], policy: ThreadingPolicy
) -> _Named:
    followed = {case.follows for case in own if case.is_open}
    named = _find_conversation(facts, own, policy)
    return [one for one in named if one[0].is_open or one[0].id in followed]


def _find_entity(facts: Facts, own: Sequence[ListedCase], _: ThreadingPolicy) -> _Named:
    named = [case for case in own if not facts.entities.isdisjoint(case.entities)]
    because = "it names the same order or card"
    return [(c, because) for c in _open_first(named) if c.is_open or not facts.is_automatic]


# After these: the open case of the topic, the closed one of the conversation, a new one.
_TABLE: tuple[
    tuple[Rule, Callable[[Facts, Sequence[ListedCase], ThreadingPolicy], _Named]], ...
] = (
    (Rule.REFERENCE, _find_signed),
    (Rule.REPLY, _find_answered),
    (Rule.CONVERSATION, _find_open_conversation),
    (Rule.ENTITY, _find_entity),
)


def _settle(
    rule: Rule,
    case: ListedCase,
    because: str,
    facts: Facts,
    own: Sequence[ListedCase],
    policy: ThreadingPolicy,
) -> Choice | None:
    """What naming *case* comes to, open or closed; None if it counts for nothing."""
    if case.closed_at is None:
        return Choice(case.id, rule, because)
    said = f"{because}; closed {format_span(facts.at - case.closed_at)} before"
    if facts.is_automatic:
        return Choice(case.id, rule, f"{said}, and a machine's word leaves it closed")
    closed = policy.rule_of(case.topic)
    within = format_span(closed.reopen_within)
    if policy.opens_again(case, facts.at):
        return Choice(case.id, rule, f"{said}, opened again within {within}", reopens=True)
    if closed.after is After.NEW:
        return None
    said = f"{said}, opened again only within {within}" if closed.reopen_within else said
    followers = [one for one in own if one.is_open and one.follows == case.id]
    if followers:
        return Choice(followers[0].id, rule, f"{said}; this case goes on from it")
    others = tuple(name for name in _relatives(own) if name != case.id)
    return Choice(None, Rule.FOLLOW_UP, said, follows=case.id, relatives=others)


def _fitting(facts: Facts, own: Sequence[ListedCase]) -> list[ListedCase]:
    """The open cases of the topic that the message declares; of any, if it declares none."""
    return [case for case in own if case.is_open and facts.topic in ("", case.topic)]


def _describe_fit(facts: Facts, fitting: Sequence[ListedCase]) -> str:
    about = f" about {facts.topic}" if facts.topic else ""
    if len(fitting) == 1:
        return f"the only open case{about}"
    return f"the last active of {len(fitting)} open cases{about}, none of which is named"


def _describe_new(facts: Facts, own: Sequence[ListedCase], fitting: Sequence[ListedCase]) -> str:
    if fitting:
        return f"{len(fitting)} open cases fit, and none is named"
    is_any_open = any(case.is_open for case in own)
    return f"no case about {facts.topic} is open" if is_any_open else "no case is open"


def _relatives(own: Sequence[ListedCase]) -> tuple[str, ...]:
    """The customer's open cases, and those that were closed lately."""
    return tuple(case.id for case in _open_first(own))[:MOST_RELATIVES]


def _sort(cases: Iterable[ListedCase]) -> list[ListedCase]:
    """Each case once, the last active first: whatever else is equal, that one is chosen."""
    known = {case.id: case for case in sorted(cases, key=repr)}
    return sorted(known.values(), key=lambda case: (case.active_at, case.id), reverse=True)


def _open_first(cases: Iterable[ListedCase]) -> list[ListedCase]:
    return sorted(cases, key=lambda case: not case.is_open)


def format_span(span: timedelta) -> str:
    """`5m`, `2d`: in the largest unit that is full, cut."""
    seconds = max(0, int(span.total_seconds()))
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
