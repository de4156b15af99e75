"""One contract for every door that verifies: who does not hold a live secret does not get in.

What does not apply to a provider is in its `lacks`, with the reason; nothing is skipped.
"""

from dataclasses import replace
from datetime import timedelta

import pytest

from caseweave.channels.credentials import Credentials
from caseweave.channels.mail_registry import MAIL
from caseweave.channels.registry import MESSENGERS, SMS, VOICE
from caseweave.errors import InvalidSignatureError, MissingSecretError
from tests.contract.specimen import CHECKS, KINDS
from tests.contract.specimens import SPECIMENS, VERIFIED, every

MINUTE = timedelta(minutes=1)


def is_admitted(specimen, request, credentials=None):
    try:
        specimen.admit(
            specimen, request, credentials or specimen.holding(["new", "old"]), specimen.now()
        )
    except InvalidSignatureError:
        return False
    return True


def applying(check):
    """To every provider that has no reason to lack it."""
    return every([one for one in VERIFIED if check not in one.lacks])


def test_every_provider_of_the_registries_has_a_specimen():
    registered = {*SMS.values(), *MESSENGERS.values(), *VOICE.values(), *MAIL.values()}

    assert {id(one.adapter) for one in SPECIMENS} == {id(module) for module in registered}


@every(SPECIMENS)
def test_what_a_provider_lacks_is_said_with_its_reason(specimen):
    assert all(len(reason) > 10 for reason in specimen.lacks.values())
    assert set(specimen.deliveries) | set(specimen.lacks) >= set(KINDS)
    assert not set(specimen.deliveries) & set(specimen.lacks)
    assert set(specimen.lacks) <= {*KINDS, *CHECKS, "verify"}
    if specimen in VERIFIED:
        assert (specimen.aged is None) == ("time" in specimen.lacks)
        assert (not specimen.owner) == ("owner" in specimen.lacks)


@every(VERIFIED)
def test_a_genuine_request_is_accepted(specimen):
    for kind in specimen.deliveries:
        assert is_admitted(specimen, specimen.signed(kind)), kind


@every(VERIFIED)
def test_a_request_made_with_another_secret_is_refused(specimen):
    for kind in specimen.deliveries:
        request = specimen.signed(kind, "older")
        assert not is_admitted(specimen, request, specimen.holding(["new"]))


@every(VERIFIED)
def test_a_refusal_does_not_say_why(specimen):
    for request in (specimen.signed(secret="older"), specimen.proof.write(specimen.signed(), "x")):
        with pytest.raises(InvalidSignatureError) as refusal:
            specimen.admit(specimen, request, specimen.holding(["new"]), specimen.now())
        assert refusal.value.args == (specimen.adapter.PROVIDER,)


@applying("rotation")
@pytest.mark.parametrize(("secret", "accepted"), [("new", 1), ("old", 1), ("older", 0)])
def test_while_a_secret_is_rotated_both_are_good_and_a_retired_one_is_not(
    specimen, secret, accepted
):
    assert is_admitted(specimen, specimen.signed(secret=secret)) == accepted


@every(VERIFIED)
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda proof: None, id="missing"),
        pytest.param(lambda proof: "", id="empty"),
        pytest.param(lambda proof: " ", id="blank"),
        pytest.param(lambda proof: proof[:-1], id="truncated"),
        pytest.param(lambda proof: proof[: len(proof) // 2], id="half"),
        pytest.param(lambda proof: proof[1:], id="beheaded"),
        pytest.param(lambda proof: proof + "0", id="longer"),
        pytest.param(lambda proof: proof + "=", id="padded"),
        pytest.param(lambda proof: proof.swapcase(), id="other case"),
        pytest.param(lambda proof: proof[:-2] + proof[-2:][::-1] + "x", id="last characters"),
        pytest.param(lambda proof: ("y" if proof[0] == "x" else "x") + proof[1:], id="first"),
        pytest.param(lambda proof: proof + "签名", id="not ASCII"),
        pytest.param(lambda proof: "签" * len(proof), id="nothing ASCII"),
        pytest.param(lambda proof: proof + "\ud800", id="half a surrogate pair"),
        pytest.param(lambda proof: proof + "\0", id="NUL"),
        pytest.param(lambda proof: proof * 10_000, id="giant"),
        pytest.param(lambda proof: "0" * len(proof), id="zeros"),
    ],
)
def test_a_changed_proof_is_refused(specimen, change):
    genuine = specimen.signed()
    forged = specimen.proof.write(genuine, change(specimen.proof.read(genuine)))

    assert not is_admitted(specimen, forged)


