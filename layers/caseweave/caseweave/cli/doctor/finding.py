"""What the doctor found, in both languages."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """What is so and, unless it is right, what to change."""

    level: Level
    en: str
    zh: str

    def in_language(self, language: str) -> str:
        return self.zh if language == "zh-CN" else self.en


def ok(en: str, zh: str) -> Finding:
    return Finding(Level.OK, en, zh)


def warning(en: str, zh: str) -> Finding:
    return Finding(Level.WARNING, en, zh)


def problem(en: str, zh: str) -> Finding:
    return Finding(Level.PROBLEM, en, zh)


def compare_address(place: str, found: str, ours: str) -> Finding:
    """Is the address that stands at *place* ours? Another host may be a domain of one's own."""
    if found == ours:
        return ok(f"{place} is {ours}", f"{place} 为 {ours}")
    if not found:
        return problem(f"{place} is empty: enter {ours}", f"{place} 为空：请填写 {ours}")
    path = "/intake/" + ours.partition("/intake/")[2]
    if found.partition("?")[0].endswith(path):
        return warning(
            f"{place} is {found}, while the stack is at {ours}: right only if this is a domain of "
            "your own before the stack (then run doctor with --api-url)",
            f"{place} 为 {found}，而本系统地址是 {ours}：仅当前者是您自己的域名时正确"
            "（此时请加 --api-url 再检查）",
        )
    return problem(f"{place} is {found}: change it to {ours}", f"{place} 为 {found}：请改为 {ours}")
