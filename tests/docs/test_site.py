"""The site of the documents: it builds without a warning, every link leads somewhere, nothing comes from elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.site import build, faults
from tools.source import ROOT


def write(site: Path, **pages: str) -> Path:
    for name, text in pages.items():
        (site / f"{name}.html").write_text(text, encoding="utf-8")
    return site


@pytest.mark.parametrize(
    ("link", "wrong"),
    [
        ('<a href="b.html">', []),
        ('<a href="b.html#there">', []),
        ('<a href="#here"><p id="here">', []),
        ('<a href="https://interledger.org/">', []),
        ('<a href="c.html">', ["a.html: c.html leads nowhere"]),
        ('<a href="b.html#gone">', ["a.html: b.html#gone has no such anchor"]),
        ('<a href="#gone">', ["a.html: #gone has no such anchor"]),
        ('<script src="https://cdn.example/x.js"></script>', ["a.html loads https://cdn.example/x.js"]),
        ('<link rel="stylesheet" href="//fonts.example/x.css">', ["a.html loads //fonts.example/x.css"]),
        ('<img src="gone.png">', ["a.html: gone.png leads nowhere"]),
    ],
)
def test_what_is_wrong_with_a_site(link: str, wrong: list[str], tmp_path: Path) -> None:
    assert faults(write(tmp_path, a=link, b='<h1 id="there">')) == wrong


def test_a_style_that_loads_from_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "x.css").write_text("@font-face { src: url(https://fonts.example/x.woff2) }")
    assert faults(tmp_path) == ["x.css loads https://fonts.example/x.woff2"]


@pytest.mark.slow
def test_the_site_builds_and_no_link_is_broken(tmp_path: Path) -> None:
    site = tmp_path / "site"
    assert build(site) == []
    assert {page.stem for page in (ROOT / "docs" / "howto").glob("*.md")} == {
        page.stem for page in (site / "howto").glob("*.html")
    }
    for name in ("index.html", "llms.txt", "llms-full.txt", "reference/library/interledger.ilp.html"):
        assert (site / name).is_file(), name
