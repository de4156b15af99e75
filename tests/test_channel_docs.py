"""The setting-up pages name every provider there is: a new one without a page fails here."""

import pytest

from caseweave.channels.mail_registry import MAIL
from caseweave.channels.registry import MESSENGERS, SENDERS, SENT_BY_AWS, SMS
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "channels.md").read_text()
PATHS = {
    **{name: f"/intake/sms/{name}" for name in SMS},
    **{name: f"/intake/messenger/{name}" for name in MESSENGERS},
    **dict.fromkeys(MAIL, "/intake/mail/<provider>"),
}
# The first ones are described on the page itself.
ON_THE_PAGE = {"telegram"}


def row_of(name):
    rows = [line for line in PAGE.splitlines() if line.startswith("|") and PATHS[name] in line]
    assert len(rows) == 1, name
    return rows[0]


@pytest.mark.parametrize("name", PATHS)
def test_every_provider_has_its_row_and_its_page(name):
    row = row_of(name)

    if name in ON_THE_PAGE:
        assert "| below |" in row
    else:
        assert f"(channels/{name}.md)" in row
        assert (
            PATHS[name].replace("<provider>", name)
            in (ROOT / "docs" / "channels" / f"{name}.md").read_text()
        )


@pytest.mark.parametrize("name", {**SMS, **MESSENGERS})
def test_the_page_says_truly_whether_answers_can_leave(name):
    assert ("no free text" in row_of(name)) == (name not in {*SENDERS, *SENT_BY_AWS})
