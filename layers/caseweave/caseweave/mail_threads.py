"""What a mail refers to: mails and cases that it names, whoever sent it.

Naming one joins nothing (promise P4): whose it is was decided by proof before. Where the named
case is not where the mail went, agents get a suggestion that names it.
"""

from collections.abc import Mapping, Sequence

from caseweave.channels.identities import identify_email
from caseweave.domain.identity import Suggestion
from caseweave.domain.message import Channel, InboundMessage, KnownMail, Message
from caseweave.domain.outbound import find_mail_address
from caseweave.domain.tokens import name_replied_case, read_reply_token
from caseweave.errors import NotFoundError
from caseweave.storage.cases import read_head

# Each may cost a read.
_MOST_TOKENS = 2


def name_mails(inbound: InboundMessage) -> tuple[str, ...]:
    """The ids of the mail itself and of those it answers, as far as they can be known."""
    if inbound.channel is not Channel.EMAIL:
        return ()
    own = inbound.context.get("message_id", "")
    return tuple(dict.fromkeys(filter(None, (own, *inbound.references))))


def suggest_cases(
    inbound: InboundMessage,
    message: Message,
    mails: Mapping[str, KnownMail],
    keys: Sequence[bytes],
) -> tuple[Suggestion, ...]:
    """The case of somebody else that a mail answers by name, if there is one.

    *message* is where the mail went. The customer's own earlier cases need no suggestion.
    """
    origin = inbound.sender.proven[0].address
    for reference in reversed(inbound.references):
        known = mails.get(reference)
        if known is None:
            continue
        if known.case_id == message.case_id or known.customer_id == message.customer_id:
            return ()
        owner = known.customer_id or _find_owner(known.case_id)
        if owner == message.customer_id:
            return ()
        if owner:
            return (Suggestion(owner, origin, "answers a mail of this case", known.case_id),)
    for token in inbound.reply_tokens[:_MOST_TOKENS]:
        case_id = name_replied_case(token)
        if case_id is not None and case_id != message.case_id:
            owner = _find_token_owner(token, case_id, keys)
            if owner and owner != message.customer_id:
                reason = "has the reply address of this case, which was given to somebody else"
                return (Suggestion(owner, origin, reason, case_id),)
    return ()


def _find_owner(case_id: str) -> str:
    try:
        return read_head(case_id).customer_id
    except NotFoundError:
        return ""


def _find_token_owner(token: str, case_id: str, keys: Sequence[bytes]) -> str:
    """The customer of a case whose own contact the token was issued to; "" if it is forged."""
    try:
        case = read_head(case_id)
    except NotFoundError:
        return ""
    issued_to = (find_mail_address(contact) for contact in case.contacts.values())
    is_genuine = any(
        read_reply_token(token, identify_email(address), keys) for address in issued_to if address
    )
    return case.customer_id if is_genuine else ""
