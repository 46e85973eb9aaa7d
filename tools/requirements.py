"""`docs/reference/requirements.md`: each sentence of the RFCs that requires something, and what proves it or why not.

The rows are in `conformance/requirements/`, one file for each RFC, in the order of the RFC.
`python -m tools.requirements FOLDER` compares them with a checkout of the RFCs, which the project does not ship: every
sentence with a word of RFC 2119 in capitals has a row, in its place, and every quote stands in its sentence.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import zip_longest
from pathlib import Path
from typing import Final, NamedTuple

from tools.rfc_quotes import is_in
from tools.source import ROOT

__all__ = [
    "FOLDER",
    "WORD",
    "Document",
    "Outside",
    "Row",
    "matches",
    "read_documents",
    "read_outside",
    "requirements_page",
    "sentences_in",
]

FOLDER: Final = ROOT / "conformance" / "requirements"

WORD: Final = re.compile(r"\b(?:MUST|SHALL|SHOULD|REQUIRED|RECOMMENDED)\b")
"""The words of RFC 2119 that require something. MAY and OPTIONAL do not."""

_OUTSIDE: Final = "outside.toml"
_ABOUT_WORDS: Final = "are to be interpreted as described in"
_HEADING: Final = re.compile(r"#+ (.*)")
_BEGINS: Final = re.compile(r"\s*(?:[-*+]|\d+\.)\s|\|")
_ENDS: Final = re.compile(r"(?<=[.!?])\s+(?=[A-Z`*\[(_])")


class Row(NamedTuple):
    """One sentence. `word`: as the RFC writes it; `says`: in our words, when the quote alone does not say it.

    `binds`: who has to obey; `modules` (below src/interledger) and `tests` (as pytest names them) obey and prove it;
    `why`: why nothing does, or what the proof leaves out. `deviates`: on purpose something else is done, in whole or in
    part; the tests prove that, and `why` says why.
    """

    section: str
    word: str
    quote: str
    says: str
    binds: str
    modules: tuple[str, ...]
    tests: tuple[str, ...]
    why: str
    deviates: bool = False

    @property
    def in_capitals(self) -> bool:
        """Whether the RFC writes the word so that RFC 2119 counts."""
        return self.word.isupper()


class Document(NamedTuple):
    """One RFC, or proposal: `folder` in the repository of the RFCs, `note` for the reader."""

    number: int
    title: str
    folder: str
    note: str
    rows: tuple[Row, ...]

    @property
    def name(self) -> str:
        """As readers call it."""
        return f"RFC {self.number}" if self.number else "Proposal"


class Outside(NamedTuple):
    """An RFC that nothing here implements, how many sentences in capitals it has, and why."""

    number: int
    title: str
    folder: str
    sentences: int
    why: str


def read_outside() -> tuple[Outside, ...]:
    """Those that are left out."""
    read = tomllib.loads((FOLDER / _OUTSIDE).read_text(encoding="utf-8"))
    return tuple(Outside(row["rfc"], row["title"], row["folder"], row["sentences"], row["why"]) for row in read["rfc"])


@cache
def read_documents() -> tuple[Document, ...]:
    """All of them, in the order of their numbers; what is no RFC yet comes last."""
    found = []
    for path in sorted(set(FOLDER.glob("*.toml")) - {FOLDER / _OUTSIDE}):
        read = tomllib.loads(path.read_text(encoding="utf-8"))
        rows = tuple(
            Row(
                row["section"],
                row["word"],
                row["quote"],
                row.get("says", ""),
                row["binds"],
                tuple(row.get("modules", ())),
                tuple(row.get("tests", ())),
                row.get("why", ""),
                row.get("deviates", False),
            )
            for row in read["sentence"]
        )
        found.append(Document(read["rfc"], read["title"], read["folder"], read.get("note", ""), rows))
    return tuple(sorted(found, key=lambda document: document.number or sys.maxsize))


def sentences_in(text: str) -> Iterator[str]:
    """Each sentence, table row or list item of an RFC's Markdown that has a word of RFC 2119 in capitals."""
    for paragraph in _paragraphs(text):
        for sentence in _ENDS.split(paragraph):
            if WORD.search(sentence) and _ABOUT_WORDS not in sentence:
                yield sentence


def _paragraphs(text: str) -> Iterator[str]:
    gathered: list[str] = []
    for line in text.splitlines():
        ends = not line.strip() or line.startswith("```") or _HEADING.fullmatch(line)
        if (ends or _BEGINS.match(line)) and gathered:
            yield " ".join(gathered)
            gathered = []
        if not ends:
            gathered.append(line.strip())
    if gathered:
        yield " ".join(gathered)


