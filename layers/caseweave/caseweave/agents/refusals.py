"""What a refusal means for whoever works on the case, in words that say what can be done."""

from caseweave.channels.request import Refusal
from caseweave.domain.language import CHINESE, ENGLISH
from caseweave.domain.message import Delivery, DeliveryState

_ADVICE = {
    Refusal.THROTTLED: (
        "渠道限流，多次重试仍未送出。请稍后重新回复。",
        "The provider kept asking us to wait, and the message did not leave. Reply again later.",
    ),
    Refusal.TRANSIENT: (
        "渠道暂时无法使用（账号、授权或网络问题），消息未送出。请通知运维，恢复后重新回复。",
        (
            "The provider could not be used (account, permission or network), and the message "
            "did not leave. Tell ops, and reply again once it works."
        ),
    ),
    Refusal.WINDOW_CLOSED: (
        "客户在该渠道的会话窗口已关闭，消息未送出。请改用其他渠道，或等客户再次发来消息。",
        (
            "The time in which this customer may be written to here is over, and the message "
            "did not leave. Use another channel, or wait until the customer writes again."
        ),
    ),
    Refusal.OPTED_OUT: (
        "客户已退订或屏蔽该渠道，消息未送出。请改用客户愿意接收的其他渠道。",
        (
            "The customer has opted out or blocked us here, and the message did not leave. "
            "Use another channel that the customer accepts."
        ),
    ),
    Refusal.PERMANENT: (
        "渠道拒绝了这条消息，原样重发不会成功。请按错误说明修改内容，或改用其他渠道。",
        (
            "The provider refused this message, and would again. Change it as the error says, "
            "or use another channel."
        ),
    ),
    Refusal.UNKNOWN: (
        "不确定消息是否送达，系统不会自动重发。请先向客户确认，再决定是否重新回复。",
        (
            "Nobody knows whether the message left, so it is not sent again by itself. Ask "
            "the customer before you repeat it."
        ),
    ),
}


def advise(delivery: Delivery) -> dict[str, str] | None:
    """What can be done, in both languages; None where nothing was refused."""
    is_failed = delivery.state is DeliveryState.FAILED
    refusal = delivery.refusal or (Refusal.PERMANENT if is_failed else "")
    if not refusal:
        return None
    chinese, english = _ADVICE[Refusal(refusal)]
    return {CHINESE: chinese, ENGLISH: english}
