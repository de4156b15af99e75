"""What agents write, on stored cases: nothing that was due vanishes because they came first."""

from dataclasses import replace
from datetime import timedelta

import pytest

from caseweave.agents.caller import Caller, Moment
from caseweave.agents.cases import change_state, note, reply
from caseweave.agents.uploads import ask_upload
from caseweave.agents.view import describe_message
from caseweave.channels.request import Refusal
from caseweave.domain.event import EventKind
from caseweave.domain.evidence import find_broken_link
from caseweave.domain.media import Links
from caseweave.domain.message import Attachment, Delivery, DeliveryState
from caseweave.domain.uploading import Upload
from caseweave.errors import ForbiddenError, InvalidRequestError, StaleVersionError
from caseweave.storage import cases
from tests.domain.samples import link
from tests.usecases.test_router import route
from tests.usecases.world import NOON, receive, sms

MEI = Caller("mei", ("agent",))


def moment(at, entropy=bytes):
    return Moment(at, entropy)


class Uploads:
    """Where agents put files: every one is what it is said to be, but those told not to."""

    def __init__(self, *missing):
        self.missing = missing
        self.kept = []

    def __call__(self, case_id, upload):
        if upload.name in self.missing:
            raise InvalidRequestError("not uploaded", (("attachments", "upload the file first"),))
        self.kept.append((case_id, upload.digest))


def answer(case, desk, said, uploads=None):
    """The message of a reply two minutes after the customer's."""
    at = moment(NOON + timedelta(minutes=2))
    shown = reply(case.id, said, None, MEI, desk, at, uploads or Uploads())
    found = [m for m in cases.list_messages(case.id)[0] if m.id == shown["message_id"]]
    return found[0]


PHOTO = {"name": "shot.png", "media_type": "image/png", "size": 3, "sha256": "ab" * 32}


@pytest.fixture
def case(table, door, desk):
    landed = receive(sms("+8613800138000", "充值没到账"), door)
    route(landed, desk)
    return cases.read_head(landed.case_id)


def kinds(case):
    return [e.kind for e in cases.read_file(case.id).events]


def test_a_reply_in_time_is_only_a_reply(case, desk):
    answer(case, desk, {"body": "on it"})

    assert EventKind.SLA_BREACHED not in kinds(case)


def test_a_reply_after_the_deadline_records_the_breach_that_no_sweep_saw(case, desk):
    late = NOON + timedelta(minutes=30)

    shown = reply(case.id, {"body": "sorry"}, case.version, MEI, desk, moment(late), Uploads())

    new = kinds(case)[case.seq :]
    assert new == [
        EventKind.SLA_BREACHED,
        EventKind.CASE_ESCALATED,
        EventKind.MESSAGE_QUEUED,
        EventKind.STATE_CHANGED,
    ]
    assert shown["case"]["version"] == case.version + 1
    assert shown["case"]["level"] == 2


def test_resolving_does_not_hide_a_missed_deadline(case, desk):
    late = NOON + timedelta(minutes=30)

    change_state(case.id, {"state": "resolved"}, None, MEI, desk, moment(late))

    assert EventKind.SLA_BREACHED in kinds(case)


def test_the_chain_holds_across_what_was_due_and_what_was_written(case, desk):
    note(case.id, {"body": "called her"}, None, MEI, desk, moment(NOON + timedelta(hours=5)))

    file = cases.read_file(case.id)
    links = [link(e) for e in file.events]
    assert find_broken_link(links) is None
    assert file.case.chain == file.events[-1].digest


def test_a_stale_version_writes_nothing_not_even_what_was_due(case, desk):
    before = kinds(case)
    late = moment(NOON + timedelta(hours=5))
    with pytest.raises(StaleVersionError):
        note(case.id, {"body": "x"}, case.version - 1, MEI, desk, late)

    assert kinds(case) == before


def test_a_reply_takes_its_files_along(case, desk):
    uploads = Uploads()

    sent = answer(case, desk, {"attachments": [PHOTO]}, uploads)

    assert sent.attachments == (Attachment("shot.png", "image/png", 3, "ab" * 32, "stored"),)
    assert uploads.kept == [(case.id, "ab" * 32)]


def test_a_file_that_was_not_uploaded_is_not_sent(case, desk):
    with pytest.raises(InvalidRequestError):
        answer(case, desk, {"body": "see", "attachments": [PHOTO]}, Uploads("shot.png"))

    assert cases.read_head(case.id).version == case.version


