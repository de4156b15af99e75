"""Every registry, for who goes over all providers: replay, the command line, the tests."""

from caseweave.channels.messenger_registry import GREETERS, MESSENGERS
from caseweave.channels.sender_registry import SENDERS, SENT_BY_AWS, TOKEN_ISSUERS
from caseweave.channels.sms_registry import SMS, VOICE

__all__ = ["GREETERS", "MESSENGERS", "SENDERS", "SENT_BY_AWS", "SMS", "TOKEN_ISSUERS", "VOICE"]
