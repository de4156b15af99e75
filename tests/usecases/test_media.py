"""Customers' files: kept once, recorded once, whatever dies and however often it comes."""

import itertools
import json
from contextlib import contextmanager, suppress
from datetime import timedelta
from hashlib import sha256
from io import BytesIO

import boto3
import pytest
from botocore.client import BaseClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from ruamel.yaml import YAML

from caseweave.aws import clients
from caseweave.aws.files import sign_links
from caseweave.channels.credentials import Credentials
from caseweave.config.media import load_media_limits
from caseweave.domain.event import EventKind
from caseweave.domain.media import FileOutcome, FileState, Shortfall, show_attachments
from caseweave.domain.message import Attachment, Channel
from caseweave.domain.opening import keep_message
from caseweave.downloading import Missed, system_network
from caseweave.errors import InvalidConfigError, MissingSecretError, UnavailableError
from caseweave.media import (
    MOST_TRIES,
    PAUSES,
    NotFetchedYetError,
    Shelf,
    pause_after,
    settle_attachment,
)
from caseweave.provider_media import Providers, fetch_from_provider
from caseweave.relay import relay_record
from caseweave.storage import cases
from caseweave.storage.media import FileKey
from tests.conftest import ROOT
from tests.depth import DEPTH
from tests.domain.samples import link, told
from tests.usecases.world import NOON, crash_at_call, message, proven, receive, sms, telegram

BUCKET = "files"
MOST = 10_000
PENDING = Attachment("photo.png", "image/jpeg", provider_ref="file-1")
GONE = Missed(Shortfall.GONE, "404 from telegram", is_final=True)
DOWN = Missed(Shortfall.UNREACHABLE, "no answer in time", is_final=False)


def draw(colour="red"):
    drawn = BytesIO()
    Image.new("RGB", (640, 480), colour).save(drawn, "PNG")
    return drawn.getvalue()


_numbers = itertools.count(100)
PHOTO = draw()
DIGEST = sha256(PHOTO).hexdigest()