@every(VERIFIED)
def test_each_character_of_a_proof_counts(specimen):
    genuine = specimen.signed()
    proof = specimen.proof.read(genuine)
    for at in range(0, len(proof), max(1, len(proof) // 40)):
        other = "B" if proof[at] == "A" else "A"
        forged = specimen.proof.write(genuine, proof[:at] + other + proof[at + 1 :])
        assert not is_admitted(specimen, forged), at


@applying("body")
def test_every_region_of_the_body_is_covered(specimen):
    genuine = specimen.signed()
    for part in specimen.covered(genuine):
        start = genuine.body.index(part)
        step = max(1, len(part) // 25)
        for at in [*range(start, start + len(part), step), start + len(part) - 1]:
            # Not the bit of upper and lower case: `%e8` and `%E8` are the same byte.
            for change in (1, 0x40):
                body = bytearray(genuine.body)
                body[at] ^= change
                assert not is_admitted(specimen, replace(genuine, body=bytes(body))), at


@applying("body")
def test_a_body_that_was_cut_emptied_or_exchanged_is_refused(specimen):
    genuine = specimen.signed()
    other = specimen.signed("media" if "media" in specimen.deliveries else "receipt", "older")
    for body in (b"", b"\xff\0" * 50, genuine.body[: len(genuine.body) // 2], other.body):
        assert not is_admitted(specimen, replace(genuine, body=body))


@applying("time")
def test_what_was_signed_long_ago_is_refused(specimen):
    request = specimen.deliveries["message"]
    ages = [specimen.oldest - MINUTE, timedelta(0), specimen.oldest + MINUTE * 6, timedelta(365)]
    accepted = [is_admitted(specimen, specimen.aged(request, age)) for age in ages]

    assert accepted == [True, True, False, False]
    assert not is_admitted(specimen, specimen.aged(request, timedelta(-2)))


@every(VERIFIED)
@pytest.mark.parametrize("nothing", [None, "", [], [""], [None], 0, False])
def test_a_secret_that_is_not_set_lets_nobody_in_and_says_so(specimen, nothing):
    for name in specimen.required:
        credentials = specimen.holding(["new"], **{name: nothing})
        bare = specimen.proof.write(specimen.signed(), None)
        for request in (specimen.signed(), bare):
            with pytest.raises(MissingSecretError, match=f"{credentials.provider} has no {name}"):
                specimen.admit(specimen, request, credentials, specimen.now())


@every(VERIFIED)
def test_a_provider_that_was_never_set_up_lets_nobody_in(specimen):
    nothing = Credentials(specimen.adapter.PROVIDER, {})

    with pytest.raises(MissingSecretError):
        specimen.admit(specimen, specimen.signed(), nothing, specimen.now())


@applying("rotation")
def test_each_of_several_accounts_has_a_secret_of_its_own_and_no_third_is_good(specimen):
    own = {specimen.owner or "a": specimen.store("new"), "b": specimen.store("old")}
    accounts = {name: {specimen.secret: secret} for name, secret in own.items()}
    credentials = specimen.holding([], accounts=accounts)

    found = [
        is_admitted(specimen, specimen.signed(secret=secret), credentials)
        for secret in ("new", "old", "older")
    ]
    # Where a request names its account, another account's secret proves nothing for it.
    assert found == [True, "owner" in specimen.lacks, False]
