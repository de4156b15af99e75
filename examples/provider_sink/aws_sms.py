"""AWS End User Messaging: https://docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/

SendTextMessage by POST; by GET what SNS publishes: its certificate, and that a subscription is
confirmed.
"""

import re
from dataclasses import replace
from uuid import UUID

from examples.provider_sink.accounts import Accounts
from examples.provider_sink.exchange import (
    AWS_AUTHORIZATION,
    MalformedBodyError,
    Request,
    Response,
    json_response,
    read_object,
    read_query,
    text_in,
)
from examples.provider_sink.faults import Fault, Mode
from examples.provider_sink.received import Call, Outcome, Received

PATH = re.compile(r"/aws/?")
TARGET = "PinpointSMSVoiceV2.SendTextMessage"
LONGEST_BODY = 1600
_FAULTS = {
    Mode.THROTTLE: (400, "ThrottlingException", ""),
    Mode.SERVER_ERROR: (500, "InternalServerException", ""),
    Mode.REFUSE: (400, "ConflictException", "DESTINATION_PHONE_NUMBER_OPTED_OUT"),
}


def answer(call: Call, _accounts: Accounts) -> Outcome:
    """Accept any signature of the right form: AWS credentials are the local cloud's to check."""
    received = Received(provider="aws", at=call.at)
    headers = call.request.headers
    if not AWS_AUTHORIZATION.fullmatch(headers.get("Authorization", "")):
        return _refuse(received, 403, "AccessDeniedException")
    try:
        said = read_object(call.request.body)
    except MalformedBodyError:
        return _refuse(received, 400, "ValidationException", "CANNOT_PARSE")
    to, body = text_in(said, "DestinationPhoneNumber"), text_in(said, "MessageBody")
    sender = text_in(said, "OriginationIdentity")
    received = replace(received, to=(to,) if to else (), sender=sender, body=body, request=said)
    if call.fault and call.fault.mode in _FAULTS:
        return _refuse(received, *_FAULTS[call.fault.mode], fault=call.fault)
    is_good = headers.get("X-Amz-Target") == TARGET and to and 0 < len(body) <= LONGEST_BODY
    if not is_good:
        return _refuse(received, 400, "ValidationException", "INVALID_PARAMETER")
    message_id = str(UUID(call.unique))
    accepted = replace(received, provider_id=message_id)
    return Outcome(json_response(200, {"MessageId": message_id}), accepted)


def publish(request: Request, accounts: Accounts) -> Response:
    """What is at an address of SNS."""
    if request.path.endswith(".pem") and accounts.sns_certificate:
        return Response(200, accounts.sns_certificate.encode(), "application/x-pem-file")
    if read_query(request.query).get("Action") == "ConfirmSubscription":
        return Response(200, b"<ConfirmSubscriptionResponse/>", "text/xml")
    return json_response(404, {"error": "SNS has nothing there"})


def _refuse(
    received: Received, status: int, kind: str, reason: str = "", fault: Fault | None = None
) -> Outcome:
    said = {"__type": kind, "Message": f"{kind} {reason}".strip()}
    headers = {"Retry-After": f"{fault.seconds:.0f}"} if fault and status == 429 else {}
    response = json_response(status, said | ({"Reason": reason} if reason else {}), headers)
    return Outcome(response, replace(received, error=said["Message"]))
