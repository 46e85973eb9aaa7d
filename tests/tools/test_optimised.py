"""K7: the money core keeps its promises under `python -O -X dev`: nothing rests on an `assert`, all is closed."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tools.source import ROOT

CORE = (
    "tests/accounts/test_ledger.py", "tests/accounts/test_unproven.py",
    "tests/connector/test_forward.py", "tests/store/test_group_commit.py", "tests/store/test_replay.py",
    "tests/node/test_settlement_engines.py",
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.pure
def test_K7_the_money_core_under_O_and_in_development_mode() -> None:
    ignored = "ignore::pytest.PytestConfigWarning"  # pytest's own, that `assert` is off elsewhere
    command = [
        sys.executable,
        "-O",
        "-X",
        "dev",
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "-m",
        "not slow",
        "-W",
        ignored,
        *CORE,
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3_000:] + done.stderr[-3_000:]
    assert " passed" in done.stdout
