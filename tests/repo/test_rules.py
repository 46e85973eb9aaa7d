"""Habits that a tool can hold. Each test names what is banned, and why."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator

import pytest

from tools.source import ROOT, Source, package_sources, python_files, text_files

MONEY = ("accounts/", "connector/", "settlement/", "ilp/", "codec/", "store/", "transport/psk2/")
"""Where an amount is handled: an `int`, or a ratio of two."""

MAY_PRINT = ("cli/", "sim/", "daemon/", "__main__.py")

ELSEWHERE = ("/work" + "/", "/home" + "/", "/Users" + "/", "/root" + "/", "bash" + "_jobs")
"""Paths of one machine. Written in two halves, or this file would break its own rule."""

UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME)\b")


def calls(source: Source) -> Iterator[tuple[ast.Call, str]]:
    """Every call, with the dotted name of what is called."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call):
            yield node, ast.unparse(node.func)


def within(source: Source, folders: tuple[str, ...]) -> bool:
    inside = source.name.removeprefix("src/interledger/")
    return any(inside.startswith(folder) or inside.endswith("/" + folder) or inside == folder for folder in folders)


def uses_assert(source: Source) -> Iterator[int]:
    """`assert` vanishes under -O. The public test kit is for tests."""
    if not within(source, ("testing/",)):
        yield from (node.lineno for node in ast.walk(source.tree) if isinstance(node, ast.Assert))


def lets_a_newline_through(source: Source) -> Iterator[int]:
    """`$` matches before a trailing newline. Use `fullmatch`."""
    for node, name in calls(source):
        if name.startswith("re.") and node.args:
            pattern = ast.unparse(node.args[0]).rstrip("'\"")
            if pattern.endswith("$") and not pattern.endswith("\\$"):
                yield node.lineno


def makes_a_float_of_money(source: Source) -> Iterator[int]:
    """No float touches money: not by name, not by `/`, not as a number."""
    if within(source, MONEY):
        for node in ast.walk(source.tree):
            if (
                (isinstance(node, ast.Call) and ast.unparse(node.func) == "float")
                or (
                    isinstance(node, ast.Constant) and isinstance(node.value, float) and not within(source, ("store/",))
                )
                or (
                    isinstance(node, ast.BinOp | ast.AugAssign)
                    and isinstance(node.op, ast.Div)
                    and not within(source, ("store/",))
                )
            ):
                yield node.lineno


def prints(source: Source) -> Iterator[int]:
    """A library that prints spoils its user's output. Logging is for logs, and `cli` for people."""
    if not within(source, MAY_PRINT):
        yield from (node.lineno for node, name in calls(source) if name == "print")


def ignores_types_without_a_code(source: Source) -> Iterator[int]:
    """`# type: ignore` hides every error of its line; a code names the one that is meant, words say why."""
    for number, line in enumerate(source.text.splitlines(), 1):
        if "# type: ignore" in line and not re.search(r"# type: ignore\[[a-z-, ]+\]\s+#? ?\S", line):
            yield number


def starts_tasks_that_nobody_holds(source: Source) -> Iterator[int]:
    """A task whose result nobody keeps is collected while it runs, and its error is lost."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            name = ast.unparse(node.value.func)
            if name.endswith(("create_task", "ensure_future")) and "group" not in name.lower():
                yield node.lineno


@pytest.mark.parametrize(
    "rule",
    [
        uses_assert,
        lets_a_newline_through,
        makes_a_float_of_money,
        prints,
        ignores_types_without_a_code,
        starts_tasks_that_nobody_holds,
    ],
    ids=lambda rule: rule.__name__,
)
def test_nothing_in_the_package(rule: Callable[[Source], Iterator[int]]) -> None:
    found = [f"{source.name}:{line}" for source in package_sources() for line in rule(source)]
    assert found == [], rule.__doc__


@pytest.mark.parametrize(
    ("rule", "path", "bad", "good"),
    [
        (uses_assert, "ilp/x.py", "assert a", "if not a:\n    raise ValueError"),
        (lets_a_newline_through, "ilp/x.py", "re.compile(r'^a$')", "re.compile(r'a\\$')"),
        (makes_a_float_of_money, "accounts/x.py", "float(a)", "int(a)"),
        (makes_a_float_of_money, "connector/x.py", "a / b", "a // b"),
        (makes_a_float_of_money, "settlement/x.py", "a = 0.5", "a = 5"),
        (prints, "node/x.py", "print(a)", "log(a)"),
        (ignores_types_without_a_code, "ilp/x.py", "a = b  # type: ignore", "a = b  # type: ignore[misc]  # a slot"),
        (starts_tasks_that_nobody_holds, "node/x.py", "loop.create_task(a())", "t = loop.create_task(a())"),
    ],
)
def test_the_rules_can_fail(rule: Callable[[Source], Iterator[int]], path: str, bad: str, good: str) -> None:
    where = ROOT / "src" / "interledger" / path
    assert list(rule(Source(where, bad, ast.parse(bad)))) == [1]
    assert list(rule(Source(where, good, ast.parse(good)))) == []


def test_nothing_unfinished_and_no_path_of_one_machine_in_any_file() -> None:
    found = []
    for path in text_files():
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if UNFINISHED.search(line) or any(place in line for place in ELSEWHERE):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}")
    assert found == []


def test_no_test_sleeps() -> None:
    """A test that waits for the wall clock is slow on a good day and fails on a bad one."""
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in python_files()
        if path.is_relative_to(ROOT / "tests")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "time.sleep"
    ]
    assert found == []
