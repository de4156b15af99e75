"""Search on stored cases: exact things, words, pages, merged cases, and what nobody may see."""

import os
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import count, pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pynamodb.connection import Connection

from caseweave.agents.caller import Caller
from caseweave.agents.search import Searching, search
from caseweave.domain.identity import Proof
from caseweave.domain.message import Channel
from caseweave.domain.search_rules import Scope
from caseweave.errors import ForbiddenError, InvalidRequestError
from caseweave.indexing import forget_message, index_entries
from caseweave.intake import Door
from caseweave.storage import items, postings
from caseweave.storage.cases import list_messages
from caseweave.storage.items import batch_put, make_item
from caseweave.storage.outbox import outbox_key
from caseweave.storage.postings import Reading, find_messages, note_scope, put_postings
from caseweave.storage.table import PostingRow, parse_posting, posting_key
from caseweave.text_search import find_in_table
from tests.usecases.conftest import KEYS
from tests.usecases.test_router import route
from tests.usecases.world import (
    NOON,
    email,
    message,
    platform,
    proven,
    receive,
    sms,
    unproven,
)

MEI = Caller("mei", ("agent",))
LATER = NOON + timedelta(days=2)
numbers = count()


@pytest.fixture
def ask(table, desk):
    """Search as an agent."""
    note_scope(desk.search.scope, NOON)
    searching = Searching(desk, KEYS, find_in_table, "table", LATER)

    def asking(q, kind="", changed=None, **query):
        return search({"q": q, "kind": kind, **query}, MEI, changed or searching)

    return asking


@pytest.fixture
def write(table, door, desk):
    """A customer of their own writes; routed and indexed."""

    def writing(body, at=NOON, number=None, **more):
        number = number or f"+86138{next(numbers):08}"
        landed = receive(sms(number, body, f"SM{next(numbers)}", **more), door, at)
        return settle(landed, desk)

    return writing


def settle(landed, desk):
    route(landed, desk)
    index(landed.case_id, desk)
    return landed


def index(case_id, desk, engine=None):
    messages, _ = list_messages(case_id)
    entries = {one.id: str(outbox_key(one)) for one in messages}
    assert index_entries(entries, desk.search, engine) == []


def refs(answer):
    return [item["case"]["ref"] for item in answer["items"]]


def walk(ask, q, limit, **query):
    """Every case, page after page."""
    cursor = {}
    while True:
        page = ask(q, limit=str(limit), **query, **cursor)
        assert len(page["items"]) <= limit
        yield from refs(page)
        if page["next"] is None:
            return
        cursor = {"cursor": page["next"]}


# ---------------------------------------------------------------- exact things


@pytest.mark.parametrize(
    ("body", "asked", "kind"),
    [
        ("订单GT20261123-0001没到账", "GT20261123-0001", "order_no"),
        ("订单GT20261123-0001没到账", "gt20261123-0001 到哪了", "order_no"),
        ("订单 TX-20261123", "tx-20261123", "order_no"),
        ("卡号 4111 1111 1111 1111", "4111-1111-1111-1111", "card"),
        ("卡密 AB12-CD34-EF56", "ab12-cd34-ef56", "card"),
        ("请打 +44 20 7946 0958", "+442079460958", "phone"),
        ("请打 13900139000", "139 0013 9000".replace(" ", ""), "phone"),
        ("付了 ¥1,234.50", "1234.5元", "amount"),
        ("错误码:1042", "错误码 1042", "error_code"),
        ("ERR-403 again", "err-403", "error_code"),
        ("mail Ling@Shop.example", "ling@shop.example", "email"),
        ("钱包", "钱包", "product"),
    ],
)
def test_an_exact_thing_is_found_however_it_is_typed(write, ask, body, asked, kind):
    landed = write(body)
    write("something else, 别的事")

    answer = ask(asked)

    assert refs(answer) == [landed.ref]
    assert {one["kind"] for one in answer["items"][0]["matches"]} == {kind}
    assert answer["next"] is None


