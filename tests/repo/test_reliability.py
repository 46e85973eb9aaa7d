"""The tables of what peers got wrong and of what may happen to a node agree with the tests, both ways."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from functools import cache

import pytest

from tools.peer_bugs import PAGE, files_by_bug
from tools.source import ROOT

THREATS = ROOT / "docs" / "reference" / "threats.md"
FIGURES = ROOT / "docs" / "reliability.md"

BUGS_OF = {"RS": 21, "JS": 14, "ST": 6, "JV": 9, "RF": 7, "NB": 7}
"""64: every one that was found has a row."""

THREATS_OF = {"A": 28, "B": 8, "C": 8, "D": 13, "E": 10, "F": 6, "G": 8, "H": 17, "I": 13, "J": 12, "K": 11, "L": 8}

BUG_IDS = [f"{peer}{number}" for peer, count in BUGS_OF.items() for number in range(1, count + 1)]
THREAT_IDS = [f"{letter}{number}" for letter, count in THREATS_OF.items() for number in range(1, count + 1)]

OF_SETTLEMENT = {"RS1", "RS7", "RS8", "RS10", "RS11", "RS12", "RS16", "JS5", "JV2", "JV3"}
NONE_YET = "none yet"


@cache
def names_by_file() -> dict[str, frozenset[str]]:
    """File below tests/ -> the names of its tests, without `test_`."""
    place = ROOT / "tests"
    return {
        path.relative_to(place).as_posix(): frozenset(
            re.findall(r"^ *(?:async )?def test_(\w+)\(", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        )
        for path in place.rglob("test_*.py")
        if "node_modules" not in path.parts
    }


def rows(page: str) -> dict[str, str]:
    """Id -> the last cell of its row."""
    found = re.findall(r"^\| ([A-Z]{1,2}\d+) \|.*\| ([^|]+) \|$", page, flags=re.MULTILINE)
    assert len(found) == len(dict(found)), "an id has two rows"
    return dict(found)


BUG_ROWS, THREAT_ROWS = (rows(page.read_text(encoding="utf-8")) for page in (PAGE, THREATS))


def test_every_bug_and_every_threat_has_its_row() -> None:
    assert list(BUG_ROWS) == BUG_IDS
    assert list(THREAT_ROWS) == THREAT_IDS


@pytest.mark.parametrize("bug", BUG_IDS)
def test_a_bug_has_a_test_or_waits_for_settlement(bug: str) -> None:
    """The last column of the page is made from the names of the tests, so that none is left out."""
    named = set(re.findall(r"`(\S+\.py)`", BUG_ROWS[bug]))
    assert named == files_by_bug().get(bug, set()), "run  make docs"
    assert named or bug in OF_SETTLEMENT


def test_no_test_is_about_a_bug_that_nobody_listed() -> None:
    assert files_by_bug().keys() - set(BUG_IDS) == set()


@pytest.mark.parametrize("threat", THREAT_IDS)
def test_a_threat_has_the_tests_that_its_row_names(threat: str) -> None:
    """`file::beginning of the name`, without `test_`."""
    named = re.findall(r"`([^\s`]+\.py)::(\w+)`", THREAT_ROWS[threat])
    missing = [
        f"{file}::{beginning}"
        for file, beginning in named
        if not any(f"{name}_".startswith(f"{beginning}_") for name in names_by_file().get(file, ()))
    ]
    assert missing == []
    assert named or NONE_YET in THREAT_ROWS[threat]


# ---------------------------------------------------------------------- what docs/reliability.md tells people to run

COMMANDS = sorted(
    set(re.findall(r"`((?:\w+=\S+ )?(?:pytest|python|make) [^`]+)`", FIGURES.read_text(encoding="utf-8")))
)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_that_reproduces_a_figure_names_what_there_is(command: str) -> None:
    words = command.split()
    if words[0] == "make":
        assert f"\n{words[1]}: " in (ROOT / "Makefile").read_text(encoding="utf-8")
    for path in (word for word in words if word.startswith(("tests", "fuzz/", "bench/"))):
        assert list(ROOT.glob(path)), f"there is no {path}"
    if "-m" in words:
        module = words[words.index("-m") + 1].replace(".", "/")
        place = ROOT / ("src" if module.startswith("interledger") else ".") / module
        program = place / "__main__.py" if place.is_dir() else place.with_suffix(".py")
        text = program.read_text(encoding="utf-8")
        assert all(f'"{word}"' in text for word in words if word.startswith("--"))


# ---------------------------------------------------------------------- rows that no other test proves


def test_K2_the_linter_knows_of_tasks_that_nobody_keeps() -> None:
    """RUF006: the result of `create_task` is kept, or the task may be collected while it runs."""
    chosen = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]["lint"]
    assert {"RUF", "ASYNC"} <= set(chosen["select"])
    assert not {"RUF006", "ASYNC"} & set(chosen.get("ignore", []))


def test_K11_few_packages_of_others_are_needed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert len(project["dependencies"]) + len(project["optional-dependencies"]["node"]) <= 10


def test_D2_the_time_of_refusals_can_be_compared() -> None:
    """What comes of it is a figure of a quiet machine, not of this one: see docs/explanation/security.md."""
    done = subprocess.run(
        [sys.executable, "bench/token_timing.py", "2000"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "2000 refusals" in done.stdout
