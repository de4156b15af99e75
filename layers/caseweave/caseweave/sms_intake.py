"""The door for short messages, and for their delivery receipts."""

from collections.abc import Callable
from datetime import datetime, timedelta

from caseweave.channels import aws_sms
from caseweave.channels.credentials import Credentials
from caseweave.channels.request import WebhookRequest
from caseweave.channels.sms_registry import SMS
from caseweave.http import Answer
from caseweave.intake import Door
from caseweave.sns_intake import Visit, receive_sns
from caseweave.webhooks import receive_webhook


def receive_sms(
    name: str,
    request: WebhookRequest,
    read_credentials: Callable[[str], Credentials],
    make_door: Callable[[], Door],
    visit: Visit,
    retention: timedelta,
    now: datetime,
) -> Answer:
    """A provider's webhook; that of AWS comes by SNS, whose certificate *visit* fetches.

    Raises NotFoundError, InvalidSignatureError, MissingSecretError, ContentionError,
    UnavailableError.
    """
    if name == aws_sms.PROVIDER:
        return receive_sns(request, read_credentials, make_door, visit, retention, now)
    return receive_webhook(name, SMS, request, read_credentials, make_door, retention, now)
