"""The tutorial and some pages do what they say: their commands are run, and the output is compared with what they show.

A block that follows `<!-- run -->` is run. `…` in an expected line stands for anything in that line; a line that is
only `…` for any number of lines; `exit 2` at the end for that exit code. `<!-- run: background, until "text" -->`
starts a command that stays until the page ends, and waits for the text. `<!-- run: again until it fits -->` runs a
command, which only looks, until what it says fits.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.documents import LIMIT_S, Background
from tools.source import ROOT

TUTORIAL = ROOT / "docs" / "tutorial" / "first-payment.md"
ILP = Path(sys.executable).parent / "ilp"
ANVIL = ROOT / "tests" / "interop" / "node_modules" / "@foundry-rs" / "anvil-linux-amd64" / "bin"


class Block(NamedTuple):
    """One marked console block."""

    command: str
    expected: list[str]
    exit_code: int
    until: str | None
    again: bool = False


def blocks(text: str) -> Iterator[Block]:
    mark = r'<!-- run(?:: background, until "([^"]+)"|(: again until it fits))? -->'
    marked = re.compile(mark + r"\n```console\n\$ ([^\n]+)\n(.*?)```", re.DOTALL)
    for until, again, command, output in marked.findall(text):
        lines = output.splitlines()
        code = 0
        if lines and (exit_line := re.fullmatch(r"exit ([0-9]+)", lines[-1])):
            code = int(exit_line[1])
            lines.pop()
        yield Block(command, lines, code, until or None, bool(again))


def fits(expected: list[str], seen: list[str]) -> bool:
    """Whether every line of `seen` is spoken for, in order."""
    parts = []
    for line in expected:
        if line.strip() == "…":
            parts.append(r"(?:[^\n]*\n)*?")
        else:
            parts.append(r"[^\n]*?".join(re.escape(piece) for piece in line.split("…")) + r"[ ]*\n")
    return re.fullmatch("".join(parts), "".join(line + "\n" for line in seen)) is not None


@pytest.mark.parametrize(
    ("expected", "seen", "fit"),
    [
        (["a", "b"], ["a", "b"], True),
        (["a"], ["a", "b"], False),
        (["a", "b"], ["a"], False),
        (["a", "…"], ["a", "b", "c"], True),
        (["…", "c"], ["a", "b", "c"], True),
        (["…"], [], True),
        (["in … s"], ["in 1.4 s"], True),
        (["in … s"], ["in 1.4 ms"], False),
        (["in … s."], ["in 1.4 s"], False),
        (["a.b"], ["axb"], False),
        (["a"], ["a   "], True),
    ],
)
def test_how_output_is_compared(expected: list[str], seen: list[str], fit: bool) -> None:
    assert fits(expected, seen) is fit


def test_marked_blocks_are_found() -> None:
    text = "x\n<!-- run -->\n```console\n$ ilp a 'b c'\nout\nexit 2\n```\n\n```console\n$ no\n```\n"
    text += '<!-- run: background, until "Ready" -->\n```console\n$ ilp up\n```\n'
    text += "<!-- run: again until it fits -->\n```console\n$ ilp look\nout\n```\n"
    assert list(blocks(text)) == [
        Block("ilp a 'b c'", ["out"], 2, None),
        Block("ilp up", [], 0, "Ready"),
        Block("ilp look", ["out"], 0, None, again=True),
    ]


def has_demo() -> bool:
    done = subprocess.run([ILP, "demo", "--help"], capture_output=True, check=False, timeout=LIMIT_S)
    return done.returncode == 0


def follow(page: Path, folder: Path) -> None:
    """Do what the page says, in `folder`."""
    environment = {**os.environ, "NO_COLOR": "1", "COLUMNS": "80", "PYTHONUTF8": "1", "HOME": str(folder)}
    environment["PATH"] = os.pathsep.join([environment.get("PATH", ""), str(ANVIL)])
    staying: list[Background] = []
    try:
        for block in blocks(page.read_text(encoding="utf-8")):
            words = shlex.split(block.command)
            command = [str(ILP), *words[1:]] if words[0] == "ilp" else words
            if block.until is not None:
                staying.append(Background(command, folder, environment))
                assert staying[-1].wait_for(block.until), "\n".join([block.command, *staying[-1].lines])
                continue
            end = time.monotonic() + LIMIT_S
            while True:
                done = run(command, folder, environment)
                is_so = done.returncode == block.exit_code and fits(block.expected, done.stdout.splitlines())
                if is_so or not block.again or time.monotonic() > end:
                    break
                threading.Event().wait(0.2)
            assert is_so, f"$ {block.command}\n{done.stdout}exit {done.returncode}"
    finally:
        for background in staying:
            background.stop()


def run(command: list[str], folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=LIMIT_S,
    )


@pytest.mark.slow
def test_the_tutorial_can_be_followed(tmp_path: Path) -> None:
    if not has_demo():
        pytest.skip("there is no  ilp demo  yet")
    follow(TUTORIAL, tmp_path)


@pytest.mark.slow
@pytest.mark.skipif(
    not (ANVIL / "anvil").exists() and shutil.which("anvil") is None and "ILP_REQUIRE_INTEROP" not in os.environ,
    reason="anvil is not installed (cd tests/interop && npm ci)",
)
def test_settling_on_ones_own_machine_can_be_followed(tmp_path: Path) -> None:
    follow(ROOT / "docs" / "howto" / "settle-on-your-machine.md", tmp_path)