def matches(document: Document, text: str) -> Iterator[str]:
    """What is wrong with the rows of `document` when `text` is the RFC's: one line each, empty when all is well."""
    for row in document.rows:
        if not is_in(row.quote, text):
            yield f"{document.name} does not say: {row.quote}"
    quotes = [row.quote for row in document.rows if row.in_capitals]
    sentences = list(sentences_in(text))
    for sentence, quote in zip_longest(sentences, quotes):
        if sentence is None:
            yield f"{document.name} has no sentence left for: {quote}"
        elif quote is None or not is_in(quote, sentence):
            yield f"{document.name}, no row in its place for: {sentence} (there is: {quote})"
            return


def requirements_page() -> list[str]:
    """The parts of the page."""
    documents = read_documents()
    parts = [
        "Each sentence of the RFCs that requires something of an implementation, in the RFC's order: who is bound by "
        "it, the modules below `src/interledger` that obey, and the tests that prove it; or the reason why not. "
        "Where something else is done on purpose, the tests prove that, and the reason is told. Sentences are named by "
        "a few of their words; the RFCs have the whole. Words in capitals count as RFC 2119 says; older RFCs write "
        "*must* and *should* in small letters, and what they require so is here too.",
        _summary(documents),
    ]
    for document in documents:
        parts.append(f"## {document.name}: {document.title}")
        if document.note:
            parts.append(document.note)
        parts.append(_table(document))
    parts.append("## RFCs that nothing here implements")
    lines = ["| RFC | | sentences in capitals | why |", "| --- | --- | --: | --- |"]
    lines += [f"| {one.number} | {one.title} | {one.sentences} | {one.why} |" for one in read_outside()]
    return [*parts, "\n".join(lines)]


def _summary(documents: tuple[Document, ...]) -> str:
    lines = [
        "| RFC | | sentences | in capitals | obeyed | otherwise on purpose | not |",
        "| --- | --- | --: | --: | --: | --: | --: |",
    ]
    total: Counter[str] = Counter()
    for document in documents:
        counted = Counter(
            all=len(document.rows),
            capitals=sum(row.in_capitals for row in document.rows),
            obeyed=sum(bool(row.tests) and not row.deviates for row in document.rows),
            otherwise=sum(row.deviates for row in document.rows),
        )
        total += counted
        lines.append(f"| {document.number or ''} | {document.title} | {_figures(counted)} |")
    return "\n".join([*lines, f"| | **all** | {_figures(total)} |"])


def _figures(counted: Counter[str]) -> str:
    obeyed, otherwise = counted["obeyed"], counted["otherwise"]
    figures = (counted["all"], counted["capitals"], obeyed, otherwise, counted["all"] - obeyed - otherwise)
    return " | ".join(map(str, figures))


def _table(document: Document) -> str:
    lines = ["| | sentence | binds | obeyed in | proved by, or why not |", "| --: | --- | --- | --- | --- |"]
    for number, row in enumerate(document.rows, 1):
        sentence = f"*{row.section}*: “{row.quote}”" + (f"<br>{row.says}" if row.says else "")
        why = f"*Otherwise:* {row.why}" if row.deviates else row.why
        proof = [f"`{test.removeprefix('tests/')}`" for test in row.tests] + ([why] if why else [])
        modules = "<br>".join(f"`{module}`" for module in row.modules)
        cells = [str(number), sentence.replace("|", "\\|"), row.binds, modules, "<br>".join(proof)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _text(folder: Path, document: str) -> str:
    """Of a folder of a checkout, or of one file."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(folder.glob(f"{document}/0*.md"))]
    return "\n".join(texts) or (folder / document).read_text(encoding="utf-8")


def main(folder: Path) -> int:
    """Print what differs from the checkout in `folder`. 1 when something does, else 0."""
    wrong = 0
    for document in read_documents():
        for line in matches(document, _text(folder, document.folder)):
            wrong += 1
            sys.stdout.write(line + "\n")
    for one in read_outside():
        if (found := len(list(sentences_in(_text(folder, one.folder))))) != one.sentences:
            wrong += 1
            sys.stdout.write(f"RFC {one.number} has {found} sentences\n")
    rows = [row for document in read_documents() for row in document.rows]
    capitals = sum(row.in_capitals for row in rows)
    sys.stdout.write(f"{len(rows)} sentences, {capitals} with words in capitals, {wrong} not as the RFCs say\n")
    return min(wrong, 1)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
