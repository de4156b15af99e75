"""All that others collected, folder by folder: nothing falls over, nothing is dropped unseen."""

from collections import Counter, defaultdict
from functools import cache

import pytest

from caseweave.errors import UnparseableError
from caseweave.http import read_request
from tests.contract.specimens import SPECIMENS
from tests.contract.vector_payloads import NOT_OURS, classify
from tests.vectors import VECTORS, needs_vectors, read_json

pytestmark = needs_vectors

# The kinds that messages, receipts and what is kept beside them cannot be.
NEVER = {"number change": 0, "hint": 0}
# Of the folders that start so: the fewest of each kind; 0 where there is none at all.
FEWEST = {
    ("email/",): {"message": 550},
    ("email/sisimai-bounces/",): {"receipt": 457},
    ("line/",): {"message": 20},
    ("meta/bottender-", "meta/chatwoot-"): {"message": 10, "ignored": 5, "empty": 0},
    ("meta/netflie-", "meta/pywa-"): {"message": 10, "receipt": 10, "empty": 0},
    ("telegram/",): {"message": 20, "ignored": 4, **NEVER},
    ("twilio/",): {"message": 5, "receipt": 3, **NEVER},
    ("vonage/",): {"message": 4, "receipt": 1, "empty": 0},
    ("wechat/wechatpy-wecom/", "wechat/wxjava-wecom"): {"message": 4, "ignored": 4, **NEVER},
}


@cache
def roles():
    """What the manifests say of each mail's file."""
    return {
        manifest.parent / entry["file"]: entry["role"]
        for manifest in (VECTORS / "email").rglob("manifest.json")
        for entry in read_json(manifest)["files"]
    }


def outcome(path):
    folder = path.relative_to(VECTORS).parts[0]
    if folder == "email" and roles().get(path) in ("expected", "attachment-reference"):
        return ["no payload: says how a mail should be read"]
    return classify(folder, path)


@cache
def outcomes():
    """What every event of every file becomes, by the path in the collection."""
    return {
        path.relative_to(VECTORS).as_posix(): outcome(path)
        for path in sorted(VECTORS.rglob("*"))
        if path.is_file()
    }


def kinds_below(*starts):
    return Counter(
        name.partition(":")[0]
        for path, names in outcomes().items()
        for name in names
        if path.startswith(starts)
    )


def test_every_file_becomes_something_that_can_be_counted():
    report, reasons = defaultdict(Counter), Counter()
    for path, found in outcomes().items():
        assert found, path
        folder = path.partition("/")[0]
        report[folder]["files"] += 1
        for name in found:
            kind, _, reason = name.partition(": ")
            report[folder][kind] += 1
            if reason:
                reasons[f"{folder}: {name}"] += 1
    columns = sorted({kind for counts in report.values() for kind in counts})
    print(f"{'folder':<20}" + "".join(f"{column:>14}" for column in columns))
    for folder, counts in sorted(report.items()):
        print(f"{folder:<20}" + "".join(f"{counts[column]:>14}" for column in columns))
    total = sum(report.values(), Counter())
    print(f"{'all':<20}" + "".join(f"{total[column]:>14}" for column in columns))
    for reason, count in sorted(reasons.items()):
        print(f"{count:>6} {reason}")
    assert total["files"] == sum(path.is_file() for path in VECTORS.rglob("*"))
    # A bounce of a mail of ours is a report on it.
    assert total["message"] + total["receipt"] > 1000
    assert total["quarantined"] <= 10
    for folder in set(report) - set(NOT_OURS) - {"README.md", "aws-lambda-events", "ses", "qqbot"}:
        kept = sum(report[folder][kind] for kind in ("message", "receipt", "remark", "ignored"))
        assert kept, folder


@pytest.mark.parametrize(
    ("starts", "fewest"), FEWEST.items(), ids=lambda one: one[0] if isinstance(one, tuple) else ""
)
def test_each_provider_has_its_share(starts, fewest):
    found = kinds_below(*starts)

    print(*starts, dict(found))
    for kind, least in fewest.items():
        assert found[kind] >= least if least else found[kind] == 0, kind


def test_every_message_of_every_page_of_wecom_is_a_message():
    assert kinds_below("wechat/wecom-kf-sync_msg/") == {"message": 7}


def test_every_rest_event_of_the_gateway_is_a_request():
    events = map(read_json, (VECTORS / "aws-lambda-events").rglob("*.json"))
    requests = [
        read_request(event) for event in events if isinstance(event, dict) and "httpMethod" in event
    ]

    assert len(requests) >= 1
    assert all(name == name.lower() for request in requests for name in request.headers)


def test_no_door_falls_over_what_was_meant_for_another():
    bodies = [path.read_bytes() for path in VECTORS.rglob("*") if is_small_payload(path)]
    assert len(bodies) > 300
    counts = Counter()
    for specimen in SPECIMENS:
        for body in bodies:
            request = type(specimen.deliveries["message"])(
                body, specimen.deliveries["message"].headers
            )
            try:
                counts["understood"] += len(specimen.parse(request)) > 0
            except UnparseableError:
                counts["unparseable"] += 1
    print(dict(counts))


def is_small_payload(path):
    is_mail = "email" in path.parts
    return path.is_file() and not is_mail and path.stat().st_size < 50_000
