"""POST /intake/web/chat/{session}/verifications: the customer proves an address by a code."""

from datetime import datetime
from http import HTTPStatus

from caseweave.channels import web_form
from caseweave.channels.identities import identify_email, identify_phone
from caseweave.channels.request import WebhookRequest
from caseweave.domain.event import Actor
from caseweave.domain.form_advice import advise, refuse
from caseweave.domain.form_checking import as_text
from caseweave.domain.identity import Address, AddressKind
from caseweave.domain.tokens import read_session_token
from caseweave.domain.web_rules import CHAT
from caseweave.errors import NotFoundError, UnparseableError
from caseweave.http import Answer
from caseweave.storage.cases import read_current
from caseweave.storage.rate import count_visit
from caseweave.verifications import Claim, describe_start, start_verification
from caseweave.web_desk import WebDesk, choose_page_language

_LONGEST = 254


def start_page_verification(
    session: str, request: WebhookRequest, desk: WebDesk, now: datetime
) -> Answer:
    """A code goes to the address, to be typed in the chat; the answer tells nothing of the address.

    Raises NotFoundError for a session that is forged or over, InvalidRequestError,
    TooManyRequestsError.
    """
    case_id = read_session_token(session, desk.door.signing_keys, now)
    if case_id is None:
        raise NotFoundError("There is no such session.")
    count_visit(CHAT, case_id, desk.read_rules().limits.session, now)
    language = choose_page_language(request)
    try:
        said = web_form.read_body(request)
    except UnparseableError:
        raise refuse(language, ("address", advise("required", language))) from None
    written = as_text(said.get("address")).strip()
    address = _read_address(as_text(said.get("channel")), written, language)
    case = read_current(case_id)
    claim = Claim(case.id, case.customer_id, address, written)
    start_verification(claim, Actor("customer", case.customer_id), desk.make_codes())
    return Answer(HTTPStatus.ACCEPTED, describe_start())


def _read_address(channel: str, written: str, language: str) -> Address:
    if channel == "email":
        value = identify_email(written)
        if not all(value.rpartition("@")) or len(written) > _LONGEST or " " in written:
            raise refuse(language, ("address", advise("email", language)))
        return Address(AddressKind.EMAIL, value)
    if channel == "sms":
        value = identify_phone(written)
        if not value.startswith("+") or not 8 <= len(value) <= 16:
            raise refuse(language, ("address", advise("phone", language)))
        return Address(AddressKind.PHONE, value)
    raise refuse(language, ("channel", "email / sms"))
