"""The parameter of a provider: is it there, whole, and free of slips?"""

import json
import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from caseweave.channels.setting_up import FIELDS, SHARED, Field, Use
from caseweave.cli.doctor.finding import Finding, compare_address, ok, problem, warning
from caseweave.errors import InvalidConfigError

_PLACEHOLDER = re.compile(
    r"…|\.\.\.|<[^<>]*>|^(change.?me|todo|fixme|placeholder|x{3,}|secret|password|token)$"
    r"|^your[-_ ]",
    re.IGNORECASE,
)
_CONSEQUENCES = {
    Use.RECEIVE: ("nothing can be received", "无法接收消息"),
    Use.SEND: ("answers cannot leave", "无法发送回复"),
}


def read_parameter(name: str, text: str | None) -> dict[str, Any]:
    """The JSON object in the parameter. Raises InvalidConfigError, which says what to write."""
    if text is None:
        example = json.dumps({field.name: "…" for field in FIELDS[name] if _is_needed(field)})
        raise InvalidConfigError(f"it does not exist; store {example} (SecureString)")
    try:
        value = json.loads(text)
    except ValueError as error:
        raise InvalidConfigError(f"it is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise InvalidConfigError("it is JSON, but not an object: write {…} around the fields")
    return value


def check_parameter(name: str, values: Mapping[str, Any], api_url: str) -> list[Finding]:
    """What is wrong with the fields of the provider *name*; one finding if nothing is."""
    found = [*_check_names(name, "", values)]
    accounts = values.get("accounts", {})
    if not isinstance(accounts, dict) or not all(isinstance(v, dict) for v in accounts.values()):
        found.append(
            problem(
                'accounts has to be an object of objects: {"<account>": {…}}',
                'accounts 应为对象：{"<账号>": {…}}',
            )
        )
        accounts = {}
    for account, own in accounts.items():
        found += _check_names(name, f"accounts.{account}.", own)
    for account, own in (accounts or {"": {}}).items():
        found += _check_values(name, account, {**values, **own}, api_url)
    return found or [ok("the parameter has all fields", "参数完整")]


def _check_names(name: str, prefix: str, values: Mapping[str, Any]) -> Iterator[Finding]:
    """An unknown name is perhaps a slip of a known one."""
    known = [*(field.name for field in FIELDS[name]), *SHARED]
    for written in values:
        if written in known:
            continue
        near = get_close_matches(written, known, n=1)
        if near:
            hint, hint_zh = f"did you mean {near[0]}?", f"是否应为 {near[0]}？"
        else:
            hint, hint_zh = f"known are {', '.join(known)}", f"可用字段：{', '.join(known)}"
        yield warning(
            f"{prefix}{written} is read by nobody; {hint}",
            f"{prefix}{written} 不会被读取；{hint_zh}",
        )


def _check_values(
    name: str, account: str, values: Mapping[str, Any], api_url: str
) -> Iterator[Finding]:
    prefix = f"accounts.{account}." if account else ""
    for field in FIELDS[name]:
        value = values.get(field.name)
        if value in (None, "", []):
            yield from _miss(field, prefix, values, is_named=bool(account) and field.names_account)
        else:
            yield from _check_value(field, f"{prefix}{field.name}", value, api_url)


def _miss(
    field: Field, prefix: str, values: Mapping[str, Any], *, is_named: bool
) -> Iterator[Finding]:
    is_replaced = bool(field.unless) and all(values.get(other) for other in field.unless)
    if not _is_needed(field) or is_named or is_replaced:
        return
    en, zh = _CONSEQUENCES[field.use]
    instead = f" (or {' and '.join(field.unless)})" if field.unless else ""
    instead_zh = f"（或 {' 与 '.join(field.unless)}）" if field.unless else ""
    name = f"{prefix}{field.name}"
    found = problem if field.use is Use.RECEIVE else warning
    yield found(f"{name} is missing{instead}: {en}", f"缺少 {name}{instead_zh}：{zh}")


def _check_value(field: Field, name: str, value: Any, api_url: str) -> Iterator[Finding]:
    if isinstance(value, list) and not field.rotates:
        yield problem(f"{name} is a list: write one text", f"{name} 是列表：请只写一个值")
        return
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, bool) or not isinstance(one, str | int | float):
            yield problem(
                f"{name} holds {type(one).__name__}: write a text", f"{name} 类型不对：请写文本"
            )
            continue
        text = str(one)
        if not text.strip():
            yield problem(f"{name} is empty", f"{name} 为空")
        elif _PLACEHOLDER.search(text):
            yield problem(
                f"{name} is a placeholder: write the real one", f"{name} 是占位符：请填写真实的值"
            )
        elif text != text.strip():
            yield problem(
                f"{name} begins or ends with a space or a line break: take it away",
                f"{name} 首尾有空格或换行：请去掉",
            )
        elif field.choices and text not in field.choices:
            choices = ", ".join(field.choices)
            yield problem(f"{name} is {text}: write one of {choices}", f"{name} 应为：{choices}")
        elif field.path:
            yield compare_address(name, text, api_url + field.path)


def _is_needed(field: Field) -> bool:
    return field.use is not Use.OPTIONAL