def test_what_a_later_message_names_leads_to_the_case_too(write, ask):
    number = "+8613800138000"
    landed = write("没到账", number=number)
    write("订单GT20261123-0001", NOON + timedelta(minutes=1), number=number)
    write("付了100元", NOON + timedelta(minutes=2), number=number)

    assert refs(ask("GT20261123-0001")) == refs(ask("100元")) == [landed.ref]


def test_a_case_is_found_by_its_reference_and_so_is_one_that_mentions_it(write, ask):
    first = write("没到账")
    second = write(f"same as {first.ref}", NOON + timedelta(hours=1))

    assert refs(ask(first.ref.lower().replace("-", ""))) == [second.ref, first.ref]


def test_the_customers_number_finds_all_their_cases_and_mentions_of_it(table, ask, door, desk):
    number = "+8613800138000"
    own = settle(receive(sms(number, "没到账"), door), desk)
    other = settle(
        receive(sms("+8613700137000", f"my friend's number is {number}", "SM2"), door, LATER), desk
    )

    assert refs(ask("13800138000")) == [other.ref, own.ref]
    assert refs(ask("+86 138 0013 8000")) == [other.ref, own.ref]


def test_a_customer_is_found_by_mailbox_user_id_and_name(table, ask, door, desk):
    said = message(
        Channel.WEB, "web", proven(platform("u-77"), email("zhou@shop.example")), "没到账", "W1"
    )
    said = replace(said, sender=replace(said.sender, name="Zhou Min"))
    landed = settle(receive(said, door), desk)

    assert refs(ask("Zhou@Shop.example")) == [landed.ref]
    assert refs(ask("u-77", kind="platform")) == [landed.ref]
    assert refs(ask("ZHOU  min")) == [landed.ref]
    assert refs(ask("min", kind="name")) == [landed.ref]
    assert refs(ask("mi", kind="name")) == []


def test_an_address_that_was_only_claimed_finds_the_case_it_was_claimed_in(table, ask, door, desk):
    forged = message(
        Channel.EMAIL,
        "ses",
        proven(unproven("mail.1"), proof=Proof.NONE),
        "give me his money",
        "M1",
        claims=(email("ceo@bank.example"),),
        context={"address": "ceo@bank.example"},
    )
    landed = settle(receive(forged, door), desk)

    assert refs(ask("ceo@bank.example")) == [landed.ref]


@pytest.mark.parametrize("limit", [1, 2, 3, 5])
def test_the_pages_of_an_exact_search_are_the_newest_first_and_overlap_nowhere(write, ask, limit):
    order = "GT20261123-0001"
    made = [write(f"订单{order}", NOON + timedelta(minutes=n)).ref for n in range(5)]

    assert list(walk(ask, order, limit)) == made[::-1]


def test_a_card_is_neither_stored_nor_shown_by_search(write, ask, dump):
    write("卡号 4111111111111111")

    answer = ask("4111111111111111")

    assert answer["read_as"] == answer["items"][0]["matches"] == [{"kind": "card", "value": None}]
    pointers = [item for item in dump() if item["kind"]["S"] in ("pointer", "posting")]
    assert pointers
    assert "4111" not in str(pointers)


def test_a_card_is_found_under_every_key_that_is_still_live(write, ask, desk):
    landed = write("卡号 4111111111111111")
    rotated = Searching(desk, [b"n" * 32, *KEYS], find_in_table, "table", LATER)

    assert refs(ask("4111111111111111", changed=rotated)) == [landed.ref]


def test_an_exact_search_is_one_query_and_one_read_of_the_cases(write, ask, monkeypatch):
    for _ in range(3):
        write("订单GT20261123-0001")
    calls = []
    original = Connection._make_api_call
    monkeypatch.setattr(
        Connection,
        "_make_api_call",
        lambda self, name, arguments: calls.append(name) or original(self, name, arguments),
    )

    assert len(refs(ask("GT20261123-0001"))) == 3
    assert calls == ["Query", "BatchGetItem"]


# ---------------------------------------------------------------- words


