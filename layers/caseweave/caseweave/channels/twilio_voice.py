"""Twilio Voice: calls in, with recording and transcript; answers leave as SMS.

https://www.twilio.com/docs/voice/twiml
https://www.twilio.com/docs/usage/security#validating-requests
"""

from collections.abc import Mapping

from caseweave.channels import twilio
from caseweave.channels.credentials import Credentials
from caseweave.channels.request import WebhookRequest, read_form
from caseweave.channels.twilio_calls import DONE, greet_caller, parse_call, thank_caller
from caseweave.domain.message import InboundEvent

PROVIDER = "twilio"
ACKNOWLEDGED = twilio.ACKNOWLEDGED


def verify(request: WebhookRequest, credentials: Credentials) -> None:
    """As for SMS, over the address of the calls, `voice_url`. Raises InvalidSignatureError."""
    twilio.verify(request, credentials.having("webhook_url", credentials.current("voice_url")))


def parse(request: WebhookRequest, credentials: Credentials) -> list[InboundEvent]:
    """One event of a call. Raises UnparseableError."""
    return [parse_call(PROVIDER, read_form(request.body), dict(request.query), credentials)]


def answer_call(
    request: WebhookRequest,
    credentials: Credentials,
    greeting: Mapping[str, str],
    thanks: Mapping[str, str],
) -> str:
    """What Twilio is to do next: TwiML, nothing for a callback that asks for nothing."""
    form = read_form(request.body)
    if "RecordingStatus" in form or "TranscriptionSid" in form:
        return ACKNOWLEDGED[1]
    if DONE in request.query:
        return thank_caller(thanks)
    if form.get("CallStatus") not in ("ringing", "in-progress", "queued"):
        return ACKNOWLEDGED[1]
    return greet_caller(greeting, form, credentials.current("voice_url"))
