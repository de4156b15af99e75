"""Which case a message joins: each rule of the table, each tie, and the reason that is given."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseweave.domain.message import Channel
from caseweave.domain.open_cases import ListedCase
from caseweave.domain.threading import (
    MOST_RELATIVES,
    After,
    Choice,
    ClosedRule,
    Facts,
    Rule,
    Several,
    ThreadingPolicy,
    choose_case,
    format_span,
)
from tests.domain.samples import CUSTOMER_ID, at

NOON = at("2026-11-23 12:00")
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
POLICY = ThreadingPolicy(
    windows={Channel.SMS: DAY, Channel.WEB: timedelta(0)},
    default=ClosedRule(7 * DAY, After.FOLLOW_UP),
    closed={
        "dispute": ClosedRule(30 * DAY, After.NEW),
        "notice": ClosedRule(timedelta(0), After.FOLLOW_UP),
    },
    topics={"form": {"topup": "fault", "complaint": "dispute"}, "queue": {"billing": "dispute"}},
)
FACTS = Facts(frozenset({CUSTOMER_ID}), NOON, Channel.SMS)


def case(name, topic="fault", ago=HOUR, **more):
    return ListedCase(name, CUSTOMER_ID, NOON - ago, NOON - ago, topic, **more)


def closed(name, ago, topic="fault", **more):
    return case(name, topic, ago + HOUR, closed_at=NOON - ago, **more)


FAULT, DISPUTE = case("FAULT", ago=HOUR), case("DISPUTE", "dispute", ago=2 * HOUR)
BOTH = [FAULT, DISPUTE]
ANSWERS = "it answers a message of this case"
SAME_ENTITY = "it names the same order or card"
WENT_HERE = "the sender's last message went here 5m before; by sms a conversation lasts 1d"


def near(name, ago=5 * MINUTE, **more):
    return replace(FACTS, last_case=name, last_word_at=NOON - ago, **more)


@pytest.mark.parametrize(
    ("facts", "candidates", "choice"),
    [
        pytest.param(FACTS, [], Choice(None, Rule.NEW, "no case is open"), id="nothing open"),
        pytest.param(
            replace(FACTS, signed="DISPUTE", signed_by="an agent named this case"),
            BOTH,
            Choice("DISPUTE", Rule.REFERENCE, "an agent named this case"),
            id="signed reference",
        ),
        pytest.param(
            replace(FACTS, answered=("UNKNOWN", "DISPUTE")),
            BOTH,
            Choice("DISPUTE", Rule.REPLY, ANSWERS),
            id="reply linkage",
        ),
        pytest.param(
            replace(FACTS, answered=("GONE", "DISPUTE")),
            [*BOTH, closed("GONE", DAY)],
            Choice("DISPUTE", Rule.REPLY, ANSWERS),
            id="of several that it answers an open one",
        ),
        pytest.param(
            near("DISPUTE"),
            BOTH,
            Choice("DISPUTE", Rule.CONVERSATION, WENT_HERE),
            id="conversation",
        ),
        pytest.param(
            near("DISPUTE", DAY),
            BOTH,
            Choice("DISPUTE", Rule.CONVERSATION, WENT_HERE.replace("5m", "1d")),
            id="conversation, at the end of its window",
        ),
        pytest.param(
            near("DISPUTE", DAY + timedelta(milliseconds=1)),
            BOTH,
            Choice(
                "FAULT",
                Rule.TOPIC,
                "the last active of 2 open cases, none of which is named",
                is_tied=True,
            ),
            id="conversation, after its window",
        ),
        pytest.param(
            near("DISPUTE", timedelta(0), channel=Channel.WEB, topic="fault"),
            BOTH,
            Choice("FAULT", Rule.TOPIC, "the only open case about fault"),
            id="a channel without conversations",
        ),
        pytest.param(
            near("DISPUTE", channel=Channel.VOICE, topic="fault"),
            BOTH,
            Choice("FAULT", Rule.TOPIC, "the only open case about fault"),
            id="a channel of which the policy says nothing",
        ),
        pytest.param(
            replace(FACTS, entities=frozenset({"e1", "e9"})),
            [FAULT, replace(DISPUTE, entities=("e1", "e2"))],
            Choice("DISPUTE", Rule.ENTITY, SAME_ENTITY),
            id="same entity",
        ),
        pytest.param(
            replace(FACTS, entities=frozenset({"e1"})),
            [replace(FAULT, entities=("e1",)), replace(DISPUTE, entities=("e1",))],
            Choice("FAULT", Rule.ENTITY, SAME_ENTITY),
            id="same entity in two: the last active",
        ),
        pytest.param(
            replace(FACTS, entities=frozenset({"e1"})),
            [closed("GONE", MINUTE, entities=("e1",)), replace(DISPUTE, entities=("e1",))],
            Choice("DISPUTE", Rule.ENTITY, SAME_ENTITY),
            id="same entity in an open and a closed one: the open one",
        ),
        pytest.param(
            replace(FACTS, topic="dispute"),
            BOTH,
            Choice("DISPUTE", Rule.TOPIC, "the only open case about dispute"),
            id="topic",
        ),
        pytest.param(
            FACTS, [DISPUTE], Choice("DISPUTE", Rule.TOPIC, "the only open case"), id="only case"
        ),
        pytest.param(
            replace(FACTS, topic="fault"),
            [FAULT, case("LATER", ago=MINUTE), DISPUTE],
            Choice(
                "LATER",
                Rule.TOPIC,
                "the last active of 2 open cases about fault, none of which is named",
                is_tied=True,
            ),
            id="several of the topic: the last active",
        ),
        pytest.param(
            replace(FACTS, topic="dispute"),
            [FAULT, closed("GONE", DAY)],
            Choice(None, Rule.NEW, "no case about dispute is open", relatives=("FAULT", "GONE")),
            id="no open case of the topic: a new one with its relatives",
        ),
        pytest.param(
            replace(FACTS, topic="dispute"),
            [case("UNTRIAGED", "")],
            Choice(None, Rule.NEW, "no case about dispute is open", relatives=("UNTRIAGED",)),
            id="one of which nobody knows the topic is not one of the topic",
        ),
        pytest.param(
            FACTS,
            [closed("GONE", MINUTE)],
            Choice(None, Rule.NEW, "no case is open", relatives=("GONE",)),
            id="a word that names no case opens none again",
        ),
    ],
)
def test_the_first_rule_that_names_a_case_decides(facts, candidates, choice):
    assert choose_case(facts, candidates, POLICY) == choice


STRENGTH = {
    Rule.REFERENCE: {"signed": "C1", "signed_by": "a session"},
    Rule.REPLY: {"answered": ("C2",)},
    Rule.CONVERSATION: {"last_case": "C3", "last_word_at": NOON},
    Rule.ENTITY: {"entities": frozenset({"e4"})},
    Rule.TOPIC: {"topic": "topic-5"},
    Rule.NEW: {"topic": "another"},
}


@pytest.mark.parametrize("weakest", range(len(STRENGTH)))
def test_a_stronger_rule_wins_over_every_weaker_one(weakest):
    candidates = [case(f"C{n}", f"topic-{n}", n * HOUR, entities=(f"e{n}",)) for n in range(1, 6)]
    rules = list(STRENGTH)[weakest:]
    facts = FACTS
    for rule in reversed(rules):
        facts = replace(facts, **STRENGTH[rule])

    choice = choose_case(facts, candidates, POLICY)

    expected = None if rules[0] is Rule.NEW else f"C{weakest + 1}"
    assert (choice.rule, choice.case_id) == (rules[0], expected)


def test_with_several_open_cases_a_policy_may_ask_for_a_new_one():
    careful = replace(POLICY, several=Several.NEW)

    choice = choose_case(FACTS, BOTH, careful)

    because = "2 open cases fit, and none is named"
    assert choice == Choice(None, Rule.NEW, because, relatives=("FAULT", "DISPUTE"))
    assert choose_case(FACTS, [FAULT], careful).case_id == "FAULT"


NAMING = {
    "signed": replace(FACTS, signed="GONE", signed_by="a session"),
    "answered": replace(FACTS, answered=("GONE",)),
    "conversation": near("GONE"),
    "entity": replace(FACTS, entities=frozenset({"e1"})),
}


def gone(ago, topic="fault"):
    return closed("GONE", ago, topic, entities=("e1",))


@pytest.mark.parametrize("facts", NAMING.values(), ids=NAMING)
@pytest.mark.parametrize(
    ("topic", "ago", "reopens"),
    [
        ("fault", timedelta(0), True),
        ("fault", 7 * DAY, True),
        ("fault", 7 * DAY + timedelta(milliseconds=1), False),
        ("dispute", 30 * DAY, True),
        ("dispute", 30 * DAY + timedelta(milliseconds=1), False),
        ("notice", timedelta(0), False),
    ],
)
def test_a_closed_case_is_opened_again_within_the_window_of_its_category(
    facts, topic, ago, reopens
):
    choice = choose_case(facts, [gone(ago, topic)], POLICY)

    assert (choice.case_id == "GONE", choice.reopens) == (reopens, reopens)


@pytest.mark.parametrize("facts", NAMING.values(), ids=NAMING)
def test_after_that_a_new_case_goes_on_from_it(facts):
    other = closed("OTHER", DAY)

    choice = choose_case(facts, [gone(8 * DAY), other], POLICY)

    assert (choice.case_id, choice.rule) == (None, Rule.FOLLOW_UP)
    assert (choice.follows, choice.relatives) == ("GONE", ("OTHER",))
    assert choice.because.endswith("; closed 8d before, opened again only within 7d")


def test_a_conversation_whose_case_is_closed_goes_on_in_an_open_one_that_fits():
    facts = near("GONE")

    assert choose_case(facts, [gone(MINUTE), FAULT], POLICY).case_id == "FAULT"
    assert choose_case(replace(facts, topic="dispute"), [gone(MINUTE), FAULT], POLICY).reopens


def test_the_reasons_name_the_times():
    answer = NAMING["answered"]

    assert choose_case(answer, [gone(3 * DAY)], POLICY) == Choice(
        "GONE", Rule.REPLY, f"{ANSWERS}; closed 3d before, opened again within 7d", reopens=True
    )
    assert choose_case(answer, [gone(MINUTE, "notice")], POLICY) == Choice(
        None, Rule.FOLLOW_UP, f"{ANSWERS}; closed 1m before", follows="GONE"
    )


@pytest.mark.parametrize("facts", NAMING.values(), ids=NAMING)
def test_the_next_word_joins_the_case_that_goes_on_from_it(facts):
    follower = case("NEXT", "question", ago=MINUTE, follows="GONE")

    choice = choose_case(facts, [FAULT, follower, gone(8 * DAY)], POLICY)

    assert choice.case_id == "NEXT"
    assert choice.because.endswith("this case goes on from it")


@pytest.mark.parametrize("facts", NAMING.values(), ids=NAMING)
def test_where_a_case_is_over_when_it_is_closed_its_names_count_for_nothing(facts):
    old = gone(31 * DAY, "dispute")

    assert choose_case(facts, [old, FAULT], POLICY) == Choice(
        "FAULT", Rule.TOPIC, "the only open case"
    )
    assert choose_case(facts, [old], POLICY) == Choice(
        None, Rule.NEW, "no case is open", relatives=("GONE",)
    )


@pytest.mark.parametrize("name", ["signed", "answered", "conversation"])
@pytest.mark.parametrize("ago", [MINUTE, 300 * DAY])
def test_a_machines_answer_stays_in_the_closed_case_and_opens_nothing(name, ago):
    choice = choose_case(replace(NAMING[name], is_automatic=True), [gone(ago)], POLICY)

    assert (choice.case_id, choice.reopens, choice.follows) == ("GONE", False, "")
    assert choice.because.endswith("a machine's word leaves it closed")


def test_an_order_number_in_a_machines_mail_leads_to_no_closed_case():
    facts = replace(NAMING["entity"], is_automatic=True)

    assert choose_case(facts, [gone(MINUTE), FAULT], POLICY).case_id == "FAULT"


def test_a_new_case_names_the_open_relatives_first_and_not_too_many():
    many = [closed(f"G{n}", n * HOUR) for n in range(MOST_RELATIVES)]

    choice = choose_case(replace(FACTS, topic="another"), [*many, DISPUTE], POLICY)

    assert choice.relatives == ("DISPUTE", *(f"G{n}" for n in range(MOST_RELATIVES - 1)))


@pytest.mark.parametrize(
    ("fields", "topic"),
    [
        ({}, ""),
        ({"form": "topup"}, "fault"),
        ({"form": "contact"}, ""),
        ({"queue": "billing"}, "dispute"),
        ({"form": "topup", "queue": "billing"}, "fault"),
        ({"subject": "dispute"}, ""),
    ],
)
def test_a_message_declares_its_topic_by_its_form_or_its_queue_only(fields, topic):
    assert POLICY.read_topic(fields) == topic


def test_without_a_policy_nothing_is_opened_again_and_no_conversation_lasts():
    strict = ThreadingPolicy()

    assert choose_case(NAMING["signed"], [gone(MINUTE)], strict).rule is Rule.NEW
    assert choose_case(near("DISPUTE", timedelta(0)), BOTH, strict).rule is Rule.TOPIC


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (timedelta(0), "0s"),
        (timedelta(seconds=-5), "0s"),
        (timedelta(seconds=59, milliseconds=999), "59s"),
        (timedelta(minutes=90), "1h"),
        (timedelta(hours=47), "1d"),
    ],
)
def test_a_span_is_told_in_its_largest_unit(span, text):
    assert format_span(span) == text


NAMES = st.sampled_from([f"C{n}" for n in range(6)])
ENTITIES = st.frozensets(st.sampled_from(["e1", "e2", "e3"]))
TOPICS = st.sampled_from(["", "fault", "dispute", "notice"])
SPANS = st.timedeltas(timedelta(0), timedelta(days=40))
OWNERS = st.sampled_from([CUSTOMER_ID, "MERGED", "MALLORY", "LIN"])
CANDIDATES = st.lists(
    st.builds(
        lambda name, owner, topic, ago, entities, shut, follows: ListedCase(
            name,
            owner,
            NOON - timedelta(days=50),
            NOON - ago,
            topic,
            tuple(sorted(entities)),
            NOON - shut if shut is not None else None,
            follows,
        ),
        NAMES,
        OWNERS,
        TOPICS,
        SPANS,
        ENTITIES,
        st.one_of(st.none(), SPANS),
        st.one_of(st.just(""), NAMES),
    ),
    max_size=8,
)
CLAIMS = st.builds(
    Facts,
    customers=st.just(frozenset({CUSTOMER_ID, "MERGED"})),
    at=st.just(NOON),
    channel=st.sampled_from(Channel),
    signed=NAMES,
    signed_by=st.just("a session"),
    answered=st.lists(NAMES, max_size=3).map(tuple),
    last_case=NAMES,
    last_word_at=st.one_of(st.none(), SPANS.map(lambda ago: NOON - ago)),
    entities=ENTITIES,
    topic=TOPICS,
    is_automatic=st.booleans(),
)
POLICIES = st.builds(
    ThreadingPolicy,
    windows=st.just({Channel.SMS: DAY, Channel.MESSENGER: 20 * DAY}),
    default=st.builds(ClosedRule, SPANS, st.sampled_from(After)),
    closed=st.dictionaries(TOPICS, st.builds(ClosedRule, SPANS, st.sampled_from(After))),
    several=st.sampled_from(Several),
)


@given(facts=CLAIMS, candidates=CANDIDATES, policy=POLICIES, data=st.data())
def test_the_order_of_candidates_does_not_matter(facts, candidates, policy, data):
    shuffled = data.draw(st.permutations(candidates))

    assert choose_case(facts, shuffled, policy) == choose_case(facts, candidates, policy)


@given(facts=CLAIMS, candidates=CANDIDATES, policy=POLICIES)
def test_a_message_never_gets_to_another_customers_case_whatever_it_claims(
    facts, candidates, policy
):
    """Promise P4. A case may stand in the list twice here, once of another customer."""
    own = [one for one in candidates if one.customer_id in facts.customers]

    choice = choose_case(facts, candidates, policy)

    named = {choice.case_id, choice.follows, *choice.relatives} - {None, ""}
    assert named <= {one.id for one in own}
    assert choice == choose_case(facts, own, policy)


@given(facts=CLAIMS, candidates=CANDIDATES, policy=POLICIES)
def test_every_message_gets_one_case_and_a_reason(facts, candidates, policy):
    """Promise P3; and only an open case, one that it opens, or one left closed for a machine."""
    choice = choose_case(facts, candidates, policy)

    assert choice.because
    assert (choice.case_id is None) == (choice.rule in (Rule.NEW, Rule.FOLLOW_UP))
    assert bool(choice.follows) == (choice.rule is Rule.FOLLOW_UP)
    own = [c for c in candidates if c.id == choice.case_id and c.customer_id in facts.customers]
    is_closed = bool(own) and not any(one.is_open for one in own)
    assert not is_closed or choice.reopens or facts.is_automatic
