"""Timelines and search as deployed: through the gateway, with the rights that they have."""

from urllib.parse import urlencode

import pytest

from tests.stack.conftest import Api, wait_for
from tests.stack.numbers import new_phone


@pytest.fixture(scope="module")
def ling(stack):
    """A customer who wrote three texts, and whose number and customer id we know."""
    phone = new_phone()
    for body in ("充值没到账", "订单 GT20261123-0001", "还在吗"):
        stack.outside.send_sms(phone, body)
    (address,) = [i for i in stack.items() if i["pk"]["S"] == f"ADDR#phone#{phone}"]
    return phone, address["customer_id"]["S"]


def walk(agent, customer, limit, order):
    path, cursor = f"/v1/customers/{customer}/timeline?limit={limit}&order={order}", ""
    while cursor is not None:
        reply = agent.get(path + (f"&cursor={cursor}" if cursor else ""))
        assert reply.status == 200, reply.body
        page = reply.json()
        yield from page["items"]
        cursor = page["next"]


def test_a_timeline_is_read_page_by_page_in_both_orders(agent, ling):
    _, customer = ling

    def settled():
        items = list(walk(agent, customer, 50, "asc"))
        said = [i["message"]["direction"] for i in items if i["message"]]
        return items if said.count("inbound") == 3 and "outbound" in said else None

    whole = wait_for(settled, "three texts and an answer")

    assert [item["at"] for item in whole] == sorted(item["at"] for item in whole)
    assert whole[0]["kind"] == "case_opened"
    assert {item["case"]["ref"] for item in whole} == {whole[0]["case"]["ref"]}
    ids = [place(item) for item in whole]
    assert [place(item) for item in walk(agent, customer, 2, "asc")] == ids
    assert [place(item) for item in walk(agent, customer, 2, "desc")] == ids[::-1]


def place(item):
    return item["at"], item["kind"], (item["message"] or {}).get("id")


def test_a_timeline_needs_a_token_and_a_customer(stack, agent):
    nobody = "/v1/customers/01ARZ3NDEKTSV4RRFFQ69G5FAV/timeline"

    assert Api(stack.outside.outputs["ApiUrl"], "").get(nobody).status == 401
    assert agent.get(nobody).status == 404
    assert agent.get(f"{nobody}?limit=many").status == 422


# ---------------------------------------------------------------- search


def find(agent, **query):
    reply = agent.get(f"/v1/search?{urlencode(query)}")
    assert reply.status == 200, reply.body
    return reply.json()


def test_a_case_is_found_by_order_number_phone_and_reference(agent, ling):
    phone, _ = ling
    (found,) = wait_for(lambda: find(agent, q=phone)["items"], "the customer's case")
    ref = found["case"]["ref"]

    def by_order():
        items = find(agent, q="gt20261123-0001", kind="order_no")["items"]
        return [one for one in items if one["case"]["ref"] == ref]

    (by_order_number,) = wait_for(by_order, "the order's case")
    assert by_order_number["matches"] == [{"kind": "order_no", "value": "GT20261123-0001"}]
    assert [one["case"]["ref"] for one in find(agent, q=ref.lower())["items"]] == [ref]
    assert find(agent, q=phone[3:])["read_as"] == [{"kind": "phone", "value": phone}]


def test_words_are_searched_through_relay_queue_and_indexer(stack, agent):
    phone = new_phone()
    stack.outside.send_sms(phone, "退款流程图在哪里下载，急")

    (found,) = wait_for(lambda: find(agent, q="流程图 下载")["items"], "the words in the index")

    (why,) = found["matches"]
    assert (why["kind"], why["channel"]) == ("text", "sms")
    assert "流程图在哪里下载" in why["excerpt"]
    covers = find(agent, q="流程图", kind="text")["covers"]
    assert (covers["index"], covers["messages"], covers["is_cut"]) == ("table", "all", False)
    assert covers["since"]


def test_a_search_says_what_to_write_instead(stack, agent):
    assert agent.get("/v1/search").status == 422
    refused = agent.get("/v1/search?q=hello&kind=colour")
    assert refused.status == 422
    assert [one["field"] for one in refused.json()["errors"]] == ["kind"]
    assert Api(stack.outside.outputs["ApiUrl"], "").get("/v1/search?q=x").status == 401
