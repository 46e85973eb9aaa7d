"""What is public is listed: `__all__` in every module, sorted, each name defined there and described."""

from __future__ import annotations

import ast
import re

from tools.source import Source, package_sources


def listed(source: Source) -> list[str] | None:
    for node in source.tree.body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
            return list(ast.literal_eval(node.value))  # type: ignore[attr-defined]
    return None


def defined(source: Source) -> dict[str, ast.stmt]:
    """Names that the module itself binds at its top level, in an `if` or a `try` too."""
    found: dict[str, ast.stmt] = {}
    todo = list(source.tree.body)
    while todo:
        node = todo.pop(0)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found[node.name] = node
        elif isinstance(node, ast.Assign):
            found.update(
                (name.id, node) for target in node.targets for name in ast.walk(target) if isinstance(name, ast.Name)
            )
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found[node.target.id] = node
        elif isinstance(node, ast.If | ast.Try):
            todo += [*node.body, *node.orelse, *(s for h in getattr(node, "handlers", []) for s in h.body)]
    return found


def passed_on(source: Source) -> set[str]:
    """Names imported from the same package or below: a module may be the front of its neighbours, not of strangers."""
    package = source.module if is_package(source) else source.module.rpartition(".")[0]
    return {
        alias.asname or alias.name
        for node in source.tree.body
        if isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith(package + ".")
        for alias in node.names
    }


def isort_key(name: str) -> tuple[int, list[tuple[int, str]]]:
    """Ruff's order for `__all__`: CONSTANTS, Classes, functions; numbers inside a name count as numbers."""
    kind = 0 if name.isupper() else 1 if name[:1].isupper() else 2
    return kind, [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"([0-9]+)", name)]


def is_only_a_docstring(source: Source) -> bool:
    return all(isinstance(node, ast.Expr) for node in source.tree.body)


def is_package(source: Source) -> bool:
    return source.path.name == "__init__.py"


def test_every_module_says_what_it_is() -> None:
    silent = [source.name for source in package_sources() if not ast.get_docstring(source.tree)]
    assert silent == []


def test_every_module_lists_what_is_public() -> None:
    missing = [
        source.name
        for source in package_sources()
        if listed(source) is None and not is_only_a_docstring(source) and source.path.name != "__main__.py"
    ]
    assert missing == []


def test_the_lists_are_sorted_and_name_nothing_twice() -> None:
    unsorted = [
        source.name
        for source in package_sources()
        if (names := listed(source)) and names != sorted(set(names), key=isort_key)
    ]
    assert unsorted == []


def test_each_public_name_is_defined_where_it_is_listed() -> None:
    strangers = [
        f"{source.name}: {name}"
        for source in package_sources()
        for name in listed(source) or ()
        if name not in defined(source) and name not in passed_on(source) and "__getattr__" not in defined(source)
    ]
    assert strangers == []


def test_each_public_class_and_function_says_what_it_does() -> None:
    silent = [
        f"{source.name}: {name}"
        for source in package_sources()
        for name in listed(source) or ()
        if isinstance(node := defined(source).get(name), ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not ast.get_docstring(node)
    ]
    assert silent == []