def test_words_are_found_in_the_newest_case_first_with_where_they_stand(write, ask):
    first = write("你好，充值以后还没到账，急")
    second = write("没到账！", NOON + timedelta(hours=1))
    write("到账了，没问题", NOON + timedelta(hours=2))

    answer = ask("没到账")

    assert refs(answer) == [second.ref, first.ref]
    assert answer["read_as"] == [{"kind": "name", "value": "没到账"}]
    (why,) = answer["items"][1]["matches"]
    assert (why["kind"], why["excerpt"]) == ("text", "你好，充值以后还没到账，急")


def test_a_case_is_found_once_however_many_of_its_messages_match(write, ask):
    number = "+8613800138000"
    landed = write("没到账", number=number)
    for minute in range(1, 4):
        write(f"还是没到账 {minute}", NOON + timedelta(minutes=minute), number=number)

    answer = ask("没到账")

    assert refs(answer) == [landed.ref]
    assert [one["excerpt"] for one in answer["items"][0]["matches"]] == ["还是没到账 3"]


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_the_pages_of_a_search_for_words_overlap_nowhere(write, ask, limit):
    made = []
    for number in range(7):
        at = NOON + timedelta(minutes=number)
        made.append(write("充值没到账" if number % 2 else "充值到账慢，没耐心", at))

    found = list(walk(ask, "没到账", limit))

    assert found == [one.ref for one in made[::-1] if made.index(one) % 2]


def test_an_answer_says_what_it_covers(write, ask, desk):
    write("没到账")

    covers = ask("没到账")["covers"]

    assert covers == {
        "index": "table",
        "messages": "all",
        "most_terms": desk.search.most_terms,
        "since": "2026-11-23T12:00:00.000Z",
        "is_cut": False,
        "entries_read": 2,
    }


def test_only_first_messages_are_indexed_where_that_is_configured(table, door, desk, ask):
    rules = replace(desk.search, scope=Scope.FIRST)
    first = replace(desk, search=rules)
    note_scope(Scope.FIRST, LATER)
    searching = Searching(first, KEYS, find_in_table, "table", LATER)
    landed = settle(receive(sms("+8613800138000", "充值问题"), door), first)
    settle(receive(sms("+8613800138000", "没到账", "SM2"), door), first)

    assert refs(ask("充值问题", changed=searching)) == [landed.ref]
    answer = ask("没到账", changed=searching)
    assert refs(answer) == []
    assert (answer["covers"]["messages"], answer["covers"]["since"]) == (
        "first",
        "2026-11-25T12:00:00.000Z",
    )


def test_nothing_is_written_or_found_where_words_are_not_indexed(table, door, desk, ask, dump):
    off = replace(desk, search=replace(desk.search, scope=Scope.OFF))
    settle(receive(sms("+8613800138000", "没到账"), door), off)

    assert [item for item in dump() if item["kind"]["S"] == "posting"] == []
    answer = ask("没到账", changed=Searching(off, KEYS, find_in_table, "table", LATER))
    assert (answer["items"], answer["covers"]["messages"]) == ([], "off")


def test_of_a_long_message_only_so_many_terms_are_indexed(table, door, desk, ask, dump):
    few = replace(desk, search=replace(desk.search, most_terms=3))
    landed = settle(receive(sms("+8613800138000", "充值失败没到账"), door), few)

    assert len([item for item in dump() if item["kind"]["S"] == "posting"]) == 3
    assert refs(ask("充值失")) == [landed.ref]
    assert refs(ask("没到账")) == []


def test_indexing_again_changes_nothing(write, desk, dump):
    landed = write("没到账")
    before = dump()

    index(landed.case_id, desk)

    assert dump() == before


def test_the_index_forgets_a_message_whole(write, ask, desk, dump):
    landed = write("充值失败没到账, card AB12")
    for one in list_messages(landed.case_id)[0]:
        forget_message(one, None)

    assert [item for item in dump() if item["kind"]["S"] == "posting"] == []
    assert refs(ask("没到账", kind="text")) == []


