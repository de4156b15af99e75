"""The shipped files load; every kind of mistake is named with file, line and what to write."""

import shutil
from contextlib import suppress
from datetime import date, time, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from caseweave.config.desk import FILES, load_desk
from caseweave.domain.calendars import Calendar
from caseweave.domain.case import Priority
from caseweave.domain.clocks import ClockKind, Policy, Target
from caseweave.domain.desk import AnswerRules, Desk, Playbook
from caseweave.domain.keywords import Keyword, Keywords
from caseweave.domain.search_rules import Scope, SearchRules
from caseweave.errors import InvalidConfigError

SHIPPED = Path("config")

# The smallest desk there is; the tests below break one line of it at a time.
CALENDARS = """\
calendars:
  office:
    timezone: Europe/Berlin
    hours:
      mon: ["09:00-12:00", "13:00-17:00"]
      fri: ["22:00-06:00"]
    holidays: [2026-12-25]
"""
SLA = """\
policies:
  ordinary:
    first_reply: {within: 10m, warn: 30s, calendar: office}
    outcome: {within: 1d, warn: 2h, calendar: always}
  waiting_pending:
    follow_up: {within: 2d, warn: 0s, calendar: always}
  waiting_resolved:
    follow_up: {within: 3d, warn: 0s, calendar: always}
"""
TEAMS = """\
teams:
  frontline: {escalates_to: seniors}
  seniors: {}
"""
TEXTS = """\
texts:
  acknowledgement: {zh-CN: 收到 $reference, en: Got $reference}
  continued: {zh-CN: 并入, en: Added}
  incident_notice: {zh-CN: $notice, en: $notice}
  incident_over: {zh-CN: $notice, en: $notice}
  resolved: {zh-CN: 解决?, en: Solved?}
  sms_help: {zh-CN: 帮助, en: Help}
  sms_started: {zh-CN: 恢复, en: Started}
  sms_stopped: {zh-CN: 退订, en: Stopped}
  verification_code: {zh-CN: 验证码 $code, en: Your code $code}
  voice_greeting: {zh-CN: 您好, en: Hello}
  voice_thanks: {zh-CN: 再见, en: Bye}
"""
SMS = """\
keywords:
  stop: [STOP, 退订。]
  start: [start]
  help: [help]
answered_by_provider:
  twilio: [Stop]
"""
PLAYBOOKS = """\
playbooks:
  - category: fault
    team: frontline
    priority: high
    policy: ordinary
    acknowledgement: continued
    forms: [topup]
    signs: [没到账, not arrived]
fallback:
  category: question
  team: seniors
  priority: normal
  policy: ordinary
products:
  wallet: [钱包, wallet]
"""
MAIL = """\
automatic_answers:
  at_most: 2
  within: 12h
  never_to: [No-Reply, bounce]
"""
CONTENT = {
    "calendars": CALENDARS,
    "sla": SLA,
    "teams": TEAMS,
    "texts": TEXTS,
    "playbooks": PLAYBOOKS,
    "sms": SMS,
    "mail": MAIL,
    "search": "text: {messages: first, most_terms: 7, kept: 30d}\n",
}


def write(folder: Path, **replaced: str) -> Path:
    for name, content in {**CONTENT, **replaced}.items():
        (folder / f"{name}.yaml").write_text(content, encoding="utf-8")
    return folder


def complaint(folder: Path) -> str:
    with pytest.raises(InvalidConfigError) as caught:
        load_desk(folder)
    return str(caught.value)


# ---------------------------------------------------------------- what is right


def test_the_shipped_files_describe_a_desk():
    desk = load_desk(SHIPPED)
    assert [playbook.category for playbook in desk.playbooks] == [
        "account_security",
        "dispute",
        "topup_fault",
        "card_fault",
        "settlement",
    ]
    assert desk.fallback == Playbook("question", "frontline", Priority.NORMAL, "ordinary")
    assert desk.teams == {
        "frontline": "seniors",
        "security": "seniors",
        "disputes": "seniors",
        "seniors": "",
    }


