"""The long run is asked for by name (`make soak`); no other run of the tests starts it."""

from pathlib import Path

import pytest

from tests.stack.conftest import agent, lead, stack

__all__ = ("agent", "lead", "stack")
_HERE = Path(__file__).parent


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Every test in this folder is of the long run, and left out unless `-m soak` asks for it."""
    ours = [item for item in items if item.path.is_relative_to(_HERE)]
    for item in ours:
        item.add_marker(pytest.mark.soak)
    if "soak" not in config.option.markexpr and ours:
        items[:] = [item for item in items if item not in ours]
        config.hook.pytest_deselected(items=ours)
