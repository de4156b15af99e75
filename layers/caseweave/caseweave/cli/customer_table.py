"""A customer on the terminal: who it is, what the platform says, and their cases."""

from collections.abc import Iterable, Mapping
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from caseweave.cli.case_table import render_list
from caseweave.cli.cells import date_time, plain
from caseweave.cli.labels import label

_GAP = " · "


def render_customer(view: Mapping[str, Any], language: str) -> RenderableType:
    """The customer view as the API gives it."""
    cases = [*view["cases"]["open"], *view["cases"]["past"]]
    parts: list[RenderableType] = [_render_head(view, language)]
    parts += [_render_warning(one, language) for one in view["warnings"]]
    if view["orders"]:
        parts.append(_render_orders(view["orders"], language))
    parts.append(render_list(cases, language))
    if view["cases"]["has_more"]:
        parts.append(Text(label("older_cases", language), style="dim"))
    return Group(*parts)


def describe_customer(view: Mapping[str, Any], language: str) -> str:
    """The same in one line: who, how many cases, the last order, and how the platform is."""
    customer, cases, orders = view["customer"], view["cases"], view["orders"] or []
    told = [_join(customer["names"]), customer["tier"], customer["role"], customer["region"]]
    told += [f"{label(name, language)} {len(cases[name])}" for name in ("open", "past")]
    told += [f"{one['order_no']} {one['state']}" for one in orders[:1]]
    told.append(f"{label('platform', language)}: {label(view['platform']['state'], language)}")
    return _GAP.join(filter(None, told))


def _render_head(view: Mapping[str, Any], language: str) -> Panel:
    grid = Table.grid(padding=(0, 2), expand=True)
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold", ratio=1)
    for name, text in _facts(view, language):
        grid.add_row(label(name, language), text)
    customer = view["customer"]
    names = plain(_join(customer["names"]) or label("unnamed", language), "bold")
    title = Text.assemble(names, "  ", (customer["id"], "dim"))
    return Panel(grid, title=title, title_align="left", box=box.ROUNDED)


def _facts(view: Mapping[str, Any], language: str) -> Iterable[tuple[str, Text]]:
    customer = view["customer"]
    who = (customer[name] for name in ("tier", "role", "region", "locale"))
    yield "who", plain(_join(who) or "–")
    yield "known_since", plain(date_time(customer["known_since"]))
    yield "addresses", plain(_join(_tell_link(link) for link in view["links"]) or "–")
    yield "topics", plain(_join(f"{t['category']} × {t['cases']}" for t in view["topics"]) or "–")
    yield "promises", _tell_promises(view["promises"], language)
    if view["account"]:
        wallets = (_tell_wallet(one, language) for one in view["account"]["wallets"])
        yield "wallets", plain(_join(wallets) or "–")
    yield "platform", _tell_platform(view["platform"], language)


def _tell_link(link: Mapping[str, Any]) -> str:
    return f"{link['kind']}:{link['value']} ({link['proof']})"


def _tell_wallet(wallet: Mapping[str, Any], language: str) -> str:
    frozen = f" ({label('frozen', language)})" if wallet["is_frozen"] else ""
    return f"{wallet['balance']} {wallet['currency']}{frozen}"


def _tell_promises(promises: Iterable[Mapping[str, Any]], language: str) -> Text:
    told = []
    for one in promises:
        due = date_time(one["due_at"]) if one["due_at"] else label("paused", language)
        is_late = f" {label('breached', language)}" if one["is_breached"] else ""
        told.append(f"{one['ref']} {label(one['kind'], language)} {due}{is_late}")
    return plain("\n".join(told) or "–")


def _tell_platform(platform: Mapping[str, Any], language: str) -> Text:
    """Where it was not heard, since when and why."""
    state, reason = label(platform["state"], language), platform["reason"]
    told = [state, label(reason, language) if reason else ""]
    if platform["state"] == "ok":
        return plain(_join(told), "green")
    if platform["since"]:
        told.insert(1, f"{label('since', language)} {date_time(platform['since'])} UTC")
    return plain(_join(dict.fromkeys([*told, platform["detail"]])), "yellow")


def _render_warning(warning: Mapping[str, str], language: str) -> Text:
    told = _join([label(warning["kind"], language), warning["about"], warning["detail"]])
    return Text.assemble(("! ", "bold red"), plain(told, "red"))


def _render_orders(orders: Iterable[Mapping[str, Any]], language: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, expand=True, pad_edge=False, padding=(0, 1, 0, 0))
    for name in ("order_no", "placed_at", "state"):
        table.add_column(label(name, language), no_wrap=True)
    table.add_column(label("amount", language), no_wrap=True, justify="right")
    table.add_column(label("title", language), no_wrap=True, overflow="ellipsis", ratio=1)
    for order in orders:
        table.add_row(
            plain(order["order_no"]),
            date_time(order["placed_at"]),
            plain(order["state"], "red" if order["dispute"] else ""),
            plain(f"{order['amount']} {order['currency']}"),
            plain(order["title"]),
        )
    return table


def _join(texts: Iterable[str | None]) -> str:
    return _GAP.join(filter(None, texts))