@pytest.mark.parametrize(
    "told",
    [
        "shot.png",
        [PHOTO] * 6,
        ["shot.png"],
        [PHOTO | {"name": "../shot.png"}],
        [PHOTO | {"name": ".."}],
        [PHOTO | {"name": "a\r\nb"}],
        [PHOTO | {"media_type": "text/html"}],
        [PHOTO | {"media_type": []}],
        [PHOTO | {"size": 0}],
        [PHOTO | {"size": True}],
        [PHOTO | {"size": 21 * 2**20}],
        [PHOTO | {"sha256": "AB" * 32}],
        [{}],
    ],
)
def test_files_that_nobody_may_send_are_refused(case, desk, told):
    with pytest.raises(InvalidRequestError) as refused:
        answer(case, desk, {"body": "see", "attachments": told})

    assert refused.value.errors


def test_an_upload_is_described_as_the_reply_has_to_name_it(case):
    signed = []

    def sign(case_id, upload):
        signed.append((case_id, upload))
        return "https://bucket/put"

    asked = ask_upload(case.ref, PHOTO, None, MEI, sign)

    assert asked == {
        "upload": {
            "method": "PUT",
            "url": "https://bucket/put",
            "headers": {"Content-Type": "image/png"},
        },
        "attachment": PHOTO,
    }
    assert signed == [(case.id, Upload("shot.png", "image/png", 3, "ab" * 32))]


def test_auditors_upload_nothing(case):
    with pytest.raises(ForbiddenError):
        ask_upload(case.ref, PHOTO, None, Caller("eve", ("auditor",)), lambda *_: "")


def test_the_answer_to_one_message_leaves_where_that_came_in(case, desk, door):
    first = cases.list_messages(case.id)[0][0]
    other = sms("+8613800138000", "hello?", "SM2", context={"to": "+15550009999"})
    receive(other, door, NOON + timedelta(minutes=1))

    sent = answer(case, desk, {"body": "on it", "reply_to": first.id})

    assert (sent.reply_to, sent.reply_to_provider_id) == (first.id, "SM1")
    assert sent.contact == first.contact
    assert cases.read_head(case.id).contacts["sms"].context == {"to": "+15550009999"}


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"reply_to": "nothing"}, "reply_to"),
        ({"reply_to": "ACK"}, "reply_to"),
        ({"reply_to": "FIRST", "channel": "email"}, "channel"),
        ({"quick_replies": ["a"] * 2}, "quick_replies"),
        ({"quick_replies": [str(n) for n in range(11)]}, "quick_replies"),
        ({"quick_replies": ["x" * 41]}, "quick_replies"),
        ({"quick_replies": [" "]}, "quick_replies"),
        ({"quick_replies": "yes"}, "quick_replies"),
        ({"body": "", "quick_replies": ["yes"]}, "body"),
        ({"body": ""}, "body"),
    ],
)
def test_what_cannot_be_said_is_refused_with_what_to_write_instead(case, desk, said, field):
    messages, _ = cases.list_messages(case.id)
    names = {"FIRST": messages[0].id, "ACK": messages[-1].id}
    if "reply_to" in said:
        said = said | {"reply_to": names.get(said["reply_to"], said["reply_to"])}

    with pytest.raises(InvalidRequestError) as refused:
        answer(case, desk, {"body": "on it"} | said)

    assert [name for name, _ in refused.value.errors] == [field]


def test_quick_replies_are_kept_and_shown(case, desk):
    sent = answer(case, desk, {"body": "Did it arrive?", "quick_replies": ["Yes", "No"]})

    assert sent.quick_replies == ("Yes", "No")
    assert describe_message(sent, lambda _: Links())["quick_replies"] == ["Yes", "No"]


@pytest.mark.parametrize("refusal", Refusal)
def test_every_refusal_comes_with_advice_in_both_languages(case, desk, refusal):
    sent = answer(case, desk, {"body": "on it"})
    failed = Delivery(DeliveryState.FAILED, NOON, error="no", refusal=str(refusal))

    shown = describe_message(replace(sent, delivery=failed), lambda _: Links())["delivery"]

    assert shown["refusal"] == str(refusal)
    assert shown["advice"].keys() == {"zh-CN", "en"}


def test_a_failure_that_nobody_explained_has_advice_too_and_success_has_none(case, desk):
    sent = answer(case, desk, {"body": "on it"})
    failed = Delivery(DeliveryState.FAILED, NOON, error="30003")

    def advice(delivery):
        shown = describe_message(replace(sent, delivery=delivery), lambda _: Links())
        return shown["delivery"]["advice"]

    assert advice(failed)["en"].startswith("The provider refused")
    assert advice(Delivery(DeliveryState.ACCEPTED, NOON, "SM1")) is None
