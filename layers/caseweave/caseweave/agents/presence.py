"""An agent says: I am looking at this case, or typing."""

from collections.abc import Mapping
from typing import Any

from caseweave.agents.caller import ROLES, Caller, Moment
from caseweave.agents.fields import read_text
from caseweave.agents.relation_view import describe_presence
from caseweave.domain.presence import LASTS, Doing
from caseweave.errors import InvalidRequestError
from caseweave.storage.cases import find_case_id
from caseweave.storage.presence import keep_presence


def be_present(
    name: str, said: Mapping[str, Any], caller: Caller, moment: Moment
) -> dict[str, Any]:
    """One small write, which is no change of the case. Raises InvalidRequestError."""
    caller.require(*ROLES)
    doing = read_text(said, "doing")
    if doing not in LASTS:
        advice = f"use one of: {', '.join(Doing)}"
        raise InvalidRequestError("Nobody does that here.", (("doing", advice),))
    kept = keep_presence(find_case_id(name), caller.name, Doing(doing), moment.now)
    return describe_presence(kept)
