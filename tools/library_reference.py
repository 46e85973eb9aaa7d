"""The library as its docstrings tell it: what each module lists in `__all__`, with signatures.

docs/reference/library.md lists the modules; the site has a page per package with all of their words.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from tools.source import Source, package_sources

__all__ = ["PROGRAMS", "index_rows", "package_pages", "public_names"]

PROGRAMS: Final = ("cli", "daemon", "dashboard", "__main__")
"""Parts of the package that are programs: their commands and pages are described elsewhere."""

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def _public_sources() -> Iterator[Source]:
    for source in package_sources():
        parts = source.module.split(".")[1:]
        if public_names(source) and (not parts or parts[0] not in PROGRAMS) and not any(p[0] == "_" for p in parts):
            yield source


def public_names(source: Source) -> list[str]:
    """What the module lists in `__all__`."""
    for node in source.tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return list(ast.literal_eval(node.value))
    return []


def _package(source: Source) -> str:
    """`interledger.ilp` of `interledger.ilp.packet`; modules that stand alone belong to `interledger`."""
    parts = source.module.split(".")
    is_package = source.path.name == "__init__.py"
    return ".".join(parts[:2]) if len(parts) > 2 or (is_package and len(parts) == 2) else parts[0]


def index_rows() -> dict[str, list[tuple[str, str]]]:
    """By package: each public module and the first sentence of its docstring."""
    rows: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for source in _public_sources():
        first = (ast.get_docstring(source.tree) or "").split("\n\n")[0]
        rows[_package(source)].append((source.module, " ".join(first.split())))
    return dict(sorted(rows.items()))


def package_pages() -> dict[str, str]:
    """By package: its page, as Markdown."""
    pages: dict[str, list[str]] = defaultdict(list)
    for source in _public_sources():
        pages[_package(source)].append(_module(source))
    return {name: "\n\n".join([f"# {name}", *parts]) + "\n" for name, parts in pages.items()}


def _module(source: Source) -> str:
    parts = [f"## `{source.module}`", _words(ast.get_docstring(source.tree) or "")]
    names = public_names(source)
    here = set()
    statements = list(_top(source.tree))
    for node, following in zip(statements, [*statements[1:], ast.Pass()], strict=True):
        if isinstance(node, Definition) and node.name in names and node.name not in here:
            here.add(node.name)
            parts += _definition(node)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            target = ast.unparse(node.targets[0] if isinstance(node, ast.Assign) else node.target)
            if target in names and target not in here:
                here.add(target)
                parts.append(f"### `{target}`")
                if len(code := ast.unparse(node)) < 200:
                    parts.append(_code(code))
                if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
                    parts.append(_words(inspect.cleandoc(str(following.value.value))))
    elsewhere = [name for name in names if name not in here]
    if elsewhere:
        parts.append("Also here by name: " + ", ".join(f"`{name}`" for name in elsewhere) + ".")
    return "\n\n".join(part for part in parts if part)


def _top(tree: ast.Module) -> Iterator[ast.stmt]:
    for node in tree.body:
        if isinstance(node, ast.If | ast.Try):
            yield from node.body
        else:
            yield node


def _definition(node: Definition) -> Iterator[str]:
    yield f"### `{node.name}`"
    yield _code(_head(node))
    yield _words(ast.get_docstring(node) or "")
    if isinstance(node, ast.ClassDef):
        for inner in node.body:
            if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef) and not inner.name.startswith("_"):
                said = ast.get_docstring(inner)
                if said is not None:
                    yield _code(_head(inner)) + "\n\n" + _words(said)


def _head(node: Definition) -> str:
    """The first line of a definition: `def f(a: int) -> str`."""
    if isinstance(node, ast.ClassDef):
        bases = ", ".join([ast.unparse(base) for base in node.bases])
        fields = [
            f"\n    {ast.unparse(inner)}"
            for inner in node.body
            if isinstance(inner, ast.AnnAssign) and not ast.unparse(inner.target).startswith("_")
        ]
        return f"class {node.name}" + (f"({bases})" if bases else "") + (":" + "".join(fields) if fields else "")
    start = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
    marks = "".join(f"@{ast.unparse(mark)}\n" for mark in node.decorator_list if ast.unparse(mark) != "override")
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    line = f"{start} {node.name}({ast.unparse(node.args)}){returns}"
    if len(line) > 100:
        arguments = re.sub(r", (?=(?:\*{0,2}\w+(?::|=|,|$)|/|\*(?:,|$)))", ",\n    ", ast.unparse(node.args))
        line = f"{start} {node.name}(\n    {arguments},\n){returns}"
    return marks + line


def _code(text: str) -> str:
    return f"```python\n{text}\n```"


def _words(text: str) -> str:
    """A docstring as Markdown: only what stands in backticks or is indented may look like markup."""
    lines = []
    for line in text.splitlines():
        if line.startswith("    "):
            lines.append(line)
            continue
        pieces = re.split(r"(`[^`]*`)", line)
        lines.append("".join(p if p.startswith("`") else re.sub(r"([<>*_\[\]|#])", r"\\\1", p) for p in pieces))
    return "\n".join(lines)