class Provider:
    """Gives what it is told to, and counts how often it was asked."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = 0

    def __call__(self, message, attachment, most_bytes):
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, BaseException):
            raise answer
        return answer


@pytest.fixture
def bucket(table):
    clients.client.cache_clear()
    boto3.client("s3").create_bucket(Bucket=BUCKET)
    yield boto3.client("s3")
    clients.client.cache_clear()


def arrive(door, *attachments, event="1", user="42", **more):
    """A message with these attachments; the keys of its files, as the relay queues them."""
    channel = more.pop("channel", Channel.MESSENGER)
    provider, sender = more.pop("provider", "telegram"), proven(telegram(user))
    sent = message(channel, provider, sender, "看图", event, attachments=attachments)
    landed = receive(sent, door)
    file = cases.read_file(landed.case_id)
    kept = next(one for one in file.messages if one.id == landed.message_id)
    return [FileKey.of(kept, index) for index in range(len(attachments))]


def run(key, provider, tries=1, at=NOON):
    shelf = Shelf(BUCKET, provider, lambda channel: MOST)
    return settle_attachment(str(key), tries, shelf, lambda: at)


def objects(bucket):
    found = bucket.list_objects_v2(Bucket=BUCKET).get("Contents", [])
    return sorted(one["Key"] for one in found)


def shown(key):
    file = cases.read_file(key.case_id)
    kept = next(one for one in file.messages if one.id == key.message_id)
    return show_attachments(kept, file.files)[key.index]


def events_of(key, *kinds):
    return [told(e) for e in cases.read_file(key.case_id).events if e.kind in kinds]


def test_a_file_is_kept_by_its_digest_and_shown_with_a_thumbnail(bucket, door):
    (key,) = arrive(door, PENDING)

    assert run(key, Provider(PHOTO)) is FileState.STORED

    file = shown(key)
    assert (file.state, file.digest, file.size) == ("stored", DIGEST, len(PHOTO))
    assert (file.media_type, file.declared_type) == ("image/png", "image/jpeg")
    assert objects(bucket) == [f"attachments/{DIGEST}", f"thumbnails/{file.thumbnail}"]
    small = bucket.get_object(Bucket=BUCKET, Key=f"thumbnails/{file.thumbnail}")["Body"].read()
    assert Image.open(BytesIO(small)).size == (320, 240)


def test_the_message_itself_never_changes_and_the_chain_vouches_for_the_file(bucket, door):
    (key,) = arrive(door, PENDING)
    before = cases.read_file(key.case_id).messages
    run(key, Provider(PHOTO))

    file = cases.read_file(key.case_id)
    assert file.messages == before
    assert [data["digest"] for data in events_of(key, EventKind.ATTACHMENT_STORED)] == [DIGEST]
    chain = [link(event) for event in file.events]
    assert chain[-1][1] == file.case.chain


def test_what_comes_twice_is_fetched_and_recorded_once(bucket, door, dump):
    (key,) = arrive(door, PENDING)
    provider = Provider(PHOTO)
    run(key, provider)
    records = dump()

    assert run(key, provider, tries=2, at=NOON + timedelta(hours=1)) is FileState.STORED

    assert (provider.asked, dump()) == (1, records)


def test_the_same_bytes_in_two_messages_are_stored_once(bucket, door):
    (first,), (second,) = arrive(door, PENDING), arrive(door, PENDING, event="2")
    for key in (first, second):
        run(key, Provider(PHOTO))

    assert len(objects(bucket)) == 2
    assert shown(first) == shown(second)


def test_one_file_that_is_not_to_be_had_costs_no_other(bucket, door):
    first, second = arrive(door, PENDING, Attachment("b.txt", "text/plain", provider_ref="2"))

    assert run(first, Provider(GONE)) is FileState.UNAVAILABLE
    assert run(second, Provider(b"hello")) is FileState.STORED

    assert (shown(first).state, shown(first).reason) == ("unavailable", "gone")
    assert shown(second).media_type == "text/plain"
    (told,) = events_of(first, EventKind.ATTACHMENT_UNAVAILABLE)
    assert (told["reason"], told["detail"]) == ("gone", "404 from telegram")


def test_what_may_come_later_is_tried_until_the_last_time(bucket, door, dump):
    (key,) = arrive(door, PENDING)
    records = dump()
    for tries in range(1, MOST_TRIES):
        with pytest.raises(NotFetchedYetError, match="no answer in time"):
            run(key, Provider(DOWN), tries)
    assert dump() == records

    assert run(key, Provider(DOWN), MOST_TRIES) is FileState.UNAVAILABLE
    assert shown(key).reason == "unreachable"


def test_a_provider_that_comes_back_has_its_file_taken(bucket, door):
    (key,) = arrive(door, PENDING)
    with pytest.raises(NotFetchedYetError):
        run(key, Provider(DOWN))

    assert run(key, Provider(PHOTO), 2) is FileState.STORED


def test_a_process_that_died_on_every_try_gives_up_without_another(bucket, door):
    (key,) = arrive(door, PENDING)
    provider = Provider(PHOTO)

    assert run(key, provider, MOST_TRIES + 1) is FileState.UNAVAILABLE
    assert provider.asked == 0


def test_a_picture_that_kills_the_process_is_kept_without_a_thumbnail(bucket, door):
    (key,) = arrive(door, PENDING)

    assert run(key, Provider(PHOTO), tries=3) is FileState.STORED
    assert (shown(key).thumbnail, objects(bucket)) == ("", [f"attachments/{DIGEST}"])


def test_a_picture_that_nobody_can_read_is_kept_all_the_same(bucket, door):
    (key,) = arrive(door, PENDING)
    damaged = PHOTO[:60]

    assert run(key, Provider(damaged)) is FileState.STORED
    assert (shown(key).media_type, shown(key).thumbnail) == ("image/png", "")


def test_a_page_that_claims_to_be_a_picture_is_served_as_bytes(bucket, door):
    (key,) = arrive(door, PENDING)
    run(key, Provider(b"<html><script>alert(1)</script>"))

    file = shown(key)
    assert (file.media_type, file.thumbnail) == ("text/html", "")
    stored = bucket.head_object(Bucket=BUCKET, Key=f"attachments/{file.digest}")
    assert stored["ContentType"] == "application/octet-stream"
    url = sign_links(BUCKET, file).url
    assert "response-content-type=application%2Foctet-stream" in url
    assert "response-content-disposition=attachment" in url


def test_a_program_is_flagged(bucket, door):
    (key,) = arrive(door, Attachment("invoice.pdf", "application/pdf", provider_ref="1"))
    run(key, Provider(b"MZ\x90\x00"))
    assert shown(key).is_executable


def test_a_file_that_came_within_a_mail_is_looked_at_where_it_is(bucket, door):
    bucket.put_object(Bucket=BUCKET, Key=f"attachments/{DIGEST}", Body=PHOTO)
    kept = Attachment("a.png", "image/png", len(PHOTO), DIGEST, "stored")
    (key,) = arrive(door, kept, channel=Channel.EMAIL, provider="ses")
    provider = Provider(GONE)

    assert run(key, provider) is FileState.STORED

    assert (provider.asked, shown(key).digest) == (0, DIGEST)
    assert objects(bucket) == [f"attachments/{DIGEST}", f"thumbnails/{shown(key).thumbnail}"]


def upload(bucket, door, content=PHOTO):
    if content is not None:
        bucket.put_object(Bucket=BUCKET, Key="uploads/u1", Body=content)
    waiting = Attachment("a.png", "image/png", len(PHOTO), provider_ref="uploads/u1")
    (key,) = arrive(door, waiting, channel=Channel.WEB, provider="form")
    return key


def test_an_upload_is_taken_over_from_our_own_bucket_and_deleted(bucket, door):
    key = upload(bucket, door)

    assert run(key, Provider(GONE)) is FileState.STORED
    assert objects(bucket) == [f"attachments/{DIGEST}", f"thumbnails/{shown(key).thumbnail}"]


def test_an_upload_that_is_too_large_or_never_came_is_unavailable(bucket, door):
    key = upload(bucket, door, b"x" * (MOST + 1))
    assert run(key, Provider(GONE)) is FileState.UNAVAILABLE
    assert (shown(key).reason, objects(bucket)) == ("too_large", [])


def test_an_upload_that_never_came_is_waited_for(bucket, door):
    key = upload(bucket, door, None)
    with pytest.raises(NotFetchedYetError):
        run(key, Provider(GONE))
    assert run(key, Provider(GONE), MOST_TRIES) is FileState.UNAVAILABLE
    assert shown(key).reason == "gone"


def test_no_provider_can_name_a_file_of_our_own_bucket(bucket, door):
    bucket.put_object(Bucket=BUCKET, Key="uploads/secret", Body=b"secret")
    (key,) = arrive(door, Attachment("a", "text/plain", provider_ref="uploads/secret"))

    run(key, Provider(GONE))

    assert shown(key).state == "unavailable"
    assert objects(bucket) == ["uploads/secret"]


@pytest.mark.parametrize("entry", ["", "rubbish", "a~b~c~0", "a~b~c~x", "a~b~c~99999"])
def test_an_entry_that_names_nothing_is_dropped_with_a_warning(bucket, door, entry):
    assert run(entry, Provider(PHOTO)) is None


def test_an_entry_for_an_attachment_that_the_message_lacks_is_dropped(bucket, door):
    (key,) = arrive(door, PENDING)
    assert run(f"{str(key)[:-1]}7", Provider(PHOTO)) is None


# ---------------------------------------------------------------- crashes and redeliveries


@contextmanager
def crash_at_s3_call(number, *, after):
    """Let the *number*-th call of S3 die, before or after it took effect."""
    calls = []
    original = BaseClient._make_api_call

    def dying(self, operation, arguments):
        if self.meta.service_model.service_name != "s3":
            return original(self, operation, arguments)
        calls.append(operation)
        if len(calls) == number and not after:
            raise KeyboardInterrupt
        answer = original(self, operation, arguments)
        if len(calls) == number:
            raise KeyboardInterrupt
        return answer

    BaseClient._make_api_call = dying
    try:
        yield calls
    finally:
        BaseClient._make_api_call = original


def end_state(bucket, key):
    file = cases.read_file(key.case_id)
    kinds = [str(event.kind) for event in file.events]
    return objects(bucket), file.files, kinds, file.case.seq


@pytest.mark.parametrize("is_upload", [False, True], ids=["fetched", "uploaded"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", range(1, 5))
@pytest.mark.parametrize("crash", [crash_at_call, crash_at_s3_call], ids=["store", "bucket"])
def test_dying_anywhere_leaves_the_same_end_after_the_next_try(
    bucket, door, crash, number, after, is_upload
):
    key = upload(bucket, door) if is_upload else arrive(door, PENDING)[0]
    with suppress(UnavailableError, KeyboardInterrupt), crash(number, after=after):
        run(key, Provider(PHOTO))

    assert run(key, Provider(PHOTO), tries=2) is FileState.STORED

    names, files, kinds, seq = end_state(bucket, key)
    assert names == [f"attachments/{DIGEST}", f"thumbnails/{files[0].thumbnail}"]
    assert files == (
        FileOutcome(
            key.message_id,
            0,
            FileState.STORED,
            DIGEST,
            len(PHOTO),
            "image/png",
            thumbnail=files[0].thumbnail,
        ),
    )
    assert kinds.count("attachment_stored") == 1
    assert seq == len(kinds)


TRIES = st.lists(st.tuples(st.integers(0, 1), st.sampled_from(["give", "down", "die"])), max_size=5)


@settings(
    max_examples=10 * DEPTH,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(TRIES)
def test_any_number_and_order_of_deliveries_ends_the_same(bucket, door, tries):
    answers = {"give": PHOTO, "down": DOWN, "die": KeyboardInterrupt()}
    number = str(next(_numbers))
    keys = arrive(door, PENDING, PENDING, event=number, user=number)
    for which, answer in [*tries, (0, "give"), (1, "give")]:
        with suppress(NotFetchedYetError, KeyboardInterrupt):
            run(keys[which], Provider(answers[answer]))

    names, files, kinds, seq = end_state(bucket, keys[0])
    assert names == [f"attachments/{DIGEST}", f"thumbnails/{files[0].thumbnail}"]
    assert [(file.index, file.digest) for file in files] == [(0, DIGEST), (1, DIGEST)]
    assert kinds.count("attachment_stored") == 2
    assert seq == len(kinds)


# ---------------------------------------------------------------- around it


def stream_image(dump, direction):
    return next(i for i in dump() if i.get("direction", {}).get("S") == direction)


def test_the_relay_queues_each_file_of_an_inbound_message_by_itself(bucket, door, dump):
    keys = arrive(door, PENDING, PENDING)
    queued = []

    image, wanted = stream_image(dump, "inbound"), []
    relay_record(image, None, queued.append, None, None, None, wanted.append)

    assert queued == [str(key) for key in keys]
    assert [f"{one}~0" for one in wanted] == queued[:1]


def test_the_relay_queues_nothing_for_a_message_without_files(bucket, door, dump):
    receive(sms("+8613800138000"), door)
    queued = []

    image, wanted = stream_image(dump, "inbound"), []
    relay_record(image, None, queued.append, None, None, None, wanted.append)

    assert (queued, len(wanted)) == ([], 1)


def test_the_queue_brings_an_entry_back_as_often_as_it_is_tried_and_a_few_times_more():
    resources = YAML(typ="safe", pure=True)
    resources.constructor.add_multi_constructor("!", lambda loader, suffix, node: None)
    queue = resources.load((ROOT / "infra" / "media.yaml").read_text())["Resources"]["MediaQueue"]
    receives = queue["Properties"]["RedrivePolicy"]["maxReceiveCount"]

    assert receives == MOST_TRIES + 3
    assert sum(PAUSES, timedelta()) < timedelta(
        seconds=queue["Properties"]["MessageRetentionPeriod"]
    )
    assert [pause_after(n) for n in range(1, 12)] == [*PAUSES, *[PAUSES[-1]] * 4]


def test_the_shipped_limits_are_told_for_each_channel():
    limits = load_media_limits(ROOT / "config")
    assert limits[Channel.MESSENGER] == 25_000_000
    assert limits.keys() == set(Channel)


@pytest.mark.parametrize("number", ["0", "101", "-1", "2.5", "many", "[1]"])
def test_a_limit_that_cannot_be_kept_is_refused_with_its_line(tmp_path, number):
    lines = [f"  {channel}: {number if channel == 'sms' else 5}" for channel in Channel]
    (tmp_path / "media.yaml").write_text("\n".join(["most_megabytes:", *lines]))

    with pytest.raises(InvalidConfigError, match=r"media\.yaml:\d: most_megabytes\.sms: write a"):
        load_media_limits(tmp_path)


def fetch(provider, reference, **secrets):
    """Fetch without a network: only what is refused before anybody is asked."""
    sent = message(
        Channel.MESSENGER, provider, proven(telegram("42")), "", "1", attachments=(PENDING,)
    )
    kept = sent_message(sent)

    def resolve(name, account):
        if not secrets:
            raise MissingSecretError("telegram has no bot_token; see docs/channels.md")
        return Credentials(name, secrets)

    providers = Providers(resolve, lambda name, credentials: None, system_network())
    attachment = Attachment("a", "image/png", provider_ref=reference)
    return fetch_from_provider(kept, attachment, MOST, providers)


def sent_message(sent):
    return keep_message(sent, "case", "customer", "message", NOON)


def test_a_provider_whose_files_nobody_can_fetch_is_told_so():
    assert fetch("aliyun", "1") == Missed(
        Shortfall.NO_SOURCE, "no file can be fetched from aliyun", is_final=True
    )


def test_without_a_secret_the_queue_waits_for_ops():
    missed = fetch("telegram", "1")
    assert (missed.reason, missed.is_final) == (Shortfall.REFUSED, False)


def test_an_address_off_the_list_is_not_asked():
    missed = fetch("meta", "https://evil.example/x.jpg", access_token="t")
    assert (missed.reason, missed.is_final) == (Shortfall.NOT_ALLOWED, True)
    assert json.dumps(missed.detail) == (
        "\"the host 'evil.example' is not on the list of this provider's\""
    )


def test_a_host_that_ops_added_is_on_the_list():
    missed = fetch("meta", "https://localhost/x.jpg", access_token="t", media_hosts=["LocalHost"])
    assert missed.detail == "the host 'localhost' is not at a public address"
