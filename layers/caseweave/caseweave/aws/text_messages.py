"""Sending SMS through AWS End User Messaging."""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError

from caseweave.aws.clients import client
from caseweave.channels.request import Refusal, Refused, SendResult, Sent

_THROTTLED = {"ThrottlingException", "TooManyRequestsException"}
_OPTED_OUT = "DESTINATION_PHONE_NUMBER_OPTED_OUT"


def send_text(arguments: dict[str, Any]) -> SendResult:
    """Call SendTextMessage, once: it knows no idempotency. Its id, or why not."""
    try:
        answer = client("pinpoint-sms-voice-v2").send_text_message(**arguments)
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        if error.response["Error"]["Code"] in _THROTTLED:
            return Refused(Refusal.THROTTLED, str(error))
        if error.response.get("Reason") == _OPTED_OUT:
            return Refused(Refusal.OPTED_OUT, str(error))
        return Refused(Refusal.PERMANENT if status < 500 else Refusal.UNKNOWN, str(error))
    except EndpointConnectionError as error:
        return Refused(Refusal.THROTTLED, str(error))
    except BotoCoreError as error:
        return Refused(Refusal.UNKNOWN, str(error))
    return Sent(str(answer["MessageId"]))
