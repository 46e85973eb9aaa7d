"""Documents that cannot drift: links resolve, pages are reachable, generated ones are current, examples run."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.docs import pages
from tools.source import ROOT, package_sources

DOCS = ROOT / "docs"
OTHERS = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "conformance/README.md")]
PAGES = sorted(DOCS.rglob("*.md")) + OTHERS

LINK = re.compile(r"(?<!\!)\[[^\]]*\]\(([^)\s]+)\)")


def links(page: Path) -> Iterator[str]:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    yield from LINK.findall(text)


def anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for link in links(page):
        target, _, anchor = link.partition("#")
        if "://" in target or target.startswith("mailto:"):
            continue
        path = (page.parent / target).resolve() if target else page
        if not path.exists() or (anchor and path.suffix == ".md" and anchor not in anchors(path)):
            broken.append(link)
    assert broken == []


def test_each_page_can_be_reached_from_the_index() -> None:
    reached: set[Path] = set()
    todo = [DOCS / "index.md"]
    while todo:
        page = todo.pop()
        if page in reached:
            continue
        reached.add(page)
        targets = [link.partition("#")[0] for link in links(page) if "://" not in link]
        todo += [
            path for target in targets if (path := (page.parent / target).resolve()).suffix == ".md" and path.exists()
        ]
    assert [page.relative_to(ROOT).as_posix() for page in sorted(set(DOCS.rglob("*.md")) - reached)] == []


def test_the_readme_leads_to_the_index() -> None:
    assert "docs/index.md" in set(links(ROOT / "README.md"))


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.name)
def test_what_is_made_from_the_code_is_current(path: Path) -> None:
    assert path.exists(), "run  make docs"
    assert path.read_text(encoding="utf-8") == pages()[path], "run  make docs"


def test_every_error_class_is_described() -> None:
    text = (DOCS / "reference" / "errors.md").read_text(encoding="utf-8")
    source = next(source for source in package_sources() if source.module == "interledger.errors")
    classes = [node.name for node in source.tree.body if isinstance(node, ast.ClassDef)]
    assert [name for name in classes if f"`{name}`" not in text] == []


@pytest.mark.parametrize(
    "page",
    [DOCS / "explanation" / "journey.md", DOCS / "explanation" / "money.md", DOCS / "conformance.md"],
    ids=lambda p: p.stem,
)
def test_files_and_functions_that_a_page_names_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    package = ROOT / "src" / "interledger"
    files = re.findall(r"`((?:src/interledger/)?[a-z_]+/[a-z_/]+(?:\.py|/))`", text)
    missing = [name for name in files if not any((root / name).exists() for root in (package, ROOT))]
    code = "\n".join(source.text for source in package_sources())
    missing += [name for name in re.findall(r"`(_?[a-z]+_[a-z_]+)`", text) if not re.search(rf"\b{name}\b", code)]
    missing += [
        name for name in re.findall(r"`[A-Z][A-Za-z]+\.([a-z_]+)[`(]", text) if not re.search(rf"\bdef {name}\b", code)
    ]
    assert missing == []


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.py")), ids=lambda path: path.stem)
def test_an_example_runs(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", path], capture_output=True, text=True, check=False, timeout=60, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout
