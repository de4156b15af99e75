"""What an agent sees of a customer, while the business's platform answers and while it does not."""

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
    view = stage.agent.read_customer(hers.customer_id)
    require(view["platform"]["state"] == "ok", "an answer of the platform", view["platform"])
    orders = [order["order_no"] for order in view["orders"]]
    require(ORDER in orders, f"her order {ORDER}", orders)
    stage.console.print(f"\n[bold]{narrate('customer_line', stage.language)}[/bold]")
    stage.tell(describe_customer(view, stage.language), "green", indent=2)


def look_without_platform(stage: Stage, opened: Opened) -> None:
    """The platform hangs up on the next questions: the view goes on without it, and says so."""
    faults = f"{stage.outside.outputs['PlatformUrl']}/_faults"
    require_status(call_json("POST", faults, {"mode": "down", "count": _HANG_UPS}), 200)
    with stage.step("platform_down"):
        view = stage.agent.read_customer(opened.customer_id)
    require_status(call("DELETE", faults), 200)
    platform = view["platform"]
    require(platform["state"] == "unavailable", "the platform unavailable", platform)
    shown = [case["ref"] for case in view["cases"]["open"]]
    require(opened.ref in shown, f"{opened.ref} shown without the platform", shown)
    state, reason = (label(platform[name], stage.language) for name in ("state", "reason"))
    stage.tell_key("without_platform", "green", state=state, reason=reason, cases=len(shown))
