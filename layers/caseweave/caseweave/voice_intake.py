"""The door for phone calls: each is a message at once, and the caller hears what to do."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from caseweave.channels import twilio_voice
from caseweave.channels.credentials import Credentials
from caseweave.channels.request import WebhookRequest
from caseweave.channels.sms_registry import VOICE
from caseweave.domain.desk import Desk
from caseweave.http import Answer
from caseweave.intake import Door
from caseweave.webhooks import receive_webhook


def receive_call(
    name: str,
    request: WebhookRequest,
    desk: Desk,
    read_credentials: Callable[[str], Credentials],
    make_door: Callable[[], Door],
    retention: timedelta,
    now: datetime,
) -> Answer:
    """Keep what is told of a call, and say how it goes on.

    Raises NotFoundError, InvalidSignatureError, MissingSecretError, ContentionError,
    UnavailableError.
    """
    answer = receive_webhook(name, VOICE, request, read_credentials, make_door, retention, now)
    greeting, thanks = desk.texts["voice_greeting"], desk.texts["voice_thanks"]
    said = twilio_voice.answer_call(request, read_credentials(name), greeting, thanks)
    return replace(answer, body=f'<?xml version="1.0" encoding="UTF-8"?>{said}')