def test_the_shipped_promises_are_those_of_the_design():
    policies = load_desk(SHIPPED).policies
    promised = {
        name: tuple(
            policies[name].targets[kind].budget
            for kind in (ClockKind.FIRST_REPLY, ClockKind.NEXT_REPLY, ClockKind.OUTCOME)
        )
        for name in ("security", "dispute", "fault", "ordinary")
    }
    minute, hour = timedelta(minutes=1), timedelta(hours=1)
    assert promised == {
        "security": (2 * minute, 10 * minute, 2 * hour),
        "dispute": (10 * minute, hour, 24 * hour),
        "fault": (10 * minute, 30 * minute, 4 * hour),
        "ordinary": (10 * minute, hour, 9 * hour),
    }


def test_the_smallest_desk_is_read_as_it_is_written(tmp_path):
    follow_up = ClockKind.FOLLOW_UP
    assert load_desk(write(tmp_path)) == Desk(
        playbooks=(
            Playbook(
                "fault",
                "frontline",
                Priority.HIGH,
                "ordinary",
                signs=("没到账", "not arrived"),
                forms=("topup",),
                acknowledgement="continued",
            ),
        ),
        fallback=Playbook("question", "seniors", Priority.NORMAL, "ordinary"),
        policies={
            "ordinary": Policy(
                "ordinary",
                {
                    ClockKind.FIRST_REPLY: Target(
                        timedelta(minutes=10), timedelta(seconds=30), "office"
                    ),
                    ClockKind.OUTCOME: Target(timedelta(days=1), timedelta(hours=2), "always"),
                },
            ),
            "waiting_pending": Policy(
                "waiting_pending", {follow_up: Target(timedelta(days=2), timedelta(), "always")}
            ),
            "waiting_resolved": Policy(
                "waiting_resolved", {follow_up: Target(timedelta(days=3), timedelta(), "always")}
            ),
        },
        calendars={
            "office": Calendar(
                "office",
                "Europe/Berlin",
                {0: ((time(9), time(12)), (time(13), time(17))), 4: ((time(22), time(6)),)},
                frozenset({date(2026, 12, 25)}),
            )
        },
        teams={"frontline": "seniors", "seniors": ""},
        texts={
            "acknowledgement": {"zh-CN": "收到 $reference", "en": "Got $reference"},
            "continued": {"zh-CN": "并入", "en": "Added"},
            "incident_notice": {"zh-CN": "$notice", "en": "$notice"},
            "incident_over": {"zh-CN": "$notice", "en": "$notice"},
            "resolved": {"zh-CN": "解决?", "en": "Solved?"},
            "sms_help": {"zh-CN": "帮助", "en": "Help"},
            "sms_started": {"zh-CN": "恢复", "en": "Started"},
            "sms_stopped": {"zh-CN": "退订", "en": "Stopped"},
            "verification_code": {"zh-CN": "验证码 $code", "en": "Your code $code"},
            "voice_greeting": {"zh-CN": "您好", "en": "Hello"},
            "voice_thanks": {"zh-CN": "再见", "en": "Bye"},
        },
        products={"wallet": ("钱包", "wallet")},
        keywords=Keywords(
            words={
                "stop": Keyword.STOP,
                "退订": Keyword.STOP,
                "start": Keyword.START,
                "help": Keyword.HELP,
            },
            answered={"twilio": frozenset({"stop"})},
        ),
        mail_answers=AnswerRules(2, timedelta(hours=12), frozenset({"no-reply", "bounce"})),
        search=SearchRules(scope=Scope.FIRST, most_terms=7, kept=timedelta(days=30)),
    )


@pytest.mark.parametrize(
    ("line", "instead", "advice"),
    [
        ("at_most: 2", "at_most: 101", "mail.yaml:2: automatic_answers.at_most: write 0 to 100"),
        ("at_most: 2", "at_most: many", "mail.yaml:2: automatic_answers.at_most: write 0 to 100"),
        ("within: 12h", "within: 0s", "mail.yaml:3: automatic_answers.within: write at least 1s"),
        ("within: 12h", "within: 31d", "mail.yaml:3: automatic_answers.within: write at least 1s"),
        ("within: 12h", "within: soon", "mail.yaml:3: automatic_answers.within: write a time"),
        ("bounce]", "a@b.c]", "mail.yaml:4: automatic_answers.never_to[1]: write what stands"),
        ("within", "with", "unknown; use one of: at_most, within, never_to"),
    ],
)
def test_a_wrong_rule_for_automatic_answers_is_named(tmp_path, line, instead, advice):
    assert advice in complaint(write(tmp_path, mail=MAIL.replace(line, instead)))


