"""The customer view over HTTP: with the sample platform up, and while it is down."""

from collections.abc import Iterator

import pytest

from caseweave.cli.outside.http import call, call_json
from tests.stack.conftest import Api, Stack, wait_for

FORM = {
    "subject": "卡密无效",
    "message": "订单 K20261123-0511 的卡密提示无效",
    "product": "card-secret",
}


@pytest.fixture
def faults(stack: Stack) -> Iterator[str]:
    url = f"{stack.outside.outputs['PlatformUrl']}/_faults"
    yield url
    assert call("DELETE", url).status == 200


def write_form(stack: Stack, agent: Api, user: str) -> tuple[str, str]:
    """The case's reference and its customer."""
    said = stack.outside.send_form("question", FORM, stack.outside.sign_in(user)).json()
    return said["reference"], agent.read_case(said["reference"])["case"]["customer_id"]


def test_an_agent_sees_account_orders_cases_and_promises(stack, agent):
    ref, customer = write_form(stack, agent, "u-1006")

    def look():
        seen = agent.get(f"/v1/customers/{customer}").json()
        return seen if seen["promises"] else None

    seen = wait_for(look, "the promises of a routed case")

    assert seen["platform"]["state"] == "ok", seen["platform"]
    assert (seen["customer"]["names"], seen["customer"]["tier"]) == (["Priya Sharma"], "vip")
    assert seen["customer"]["region"] == "GB"
    assert [order["order_no"] for order in seen["orders"]] == ["K20261123-0511"]
    assert [wallet["currency"] for wallet in seen["account"]["wallets"]] == ["GBP"]
    assert ref in [case["ref"] for case in seen["cases"]["open"]]
    assert {one["ref"] for one in seen["promises"]} >= {ref}
    assert ("platform", "u-1006") in [(link["kind"], link["value"]) for link in seen["links"]]


def test_while_the_platform_is_down_the_view_goes_on_and_says_so(stack, agent, faults):
    ref, customer = write_form(stack, agent, "u-1005")
    # As often as one question is asked; more would have the desk leave the platform alone.
    assert call_json("POST", faults, {"mode": "down", "count": 3}).status == 200

    down = agent.get(f"/v1/customers/{customer}")
    again = agent.get(f"/v1/customers/{customer}").json()

    assert down.status == 200
    seen = down.json()
    assert (seen["platform"]["state"], seen["platform"]["reason"]) == ("unavailable", "unreachable")
    assert seen["account"] is None
    assert ref in [case["ref"] for case in seen["cases"]["open"]]
    assert again["platform"]["state"] == "ok"
    assert again["account"] is not None


def test_without_a_token_nobody_is_shown(stack, agent):
    _, customer = write_form(stack, agent, "u-1006")

    refused = Api(agent.url, "").get(f"/v1/customers/{customer}")

    assert refused.status == 401
    assert agent.get("/v1/customers/nobody").status == 404


def test_the_platform_answers_nobody_who_does_not_sign(stack):
    url = stack.outside.outputs["PlatformUrl"]

    assert call("GET", f"{url}/accounts/u-1001").status == 401
