"""The order of the documents: the tables of docs/index.md, which llms.txt and the site's navigation follow."""

from __future__ import annotations

import re
from typing import NamedTuple

from tools.source import ROOT

__all__ = ["Entry", "Section", "sections"]

_ROW = re.compile(
    r"^\| (?:\[(?P<title>.+?)\]\((?P<place>.+?)\)|(?P<group>.+?)) \| *(?P<meaning>.*?) *\|$", re.MULTILINE
)


class Entry(NamedTuple):
    """One document. `place`: its path from docs/."""

    title: str
    place: str
    meaning: str


class Section(NamedTuple):
    """One table, by the words of its head."""

    title: str
    entries: list[Entry]


def sections(page: str = "index.md") -> list[Section]:
    """What the tables of a page of docs/ list, in their order."""
    found: list[Section] = []
    for row in _ROW.finditer((ROOT / "docs" / page).read_text(encoding="utf-8")):
        if row["title"]:
            found[-1].entries.append(Entry(row["title"], row["place"], row["meaning"]))
        elif row["group"] and not row["group"].startswith("-"):
            found.append(Section(row["group"][0].upper() + row["group"][1:], []))
    return found
