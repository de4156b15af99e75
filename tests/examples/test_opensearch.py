"""The OpenSearch adapter against a small real server: signatures, versions, refusals, phrases."""

import os
from dataclasses import replace
from datetime import timedelta
from functools import partial
from threading import Thread

import pytest

from caseweave.agents.caller import Caller
from caseweave.agents.search import Searching, search
from caseweave.aws.opensearch import OpenSearch
from caseweave.config.desk import load_desk
from caseweave.domain.ulid import derive_ulid
from caseweave.errors import UnavailableError
from caseweave.indexing import forget_message, index_entries
from caseweave.intake import Door
from caseweave.storage.cases import list_messages
from caseweave.storage.outbox import outbox_key
from caseweave.text_search import find_in_engine
from examples.opensearch.server import Domain
from tests.conftest import ROOT
from tests.domain.samples import message
from tests.usecases.world import NOON, receive, sms

KEYS = [b"k" * 32]
MEI = Caller("mei", ("agent",))


@pytest.fixture
def domain():
    served = Domain(0, "testing")
    thread = Thread(target=served.serve_forever, daemon=True)
    thread.start()
    yield served
    served.shutdown()
    served.server_close()
    thread.join()


@pytest.fixture
def engine(domain):
    return OpenSearch(f"http://127.0.0.1:{domain.server_port}")


def said(body, number=1, **fields):
    kept = message(body, "2026-11-23 09:00", f"M{number}", **fields)
    return replace(kept, case_id=derive_ulid(NOON + timedelta(minutes=number), str(number)))


def found(engine, *parts, before="", limit=10):
    return [case_id for case_id, _ in engine.find(parts, before, limit)]


def test_messages_are_found_by_their_words_the_newest_case_first(engine):
    first, second, other = said("充值没到账", 1), said("还没到账", 2), said("到账没问题", 3)

    assert engine.put([first, second, other]) == frozenset()

    assert found(engine, "没到账") == [second.case_id, first.case_id]
    assert found(engine, "充值", "没到账") == [first.case_id]
    assert found(engine, "没到账", before=second.case_id) == [first.case_id]
    assert found(engine, "没到账", limit=1) == [second.case_id]


def test_the_last_word_may_be_the_beginning_of_one(engine):
    engine.put([said("my refund has been refunded")])

    assert len(found(engine, "been refund")) == 1
    assert found(engine, "been fund") == []


def test_a_case_is_found_once_by_its_latest_message(engine):
    first = said("没到账")
    later = replace(
        first, id="M2", occurred_at=first.occurred_at + timedelta(hours=1), body="还没到账"
    )
    engine.put([first, later])

    ((case_id, place),) = engine.find(["没到账"], "", 10)

    assert (case_id, place[-2:]) == (first.case_id, "M2")


def test_a_request_that_is_signed_with_another_secret_gets_nothing(domain, engine):
    domain.secret = "another"

    with pytest.raises(UnavailableError, match="403"):
        engine.put([said("没到账")])


def test_a_message_that_was_erased_does_not_come_back_in_whatever_order_it_is_told(domain, engine):
    kept = said("没到账")
    engine.put([kept])

    assert engine.delete([kept.id]) == frozenset()
    assert engine.put([kept]) == frozenset()
    assert engine.delete([kept.id]) == frozenset()
    assert found(engine, "没到账") == []
    assert engine.delete(["unknown"]) == frozenset()


def test_only_what_was_refused_comes_again(domain, engine):
    messages = [said("一二三", n) for n in range(4)]
    domain.refusals = [0, 429, 0, 503]

    assert engine.put(messages) == {"M1", "M3"}
    assert set(domain.index.documents) == {"M0", "M2"}


@pytest.mark.parametrize("status", [429, 500, 503, 404])
def test_a_busy_domain_is_unavailable_and_nothing_else(domain, engine, status):
    domain.answers = [status, status]

    with pytest.raises(UnavailableError):
        engine.put([said("没到账")])
    with pytest.raises(UnavailableError):
        engine.find(["没到账"], "", 10)


def test_a_domain_that_is_not_there_is_unavailable():
    with pytest.raises(UnavailableError):
        OpenSearch("http://127.0.0.1:9").put([said("没到账")])


def test_no_card_and_no_code_goes_there(domain, engine):
    engine.put([said("卡号 4111 1111 1111 1111 卡密 AB12-CD34-EF56")])

    assert "4111 1111" not in str(domain.index.documents)
    assert "CD34" not in str(domain.index.documents)


# ---------------------------------------------------------------- the whole way


@pytest.fixture
def desk(table, domain):
    """The shipped desk, whose functions sign with what moto gives them."""
    domain.secret = os.environ["AWS_SECRET_ACCESS_KEY"]
    return load_desk(ROOT / "config")


def arrive(desk, engine, body, number, at=NOON):
    door = Door("frontline", KEYS, os.urandom)
    landed = receive(sms(f"+86138{number:08}", body, f"SM{number}"), door, at)
    entries = {one.id: str(outbox_key(one)) for one in list_messages(landed.case_id)[0]}
    return landed, index_entries(entries, desk.search, engine)


def test_search_answers_in_the_same_shape_page_by_page(desk, engine):
    refs = []
    for number in range(5):
        landed, failed = arrive(desk, engine, "没到账", number, NOON + timedelta(minutes=number))
        assert failed == []
        refs.append(landed.ref)
    searching = Searching(desk, KEYS, partial(find_in_engine, engine), "opensearch", NOON)
    shown, cursor = [], {}
    while True:
        page = search({"q": "没到账", "kind": "text", "limit": "2", **cursor}, MEI, searching)
        assert page["covers"]["index"] == "opensearch"
        shown += [item["case"]["ref"] for item in page["items"]]
        assert all(item["matches"][0]["excerpt"] == "没到账" for item in page["items"])
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}

    assert shown == refs[::-1]


def test_what_the_domain_refuses_comes_again_from_the_queue_and_nothing_else_does(
    desk, domain, engine
):
    domain.refusals = [429]
    landed, failed = arrive(desk, engine, "没到账", 1)
    (kept,) = list_messages(landed.case_id)[0]

    assert failed == [kept.id]
    assert index_entries({kept.id: str(outbox_key(kept))}, desk.search, engine) == []


def test_a_domain_that_is_away_lets_every_entry_come_again(desk, domain, engine):
    domain.answers = [503]

    _, failed = arrive(desk, engine, "没到账", 1)

    assert len(failed) == 1


def test_an_erased_message_is_forgotten_there_too(desk, domain, engine):
    landed, _ = arrive(desk, engine, "没到账", 1)
    (kept,) = list_messages(landed.case_id)[0]
    domain.refusals = [503]

    with pytest.raises(UnavailableError):
        forget_message(kept, engine)
    forget_message(kept, engine)

    assert domain.index.documents == {}
