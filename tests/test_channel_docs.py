"""The setting-up pages name every provider there is: a new one without a page fails here."""

import pytest

from caseweave.channels.mail_registry import MAIL
from caseweave.channels.registry import MESSENGERS, SENDERS, SENT_BY_AWS, SMS
from caseweave.channels.setting_up import FIELDS
from caseweave.cli.doctor.examine import NAMES
from caseweave.cli.send import COMMANDS
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "channels.md").read_text()
FOLDER = ROOT / "docs" / "channels"
PATHS = {
    **{name: f"/intake/sms/{name}" for name in SMS},
    **{name: f"/intake/messenger/{name}" for name in MESSENGERS},
    **dict.fromkeys(MAIL, "/intake/mail/<provider>"),
}
PAGES = [*PATHS, "connect", "ses", "web"]
HEADINGS = [
    "## At the provider",
    "## Webhook URL",
    "## Secrets",
    "## How to test",
    "## Not supported",
]
# By which command the page's customer writes, where that has another name than the page.
PLAYED_BY = {"web": "chat"}
# Whose fields a page names, where the parameter has another name.
PARAMETERS = {"web": "human_check"}


def page_of(name):
    return (FOLDER / f"{name}.md").read_text()


def section(page, heading):
    return page.partition(f"\n{heading}\n")[2].partition("\n## ")[0]


def row_of(name):
    rows = [line for line in PAGE.splitlines() if line.startswith("|") and PATHS[name] in line]
    assert len(rows) == 1, name
    return rows[0]


@pytest.mark.parametrize("name", PATHS)
def test_every_provider_has_its_row_and_the_page_its_address(name):
    assert f"(channels/{name}.md)" in row_of(name)
    assert PATHS[name].replace("<provider>", name) in section(page_of(name), "## Webhook URL")


def test_there_is_no_page_of_nobody_and_each_is_pointed_to():
    assert {path.stem for path in FOLDER.glob("*.md")} == {*PAGES}
    assert [name for name in PAGES if f"(channels/{name}.md)" not in PAGE] == []


@pytest.mark.parametrize("name", PAGES)
def test_every_page_answers_the_same_questions_in_the_same_order(name):
    lines = page_of(name).splitlines()

    assert [line for line in lines if line in HEADINGS] == HEADINGS
    assert all(section(page_of(name), heading).strip() for heading in HEADINGS)


@pytest.mark.parametrize("name", PAGES)
def test_every_field_of_the_parameter_is_named_with_the_secrets(name):
    page = page_of(name)

    missing = [
        field.name
        for field in FIELDS.get(PARAMETERS.get(name, name), ())
        if f'"{field.name}"' not in page and f"`{field.name}`" not in page
    ]

    assert missing == []


@pytest.mark.parametrize("name", PAGES)
def test_every_page_says_how_to_examine_and_how_to_play_it(name):
    tested = section(page_of(name), "## How to test")

    assert name in NAMES
    assert f"caseweave doctor {name}" in tested
    command = PLAYED_BY.get(name, name)
    assert command in COMMANDS
    assert f"caseweave send {command} " in tested


@pytest.mark.parametrize("name", {**SMS, **MESSENGERS})
def test_the_page_says_truly_whether_answers_can_leave(name):
    assert ("no free text" in row_of(name)) == (name not in {*SENDERS, *SENT_BY_AWS})
