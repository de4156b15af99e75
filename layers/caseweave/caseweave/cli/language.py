"""Which of the desk's two languages a command speaks: --lang, else the caller's locale."""

import os
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

LANGUAGES = ("en", "zh-CN")
Command = TypeVar("Command", bound=Callable[..., Any])


def language_option(command: Command) -> Command:
    """Give a command the option --lang, as `language: str`."""
    option = click.option(
        "--lang",
        "language",
        type=click.Choice(LANGUAGES),
        default=lambda: choose_language(os.environ),
        show_default="that of LANG",
        help="Language of what is printed around the messages.",
    )
    return option(command)


def choose_language(environment: Mapping[str, str]) -> str:
    """Chinese for a Chinese locale, else English; the variables in the order POSIX reads them."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        locale = environment.get(name, "")
        if locale:
            return "zh-CN" if locale.startswith("zh") else "en"
    return "en"
