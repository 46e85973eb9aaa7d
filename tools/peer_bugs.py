"""Which tests are about which known bug of another implementation, by their names: `test_peer_bug_RS8_JV2_...`."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from typing import Final

from tools.source import ROOT

__all__ = ["PAGE", "WITH_SETTLEMENT", "current_page", "files_by_bug"]

PAGE: Final = ROOT / "docs" / "reference" / "peer-bugs.md"

WITH_SETTLEMENT: Final = "with settlement"
"""In place of a test, where another part of the program brings it."""

_TEST: Final = re.compile(r"^ *(?:async )?def test_peer_bug_((?:[A-Z]{2}\d+_)+)", re.MULTILINE)
_ROW: Final = re.compile(r"^\| ([A-Z]{2}\d+) \| (.*) \| [^|]* \|$", re.MULTILINE)


def files_by_bug() -> dict[str, set[str]]:
    """Id -> the files below tests/ that have a test for it."""
    place = ROOT / "tests"
    found: defaultdict[str, set[str]] = defaultdict(set)
    for path in sorted(place.rglob("test_*.py")):
        if "node_modules" in path.parts:
            continue
        for ids in _TEST.findall(path.read_text(encoding="utf-8")):
            for bug in ids.rstrip("_").split("_"):
                found[bug].add(path.relative_to(place).as_posix())
    return dict(found)


def current_page(page: Path = PAGE) -> str:
    """The page as it is, but for its last column: that follows from the tests."""
    files = files_by_bug()

    def row(match: re.Match[str]) -> str:
        bug, what = match.groups()
        named = ", ".join(f"`{file}`" for file in sorted(files.get(bug, ())))
        return f"| {bug} | {what} | {named or WITH_SETTLEMENT} |"

    return _ROW.sub(row, page.read_text(encoding="utf-8"))