def test_what_yaml_takes_for_a_number_or_a_truth_is_the_text_it_is(tmp_path):
    signs = PLAYBOOKS.replace("[没到账, not arrived]", "[404, yes, 1e3, 2026-01-01, null]")
    desk = load_desk(write(tmp_path, playbooks=signs))
    assert desk.playbooks[0].signs == ("404", "yes", "1e3", "2026-01-01", "null")


# ---------------------------------------------------------------- what is wrong

MISTAKES = [
    (
        "calendars",
        "Europe/Berlin",
        "Europe/Berln",
        "calendars.yaml:3",
        "calendars.office.timezone",
        "write a zone such as Asia/Shanghai or UTC",
    ),
    (
        "calendars",
        "Europe/Berlin",
        "../../etc/passwd",
        "calendars.yaml:3",
        "calendars.office.timezone",
        "write a zone such as Asia/Shanghai or UTC",
    ),
    (
        "calendars",
        "    timezone: Europe/Berlin\n",
        "",
        "calendars.yaml:2",
        "calendars.office",
        "add `timezone:`",
    ),
    (
        "calendars",
        "timezone:",
        "timezon:",
        "calendars.yaml:3",
        "calendars.office.timezon",
        "unknown; use one of: timezone, hours, holidays",
    ),
    (
        "calendars",
        "mon:",
        "monday:",
        "calendars.yaml:5",
        "calendars.office.hours.monday",
        "unknown; use one of: mon, tue, wed, thu, fri, sat, sun",
    ),
    (
        "calendars",
        "13:00-17:00",
        "13:00-24:00",
        "calendars.yaml:5",
        "calendars.office.hours.mon[1]",
        'write "09:00-18:00"; midnight is 00:00',
    ),
    (
        "calendars",
        "13:00-17:00",
        "13:00-17:00-18:00",
        "calendars.yaml:5",
        "calendars.office.hours.mon[1]",
        'write "09:00-18:00"; midnight is 00:00',
    ),
    (
        "calendars",
        "13:00-17:00",
        "13-17",
        "calendars.yaml:5",
        "calendars.office.hours.mon[1]",
        'write "09:00-18:00"; midnight is 00:00',
    ),
    (
        "calendars",
        '["22:00-06:00"]',
        '"22:00-06:00"',
        "calendars.yaml:6",
        "calendars.office.hours.fri",
        "write a list: [one, two], or a `- ` line for each",
    ),
    (
        "calendars",
        '["22:00-06:00"]',
        "\n        - 22:00-06:00\n        - never",
        "calendars.yaml:8",
        "calendars.office.hours.fri[1]",
        'write "09:00-18:00"; midnight is 00:00',
    ),
    (
        "calendars",
        "2026-12-25",
        "25.12.2026",
        "calendars.yaml:7",
        "calendars.office.holidays[0]",
        "write a date such as 2026-10-01",
    ),
    (
        "calendars",
        "2026-12-25",
        "2026-02-30",
        "calendars.yaml:7",
        "calendars.office.holidays[0]",
        "write a date such as 2026-10-01",
    ),
    (
        "calendars",
        "  office:",
        "  always:",
        "calendars.yaml:2",
        "calendars.always",
        "every moment counts in this one; use another name",
    ),
    (
        "calendars",
        '      mon: ["09:00-12:00", "13:00-17:00"]\n      fri: ["22:00-06:00"]',
        "      mon: []",
        "calendars.yaml:4",
        "calendars.office.hours",
        "open on at least one day",
    ),
    (
        "calendars",
        "calendars:\n",
        "calendar:\n",
        "calendars.yaml:1",
        "calendar",
        "unknown; use one of: calendars",
    ),
    (
        "sla",
        "within: 10m",
        "within: ten minutes",
        "sla.yaml:3",
        "policies.ordinary.first_reply.within",
        "write a time such as 30s, 10m, 4h, 2d",
    ),
    (
        "sla",
        "within: 10m",
        "within: 10",
        "sla.yaml:3",
        "policies.ordinary.first_reply.within",
        "write a time such as 30s, 10m, 4h, 2d",
    ),
    (
        "sla",
        "within: 10m",
        "within: 99999999999d",
        "sla.yaml:3",
        "policies.ordinary.first_reply.within",
        "write a time such as 30s, 10m, 4h, 2d",
    ),
    (
        "sla",
        "within: 10m",
        "within: 0m",
        "sla.yaml:3",
        "policies.ordinary.first_reply.within",
        "a promise takes more than no time",
    ),
    (
        "sla",
        "within: 1d",
        "within: 999999d",
        "sla.yaml:4",
        "policies.ordinary.outcome.within",
        "more than half a year's working time of 'always'; write a shorter time",
    ),
    (
        "sla",
        "within: 10m",
        "within: 40d",
        "sla.yaml:3",
        "policies.ordinary.first_reply.within",
        "more than half a year's working time of 'office'; write a shorter time",
    ),
    (
        "sla",
        "warn: 30s",
        "warn: soon",
        "sla.yaml:3",
        "policies.ordinary.first_reply.warn",
        "write a time such as 0s or 3m",
    ),
    (
        "sla",
        "warn: 30s",
        "warn: 11m",
        "sla.yaml:3",
        "policies.ordinary.first_reply.warn",
        "warn after the start: write at most what `within` says",
    ),
    (
        "sla",
        "warn: 2h",
        "wam: 2h",
        "sla.yaml:4",
        "policies.ordinary.outcome.wam",
        "unknown; use one of: within, warn, calendar",
    ),
    (
        "sla",
        "calendar: office",
        "calendar: weekdays",
        "sla.yaml:3",
        "policies.ordinary.first_reply.calendar",
        "'weekdays' is unknown; use one of: always, office",
    ),
    (
        "sla",
        "first_reply:",
        "first_answer:",
        "sla.yaml:3",
        "policies.ordinary.first_answer",
        "unknown; use one of: first_reply, next_reply, outcome, follow_up",
    ),
    (
        "sla",
        "  waiting_pending:",
        "  waiting:",
        "sla.yaml:1",
        "policies",
        "add `waiting_pending:`",
    ),
    (
        "sla",
        "  waiting_resolved:\n    follow_up",
        "  waiting_resolved:\n    outcome",
        "sla.yaml:7",
        "policies.waiting_resolved",
        "add `follow_up:`",
    ),
    (
        "sla",
        "    outcome: {within: 1d, warn: 2h, calendar: always}\n",
        "",
        "playbooks.yaml:5",
        "playbooks[0].policy",
        "'ordinary' of sla.yaml needs `outcome:` for this",
    ),
    (
        "teams",
        "escalates_to: seniors",
        "escalates_to: senior",
        "teams.yaml:2",
        "teams.frontline.escalates_to",
        "'senior' is unknown; use one of: frontline, seniors",
    ),
    (
        "teams",
        "escalates_to",
        "escalate_to",
        "teams.yaml:2",
        "teams.frontline.escalate_to",
        "unknown; use one of: escalates_to",
    ),
    (
        "teams",
        "  seniors: {}",
        "  seniors:",
        "teams.yaml:3",
        "teams.seniors",
        "write `key: value` lines here",
    ),
    (
        "texts",
        "  continued: {zh-CN: 并入, en: Added}\n",
        "",
        "texts.yaml:1",
        "texts",
        "add `continued:`",
    ),
    (
        "texts",
        "{zh-CN: 并入, en: Added}",
        "{en: Added}",
        "texts.yaml:3",
        "texts.continued",
        "add `zh-CN:`",
    ),
    (
        "texts",
        "en: Added",
        "fr: Added",
        "texts.yaml:3",
        "texts.continued.fr",
        "unknown; use one of: zh-CN, en",
    ),
    (
        "texts",
        "en: Added",
        'en: " "',
        "texts.yaml:3",
        "texts.continued.en",
        "write a text",
    ),
    (
        "texts",
        "en: Got $reference",
        "en: Got $ref",
        "texts.yaml:2",
        "texts.acknowledgement.en",
        (
            "$ref is unknown; use one of: $reference, $telegram_link, $notice, $code"
            " ($$ is a dollar sign)"
        ),
    ),
    (
        "playbooks",
        "team: frontline",
        "team: front",
        "playbooks.yaml:3",
        "playbooks[0].team",
        "'front' is unknown; use one of: frontline, seniors",
    ),
    (
        "playbooks",
        "priority: high",
        "priority: highest",
        "playbooks.yaml:4",
        "playbooks[0].priority",
        "'highest' is unknown; use one of: high, low, normal, urgent",
    ),
    (
        "playbooks",
        "policy: ordinary\n    ack",
        "policy: fast\n    ack",
        "playbooks.yaml:5",
        "playbooks[0].policy",
        "'fast' is unknown; use one of: ordinary, waiting_pending, waiting_resolved",
    ),
    (
        "playbooks",
        "policy: ordinary\n    ack",
        "policy: waiting_pending\n    ack",
        "playbooks.yaml:5",
        "playbooks[0].policy",
        "'waiting_pending' of sla.yaml needs `first_reply:` for this",
    ),
    (
        "playbooks",
        "acknowledgement: continued",
        "acknowledgement: hello",
        "playbooks.yaml:6",
        "playbooks[0].acknowledgement",
        (
            "'hello' is unknown; "
            "use one of: acknowledgement, continued, incident_notice, incident_over, resolved,"
            " sms_help, sms_started, sms_stopped, verification_code, voice_greeting, voice_thanks"
        ),
    ),
    (
        "playbooks",
        "[没到账, not arrived]",
        "没到账",
        "playbooks.yaml:8",
        "playbooks[0].signs",
        "write a list: [one, two], or a `- ` line for each",
    ),
    (
        "playbooks",
        "[没到账, not arrived]",
        "[没到账, '']",
        "playbooks.yaml:8",
        "playbooks[0].signs[1]",
        "write a text",
    ),
    (
        "playbooks",
        "    signs:",
        "    sings:",
        "playbooks.yaml:8",
        "playbooks[0].sings",
        (
            "unknown; use one of: category, team, priority, policy, acknowledgement, forms, "
            "signs, evidence"
        ),
    ),
    (
        "playbooks",
        "    signs:",
        "    evidence: all\n    signs:",
        "playbooks.yaml:8",
        "playbooks[0].evidence",
        "'all' is unknown; use one of: none, snapshot",
    ),
    (
        "playbooks",
        "  category: question",
        "  category: fault",
        "playbooks.yaml:10",
        "fallback.category",
        "another playbook has this category; write one of its own",
    ),
    (
        "playbooks",
        "  category: question\n",
        "",
        "playbooks.yaml:9",
        "fallback",
        "add `category:`",
    ),
    (
        "playbooks",
        "fallback:",
        "otherwise:",
        "playbooks.yaml:9",
        "otherwise",
        "unknown; use one of: playbooks, fallback, products",
    ),
    (
        "playbooks",
        "  wallet: [钱包, wallet]",
        "  wallet: 钱包",
        "playbooks.yaml:15",
        "products.wallet",
        "write a list: [one, two], or a `- ` line for each",
    ),
    (
        "sms",
        "[start]",
        "[start, ＳＴＯＰ！]",
        "sms.yaml:3",
        "keywords.start[1]",
        "'stop' means `stop` already; write it once",
    ),
    (
        "sms",
        "[help]",
        "[...]",
        "sms.yaml:4",
        "keywords.help[0]",
        "write a short word, such as stop or 退订",
    ),
    (
        "sms",
        "  help: [help]\n",
        "",
        "sms.yaml:1",
        "keywords",
        "add `help:`",
    ),
    (
        "playbooks",
        "    team: frontline",
        "   team: frontline",
        "playbooks.yaml:3",
        "not YAML",
        "expected <block end>, but found '<block mapping start>'",
    ),
    (
        "playbooks",
        "    priority: high",
        "    team: high",
        "playbooks.yaml:4",
        "not YAML",
        'found duplicate key "team" with value "high" (original value: "frontline")',
    ),
    (
        "playbooks",
        "[topup]",
        "!!set {topup}",
        "playbooks.yaml:7",
        "not YAML",
        "leave out tag:yaml.org,2002:set",
    ),
    (
        "teams",
        "  seniors: {}",
        "  ? {seniors: x}\n  : {}",
        "teams.yaml:3",
        "not YAML",
        "write a name before the :",
    ),
    (
        "playbooks",
        "priority: high",
        "priority: hi\x01gh",
        "playbooks.yaml:4",
        "not YAML",
        "special characters are not allowed",
    ),
]


@pytest.mark.parametrize(("name", "right", "wrong", "line", "place", "advice"), MISTAKES)
def test_a_mistake_is_named_with_its_line_and_what_to_write(
    tmp_path, name, right, wrong, line, place, advice
):
    assert CONTENT[name].count(right) == 1
    folder = write(tmp_path, **{name: CONTENT[name].replace(right, wrong)})
    assert complaint(folder) == f"{line}: {place}: {advice}"


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(tmp_path, name):
    (write(tmp_path) / f"{name}.yaml").unlink()
    assert complaint(tmp_path) == f"{name}.yaml is missing in {tmp_path}"


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("content", ["", "text", "- a list\n", "3", "null"])
def test_a_file_that_holds_something_else_is_refused(tmp_path, name, content):
    folder = write(tmp_path, **{name: content})
    assert complaint(folder) == f"{name}.yaml:1: the file: write `key: value` lines here"


def test_a_file_in_another_encoding_is_refused_with_the_line(tmp_path):
    (write(tmp_path) / "texts.yaml").write_bytes(TEXTS.encode("gb18030"))
    assert complaint(tmp_path) == "texts.yaml:2: save the file as UTF-8"


def test_a_version_that_yaml_never_had_is_refused(tmp_path):
    assert complaint(write(tmp_path, teams="%YAML 1.10\n---\n")).startswith("teams.yaml:1: not ")


