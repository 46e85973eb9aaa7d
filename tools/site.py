"""The documents as a web site: `python -m tools.site` builds it in build/site; a broken link or anchor is an error.

Zensical makes the pages. What stands outside of docs/ and is linked from there is brought in, and each package of the
library gets a page of its docstrings. The site asks no other server for anything.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from tools.contents import Entry, sections
from tools.library_reference import package_pages
from tools.source import ROOT

__all__ = ["build", "faults", "stage"]

DOCS: Final = ROOT / "docs"
OUTSIDE: Final = {
    "README.md": "readme.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changes.md",
    "conformance/README.md": "conformance/vectors.md",
}
"""Documents of the project outside of docs/, and where the site has them."""

LIMIT_S: Final = 120

_LINK = re.compile(r"(\[[^\]]*\]\()([^)\s#]+)(#[^)\s]*)?(\))")
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def stage(place: Path) -> None:
    """Write all pages of the site, as Markdown, and its configuration into `place`."""
    pages = place / "docs"
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(DOCS, pages)
    for source, target in OUTSIDE.items():
        _write(pages / target, (ROOT / source).read_text(encoding="utf-8"))
    for example in sorted((ROOT / "examples").glob("*.py")):
        text = example.read_text(encoding="utf-8")
        _write(pages / "examples" / f"{example.stem}.md", f"# {example.name}\n\n```python\n{text}```\n")
    for package, text in package_pages().items():
        _write(pages / "reference" / "library" / f"{package}.md", text)
    origins = {pages / target: ROOT / source for source, target in OUTSIDE.items()}
    for page in sorted(pages.rglob("*.md")):
        origin = origins.get(page, DOCS / page.relative_to(pages))
        _write(page, _with_links(page.read_text(encoding="utf-8"), page, origin, pages))
    _link_library(pages / "reference" / "library.md")
    everything = [
        (pages / e.place).read_text(encoding="utf-8") for s in sections() for e in s.entries if _hand(e.place)
    ]
    _write(pages / "llms-full.txt", "\n\n".join(everything))
    # YAML contains JSON.
    _write(
        place / "mkdocs.yml",
        json.dumps(_configuration(pages), indent=1, ensure_ascii=False),
    )


def _hand(place: str) -> bool:
    """Whether a page was written by hand and stands in docs/."""
    return place.endswith(".md") and not place.startswith(("reference/", "../"))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _with_links(text: str, page: Path, origin: Path, pages: Path) -> str:
    """The text with its links to files of the project led to where the site has them."""

    def moved(match: re.Match[str]) -> str:
        if "://" in match[2] or match[2].startswith("mailto:"):
            return match[0]
        aim = (origin.parent / match[2]).resolve()
        if aim.is_dir():
            target = pages / "examples" / "embedded_node.md" if aim.name == "examples" else aim
        elif aim.is_relative_to(DOCS):
            target = pages / aim.relative_to(DOCS)
        elif aim.parent == ROOT / "examples":
            target = pages / "examples" / f"{aim.stem}.md"
        else:
            target = pages / OUTSIDE.get(aim.relative_to(ROOT).as_posix(), match[2])
        return f"{match[1]}{Path(os.path.relpath(target, page.parent)).as_posix()}{match[3] or ''}{match[4]}"

    kept: list[str] = []
    for piece in re.split(r"(^```.*?^```$)", text, flags=re.MULTILINE | re.DOTALL):
        kept.append(piece if _FENCE.fullmatch(piece) else _LINK.sub(moved, piece))
    return "".join(kept)


def _link_library(page: Path) -> None:
    """In the list of modules, each package leads to its page."""
    text = page.read_text(encoding="utf-8")
    _write(page, re.sub(r"^## `(interledger[.\w]*)`$", r"## [`\1`](library/\1.md)", text, flags=re.MULTILINE))


def _configuration(pages: Path) -> dict[str, Any]:
    navigation: list[dict[str, Any]] = [{"Documents": "index.md"}]
    for section in sections():
        rows = [{entry.title: _place(entry.place)} for entry in section.entries]
        navigation.append({section.title: rows})
    decisions = [{f"{e.title} {e.meaning}": f"decisions/{e.place}"} for e in _decisions()]
    library = [{p.stem: f"reference/library/{p.name}"} for p in sorted((pages / "reference" / "library").glob("*.md"))]
    examples = [{f"{p.stem}.py": f"examples/{p.name}"} for p in sorted((pages / "examples").glob("*.md"))]
    navigation += [{"Library": library}, {"Examples": examples}, {"Decisions": decisions}]
    return {
        "site_name": "interledger-py",
        "docs_dir": "docs",
        "site_dir": "site",
        "use_directory_urls": False,  # it opens from a disk, too
        "theme": {
            "name": "material",
            "font": False,  # no font of another server
            "features": ["navigation.tabs", "navigation.indexes", "toc.follow", "content.code.copy"],
            "palette": [
                {"media": "(prefers-color-scheme: light)", "scheme": "default"},
                {"media": "(prefers-color-scheme: dark)", "scheme": "slate"},
            ],
        },
        "markdown_extensions": [
            "tables",
            "fenced_code",
            "sane_lists",
            {"toc": {"permalink": True}},
            "pymdownx.highlight",
        ],
        "nav": navigation,
    }


def _decisions() -> list[Entry]:
    return sorted(entry for section in sections("decisions/index.md") for entry in section.entries)


def _place(place: str) -> str:
    return OUTSIDE.get(place.removeprefix("../"), place)


class _Page(HTMLParser):
    """The anchors of a page, where it links to, and what a browser would load for it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = {"", "__skip", "__top"}
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.anchors.update(found[name] or "" for name in ("id", "name") if name in found)
        if tag == "a" and found.get("href"):
            self.links.append(found["href"] or "")
        elif tag in {"script", "img", "iframe", "source"} and found.get("src"):
            self.loaded.append(found["src"] or "")
        elif tag == "link" and found.get("href") and found.get("rel") not in {"prev", "next", "canonical"}:
            self.loaded.append(found["href"] or "")


