"""What an agent sees of a customer, while the business's platform answers and while it does not."""

from typing import Any

from caseweave.cli.customer_table import describe_customer
from caseweave.cli.demo.arrival import Opened
from caseweave.cli.demo.customer import ORDER
from caseweave.cli.demo.narration import narrate
from caseweave.cli.demo.stage import Stage, require, require_status
from caseweave.cli.labels import label
from caseweave.cli.outside.http import call, call_json

# As often as one question is asked; more would have the desk leave the platform alone for a while.
_HANG_UPS = 3


def show_customer(stage: Stage, hers: Opened) -> None:
    """The customer view in one line."""
    view = _wait_view(stage, hers, "ok")
    orders = [order["order_no"] for order in view["orders"]]
    require(ORDER in orders, f"her order {ORDER}", orders)
    stage.console.print(f"\n[bold]{narrate('customer_line', stage.language)}[/bold]")
    stage.tell(describe_customer(view, stage.language), "green", indent=2)


def look_without_platform(stage: Stage, opened: Opened) -> None:
    """The platform hangs up on the next questions: the view goes on without it, and says so."""
    faults = f"{stage.outside.outputs['PlatformUrl']}/_faults"
    require_status(call_json("POST", faults, {"mode": "down", "count": _HANG_UPS}), 200)
    with stage.step("platform_down"):
        view = _wait_view(stage, opened, "unavailable")
    require_status(call("DELETE", faults), 200)
    shown = [case["ref"] for case in view["cases"]["open"]]
    require(opened.ref in shown, f"{opened.ref} shown without the platform", shown)
    state, reason = (label(view["platform"][name], stage.language) for name in ("state", "reason"))
    stage.tell_key("without_platform", "green", state=state, reason=reason, cases=len(shown))


def _wait_view(stage: Stage, opened: Opened, state: str) -> dict[str, Any]:
    """The view with the platform in this *state*: right away, unless somebody looked at the same
    customer in the last half minute, or the platform was down in the last quarter.
    """

    def look() -> dict[str, Any] | None:
        view = stage.agent.read_customer(opened.customer_id)
        return view if view["platform"]["state"] == state else None

    return stage.wait_for(f"the view of {opened.customer_id} with the platform {state}", look)
