"""Sending raw mail through SES."""

from collections.abc import Mapping

from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError

from caseweave.aws.clients import client
from caseweave.channels.request import Refusal, Refused, SendResult, Sent

_THROTTLED = {"TooManyRequestsException", "ThrottlingException", "LimitExceededException"}
# The account, its permissions and its domain: for ops to mend.
_OPS = {
    "AccountSuspendedException",
    "SendingPausedException",
    "MailFromDomainNotVerifiedException",
    "AccessDeniedException",
    "ExpiredTokenException",
    "UnrecognizedClientException",
}


def send_mail(
    raw: bytes, recipient: str, configuration_set: str = "", tags: Mapping[str, str] | None = None
) -> SendResult:
    """Hand a MIME message to SES: its id, or why not.

    With a *configuration_set* SES tells what becomes of it, and the *tags* come back with that.
    """
    told = {
        "ConfigurationSetName": configuration_set,
        "EmailTags": [{"Name": name, "Value": value} for name, value in (tags or {}).items()],
    }
    try:
        answer = client("sesv2").send_email(
            Destination={"ToAddresses": [recipient]},
            Content={"Raw": {"Data": raw}},
            **(told if configuration_set else {}),
        )
    except ClientError as error:
        code = error.response["Error"]["Code"]
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        if code in _THROTTLED:
            return Refused(Refusal.THROTTLED, str(error))
        if code in _OPS:
            return Refused(Refusal.TRANSIENT, str(error))
        return Refused(Refusal.PERMANENT if status < 500 else Refusal.UNKNOWN, str(error))
    except EndpointConnectionError as error:
        return Refused(Refusal.TRANSIENT, str(error))
    except BotoCoreError as error:
        return Refused(Refusal.UNKNOWN, str(error))
    return Sent(str(answer["MessageId"]))
