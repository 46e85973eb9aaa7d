"""The fenced blocks of the documents, and commands that stay while others are run."""

from __future__ import annotations

import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from tools.source import ROOT

__all__ = ["LIMIT_S", "OTHERS", "Background", "Fence", "fences"]

LIMIT_S: Final = 60

OTHERS: Final = ("README.md", "CONTRIBUTING.md", "conformance/README.md")
"""Pages with blocks outside of docs/."""

_FENCE = re.compile(
    r"(?:^<!-- (?P<mark>[^\n]*?) -->\n)?^```(?P<kind>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)


class Fence(NamedTuple):
    """One block. `mark`: the comment right before it; `kind`: the word behind the fence."""

    page: str
    line: int
    mark: str
    kind: str
    text: str

    @property
    def name(self) -> str:
        return f"{self.page}:{self.line}"


def fences(page: Path) -> Iterator[Fence]:
    """All blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    for found in _FENCE.finditer(text):
        line = text.count("\n", 0, found.start("kind")) + 1
        yield Fence(page.relative_to(ROOT).as_posix(), line, found["mark"] or "", found["kind"], found["text"])


class Background:
    """A command that stays."""

    def __init__(self, command: list[str], folder: Path, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.lines: list[str] = []
        self._found = threading.Event()
        self._until = ""

    def wait_for(self, text: str) -> bool:
        self._until = text
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self._found.wait(LIMIT_S)

    def _read(self) -> None:
        for line in self._process.stdout or ():
            self.lines.append(line.rstrip("\n"))
            if self._until in line:
                self._found.set()

    def stop(self) -> None:
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(LIMIT_S)
        if self._process.stdout is not None:
            self._process.stdout.close()
