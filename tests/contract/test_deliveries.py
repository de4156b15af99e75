"""What each kind of delivery becomes, for every provider that has it."""

import json
from contextlib import suppress
from dataclasses import asdict

import pytest

from caseweave.channels.request import WebhookRequest
from caseweave.domain.message import IgnoredEvent, InboundMessage, Receipt, Remark
from caseweave.errors import UnparseableError
from tests.contract.specimens import SPECIMENS, every, every_delivery


@every(SPECIMENS)
def test_a_message_is_one_message_of_somebody_who_can_be_told_apart(specimen):
    (found,) = specimen.parse(specimen.signed())

    assert type(found) is InboundMessage
    assert found.provider == specimen.adapter.PROVIDER
    assert found.event_id
    assert found.sender.proven[0].address.value
    assert found.body.strip()
    assert (found.remark, found.about, found.is_automatic) == (None, "", False)


@every_delivery("batch")
def test_a_batch_is_all_of_its_messages_each_under_an_id_of_its_own(specimen, kind):
    found = specimen.parse(specimen.signed(kind))

    assert len(found) == 3
    assert all(type(one) is InboundMessage for one in found)
    assert len({one.event_id for one in found}) == 3
    assert len({one.sender.proven for one in found}) == 1


@every_delivery("media")
def test_a_file_stands_by_its_message_to_be_fetched_or_is_here(specimen, kind):
    (found,) = specimen.parse(specimen.signed(kind))

    (file,) = found.attachments
    assert file.name
    assert "/" in file.media_type
    assert (file.state, bool(file.provider_ref), bool(file.digest)) in (
        ("pending", True, False),
        ("stored", False, True),
    )


@every_delivery("receipt")
def test_a_receipt_names_our_message_and_what_became_of_it(specimen, kind):
    (found,) = specimen.parse(specimen.signed(kind))

    assert type(found) is Receipt
    assert found.provider_id
    assert found.state is not None
    assert found.event_id


@every_delivery("edit")
def test_an_edit_or_a_deletion_is_a_remark_about_the_message_it_means(specimen, kind):
    (found,) = specimen.parse(specimen.signed(kind))

    assert found.remark in (Remark.EDIT, Remark.DELETION)
    assert found.about
    assert found.is_automatic == (found.remark is Remark.DELETION)


@every_delivery("echo")
def test_an_echo_of_our_own_message_is_known_and_ignored(specimen, kind):
    (found,) = specimen.parse(specimen.signed(kind))

    assert type(found) is IgnoredEvent
    assert found.reason


@every_delivery("message", "batch", "media", "receipt", "edit", "echo")
def test_every_delivery_is_the_same_when_it_comes_again_and_can_be_stored(specimen, kind):
    found = specimen.parse(specimen.signed(kind))

    assert specimen.parse(specimen.signed(kind)) == found
    assert specimen.parse(specimen.signed(kind, "old")) == found
    for event in found:
        json.dumps(asdict(event), default=str, ensure_ascii=False, allow_nan=False).encode()


@every(SPECIMENS)
@pytest.mark.parametrize("garbage", [b"", b"\xff\xfe\0", b"[]", b"null", b"<", b"a=b&a=b"])
def test_what_is_no_delivery_at_all_costs_nothing(specimen, garbage):
    headers = specimen.deliveries["message"].headers
    with suppress(UnparseableError):
        found = specimen.parse(WebhookRequest(garbage, headers))
        assert all(type(one) is IgnoredEvent for one in found)
