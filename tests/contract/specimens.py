"""Every door at which a provider proves itself; a provider of the registries has to be here."""

import pytest

from tests.contract import mail, messengers, sms

SPECIMENS = (*sms.SPECIMENS, *messengers.SPECIMENS, *mail.SPECIMENS)
VERIFIED = tuple(one for one in SPECIMENS if "verify" not in one.lacks)


def every(specimens):
    """A test for each of *specimens*, named by it."""
    return pytest.mark.parametrize("specimen", specimens, ids=lambda one: one.name)


def every_delivery(*kinds):
    """A test for each delivery of these kinds."""
    found = [(one, kind) for one in SPECIMENS for kind in one.deliveries if kind in kinds]
    names = [f"{one.name}-{kind}" for one, kind in found]
    return pytest.mark.parametrize(("specimen", "kind"), found, ids=names)
