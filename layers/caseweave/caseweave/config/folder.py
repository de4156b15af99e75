"""Where the configuration is that was deployed with a function."""

from importlib.util import find_spec
from pathlib import Path

from caseweave.errors import InvalidConfigError


def config_folder() -> Path:
    """Where the configuration layer is. Raises InvalidConfigError if the function has none."""
    spec = find_spec("caseweave_config")
    if spec is None or not spec.submodule_search_locations:
        raise InvalidConfigError("this function lacks the ConfigLayer of template.yaml")
    return Path(next(iter(spec.submodule_search_locations)))
