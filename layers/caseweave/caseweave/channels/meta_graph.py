"""What Meta's webhooks and its Graph API have in common, whichever product speaks.

https://developers.facebook.com/docs/graph-api/webhooks/getting-started#event-notifications
https://developers.facebook.com/docs/graph-api/guides/error-handling
https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes
"""

import json
from collections.abc import Callable, Collection, Iterator
from hashlib import sha256
from typing import Any

from caseweave.channels.json_reading import text_in
from caseweave.channels.request import (
    ProviderAnswer,
    Refusal,
    Refused,
    SendResult,
    Sent,
    read_json_object,
    read_retry_after,
    read_said,
)
from caseweave.domain.message import IgnoredEvent, InboundEvent
from caseweave.errors import UnparseableError

# The version in which the requests of both modules are written.
GRAPH_URL = "https://graph.facebook.com/v23.0"

# Limits of the app, the page, the business account, the number and the pair of numbers: what they
# refuse was not taken.
_THROTTLED = {4, 17, 32, 613, 80007, 130429, 131048, 131056}
# The token, its permissions, the account and its payments: for ops to mend.
_OPS = {0, 3, 10, 190, 200, 368, 131005, 131031, 131042, 131045, 131057, 133010}
# (code, subcode) of what the customer has to do something about: write, or ask for it again.
_WINDOW_CLOSED = {(10, 2018278), (10, 2534022), (131047, None), (470, None)}
_OPTED_OUT = {(551, None), (551, 1545041), (200, 1545041), (131050, None)}
_LONGEST_TEXT = 200


def read_entries(body: bytes, objects: Collection[str]) -> tuple[str, list[Any]]:
    """Which product speaks, and the entries of its batch. Raises UnparseableError.

    Another product's batch is not ignored: its webhook was set to the wrong address.
    """
    said = read_json_object(body)
    product, entries = said.get("object"), said.get("entry")
    if not isinstance(product, str) or product not in objects:
        raise UnparseableError(f"not an object of {' or '.join(sorted(objects))}")
    if not isinstance(entries, list) or not entries:
        raise UnparseableError("no entry")
    return product, entries


def understand(
    item: Any,
    ignored: Callable[[Any, str], IgnoredEvent],
    read: Callable[[Any], list[InboundEvent]],
) -> Iterator[InboundEvent]:
    """The events of one item of a batch; what cannot be understood costs no other item."""
    try:
        yield from read(item)
    except UnparseableError as error:
        yield ignored(item, f"not understood: {error}")


def ignore(provider: str, account: str, item: Any, reason: str) -> IgnoredEvent:
    """*item* itself is its name, for what we ignore often has no id of its own."""
    return IgnoredEvent(provider, account, digest(item), reason[:_LONGEST_TEXT])


def digest(item: Any) -> str:
    """A name for what has none, the same in every redelivery. Raises UnparseableError."""
    try:
        content = json.dumps(item, sort_keys=True)
    except RecursionError as error:
        raise UnparseableError("nested too deep") from error
    return f"sha256:{sha256(content.encode()).hexdigest()[:32]}"


def read_graph_answer(
    answer: ProviderAnswer, find_id: Callable[[dict[str, Any]], str]
) -> SendResult:
    """What the Graph API said, with its code. A 5xx does not tell whether it was taken."""
    said = read_said(answer)
    error = said.get("error")
    sent = find_id(said)
    if answer.status == 200 and sent and not error:
        return Sent(sent)
    return Refused(
        _refusal(answer.status, error), _describe(answer.status, error), read_retry_after(answer)
    )


def read_refusal(error: object) -> str:
    """The kind of refusal of an error in a status; "" for any that is nothing special."""
    kind = _refusal(400, error)
    return str(kind) if kind in (Refusal.WINDOW_CLOSED, Refusal.OPTED_OUT) else ""


def _refusal(status: int, error: object) -> Refusal:
    code, subcode = _number(error, "code"), _number(error, "error_subcode")
    if status == 429:
        return Refusal.THROTTLED
    if not 400 <= status < 500:
        return Refusal.UNKNOWN
    if (code, subcode) in _WINDOW_CLOSED:
        return Refusal.WINDOW_CLOSED
    if (code, subcode) in _OPTED_OUT:
        return Refusal.OPTED_OUT
    if code in _THROTTLED:
        return Refusal.THROTTLED
    is_for_ops = isinstance(error, dict) and (code in _OPS or status == 401)
    return Refusal.TRANSIENT if is_for_ops else Refusal.PERMANENT


def _number(error: object, name: str) -> int | None:
    found = error.get(name) if isinstance(error, dict) else None
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def _describe(status: int, error: object) -> str:
    """Words with code and subcode."""
    codes = [text_in(error, "code") or str(status), text_in(error, "error_subcode")]
    words = f"{'/'.join(one for one in codes if one)} {text_in(error, 'message')}".strip()
    return words[:_LONGEST_TEXT]
