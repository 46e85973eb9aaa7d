"""Where output goes, and what that place can show: colour, width, characters beyond ASCII.

Every mark stands before its word, so nothing is lost without colour. `✓` becomes `ok` where the locale is not UTF-8.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TextIO

__all__ = ["Console", "make_console"]

COLOURS: Final = {"green": "32", "red": "31", "yellow": "33", "cyan": "36", "magenta": "35", "dim": "2", "bold": "1"}

MARK_COLOURS: Final = {"✓": "green", "✗": "red", "!": "yellow", "?": "yellow", "·": "dim"}

ASCII: Final[dict[str, str]] = {
    "✓": "ok", "✗": "FAIL", "·": ".", "→": "->", "↔": "<->", "─": "-", "–": "-", "—": "-", "…": "...", "×": "x",
    "“": '"', "”": '"', "’": "'", "█": "#", "▌": "=", "▊": "=", "▒": "+", "├": "|", "┤": "|", "┼": "+", "┃": "|",
    "│": "|", "╎": ":", "½": ".5",
}  # fmt: skip
"""What is written where the locale has no such character."""

_ASCII_TABLE: Final = str.maketrans(ASCII)

FALLBACK_WIDTH: Final = 80


@dataclass(slots=True)
class Console:
    """Two streams and what they can show. `is_terminal`: of stdout; `shows_progress`: of stderr."""

    out: TextIO
    err: TextIO
    is_terminal: bool = False
    shows_progress: bool = False
    colour: bool = False
    unicode: bool = True
    width: int = FALLBACK_WIDTH

    def print(self, text: str = "") -> None:
        """A line of the answer."""
        self.out.write(self.encode(text) + "\n")

    def note(self, text: str = "") -> None:
        """A line beside the answer: progress, hint, warning, error."""
        self.err.write(self.encode(text) + "\n")

    def encode(self, text: str) -> str:
        """What the locale can show of it."""
        return text if self.unicode else text.translate(_ASCII_TABLE).encode("ascii", "replace").decode("ascii")

    def paint(self, text: str, colour: str) -> str:
        """In colour, where there is colour."""
        return f"\x1b[{COLOURS[colour]}m{text}\x1b[0m" if self.colour else text

    def mark(self, mark: str, text: str = "") -> str:
        """`✓ BTP`: a mark in its colour, and its word."""
        painted = self.paint(mark, MARK_COLOURS[mark])
        return f"{painted} {text}" if text else painted


def make_console(environ: Mapping[str, str], colour: str = "auto") -> Console:
    """A console for this process. `colour`: auto, always or never."""
    out, err = sys.stdout, sys.stderr
    is_terminal = out.isatty()
    is_dumb = environ.get("TERM") == "dumb"
    wants_colour = is_terminal and not is_dumb and not environ.get("NO_COLOR")
    return Console(
        out=out,
        err=err,
        is_terminal=is_terminal,
        shows_progress=err.isatty() and not is_dumb,
        colour=wants_colour if colour == "auto" else colour == "always",
        unicode="utf" in (getattr(out, "encoding", "") or "").lower(),
        width=shutil.get_terminal_size((FALLBACK_WIDTH, 24)).columns if is_terminal else FALLBACK_WIDTH,
    )
