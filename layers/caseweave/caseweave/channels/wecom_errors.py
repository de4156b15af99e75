"""What WeCom's error codes mean for what we do next.

WeCom answers 200 for errors too: the code is in the body.

https://developer.work.weixin.qq.com/document/path/90313
"""

from typing import Any

from caseweave.channels.request import ProviderAnswer, Refusal, Refused, read_said

# 40001: not the secret's token; 40014, 41001, 42001: a wrong, a missing, an expired one.
_STALE_TOKEN = {40001, 40014, 41001, 42001}
# -1: busy; 60020: our address is not in the application's list yet; 6000: a conflict of writes.
_TRANSIENT = {-1, 6000, 60020}
# 45009: too many requests a minute; 45033: too many at once.
_THROTTLED = {45009, 45033}
# 95001: more than 5 messages, or 48 hours; 95013: the session is over; 95018: it is in a state in
# which the API may not send (an agent in WeCom has it, or it is closed).
_WINDOW_CLOSED = {95001, 95013, 95018}
_LONGEST_DETAIL = 300


def read_refusal(answer: ProviderAnswer) -> Refused | dict[str, Any]:
    """Why WeCom refused; or what it said, if it did not. A 5xx does not tell what happened."""
    said = read_said(answer)
    code = said.get("errcode")
    if answer.status == 200 and isinstance(code, int) and not isinstance(code, bool):
        # An answer without the code is none of WeCom's.
        return said if code == 0 else _explain(code, str(said.get("errmsg", "")))
    detail = f"{answer.status} {said.get('errmsg', '')}".strip()[:_LONGEST_DETAIL]
    if answer.status == 429:
        return Refused(Refusal.THROTTLED, detail)
    is_refused = 400 <= answer.status < 500
    return Refused(Refusal.PERMANENT if is_refused else Refusal.UNKNOWN, detail)


def _explain(code: int, words: str) -> Refused:
    detail = f"{code} {words}".strip()[:_LONGEST_DETAIL]
    if code in _STALE_TOKEN:
        return Refused(Refusal.TRANSIENT, detail, is_token_stale=True)
    kinds = {
        Refusal.TRANSIENT: _TRANSIENT,
        Refusal.THROTTLED: _THROTTLED,
        Refusal.WINDOW_CLOSED: _WINDOW_CLOSED,
    }
    for kind, codes in kinds.items():
        if code in codes:
            return Refused(kind, detail)
    return Refused(Refusal.PERMANENT, detail)
