"""The fixtures of the use cases that the command line needs too."""

from tests.usecases.conftest import door, make_empty

__all__ = ["door", "make_empty"]
