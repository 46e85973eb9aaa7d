"""Shell completion: a script for each shell, and what it is answered."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from interledger.cli.main import run


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_for_each_shell(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", shell], {}) == 0
    out = capsys.readouterr().out
    assert f"_ILP_COMPLETE={shell}_complete" in out
    assert run(["completion", "csh"], {}) == 2


@pytest.mark.parametrize(
    ("typed", "found"),
    [("acc", {"account"}), ("account sh", {"show"}), ("context a", {"add"}), ("completion z", {"zsh"})],
)
def test_words_are_completed(typed: str, found: set[str]) -> None:
    words = ["ilp", *typed.split()]
    environ = os.environ | {
        "_ILP_COMPLETE": "bash_complete", "COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1),
    }  # fmt: skip
    code = "from interledger.cli.main import main; main()"
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
    assert {line.partition(",")[2] for line in done.stdout.split()} == found
