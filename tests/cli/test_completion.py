"""Shell completion: a script for each shell, and what it is answered."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

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


SOURCED = {
    "bash": """source "$1"; COMP_WORDS=(ilp account sh); COMP_CWORD=2; {function} ilp; echo "${{COMPREPLY[@]}}" """,
    "zsh": """autoload -U compinit; compinit -u; . "$1"; words=(ilp account sh); CURRENT=3
        _describe() {{ print -l -- ${{(P)3%%:*}} }}; compadd() {{ print -l -- $completions }}; {function}""",
    "fish": """source $argv[1]; complete --do-complete "ilp account sh" | string split -f1 \\t""",
}
"""What a shell is told: read the script, then complete `ilp account sh`."""


@pytest.mark.parametrize("shell", sorted(SOURCED))
def test_a_real_shell_completes(shell: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program = shutil.which(shell)
    if program is None and "ILP_REQUIRE_INTEROP" not in os.environ:
        pytest.skip(f"{shell} is not installed")
    assert program is not None
    assert run(["completion", shell], {}) == 0
    script = tmp_path / "ilp-completion"
    script.write_text(capsys.readouterr().out)
    ilp = tmp_path / "ilp"
    ilp.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m interledger "$@"\n')
    ilp.chmod(0o755)
    environ = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    said = SOURCED[shell].format(function="_ilp_completion")
    done = subprocess.run(
        [program, "-c", said, shell, str(script)] if shell != "fish" else [program, "-c", said, str(script)],
        env=environ, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stdout.split() == ["show"], done.stderr
