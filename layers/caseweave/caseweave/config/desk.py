"""The desk's YAML files become the domain's `Desk`; `caseweave config check` is just this."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from string import Template
from zoneinfo import ZoneInfo

from caseweave.config.durations import read_duration
from caseweave.config.folder import config_folder
from caseweave.config.nodes import Node, read_file
from caseweave.config.search import read_search_rules
from caseweave.domain.calendars import ALWAYS, Calendar
from caseweave.domain.case import Priority
from caseweave.domain.clocks import ClockKind, Policy, Target, find_deadline
from caseweave.domain.desk import AnswerRules, Desk, Playbook
from caseweave.domain.identity import normalise_email
from caseweave.domain.keywords import Keyword, Keywords, fold_keyword
from caseweave.domain.language import CHINESE, ENGLISH
from caseweave.domain.wording import PLACEHOLDERS

FILES = ("calendars", "sla", "teams", "texts", "playbooks", "sms", "mail", "search")
# Rules refer to these by name.
_NEEDED_TEXTS = (
    "acknowledgement",
    "continued",
    "incident_notice",
    "incident_over",
    "resolved",
    "sms_help",
    "sms_started",
    "sms_stopped",
    "verification_code",
    "voice_greeting",
    "voice_thanks",
)
_NEEDED_POLICIES = ("waiting_pending", "waiting_resolved")
_PLAYBOOK = (
    *("category", "team", "priority", "policy"),
    *("acknowledgement", "forms", "signs", "evidence"),
)
_EVIDENCE = ("none", "snapshot")
# Without these a case could be left with no due time (promise P7).
_NEEDED_CLOCKS = (ClockKind.FIRST_REPLY, ClockKind.OUTCOME)
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_INTERVAL = re.compile(r"(\d\d:\d\d)\s*-\s*(\d\d:\d\d)")
# Each is remembered with the address; and two machines must stop soon.
_MOST_ANSWERS = 100
_LONGEST_WINDOW = timedelta(days=30)
_LOCAL_ADVICE = "write what stands before the @, such as no-reply"
_A_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


@cache
def deployed_desk() -> Desk:
    """The desk that was deployed with this function. Raises InvalidConfigError without one."""
    return load_desk(config_folder())


def load_desk(folder: Path) -> Desk:
    """The desk that the files in *folder* describe.

    Raises InvalidConfigError with file, line and what to write instead.
    """
    files = {name: read_file(folder / f"{name}.yaml") for name in FILES}
    calendars = _read_calendars(files["calendars"].mapping("calendars").get("calendars"))
    policies = _read_policies(files["sla"].mapping("policies").get("policies"), calendars)
    teams = _read_teams(files["teams"].mapping("teams").get("teams"))
    texts = _read_texts(files["texts"].mapping("texts").get("texts"))
    playbooks = files["playbooks"].mapping("playbooks", "fallback", "products")
    nodes = [*playbooks.get("playbooks").each(), playbooks.get("fallback")]
    *found, fallback = [_read_playbook(node, teams, policies, texts) for node in nodes]
    _check_categories(nodes)
    return Desk(
        playbooks=tuple(found),
        fallback=fallback,
        policies=policies,
        calendars=calendars,
        teams=teams,
        texts=texts,
        products={name: node.texts() for name, node in playbooks.get("products").items()},
        keywords=_read_keywords(files["sms"].mapping("keywords", "answered_by_provider")),
        mail_answers=_read_answers(files["mail"].mapping("automatic_answers")),
        search=read_search_rules(files["search"]),
    )


def _read_answers(node: Node) -> AnswerRules:
    rules = node.get("automatic_answers").mapping("at_most", "within", "never_to")
    within = rules.get("within").convert(read_duration, "write a time such as 12h or 1d")
    if not timedelta(0) < within <= _LONGEST_WINDOW:
        raise rules.get("within").fail("write at least 1s and at most 30d")
    never_to = rules.find("never_to")
    locals_ = (
        [one.convert(_local_part, _LOCAL_ADVICE) for one in never_to.each()] if never_to else []
    )
    at_most = rules.get("at_most").convert(_small_number, f"write 0 to {_MOST_ANSWERS}")
    return AnswerRules(at_most=at_most, within=within, never_to=frozenset(locals_))


def _read_playbook(
    node: Node,
    teams: Mapping[str, str],
    policies: Mapping[str, Policy],
    texts: Mapping[str, Mapping[str, str]],
) -> Playbook:
    node.mapping(*_PLAYBOOK)
    acknowledgement, forms, signs, evidence = (node.find(name) for name in _PLAYBOOK[4:])
    policy = node.get("policy").one_of(policies)
    for kind in _NEEDED_CLOCKS:
        if kind not in policies[policy].targets:
            raise node.get("policy").fail(f"{policy!r} of sla.yaml needs `{kind}:` for this")
    return Playbook(
        category=node.get("category").text(),
        team=node.get("team").one_of(teams),
        priority=Priority(node.get("priority").one_of([str(known) for known in Priority])),
        policy=policy,
        signs=signs.texts() if signs else (),
        forms=forms.texts() if forms else (),
        acknowledgement=acknowledgement.one_of(texts) if acknowledgement else "acknowledgement",
        takes_evidence=evidence is not None and evidence.one_of(_EVIDENCE) == "snapshot",
    )


def _check_categories(playbooks: Sequence[Node]) -> None:
    """A case remembers its playbook by the category."""
    seen = set()
    for playbook in playbooks:
        category = playbook.get("category")
        if category.text() in seen:
            raise category.fail("another playbook has this category; write one of its own")
        seen.add(category.text())


def _read_policies(node: Node, calendars: Mapping[str, Calendar]) -> dict[str, Policy]:
    policies = {name: _read_policy(name, targets, calendars) for name, targets in node.items()}
    for needed in _NEEDED_POLICIES:
        node.get(needed).get(ClockKind.FOLLOW_UP)
    return policies


def _read_policy(name: str, node: Node, calendars: Mapping[str, Calendar]) -> Policy:
    node.mapping(*ClockKind)
    targets = {}
    for kind, target in node.items():
        targets[ClockKind(kind)] = _read_target(target, {ALWAYS.name: ALWAYS, **calendars})
    return Policy(name, targets)


def _read_target(node: Node, calendars: Mapping[str, Calendar]) -> Target:
    node.mapping("within", "warn", "calendar")
    within = node.get("within").convert(read_duration, "write a time such as 30s, 10m, 4h, 2d")
    warn_before = node.get("warn").convert(read_duration, "write a time such as 0s or 3m")
    calendar = node.get("calendar").one_of(calendars)
    if within <= timedelta(0):
        raise node.get("within").fail("a promise takes more than no time")
    if warn_before > within:
        raise node.get("warn").fail("warn after the start: write at most what `within` says")
    try:
        # Twice, because holidays are announced later than this is written.
        find_deadline(_A_YEAR, 2 * within, calendars[calendar], ())
    except ValueError:
        raise node.get("within").fail(
            f"more than half a year's working time of {calendar!r}; write a shorter time"
        ) from None
    return Target(within, warn_before, calendar)


def _read_calendars(node: Node) -> dict[str, Calendar]:
    if node.find(ALWAYS.name):
        raise node.get(ALWAYS.name).fail("every moment counts in this one; use another name")
    return {name: _read_calendar(name, calendar) for name, calendar in node.items()}


def _read_calendar(name: str, node: Node) -> Calendar:
    node.mapping("timezone", "hours", "holidays")
    zone = node.get("timezone")
    zone.convert(_check_zone, "write a zone such as Asia/Shanghai or UTC")
    hours = {}
    for weekday, intervals in node.get("hours").mapping(*_WEEKDAYS).items():
        hours[_WEEKDAYS.index(weekday)] = tuple(
            interval.convert(_interval, 'write "09:00-18:00"; midnight is 00:00')
            for interval in intervals.each()
        )
    if not any(hours.values()):
        raise node.get("hours").fail("open on at least one day")
    holidays = node.find("holidays")
    return Calendar(
        name=name,
        timezone=zone.text(),
        hours=hours,
        holidays=frozenset(
            holiday.convert(date.fromisoformat, "write a date such as 2026-10-01")
            for holiday in holidays.each()
        )
        if holidays
        else frozenset(),
    )


def _read_teams(node: Node) -> dict[str, str]:
    names = [name for name, _ in node.items()]
    teams = {}
    for name, team in node.items():
        above = team.mapping("escalates_to").find("escalates_to")
        teams[name] = above.one_of(names) if above else ""
    for name, team in node.items():
        if name in _ladder(name, teams):
            raise team.get("escalates_to").fail("leads back to this team; a ladder has a top")
    return teams


def _ladder(name: str, teams: Mapping[str, str]) -> list[str]:
    """The teams above *name*, as far as they do not repeat."""
    above: list[str] = []
    while (name := teams[name]) and name not in above:
        above.append(name)
    return above


def _read_texts(node: Node) -> dict[str, dict[str, str]]:
    for needed in _NEEDED_TEXTS:
        node.get(needed)
    return {
        name: {
            language: _read_wording(wordings.mapping(CHINESE, ENGLISH).get(language))
            for language in (CHINESE, ENGLISH)
        }
        for name, wordings in node.items()
    }


def _read_wording(node: Node) -> str:
    text = node.text()
    for name in Template(text).get_identifiers():
        if name not in PLACEHOLDERS:
            known = ", ".join(f"${placeholder}" for placeholder in PLACEHOLDERS)
            raise node.fail(f"${name} is unknown; use one of: {known} ($$ is a dollar sign)")
    return text


def _read_keywords(node: Node) -> Keywords:
    words: dict[str, Keyword] = {}
    for name, listed in node.get("keywords").mapping(*Keyword).items():
        for entry in listed.each():
            word = entry.convert(_word, "write a short word, such as stop or 退订")
            if words.setdefault(word, Keyword(name)) != name:
                raise entry.fail(f"{word!r} means `{words[word]}` already; write it once")
    for keyword in Keyword:
        node.get("keywords").get(keyword)
    answered = node.find("answered_by_provider")
    return Keywords(
        words,
        {
            provider: frozenset(
                entry.convert(_word, "write one of the words above") for entry in listed.each()
            )
            for provider, listed in (answered.items() if answered else ())
        },
    )


def _word(text: str) -> str:
    word = fold_keyword(text)
    if not word:
        raise ValueError(text)
    return word


def _small_number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text[:9]) <= _MOST_ANSWERS):
        raise ValueError(text)
    return int(text)


def _local_part(text: str) -> str:
    if not text.strip() or "@" in text:
        raise ValueError(text)
    return normalise_email(text)


def _interval(text: str) -> tuple[time, time]:
    match = _INTERVAL.fullmatch(text.strip())
    if match is None:
        raise ValueError(text)
    return time.fromisoformat(match.group(1)), time.fromisoformat(match.group(2))


def _check_zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (KeyError, OSError):
        raise ValueError(text) from None
    return text
