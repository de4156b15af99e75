"""Timelines and search as deployed: through the gateway, with the rights that they have."""

import itertools

import pytest

from tests.stack.conftest import Api, wait_for

_numbers = itertools.count(31_000_000)


@pytest.fixture(scope="module")
def ling(stack):
    """A customer who wrote three texts, and whose number and customer id we know."""
    phone = f"+86136{next(_numbers)}"
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
    assert agent.get(f"{nobody}?limit=many").status == 400