def test_a_file_nested_too_deep_is_refused(tmp_path):
    assert complaint(write(tmp_path, teams="[" * 600)).startswith("teams.yaml:1: not YAML: ")


# ---------------------------------------------------------------- whatever is written

# Pieces that YAML, dates, numbers, zones and placeholders are made of.
PIECES = st.sampled_from(
    ["\n", "\n  ", "\n    - ", ": ", "- ", "{", "}", "[", "]", ",", "&a ", "*a", "<<: ", "!!int ",
     "!!set ", "!!omap ", "!!binary ", "!!timestamp ", "!x ", "|", ">", "? ", "#", "---", "...",
     "%YAML 1.1", "'", '"', "\\", "\t", "\x00", "\x85", "\ufeff", "~", "null", "true", "yes", "-1",
     "1e999", "0x", "0o8", ".inf", ".nan", "2026-99-99", "2026-01-01T25:00:00Z", "25:61", "$",
     "${", "always", "office", "frontline", "first_reply", "follow_up", "Asia", "", " "]
)  # fmt: skip
TEXT = st.lists(PIECES | st.text(max_size=4), max_size=12).map("".join)
FUZZ = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def survives(folder: Path) -> None:
    """A desk or a complaint; nothing else may come out."""
    with suppress(InvalidConfigError):
        assert isinstance(load_desk(folder), Desk)