def faults(site: Path) -> list[str]:
    """What is wrong with a built site: links and anchors that lead nowhere, and things of other servers."""
    pages = {path: _Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}
    found = []
    for path, page in pages.items():
        name = path.relative_to(site).as_posix()
        for link in [*page.links, *page.loaded]:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                if link in page.loaded and parts.scheme != "data":
                    found.append(f"{name} loads {link}")
                continue
            target = path if not parts.path else _file(site, path, unquote(parts.path))
            if not target.is_file():
                found.append(f"{name}: {link} leads nowhere")
            elif target in pages and unquote(parts.fragment) not in pages[target].anchors:
                found.append(f"{name}: {link} has no such anchor")
    for path in site.rglob("*.css"):
        found += [
            f"{path.name} loads {url}"
            for url in re.findall(r"url\(\s*[\"']?((?:https?:)?//[^)\"']+)", path.read_text())
        ]
    return found


def _file(site: Path, page: Path, link: str) -> Path:
    target = (site / link.lstrip("/") if link.startswith("/") else page.parent / link).resolve()
    return target / "index.html" if target.is_dir() else target


def build(place: Path) -> list[str]:
    """Build the site in `place`, its sources beside it; what is wrong with it."""
    source = place.with_name(place.name + "-source")
    stage(source)
    shutil.rmtree(place, ignore_errors=True)
    done = subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--strict", "--config-file", str(source / "mkdocs.yml")],
        cwd=source, capture_output=True, text=True, check=False, timeout=LIMIT_S, env={**os.environ, "NO_COLOR": "1"},
    )  # fmt: skip
    if done.returncode:
        return [re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr)]
    shutil.move(source / "site", place)
    for page in (source / "docs").rglob("*.md"):  # for programs that read, as llms.txt names them
        shutil.copy(page, place / page.relative_to(source / "docs"))
    return faults(place)


if __name__ == "__main__":
    site = ROOT / "build" / "site"
    wrong = build(site)
    sys.stdout.write("\n".join(wrong) + "\n" if wrong else f"{site / 'index.html'}\n")
    sys.exit(bool(wrong))