def test_an_entry_of_a_message_that_is_gone_is_done_and_one_of_nothing_comes_again(table, desk):
    gone = "01ARZ3NDEKTSV4RRFFQ69G5FAV~2026-11-23T12:00:00.000Z~01ARZ3NDEKTSV4RRFFQ69G5FAV"

    assert index_entries({"1": gone, "2": "rubbish"}, desk.search, None) == ["2"]


def test_what_the_index_leads_to_is_only_shown_if_it_is_stored_so(write, ask, desk):
    landed = write("充值到账")
    (said, *_) = list_messages(landed.case_id)[0]
    put_postings(said, ["没到", "到账"], LATER)

    assert refs(ask("没到账", kind="text")) == []


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    body=st.text(st.sampled_from("充值失败没到账退款，。 "), min_size=4, max_size=30),
    data=st.data(),
)
def test_any_piece_of_a_stored_chinese_text_finds_its_case(table, desk, body, data):
    """Property: two neighbouring characters or more, copied out of a message, find it."""
    note_scope(desk.search.scope, NOON)
    door = Door("frontline", KEYS, os.urandom)
    number = f"+86139{next(numbers):08}"
    landed = receive(sms(number, body, f"P{next(numbers)}"), door, LATER)
    index(landed.case_id, desk)
    start = data.draw(st.integers(0, len(body) - 2))
    piece = body[start : data.draw(st.integers(start + 2, len(body)))]
    if not any(a not in "，。 " and b not in "，。 " for a, b in pairwise(piece)):
        return
    searching = Searching(desk, KEYS, find_in_table, "table", LATER)

    found = partial(search, caller=MEI, searching=searching)

    pages, cursor = [], {}
    while True:
        page = found({"q": piece, "kind": "text", "limit": "20", **cursor})
        pages += refs(page)
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert landed.ref in pages
    assert len(pages) == len(set(pages))


# ---------------------------------------------------------------- bounds


@pytest.mark.parametrize("queries", [4, 7, 40])
def test_an_older_message_is_found_where_the_newest_only_has_the_same_pairs(
    write, ask, monkeypatch, queries
):
    monkeypatch.setattr(postings, "MOST_QUERIES", queries)
    made = []
    for case in range(4):
        number, at = f"+86150{next(numbers):08}", NOON + timedelta(hours=case)
        made.append(write("还没到账", at, number=number).ref)
        for minute in (1, 2):
            write("没到时间就到账", at + timedelta(minutes=minute), number=number)

    pages, cursor = [], {}
    while True:
        page = ask("没到账", kind="text", **cursor)
        pages.append(page)
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}

    assert [ref for page in pages for ref in refs(page)] == made[::-1]
    assert [page["covers"]["is_cut"] for page in pages] == [True] * (len(pages) - 1) + [False]


def fill(term, places):
    """Postings without messages, as many as a busy year has."""
    keys = [posting_key(term, parse_posting(place)) for place in places]
    batch_put([make_item(PostingRow, key) for key in keys])


def place(number):
    return f"CASE#{number:026}#MSG#2026-11-23T12:00:00.000Z#{number:026}"


def test_terms_that_never_meet_cost_a_bounded_page_and_the_next_one_goes_on(table, monkeypatch):
    monkeypatch.setattr(postings, "MOST_POSTINGS", 100)
    fill("甲乙", [place(n) for n in range(0, 400, 2)])
    fill("丙丁", [place(n) for n in range(1, 400, 2)])
    before, pages = "", 0
    while True:
        reading = Reading()
        assert list(find_messages(["甲乙", "丙丁"], before, reading)) == []
        assert reading.postings <= 100 + 50
        pages += 1
        if reading.stopped_at is None:
            break
        assert not before or reading.stopped_at < before
        before = reading.stopped_at
    assert pages > 2


