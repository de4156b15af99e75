"""How a message leaves, by channel: the pure request of its provider, carried by real I/O."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from caseweave.aws.mailer import send_mail
from caseweave.aws.secrets import read_credentials
from caseweave.channels import aws_sms, ses, ses_events
from caseweave.channels.parts import Part, plan_parts, whole_message
from caseweave.channels.request import (
    MediaLink,
    Outgoing,
    ProviderAnswer,
    Refusal,
    Refused,
    SendResult,
    Sent,
)
from caseweave.channels.sender_registry import SENDERS
from caseweave.domain.identity import AddressKind
from caseweave.domain.message import Attachment, Channel, Contact, Message
from caseweave.domain.verifying import reveal_code
from caseweave.errors import MissingSecretError, NotFoundError, UnavailableError
from caseweave.provider_api import ask, find_base_url, forget_token, resolve_account
from caseweave.storage.outbox import OutboxKey

# A mail may have 40 MB with everything in it, and files grow by a third in it.
_MOST_MAILED = 20 * 2**20


@dataclass(frozen=True, slots=True)
class Files:
    """Where the files of a message are: for a provider, for the customer, and for us."""

    sign_url: Callable[[Attachment], str]
    make_link: Callable[[Attachment], str]
    read: Callable[[Attachment], bytes]


@dataclass(frozen=True, slots=True)
class Outlet:
    """What sending needs beside the message.

    `provider_api_url` stands in for all providers, each under its name, on the local cloud; empty,
    each is asked at its own address. With a `mail_configuration_set` SES tells what became of a
    mail.
    """

    prefix: str
    provider_api_url: str
    support_address: str
    signing_keys: Sequence[bytes]
    files: Files
    now: datetime
    mail_configuration_set: str = ""

    def plan(self, message: Message) -> list[Part]:
        """What has still to leave, in order: at least one part."""
        message = reveal_code(message, self.signing_keys)
        contact = message.contact
        if message.channel in (Channel.WEB, Channel.EMAIL) or contact is None:
            return whole_message(message)
        if contact.provider == aws_sms.PROVIDER:
            return plan_parts(message, aws_sms.abilities(contact))
        provider = SENDERS.get(contact.provider)
        if provider is None:
            return whole_message(message)
        return plan_parts(message, provider.abilities(contact))

    def send(self, message: Message, part: Part, key: OutboxKey) -> SendResult:
        """Send one part of a message by the channel and provider that its contact names."""
        message = reveal_code(message, self.signing_keys)
        if message.contact is None:
            return Refused(Refusal.PERMANENT, "the message has nobody to go to")
        if message.channel is Channel.WEB:
            # The customer's page fetches it; from now on it is there to be fetched.
            return Sent(message.id)
        if message.channel is Channel.EMAIL:
            return self._send_mail(message, key)
        kind = message.contact.address.kind
        if message.channel.leaves_as_sms and kind is AddressKind.UNPROVEN:
            return Refused(Refusal.PERMANENT, "there is no number that an SMS could go to")
        if message.contact.provider == aws_sms.PROVIDER:
            return self._send_by_aws(message.contact, message, part, key)
        return self._send_by_provider(message.contact, message, part, key)

    def _send_by_provider(
        self, contact: Contact, message: Message, part: Part, key: OutboxKey
    ) -> SendResult:
        name = contact.provider
        provider = SENDERS.get(name)
        if provider is None:
            return Refused(Refusal.PERMANENT, f"no answer can be sent by {name}")
        base_url = find_base_url(name, provider.API_URL, self.provider_api_url)
        try:
            credentials = resolve_account(
                name, contact.account, self.prefix, self.provider_api_url, self.now
            )
            outgoing = self._address(contact, message, part, key)
            request = provider.build_send(outgoing, base_url, credentials)
        except (MissingSecretError, UnavailableError) as error:
            # Certainly not sent: ops may still set it, or the token may come, while we wait.
            return Refused(Refusal.TRANSIENT, str(error))
        answer = ask(request)
        result = provider.read_answer(answer) if isinstance(answer, ProviderAnswer) else answer
        if isinstance(result, Refused) and result.is_token_stale:
            forget_token(name, credentials, self.provider_api_url)
        return result

    def _send_by_aws(
        self, contact: Contact, message: Message, part: Part, key: OutboxKey
    ) -> SendResult:
        try:
            credentials = read_credentials(self.prefix, aws_sms.PROVIDER).of_account(
                contact.account
            )
            outgoing = self._address(contact, message, part, key)
            arguments = aws_sms.build_text(outgoing, credentials)
        except MissingSecretError as error:
            return Refused(Refusal.TRANSIENT, str(error))
        from caseweave.aws.text_messages import send_text  # noqa: PLC0415 - one provider needs it

        return send_text(arguments)

    def _address(self, contact: Contact, message: Message, part: Part, key: OutboxKey) -> Outgoing:
        """The part as its provider is asked to send it; only the first answers a message."""
        body, media = part.body, None
        if part.file is not None and part.is_link:
            body = f"{part.body}{part.file.name}\n{self.files.make_link(part.file)}"
        elif part.file is not None:
            file = part.file
            media = MediaLink(file.name, file.media_type, file.size, self.files.sign_url(file))
        reply_to = message.reply_to_provider_id if part.number == 1 else ""
        return Outgoing(contact, str(key), body, media, part.quick_replies, reply_to)

    def _send_mail(self, message: Message, key: OutboxKey) -> SendResult:
        recipient = ses.find_recipient(message)
        if not recipient:
            return Refused(Refusal.PERMANENT, "the customer's mail has no sender address")
        try:
            enclosed, links = self._enclose(message)
            raw = ses.compose_mail(
                message, self.support_address, self.signing_keys, enclosed, links
            )
        except (ValueError, UnicodeError) as error:
            return Refused(Refusal.PERMANENT, f"no mail can be written to {recipient!r}: {error}")
        except NotFoundError as error:
            return Refused(Refusal.PERMANENT, str(error))
        except UnavailableError as error:
            return Refused(Refusal.TRANSIENT, str(error))
        tags = {ses_events.KEY_TAG: ses_events.encode_key(str(key))}
        return send_mail(raw, recipient, self.mail_configuration_set, tags)

    def _enclose(
        self, message: Message
    ) -> tuple[list[tuple[Attachment, bytes]], list[tuple[str, str]]]:
        """The files that fit into a mail, with their content, and links to the others."""
        enclosed: list[tuple[Attachment, bytes]] = []
        links: list[tuple[str, str]] = []
        room = _MOST_MAILED
        for file in message.attachments:
            if file.size <= room:
                room -= file.size
                enclosed.append((file, self.files.read(file)))
            else:
                links.append((file.name, self.files.make_link(file)))
        return enclosed, links
