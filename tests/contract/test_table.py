"""The table of what is proved cannot go stale."""

import subprocess
import sys

from tests.conftest import ROOT
from tests.contract import table


def test_the_page_has_the_table_as_the_registries_and_specimens_make_it():
    page = table.PAGE.read_text("utf-8")

    assert table.place(page) == page, "write it anew: python -m tests.contract.table"
    assert page.count(table.BEGIN) == page.count(table.END) == 1


def test_a_page_without_the_table_gets_it_and_what_stands_behind_it_stays():
    once = table.place("# Page\n")

    assert once == f"# Page\n\n{table.render()}"
    assert table.place(f"# Page\n\n{table.BEGIN}\nold\n{table.END}\nbehind\n") == f"{once}behind\n"


def test_every_test_that_the_table_names_is_there():
    named = table.named_tests()
    files = sorted({one.partition("::")[0] for one in named})
    listed = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *files],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    known = {*listed, *(one.partition("[")[0] for one in listed)}

    assert named - known == set()
    assert len(named) > 60
