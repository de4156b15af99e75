"""What Twilio tells of a phone call, and what it is told to do: greet, record, transcribe.

https://www.twilio.com/docs/voice/twiml#request-parameters
https://www.twilio.com/docs/voice/twiml/record

A call is one message, known by its `CallSid`; its recording and its transcript are additions to
it, which come minutes later and in any order.
"""

from collections.abc import Mapping
from html import escape
from urllib.parse import quote, urlencode

from caseweave.channels.credentials import Credentials
from caseweave.channels.identities import identify_phone
from caseweave.channels.json_reading import read_text_id
from caseweave.domain.identity import (
    Address,
    AddressKind,
    Proof,
    ProvenAddress,
    Sender,
)
from caseweave.domain.message import (
    Attachment,
    Channel,
    IgnoredEvent,
    InboundEvent,
    InboundMessage,
    Remark,
)

_LONGEST_TEXT = 200
_LONGEST_RECORDING = 300  # seconds
# What stands in place of a number that is hidden: letters on a keypad (ANONYMOUS, RESTRICTED, …).
_HIDDEN = frozenset({"+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253", "+464"})
# Who called, and how sure of it the network is.
_WHO = ("From", "To", "StirVerstat")
# Where Twilio comes back to after the recording, in the address that it is given.
DONE = ("step", "done")


def parse_call(
    provider: str, form: Mapping[str, str], query: Mapping[str, str], credentials: Credentials
) -> InboundEvent:
    """The call, its recording, its transcript, or news of it. Raises UnparseableError.

    Unless ops set `caller_numbers` to `trusted`, a number is proven only if its network vouches for
    the caller.
    """
    call = read_text_id(form, "CallSid")
    account = form.get("AccountSid", "")[:_LONGEST_TEXT]
    # Callbacks of recordings tell no caller: the address that we gave for them does.
    told = {**form, **{name: query[name] for name in _WHO if query.get(name)}}
    if credentials.values.get("caller_numbers") == "trusted":
        told["trusted"] = "yes"
    if "TranscriptionSid" in form:
        return _transcript(provider, account, call, told)
    if "RecordingStatus" in form:
        return _recording(provider, account, call, told)
    status = form.get("CallStatus", "")
    if DONE in query.items() or status not in ("ringing", "in-progress", "queued"):
        name = f"{call}.{status or 'done'}"[:_LONGEST_TEXT]
        return IgnoredEvent(provider, account, name, f"the call is {status or 'over'}"[:200])
    return _message(provider, account, call, told, call, "[电话 · phone call]")


def _recording(provider: str, account: str, call: str, told: Mapping[str, str]) -> InboundEvent:
    status, sid = told["RecordingStatus"], read_text_id(told, "RecordingSid")
    if status != "completed" or not told.get("RecordingUrl"):
        return IgnoredEvent(
            provider, account, f"{sid}.{status}"[:200], f"a recording is {status}"[:200]
        )
    file = Attachment(
        name=f"{sid}.mp3", media_type="audio/mpeg", provider_ref=f"{told['RecordingUrl']}.mp3"
    )
    seconds = told.get("RecordingDuration", "")[:10]
    body = f"[录音 · recording, {seconds} s]" if seconds else "[录音 · recording]"
    return _message(provider, account, call, told, sid, body, (file,))


def _transcript(provider: str, account: str, call: str, told: Mapping[str, str]) -> InboundEvent:
    sid, text = read_text_id(told, "TranscriptionSid"), told.get("TranscriptionText", "")
    if not text.strip():
        status = told.get("TranscriptionStatus", "empty")
        return IgnoredEvent(provider, account, sid, f"a transcript is {status}"[:200])
    return _message(provider, account, call, told, sid, text)


def _message(
    provider: str,
    account: str,
    call: str,
    told: Mapping[str, str],
    event_id: str,
    body: str,
    attachments: tuple[Attachment, ...] = (),
) -> InboundMessage:
    is_call = event_id == call
    fields = {
        "caller_id": told.get("StirVerstat", ""),
        "forwarded_from": told.get("ForwardedFrom", ""),
    }
    sender = _caller(told, call)
    return InboundMessage(
        channel=Channel.VOICE,
        provider=provider,
        account=account,
        event_id=event_id,
        provider_id=event_id,
        sender=sender,
        body=body,
        attachments=attachments,
        context={"to": told.get("To", "")[:_LONGEST_TEXT]},
        fields={name: value[:_LONGEST_TEXT] for name, value in fields.items() if value},
        remark=None if is_call else Remark.ADDITION,
        about="" if is_call else call,
        # Who hides the number cannot be written to.
        is_answerable=sender.proven[0].proof.holds,
    )


def _caller(told: Mapping[str, str], call: str) -> Sender:
    """Whose number it is: proven if the caller's own network signs for it (STIR/SHAKEN, full
    attestation), since anybody can show any number; else claimed, and refuted if that check failed.
    Who hides the number is somebody else at each call.
    https://www.twilio.com/docs/voice/trusted-calling-with-shakenstir
    """
    number, name = told.get("From", "").strip(), told.get("CallerName", "")[:_LONGEST_TEXT]
    digits = number.removeprefix("+")
    is_number = digits.isascii() and digits.isdecimal() and 3 <= len(digits) <= 15
    if is_number and number not in _HIDDEN:
        phone = Address(AddressKind.PHONE, identify_phone(number))
        verdict = told.get("StirVerstat", "")
        if verdict.startswith("TN-Validation-Passed-A") or "trusted" in told:
            return Sender(proven=(ProvenAddress(phone, Proof.PROVIDER),), name=name)
        proof = Proof.REFUTED if "Failed" in verdict else Proof.NONE
        nobody = Address(AddressKind.UNPROVEN, f"call.{call}")
        return Sender(proven=(ProvenAddress(nobody, proof),), claims=(phone,), name=name)
    nobody = Address(AddressKind.UNPROVEN, f"call.{call}")
    return Sender(proven=(ProvenAddress(nobody, Proof.NONE),))


def greet_caller(texts: Mapping[str, str], form: Mapping[str, str], url: str) -> str:
    """TwiML that greets in each language, records, and has it transcribed."""
    who = {name: form[name] for name in _WHO if form.get(name)}
    back = f"{url}?{urlencode(who, quote_via=quote)}" if who else url
    done = f"{url}?{urlencode([DONE])}"
    return (
        f"<Response>{_say(texts)}"
        f'<Record maxLength="{_LONGEST_RECORDING}" playBeep="true" action="{escape(done)}"'
        f' recordingStatusCallback="{escape(back)}"'
        f' transcribe="true" transcribeCallback="{escape(back)}"/>'
        "</Response>"
    )


def thank_caller(texts: Mapping[str, str]) -> str:
    return f"<Response>{_say(texts)}<Hangup/></Response>"


def _say(texts: Mapping[str, str]) -> str:
    return "".join(
        f'<Say language="{escape(language)}">{escape(" ".join(text.split()), quote=False)}</Say>'
        for language, text in texts.items()
    )
