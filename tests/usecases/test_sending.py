"""Sending, as far as it gets without a provider."""

import email
import email.policy
from dataclasses import replace

import pytest

from caseweave.channels.request import Refusal, Refused, Sent
from caseweave.domain.identity import Address, AddressKind
from caseweave.domain.message import Attachment, Channel
from caseweave.errors import NotFoundError, UnavailableError
from caseweave.outgoing_files import LINK_LIFETIME, answer_file_link, outgoing_files
from caseweave.sending import Files, Outlet
from caseweave.storage.outbox import outbox_key
from tests.channels.samples import outbound
from tests.usecases.conftest import KEYS
from tests.usecases.test_router import acknowledgements, route
from tests.usecases.world import NOON, receive, sms

FILES = Files(
    sign_url=lambda file: f"https://bucket/{file.digest}",
    make_link=lambda file: f"https://desk/{file.digest}",
    read=lambda file: file.digest.encode(),
)


def test_without_the_providers_account_a_message_certainly_did_not_leave(table, door, desk):
    landed = receive(sms("+8613800138000"), door)
    route(landed, desk)
    (reply,) = acknowledgements(landed.case_id)

    out = Outlet("/nobody/here", "", "support@x", KEYS, FILES, NOON)
    (part,) = out.plan(reply)

    refused = out.send(reply, part, outbox_key(reply))

    assert refused.kind is Refusal.TRANSIENT
    assert "/nobody/here/providers/twilio" in refused.detail


MAILED = Address(AddressKind.EMAIL, "lin@example.com")
FILE = Attachment("截图.png", "image/png", 4, "ab" * 32, "stored")


@pytest.fixture
def sent_mails(monkeypatch):
    """The raw mails that were handed over."""
    mails = []
    monkeypatch.setattr(
        "caseweave.sending.send_mail",
        lambda raw, to, configuration_set, tags: mails.append(raw) or Sent("ses-1"),
    )
    return mails


def send_whole(message, files=FILES):
    out = Outlet("/nobody/here", "", "support@desk.example", KEYS, files, NOON)
    (part,) = out.plan(message)
    return out.send(message, part, outbox_key(message))


def mail(**changes):
    context = {"address": "lin@example.com", "message_id": "<m1@x>", "references": "<m1@x>"}
    return outbound(Channel.EMAIL, "ses", MAILED, context=context, **changes)


def test_a_mail_encloses_its_files_and_numbers_what_can_be_answered(sent_mails):
    said = mail(attachments=(FILE,), quick_replies=("Yes", "No"))

    assert send_whole(said) == Sent("ses-1")

    read = email.message_from_bytes(sent_mails[0], policy=email.policy.default)
    (file,) = read.iter_attachments()
    assert (file.get_filename(), file.get_content_type()) == ("截图.png", "image/png")
    assert file.get_content() == ("ab" * 32).encode()
    words = read.get_body().get_content().splitlines()
    assert words == ["您好，已经补发。", "", "1. Yes", "2. No"]
    assert read["In-Reply-To"] == "<m1@x>"


def test_a_file_that_no_mail_holds_is_a_link_in_it(sent_mails):
    send_whole(mail(attachments=(FILE, replace(FILE, name="big.mp4", size=30 * 2**20))))

    read = email.message_from_bytes(sent_mails[0], policy=email.policy.default)
    assert [file.get_filename() for file in read.iter_attachments()] == ["截图.png"]
    assert f"big.mp4\nhttps://desk/{'ab' * 32}" in read.get_body().get_content()


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (NotFoundError("gone"), Refusal.PERMANENT),
        (UnavailableError("busy"), Refusal.TRANSIENT),
    ],
)
def test_a_mail_whose_file_cannot_be_read_is_not_sent_without_it(sent_mails, error, kind):
    def read(_):
        raise error

    refused = send_whole(mail(attachments=(FILE,)), replace(FILES, read=read))

    assert refused == Refused(kind, str(error))
    assert sent_mails == []


def test_an_answer_on_the_page_is_there_to_be_fetched_whole():
    web = outbound(Channel.WEB, "web", Address(AddressKind.UNPROVEN, "x"), attachments=(FILE,))

    assert send_whole(web) == Sent(web.id)


class TestFileLinks:
    """The links in messages lead to their file, for a week, and to nothing else."""

    LINK = outgoing_files("bucket", "https://desk", KEYS, NOON).make_link(FILE)
    TOKEN, NAME = LINK.removeprefix("https://desk/intake/files/").split("/")

    def follow(self, token=TOKEN, name=NAME, at=NOON):
        return answer_file_link(token, name, "bucket", KEYS, at)

    def test_a_link_is_short_and_leads_to_the_file(self, table):
        assert len(self.LINK) < 200
        answer = self.follow()

        assert answer.status == 302
        assert f"/bucket/attachments/{FILE.digest}?" in answer.headers["Location"]
        assert self.follow(name="截图.png").status == 302

    @pytest.mark.parametrize(
        ("token", "name", "at"),
        [
            (TOKEN[:-2] + "AA", NAME, NOON),
            ("", NAME, NOON),
            (TOKEN, "other.exe", NOON),
            (TOKEN, NAME, NOON + LINK_LIFETIME),
        ],
    )
    def test_what_is_forged_too_old_or_renamed_is_not_found(self, token, name, at):
        with pytest.raises(NotFoundError):
            self.follow(token, name, at)


@pytest.mark.parametrize("channel", [Channel.SMS, Channel.VOICE])
def test_a_name_in_place_of_a_number_or_a_hidden_one_takes_no_answer(channel):
    nobody = Address(AddressKind.UNPROVEN, "sms.SM1")

    refused = send_whole(outbound(channel, "twilio", nobody))

    assert refused == Refused(Refusal.PERMANENT, "there is no number that an SMS could go to")
