"""The RFC sentences that the code quotes above the checks that obey them.

`python -m tools.rfc_quotes FOLDER` compares each with the texts of a checkout of the RFCs, which the project does not
ship. A quote may leave words out (` ... `); markup, case and line breaks do not count.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tools.source import Source, package_sources

__all__ = ["Quote", "is_in", "quotes", "quotes_in"]

_START = re.compile(r'\s*# RFC (?P<rfc>[0-9]+): (?P<rest>".*)')
_NEXT = re.compile(r"\s*# (?P<rest>.*)")


class Quote(NamedTuple):
    """One sentence, and where it stands. `text` is None when the quote is not closed."""

    rfc: int
    text: str | None
    module: str
    line: int


def quotes() -> list[Quote]:
    """All quotes of the package, in the order of the RFCs, then of the modules."""
    return sorted(
        (quote for source in package_sources() for quote in quotes_in(source)), key=lambda q: (q.rfc, q.module, q.line)
    )


def quotes_in(source: Source) -> Iterator[Quote]:
    """The quotes of one module: `# RFC 27: "..."`, on one comment line or on several."""
    lines = source.text.splitlines()
    for number, line in enumerate(lines):
        start = _START.fullmatch(line)
        if start is None:
            continue
        text = start["rest"]
        for following in lines[number + 1 :]:
            more = _NEXT.fullmatch(following)
            if text.count('"') >= 2 or more is None or _START.fullmatch(following):
                break
            text += " " + more["rest"]
        inside = re.fullmatch(r'"([^"]+)".*', text)
        yield Quote(int(start["rfc"]), inside[1] if inside else None, source.module, number + 1)


def is_in(quote: str, text: str) -> bool:
    """Whether the pieces of `quote` stand in `text`, in their order."""
    where, words = 0, _plain(text)
    for piece in quote.split("..."):
        found = words.find(_plain(piece), where)
        if found < 0:
            return False
        where = found + len(_plain(piece))
    return True


def _plain(text: str) -> str:
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"[`*_>|\"“”]", "", text)
    return re.sub(r"\s+", " ", text).strip().rstrip(".").lower()


def main(folder: Path) -> int:
    """Print each quote that its RFC does not have. 1 when there is one, else 0."""
    if not any(folder.glob("0027-*/*.md")):
        sys.stderr.write(f"{folder} is no checkout of github.com/interledger/rfcs\n")
        return 1
    wrong = 0
    for quote in quotes():
        texts = [path.read_text(encoding="utf-8") for path in folder.glob(f"{quote.rfc:04}-*/*.md")]
        if quote.text is None or not any(is_in(quote.text, text) for text in texts):
            wrong += 1
            sys.stdout.write(f"{quote.module}:{quote.line}: RFC {quote.rfc} does not say: {quote.text}\n")
    sys.stdout.write(f"{len(quotes())} quotes, {wrong} not found\n")
    return min(wrong, 1)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
