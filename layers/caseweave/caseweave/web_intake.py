"""The web channel's door: what a page sends is checked, counted and taken in, or refused with
what to write instead; never both, and never neither.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from http import HTTPStatus
from typing import Any

from caseweave.channels import web_form
from caseweave.channels.kept_message import keep_message
from caseweave.channels.request import WebhookRequest
from caseweave.domain.form_advice import advise, refuse
from caseweave.domain.form_checking import Filled, as_text, check_form
from caseweave.domain.forms import MESSAGE, Form
from caseweave.domain.message import Attachment, InboundMessage
from caseweave.domain.tokens import issue_session_token, read_session_token
from caseweave.domain.web_rules import CHAT, FILES, chat_form
from caseweave.errors import (
    CaseweaveError,
    InvalidRequestError,
    NotFoundError,
    TooManyRequestsError,
    UnparseableError,
)
from caseweave.http import Answer
from caseweave.human_checks import FIELD, require_human
from caseweave.intake import Door, Landed, find_earlier, quarantine, receive_message
from caseweave.storage.cases import read_current
from caseweave.storage.customers import find_addresses, find_open_case_id
from caseweave.storage.ledger import RawInput
from caseweave.storage.rate import count_visit
from caseweave.web_desk import (
    Client,
    WebDesk,
    choose_page_language,
    count_client,
    meet_client,
)
from caseweave.web_uploads import claim_uploads
from caseweave.webhooks import keep_raw

# How long a customer's page may read the answers to what it sent.
SESSION_LIFETIME = timedelta(days=30)


def receive_form(name: str, request: WebhookRequest, desk: WebDesk, now: datetime) -> Answer:
    """A form's submission: the case reference, and a session to read the answers with.

    Raises NotFoundError, InvalidSignatureError, InvalidRequestError with each wrong field,
    TooManyRequestsError, ContentionError, UnavailableError.
    """
    return _receive_first(desk.form(name), web_form.PROVIDER, request, desk, now)


def start_chat(request: WebhookRequest, desk: WebDesk, now: datetime) -> Answer:
    """A chat's first message; a signed-in customer who sends none gets the open case's session.

    Raises what `receive_form` raises.
    """
    if request.headers.get("authorization"):
        resumed = _resume_chat(request, desk, now)
        if resumed is not None:
            return resumed
    return _receive_first(chat_form(desk.read_rules()), web_form.PROVIDER, request, desk, now)


def receive_chat(session: str, request: WebhookRequest, desk: WebDesk, now: datetime) -> Answer:
    """The next message from the customer's page, into the case of its session; if that was closed
    too long ago, into one that goes on from it, whose session the answer gives.

    Raises NotFoundError for a session that is forged or over, and what `receive_form` raises.
    """
    case_id = read_session_token(session, desk.door.signing_keys, now)
    if case_id is None:
        raise NotFoundError("There is no such session.")
    language = choose_page_language(request)
    raw = keep_raw(request, web_form.CHAT, "", now, desk.retention)
    said = _read_or_none(request)
    limit = desk.read_rules().limits.session
    if said is None:
        count_visit(CHAT, case_id, limit, now)
        return _keep_unread(raw)
    form = chat_form(desk.read_rules())
    filled = _check_chat(form, said, language)
    submission = _name_submission(request, said, desk.door)
    inbound = web_form.make_chat_message(filled.message, case_id, submission)
    try:
        files = claim_uploads(filled.uploads, form, f"case:{case_id}", desk, language, now)
        count_visit(CHAT, case_id, limit, now)
    except (TooManyRequestsError, InvalidRequestError) as refusal:
        return _answer_earlier(inbound, raw, desk.door, now, refusal)
    return _keep(inbound, files, raw, desk.door, now)


def _keep(
    inbound: InboundMessage,
    files: tuple[Attachment, ...],
    raw: RawInput,
    door: Door,
    now: datetime,
) -> Answer:
    whole = replace(inbound, attachments=files)
    landed = receive_message(
        whole, replace(raw, headers={**raw.headers, **keep_message(whole)}), door
    )
    return describe_landing(landed, door, now)


def describe_landing(landed: Landed, door: Door, now: datetime) -> Answer:
    """What the customer's page needs: the reference, and a session to read the answers with."""
    status = HTTPStatus.CREATED if landed.is_new else HTTPStatus.OK
    said = {"state": "received", "reference": landed.ref, "message_id": landed.message_id}
    return Answer(status, said | _open_session(landed.case_id, door, now))


