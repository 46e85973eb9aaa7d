"""The programs of the page about the API run as they stand there, in a development network."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.source import ROOT

PAGE = ROOT / "docs" / "howto" / "use-the-api.md"
PROGRAMS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
BOB = "localhost:7780"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    place = tmp_path_factory.mktemp("network")
    ilp = [sys.executable, "-m", "interledger", "dev"]
    subprocess.run([*ilp, "up", "--detach", "--port", "0"], cwd=place, check=True, capture_output=True, timeout=60)
    yield place
    subprocess.run([*ilp, "down"], cwd=place, check=True, capture_output=True, timeout=60)


@pytest.mark.slow
@pytest.mark.parametrize("program", PROGRAMS, ids=range(len(PROGRAMS)))
def test_a_program_runs(program: str, place: Path) -> None:
    nodes = json.loads((place / ".ilp" / "dev.json").read_text(encoding="utf-8"))["nodes"]
    text = program.replace(BOB, nodes["bob"]["url"].removeprefix("http://"))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", text], cwd=place, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_mypy_knows_every_type_in_them(tmp_path: Path) -> None:
    """As a program outside would be checked."""
    for number, program in enumerate(PROGRAMS):
        (tmp_path / f"program_{number}.py").write_text(program, encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "--config-file=", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env={"MYPYPATH": "src"})
    assert done.returncode == 0, done.stdout