@FUZZ
@given(name=st.sampled_from(FILES), text=TEXT)
def test_random_text_is_a_complaint_and_no_crash(tmp_path, name, text):
    for one, content in CONTENT.items():
        written = text if one == name else content
        (tmp_path / f"{one}.yaml").write_bytes(written.encode("utf-8", "surrogatepass"))
    survives(tmp_path)


@FUZZ
@given(name=st.sampled_from(FILES), text=TEXT, data=st.data())
def test_a_file_with_a_random_hole_is_a_complaint_and_no_crash(tmp_path, name, text, data):
    content = CONTENT[name]
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, min(start + 12, len(content))))
    for one, right in CONTENT.items():
        written = content[:start] + text + content[end:] if one == name else right
        (tmp_path / f"{one}.yaml").write_bytes(written.encode("utf-8", "surrogatepass"))
    survives(tmp_path)


@FUZZ
@given(name=st.sampled_from(FILES), garbage=st.binary(max_size=40))
def test_random_bytes_are_a_complaint_and_no_crash(tmp_path, name, garbage):
    for one, content in CONTENT.items():
        (tmp_path / f"{one}.yaml").write_bytes(garbage if one == name else content.encode())
    survives(tmp_path)


def test_any_shipped_line_may_be_missing_without_a_crash(tmp_path):
    for name in ("calendars", "sla", "teams"):
        lines = (SHIPPED / f"{name}.yaml").read_text(encoding="utf-8").splitlines(keepends=True)
        for one in FILES:
            shutil.copy(SHIPPED / f"{one}.yaml", tmp_path)
        for place in range(len(lines)):
            (tmp_path / f"{name}.yaml").write_text(
                "".join(lines[:place] + lines[place + 1 :]), encoding="utf-8"
            )
            survives(tmp_path)
