"""The desk's own rules as ops configured them: playbooks, policies, calendars, texts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from caseweave.domain.calendars import ALWAYS, Calendar
from caseweave.domain.case import Priority
from caseweave.domain.clocks import Clock, ClockKind, Policy, start_clock
from caseweave.domain.keywords import Keywords
from caseweave.domain.language import ENGLISH
from caseweave.domain.search_rules import SearchRules


@dataclass(frozen=True, slots=True)
class Playbook:
    """What to do with a kind of matter, and the signs by which a message shows that it is one.

    `signs` are words or phrases in any language, compared case-folded; `forms` are web forms that
    always mean this. Cases of a playbook that `takes_evidence` are disputes: their files are locked
    and the platform's snapshot of each order they name is taken.
    """

    category: str
    team: str
    priority: Priority
    policy: str
    signs: tuple[str, ...] = ()
    forms: tuple[str, ...] = ()
    acknowledgement: str = "acknowledgement"
    takes_evidence: bool = False


@dataclass(frozen=True, slots=True)
class AnswerRules:
    """How far automatic answers by mail go: `at_most` to an address `within` any such time, over
    all cases, and none to an address whose local part is one of `never_to`.
    """

    at_most: int = 3
    within: timedelta = timedelta(hours=24)
    never_to: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Desk:
    """`texts` maps a text's name to its wording per language; `fallback` is the playbook for what
    no other one claims. `teams` maps each team to the one it escalates to ("" for none).
    `products` maps a product to the names customers use for it; `keywords` are the words by
    which they stop our SMS.
    """

    playbooks: tuple[Playbook, ...]
    fallback: Playbook
    policies: Mapping[str, Policy]
    calendars: Mapping[str, Calendar]
    teams: Mapping[str, str]
    texts: Mapping[str, Mapping[str, str]]
    products: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    keywords: Keywords = field(default_factory=Keywords)
    mail_answers: AnswerRules = AnswerRules()
    search: SearchRules = field(default_factory=SearchRules)

    def calendar(self, name: str) -> Calendar:
        """The calendar of that name. For one that ops took away while clocks still run by it,
        every moment counts: the stricter promise, and no clock stands still unseen.
        """
        return self.calendars.get(name, ALWAYS)

    def start_clock(self, kind: ClockKind, policy_name: str, at: datetime) -> Clock | None:
        """A running clock, or None where the policy promises nothing of that kind."""
        policy = self.policies[policy_name]
        target = policy.targets.get(kind)
        if target is None:
            return None
        return start_clock(kind, policy, self.calendar(target.calendar), at)

    def text(self, name: str, language: str) -> str:
        """The wording for a language; English where a text lacks it."""
        wordings = self.texts[name]
        return wordings.get(language, wordings[ENGLISH])

    def playbook(self, category: str) -> Playbook:
        found = (playbook for playbook in self.playbooks if playbook.category == category)
        return next(found, self.fallback)