def _open_session(case_id: str, door: Door, now: datetime) -> dict[str, str]:
    session = issue_session_token(case_id, now + SESSION_LIFETIME, door.signing_keys)
    return {"session": session, "messages": f"/intake/web/chat/{session}/messages"}


def _receive_first(
    form: Form, provider: str, request: WebhookRequest, desk: WebDesk, now: datetime
) -> Answer:
    """A message that comes without a session."""
    client = meet_client(request, desk)
    raw = keep_raw(request, provider, form.name, now, desk.retention)
    said = _read_or_none(request)
    if said is None:
        _admit(form, request, {}, client, desk, now)
        return _keep_unread(raw)
    filled = _check_first(form, said, client.language)
    submission = _name_submission(request, said, desk.door)
    inbound = web_form.make_message(filled, client.claims, submission)
    try:
        files = claim_uploads(filled.uploads, form, client.owner, desk, client.language, now)
        _admit(form, request, said, client, desk, now)
    except (TooManyRequestsError, InvalidRequestError) as refusal:
        return _answer_earlier(inbound, raw, desk.door, now, refusal)
    return _keep(inbound, files, raw, desk.door, now)


def _resume_chat(request: WebhookRequest, desk: WebDesk, now: datetime) -> Answer | None:
    """The session of the signed-in customer's open case; None if there is a message to take in,
    or no open case.
    """
    client = meet_client(request, desk)
    said = _read_or_none(request) if request.body.strip() else {}
    if said is None or as_text(said.get(MESSAGE)).strip() or said.get(FILES) or not client.user:
        return None
    address = web_form.read_sender(client.claims).proven[0].address
    known = find_addresses([address]).get(address)
    case_id = find_open_case_id(known.customer_id) if known else None
    if case_id is None:
        return None
    found = {"state": "resumed", "reference": read_current(case_id).ref}
    return Answer(HTTPStatus.OK, found | _open_session(case_id, desk.door, now))


def _check_first(form: Form, said: Mapping[str, Any], language: str) -> Filled:
    check = _check_chat if form.name == CHAT else check_form
    return check(form, said, language)


def _check_chat(form: Form, said: Mapping[str, Any], language: str) -> Filled:
    """A chat message may lack a text, or files, but not both."""
    filled = check_form(form, said, language)
    if not filled.message.strip() and not filled.uploads:
        raise refuse(language, (MESSAGE, advise("required", language)))
    return filled


def _admit(
    form: Form,
    request: WebhookRequest,
    said: Mapping[str, Any],
    client: Client,
    desk: WebDesk,
    now: datetime,
) -> None:
    """Count the client, and ask an anonymous one for the human check.

    Raises TooManyRequestsError and InvalidRequestError.
    """
    limits = desk.read_rules().limits
    count_client(desk, client, f"form.{form.name}", limits.anonymous, limits.signed_in, now)
    if not client.user:
        token = request.headers.get("human-check") or as_text(said.get(FIELD))
        require_human(desk.human_check, token, client.address, client.language)


def _answer_earlier(
    inbound: InboundMessage, raw: RawInput, door: Door, now: datetime, refusal: CaseweaveError
) -> Answer:
    """The answer to a repetition of what was taken in before, though it may not come again now.

    Raises the *refusal* for anything new.
    """
    landed = find_earlier(inbound, raw)
    if landed is None:
        raise refusal
    return describe_landing(landed, door, now)


def _read_or_none(request: WebhookRequest) -> dict[str, Any] | None:
    try:
        return web_form.read_body(request)
    except UnparseableError:
        return None


def _keep_unread(raw: RawInput) -> Answer:
    """A body that nobody can read is kept for people; the page can tell that no case exists."""
    quarantine(raw, "neither a JSON object nor a form")
    return Answer(HTTPStatus.ACCEPTED, {"state": "quarantined", "reference": None})


def _name_submission(request: WebhookRequest, said: Mapping[str, Any], door: Door) -> str:
    """The same for a retry with the same Idempotency-Key and content, and for nothing else.

    The token of a human check is good for one try, so a retry has another.
    """
    key = request.headers.get("idempotency-key") or door.entropy(16).hex()
    content = {name: value for name, value in said.items() if name != FIELD}
    packed = json.dumps(content, sort_keys=True, ensure_ascii=False).encode("utf-8", "replace")
    return sha256(key.encode("utf-8", "replace") + b"\0" + packed).hexdigest()[:32]
