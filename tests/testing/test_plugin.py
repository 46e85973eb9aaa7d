"""`testing/plugin.py`, as its users have it: their tests, in a pytest of their own."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "howto" / "test-a-program.md").read_text()

BREAKS_THE_BOOKS = """
def test_nothing_is_asserted(ilp_network):
    alice, hub = ilp_network("USD", "USD")
    alice.pay(hub, "1 USD")
    hub.node.ledger.find("peer/node0", alice.asset).debits_posted += 1
"""


def run_pytest(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "addopts=", *map(str, words)]
    return subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_the_page(tmp_path: Path) -> None:
    """Its blocks as one file: two tests, each with twenty seeds."""
    (tmp_path / "test_page.py").write_text("\n".join(re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)))
    done = run_pytest(tmp_path)
    assert "40 passed" in done.stdout, done.stdout


@pytest.mark.slow
def test_books_are_judged_whatever_a_test_asserts(tmp_path: Path) -> None:
    (tmp_path / "test_books.py").write_text(BREAKS_THE_BOOKS)
    done = run_pytest(tmp_path)
    assert "1 passed, 1 error" in done.stdout
    assert "node0 says that node1 owes it" in done.stdout
