"""The files of the dashboard: nothing inline, colours that can be read, two dark themes alike, every word known."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from jinja2 import Environment

from interledger.dashboard.catalogue import read_catalogue
from interledger.dashboard.page import environment
from tools.screenshots import IMAGES, OCTETS_MAX, SHOTS
from tools.source import ROOT

FOLDER = ROOT / "src" / "interledger" / "dashboard"
TEMPLATES = sorted((FOLDER / "templates").glob("*.html"))
TOKENS = (FOLDER / "static" / "tokens.css").read_text(encoding="utf-8")

ON_GROUNDS = ("ink", "ink-2", "ink-3", "accent", "owes-us-ink", "we-owe-ink", "bad-ink", "warn-ink", "ok-ink")
SHAPES = ("owes-us", "we-owe", "ok", "warn", "bad", "line-strong", "focus")
PAIRS = [
    *((ink, ground, 4.5) for ink in ON_GROUNDS for ground in ("ground", "surface", "raised")),
    *((f"{kind}-ink", f"{kind}-soft", 4.5) for kind in ("owes-us", "we-owe", "ok", "warn", "bad", "idle")),
    *((shape, "surface", 3.0) for shape in SHAPES),
    ("accent-ink", "accent", 4.5), ("accent", "accent-soft", 4.5), ("rail-ink", "rail", 4.5),
    ("rail-ink-2", "rail", 4.5), ("rail-ink-2", "rail-2", 4.5), ("ink-2", "warn-soft", 4.5), ("ink-2", "bad-soft", 4.5),
]  # fmt: skip


def themes() -> list[dict[str, str]]:
    """Light; dark by the system; dark by choice."""
    blocks = re.findall(r":root(?:[^{]*)\{([^}]*)\}", TOKENS)
    light = dict(re.findall(r"--([a-z0-9-]+):\s*(#[0-9a-f]{6})", blocks[0]))
    return [light, *(light | dict(re.findall(r"--([a-z0-9-]+):\s*(#[0-9a-f]{6})", block)) for block in blocks[1:])]


def light_of(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(("one", "other", "least"), PAIRS)
def test_colours_can_be_told_apart(one: str, other: str, least: float) -> None:
    """WCAG 2.2: 4.5 for words, 3 for shapes."""
    for theme in themes():
        low, high = sorted((light_of(theme[one]), light_of(theme[other])))
        assert (high + 0.05) / (low + 0.05) >= least


def test_dark_is_the_same_by_system_and_by_choice() -> None:
    _, by_system, by_choice = themes()
    assert by_system == by_choice


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_nothing_is_inline(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"\sstyle=|<style|\son[a-z]+=|javascript:|https?://(?!wallet\.example|localhost)", text)
    assert not re.search(r"<script(?! src=)", text)
    assert "|safe" not in text.replace("'<a href=\"/ui/accounts\">'|safe", "").replace('"</a>"|safe', "")


def test_pictures_are_small_all_there_and_shown() -> None:
    """`python -m tools.screenshots` makes them again."""
    page = (ROOT / "docs" / "howto" / "dashboard.md").read_text(encoding="utf-8")
    names = {f"dashboard-{shot.name}.png" for shot in SHOTS}
    assert {path.name for path in IMAGES.glob("*.png")} == names
    assert all((IMAGES / name).stat().st_size <= OCTETS_MAX for name in names)
    assert all(f"(../images/{name})" in page for name in names)


def words(made: Environment) -> set[str]:
    """Every text that a template or a page says."""
    found: set[str] = set()
    for path in TEMPLATES:
        for _, _, message in made.extract_translations(path.read_text(encoding="utf-8")):
            found |= {part for part in ([message] if isinstance(message, str) else message) if part}
    for path in FOLDER.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            is_said = isinstance(node, ast.Call) and ast.unparse(node.func) in ("say", "page.texts", "page.texts.get")
            if is_said and isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                found.add(node.args[0].value)
    return found


def test_every_word_is_in_the_catalogue() -> None:
    catalogue = read_catalogue("es")
    assert sorted(words(environment("en")) - set(catalogue)) == []


def test_translations_keep_their_values() -> None:
    for english, spanish in read_catalogue("es").items():
        assert sorted(re.findall(r"%\(\w+\)s|%%", english)) == sorted(re.findall(r"%\(\w+\)s|%%", spanish)), english
