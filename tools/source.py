"""The project's own files, read once: what the generators of pages and the tests in tests/repo look at."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

__all__ = ["ROOT", "Source", "functions_of", "package_sources", "python_files", "text_files"]

ROOT = Path(__file__).resolve().parent.parent

PYTHON_FOLDERS = ("src", "tests", "tools", "fuzz", "bench", "examples")
TEXT_SUFFIXES = {".py", ".md", ".toml", ".json", ".html", ".css", ".js", ".sql", ".asn", ".scn", ".txt", ".yaml", ".sh"}
SKIPPED = {"node_modules", "__pycache__", "dist", "build"}


@dataclass(frozen=True)
class Source:
    """One Python file of the package."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def name(self) -> str:
        """Its path from the project's root: `src/interledger/clock.py`."""
        return self.path.relative_to(ROOT).as_posix()

    @property
    def module(self) -> str:
        """Its dotted name: `interledger.clock`; a package's for its `__init__.py`."""
        parts = self.path.relative_to(ROOT / "src").with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def line_count(self) -> int:
        return self.text.count("\n")


@cache
def package_sources() -> tuple[Source, ...]:
    """Every module of `interledger`, parsed."""
    paths = sorted((ROOT / "src" / "interledger").rglob("*.py"))
    texts = [(path, path.read_text(encoding="utf-8")) for path in paths if SKIPPED.isdisjoint(path.parts)]
    return tuple(Source(path, text, ast.parse(text)) for path, text in texts)


def python_files() -> Iterator[Path]:
    """Every Python file of the project."""
    for folder in PYTHON_FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if SKIPPED.isdisjoint(path.parts):
                yield path


def text_files() -> Iterator[Path]:
    """Every text file of the project that a person wrote."""
    top = [path for path in ROOT.iterdir() if path.is_file() and not path.name.startswith((".coverage", ".git"))]
    below = [
        path
        for folder in (*PYTHON_FOLDERS, "docs", "conformance", ".ci")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and SKIPPED.isdisjoint(path.parts)
    ]
    for path in sorted(top + below):
        if (path.suffix in TEXT_SUFFIXES or not path.suffix) and path.name != "package-lock.json":
            yield path


def functions_of(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Each function's dotted name and its length in lines, without its docstring."""

    def visit(node: ast.AST, prefix: str) -> Iterator[tuple[str, int]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                name = prefix + child.name
                yield name, _length(child)
                yield from visit(child, name + ".")
            elif isinstance(child, ast.ClassDef):
                yield from visit(child, prefix + child.name + ".")
            else:
                yield from visit(child, prefix)

    yield from visit(tree, "")


def _length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    total = (function.end_lineno or function.lineno) - function.lineno + 1
    if ast.get_docstring(function, clean=False) is not None:
        docstring = function.body[0]
        total -= (docstring.end_lineno or docstring.lineno) - docstring.lineno + 1
    return total
