"""The table of docs/channels.md: for each provider, the test that proves each thing it can do.

`python -m tests.contract.table` writes it; `test_table.py` fails when it is stale, or names a test
that is not there.
"""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from tests.contract.specimen import Specimen
from tests.contract.specimens import SPECIMENS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "channels.md"
BEGIN = "<!-- what is proved: written by `python -m tests.contract.table` -->"
END = "<!-- end of what is proved -->"
INTRODUCTION = """
## What is proved, and by which test

Written from the registries and `tests/contract/`; each link names its test when you point at it.
"""
COLUMNS = ("verify", "parse", "media", "receipts", "send", "edits")
_DELIVERIES = "tests/contract/test_deliveries.py"
_ANSWERS = (
    "tests/contract/test_answers.py::test_an_answer_to_a_message_is_a_request_to_its_provider"
)
_CHANNELS, _USECASES = "tests/channels", "tests/usecases"
_WEB = f"{_USECASES}/test_web_intake.py"

# What is sent in another way than by a request that an adapter builds.
_SENT = {
    "aws": f"{_USECASES}/test_sending_by_aws.py::test_what_aws_takes_has_its_id",
    "twilio-voice": f"{_ANSWERS}[twilio]",
}
_NOT_SENT = {
    "aliyun": "no free text there",
    "tencent": "no free text there",
    "mailgun": "by SES",
    "postmark": "by SES",
    "sendgrid": "by SES",
}
# What comes by another way than a webhook that an adapter verifies.
_OTHERS: dict[str, tuple[str, ...]] = {
    "ses": (
        f"{_CHANNELS}/test_ses.py::test_only_the_verdict_of_ses_proves_or_refutes_an_address",
        f"{_CHANNELS}/test_ses.py::test_a_mail_becomes_a_message",
        f"{_CHANNELS}/test_ses.py::test_a_mail_becomes_a_message",
        f"{_CHANNELS}/test_ses_events.py::test_each_kind_of_event_is_a_receipt",
        f"{_CHANNELS}/test_ses.py::test_an_agents_answer_lands_in_the_customers_thread",
        "a mail cannot be edited or taken back",
    ),
    "web form": (
        f"{_WEB}::test_a_sign_in_that_does_not_hold_is_refused_not_taken_as_anonymous",
        f"{_WEB}::test_a_form_becomes_a_case_with_its_fields",
        f"{_WEB}::test_a_claimed_upload_is_a_pending_attachment",
        "the page fetches",
        f"{_USECASES}/test_sending.py::test_an_answer_on_the_page_is_there_to_be_fetched_whole",
        "a form is sent once",
    ),
    "live chat": (
        f"{_WEB}::test_a_forged_session_is_nobodys",
        f"{_WEB}::test_a_chat_starts_goes_on_and_is_read_from_where_the_page_is",
        f"{_WEB}::test_a_claimed_upload_is_a_pending_attachment",
        "the page fetches",
        f"{_USECASES}/test_sending.py::test_an_answer_on_the_page_is_there_to_be_fetched_whole",
        "the page offers none",
    ),
    "connect": (
        "IAM: only EventBridge may call",
        f"{_CHANNELS}/test_connect.py::test_a_call_is_a_message_whose_number_is_only_claimed",
        "recordings stay in Connect",
        "its agents answer there",
        "its agents answer there",
        "a contact cannot be edited",
    ),
}


def rows() -> Iterator[tuple[str, list[list[str]]]]:
    """Each provider, and of each column the ids of its tests, or one reason why there is none."""
    for specimen in SPECIMENS:
        yield specimen.name, [_find(specimen, column) for column in COLUMNS]
    for name, cells in _OTHERS.items():
        yield name, [[cell] for cell in cells]


def _find(specimen: Specimen, column: str) -> list[str]:
    if column == "verify":
        test = "tests/contract/test_signatures.py::test_a_genuine_request_is_accepted"
        return [specimen.lacks.get("verify") or f"{test}[{specimen.name}]"]
    if column == "send":
        known = _SENT.get(specimen.name) or _NOT_SENT.get(specimen.name)
        return [known or f"{_ANSWERS}[{specimen.name}]"]
    if column == "parse":
        message = "test_a_message_is_one_message_of_somebody_who_can_be_told_apart"
        batch = "test_a_batch_is_all_of_its_messages_each_under_an_id_of_its_own"
        found = [f"{_DELIVERIES}::{message}[{specimen.name}]"]
        if "batch" in specimen.deliveries:
            found.append(f"{_DELIVERIES}::{batch}[{specimen.name}-batch]")
        return found
    kind, test = {
        "media": ("media", "test_a_file_stands_by_its_message_to_be_fetched_or_is_here"),
        "receipts": ("receipt", "test_a_receipt_names_our_message_and_what_became_of_it"),
        "edits": ("edit", "test_an_edit_or_a_deletion_is_a_remark_about_the_message_it_means"),
    }[column]
    return [specimen.lacks.get(kind) or f"{_DELIVERIES}::{test}[{specimen.name}-{kind}]"]


def named_tests() -> set[str]:
    """Every test that the table names."""
    return {cell for _, cells in rows() for cell in chain(*cells) if _is_test(cell)}


def _is_test(cell: str) -> bool:
    return cell.startswith("tests/")


def render() -> str:
    """The part of the page, markers included."""
    lines = [f"| provider | {' | '.join(COLUMNS)} |", f"| --- |{' --- |' * len(COLUMNS)}"]
    for name, cells in rows():
        shown = (", ".join(map(_show, cell)) for cell in cells)
        lines.append(f"| {name} | {' | '.join(shown)} |")
    table = "\n".join(lines)
    return f"{BEGIN}\n{INTRODUCTION}\n{table}\n\n{END}\n"


def _show(cell: str) -> str:
    if not _is_test(cell):
        return cell
    path, _, test = cell.partition("::")
    word = "a batch" if "_a_batch_" in test else "proved"
    return f'[{word}](../{path} "{test}")'


def place(page: str) -> str:
    """*page* with the table as it has to be, at the end if it had none."""
    before, begin, rest = page.partition(BEGIN)
    after = rest.partition(f"{END}\n")[2] if begin else ""
    return f"{before.rstrip()}\n\n{render()}{after}"


if __name__ == "__main__":
    PAGE.write_text(place(PAGE.read_text("utf-8")), "utf-8")
