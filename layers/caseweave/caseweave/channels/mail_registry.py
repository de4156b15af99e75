"""Which hosted mail providers there are; apart from the others, since reading mail loads much."""

from typing import Protocol

from caseweave.channels import mailgun, postmark, sendgrid
from caseweave.channels.credentials import Credentials
from caseweave.channels.mail_reading import MailPart
from caseweave.channels.request import WebhookRequest
from caseweave.domain.message import InboundEvent


class MailProvider(Protocol):
    """What the module of a provider offers that receives mail for us and posts it."""

    PROVIDER: str
    ACKNOWLEDGED: tuple[str, str]

    def verify(self, request: WebhookRequest, credentials: Credentials) -> None: ...

    def parse_mail(
        self, request: WebhookRequest, credentials: Credentials
    ) -> tuple[list[InboundEvent], tuple[MailPart, ...]]: ...


MAIL: dict[str, MailProvider] = {"mailgun": mailgun, "postmark": postmark, "sendgrid": sendgrid}
