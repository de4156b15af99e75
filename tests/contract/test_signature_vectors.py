"""Every signature that others verified is judged as they judge it, or is named with its reason."""

from collections import Counter

from tests.contract import signature_vectors as checks
from tests.contract.vector_payloads import NOT_OURS
from tests.vectors import VECTORS, needs_vectors, read_json, signature_vectors

pytestmark = needs_vectors

# The doors of a folder, each with the fewest it has to be given of each kind.
DOORS = {
    "line": [(checks.check_line, {"valid": 4, "invalid": 4})],
    "mailgun": [(checks.check_mailgun, {"valid": 1})],
    "meta": [(checks.check_meta, {"valid": 1, "excluded: not told as it was sent": 1})],
    "qqbot": [(checks.check_qq, {"event": 2, "challenge": 1, "key": 1})],
    "sendgrid": [(checks.check_sendgrid, {"valid": 1})],
    "sns-http": [(checks.check_sns, {"signed message": 7})],
    "twilio": [(checks.check_twilio, {"valid": 15, "invalid": 2})],
    "vonage": [(checks.check_vonage, {"valid": 14, "invalid": 1})],
    "wechat": [
        (checks.check_wechat, {"sha1-sorted-concat": 1, "encrypt": 1, "plain-signature": 1}),
        (checks.check_wecom, {"valid": 3, "invalid": 1}),
    ],
}


def signed_in(folder):
    """The vectors of a folder, by what names them: each by itself, or each signed message."""
    if (folder / "signature_vectors.json").is_file():
        return {vector["id"]: vector for vector in signature_vectors(folder)}
    manifest = folder / "manifest.json"
    files = read_json(manifest)["files"] if manifest.is_file() else []
    return {entry["file"]: entry for entry in files if "certificate" in entry}


def test_every_signature_vector_gives_what_it_should_or_is_named(subtests):
    counts, named = Counter(), []
    for folder in sorted(path for path in VECTORS.iterdir() if path.is_dir()):
        vectors, became = signed_in(folder), {}
        if folder.name in NOT_OURS:
            became = {name: [f"excluded: {NOT_OURS[folder.name]}"] for name in vectors}
        for check, fewest in DOORS.get(folder.name, []):
            kinds = Counter()
            for name, vector in vectors.items():
                with subtests.test(f"{folder.name}: {name}"):
                    found = check(vector)
                    kinds[found.partition(",")[0]] += 1
                    became.setdefault(name, []).append(found)
            print(f"{folder.name:<20}{check.__name__}: {dict(kinds)}")
            assert all(kinds[kind] >= least for kind, least in fewest.items()), folder.name
        assert set(became) == set(vectors), f"{folder.name} has no check for these"
        for name, found in became.items():
            is_excluded = all(one.startswith("excluded") for one in found)
            counts["excluded" if is_excluded else "checked"] += 1
            if is_excluded:
                named.append(f"{folder.name:<20}{name:<40}{found[0]}")
    print(*named, dict(counts), sep="\n")
    assert counts["checked"] + counts["excluded"] >= 108
    assert counts["excluded"] < 30