def test_the_rarest_term_decides_how_much_is_read(table):
    fill("常见", [place(n) for n in range(600)])
    fill("罕见", [place(3)])
    reading = Reading()

    assert list(find_messages(["常见", "罕见"], "", reading)) == [place(3)]
    assert reading.postings <= 25 + 1 + 50


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    lists=st.lists(st.sets(st.integers(0, 60), max_size=40), min_size=1, max_size=4),
    budget=st.integers(5, 60),
)
def test_leaping_finds_what_all_terms_share_however_the_pages_fall(table, lists, budget):
    example = next(numbers)
    terms = [f"t{example}.{number}" for number in range(len(lists))]
    for term, held in zip(terms, lists, strict=True):
        fill(term, [place(n) for n in held])
    found, before = [], ""
    while True:
        reading = Reading(postings=postings.MOST_POSTINGS - budget - 25 * len(lists))
        found += find_messages(terms, before, reading)
        if reading.stopped_at is None:
            break
        before = reading.stopped_at
    shared = sorted(set.intersection(*lists), reverse=True)
    assert found == [place(n) for n in shared]


def leave_over(monkeypatch, times):
    """The store takes no record of the first *times* batches."""
    original, left = Connection._make_api_call, [times]

    def busy(self, operation, arguments):
        if operation == "BatchWriteItem" and left[0]:
            left[0] -= 1
            return {"UnprocessedItems": arguments["RequestItems"]}
        return original(self, operation, arguments)

    monkeypatch.setattr(Connection, "_make_api_call", busy)
    monkeypatch.setattr(items, "_PAUSE", 0)


def test_what_a_busy_store_leaves_over_is_written_with_the_next_try(
    write, ask, desk, dump, monkeypatch
):
    leave_over(monkeypatch, 3)
    landed = write("没到账")

    assert refs(ask("没到账")) == [landed.ref]
    leave_over(monkeypatch, 2)
    for one in list_messages(landed.case_id)[0]:
        forget_message(one, None)
    assert [item for item in dump() if item["kind"]["S"] == "posting"] == []


def test_an_entry_comes_again_if_the_store_stays_busy(table, door, desk, monkeypatch):
    landed = receive(sms("+8613800138000", "没到账"), door)
    leave_over(monkeypatch, 1_000)
    (kept,) = list_messages(landed.case_id)[0]

    assert index_entries({"1": str(outbox_key(kept))}, desk.search, None) == ["1"]


# ---------------------------------------------------------------- what cannot be asked


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"q": ""}, "q"),
        ({"q": "   "}, "q"),
        ({"q": "x" * 201}, "q"),
        ({"q": "充", "kind": "text"}, "q"),
        ({"q": "hello", "kind": "phone"}, "q"),
        ({"q": "hello", "kind": "amount"}, "q"),
        ({"q": "4111111111111112", "kind": "card"}, "q"),
        ({"q": "hello", "kind": "colour"}, "kind"),
        ({"q": "hello", "limit": "0"}, "limit"),
        ({"q": "hello", "cursor": "x"}, "cursor"),
        ({"q": "hello", "cursor": "WyJ0ZXh0IiwgIkNBU0UjIl0"}, "cursor"),
        ({"q": "hello", "cursor": "\ud800"}, "cursor"),
    ],
)
def test_what_cannot_be_looked_for_is_refused_with_what_to_write(table, desk, query, field):
    searching = Searching(desk, KEYS, find_in_table, "table", LATER)

    with pytest.raises(InvalidRequestError) as refused:
        search(query, MEI, searching)

    assert [name for name, _ in refused.value.errors] == [field]


def test_nobody_without_a_role_finds_anything(table, desk):
    with pytest.raises(ForbiddenError):
        search({"q": "x"}, Caller("no", ()), Searching(desk, KEYS, find_in_table, "table", LATER))


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(q=st.text(min_size=1, max_size=200))
def test_a_hostile_query_is_refused_or_answered_and_nothing_else(table, desk, q):
    searching = Searching(desk, KEYS, find_in_table, "table", LATER)

    try:
        answer = search({"q": q}, MEI, searching)
    except InvalidRequestError:
        return
    assert answer["items"] == []
