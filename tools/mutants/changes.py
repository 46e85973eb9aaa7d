"""Every small change of a module, by mutmut's rules: `<` for `<=`, `+` for `-`, the next number, an argument less."""

from __future__ import annotations

import ast
import difflib
import hashlib
from collections import Counter
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.file_mutation import Mutation, MutationVisitor
from mutmut.mutation.mutators import mutation_operators
from mutmut.mutation.pragma_handling import IgnoredCode

from tools.mutants.survivors import Survivor
from tools.source import ROOT

__all__ = ["Change", "changes_of"]


class Change(NamedTuple):
    """One change of one function."""

    path: Path
    survivor: Survivor
    function: str
    """Its name within the module: `Ledger.hold`."""
    lines: range
    """A test that runs none of them cannot notice the change."""
    start: int
    end: int
    text: str
    """What stands there instead of the characters from `start` to `end`."""
    key: str
    """The same as long as the function is the same."""

    def source(self) -> str:
        """The whole module, changed."""
        original = self.path.read_text(encoding="utf-8")
        return original[: self.start] + self.text + original[self.end :]


def changes_of(path: Path) -> list[Change]:
    """All of one module, in the order of its lines."""
    text = path.read_text(encoding="utf-8")
    wrapper = MetadataWrapper(cst.parse_module(text))
    visitor = MutationVisitor(mutation_operators, IgnoredCode(set(), set(), set()))
    wrapper.visit(visitor)
    edits = _Edits(text, wrapper)
    functions = _functions(wrapper.module)
    lines = _Lines(text)
    module = ".".join(path.relative_to(ROOT / "src").with_suffix("").parts)
    seen: Counter[tuple[str, str]] = Counter()
    changes = []
    for mutation in visitor.mutations:
        function = functions.get(mutation.contained_by_top_level_function)
        if function is None:
            continue  # of a class's body: made once, when it is imported
        start, end, changed = edits.of(mutation)
        survivor = Survivor(f"{module}.{function}", _told(text, start, end, changed))
        seen[survivor] += 1
        key = hashlib.sha256(f"{lines.digest(function)} {survivor.change} {seen[survivor]}".encode()).hexdigest()[:16]
        where = lines.of(text.count("\n", 0, start) + 1, function)
        changes.append(Change(path, survivor, function, where, start, end, changed, f"{survivor.where} {key}"))
    return changes


def _functions(module: cst.Module) -> dict[cst.CSTNode | None, str]:
    """The functions and methods of a module, and what they are called."""
    found: dict[cst.CSTNode | None, str] = {}
    for node in module.body:
        if isinstance(node, cst.FunctionDef):
            found[node] = node.name.value
        elif isinstance(node, cst.ClassDef):
            methods = [child for child in node.body.body if isinstance(child, cst.FunctionDef)]
            found |= {method: f"{node.name.value}.{method.name.value}" for method in methods}
    return found


class _Edits:
    """Which characters of a module a mutation changes."""

    def __init__(self, text: str, wrapper: MetadataWrapper) -> None:
        self._text = text
        self._module = wrapper.module
        self._positions = wrapper.resolve(PositionProvider)
        self._starts = [0, *accumulate(len(line) for line in text.splitlines(keepends=True))]

    def of(self, mutation: Mutation) -> tuple[int, int, str]:
        place = self._positions.get(mutation.original_node)
        if place is not None:
            start = self._starts[place.start.line - 1] + place.start.column
            end = self._starts[place.end.line - 1] + place.end.column
            if self._text[start:end] == self._module.code_for_node(mutation.original_node):
                return start, end, self._module.code_for_node(mutation.mutated_node)
        # Parentheses, or an operator with its spaces: whose place is not known, so both functions are compared.
        function = mutation.contained_by_top_level_function
        found = self._within(function, mutation) if function is not None else None
        if found is not None:
            return found
        changed = cst.ensure_type(self._module.deep_replace(mutation.original_node, mutation.mutated_node), cst.Module)
        return _difference(self._text, changed.code)

    def _within(self, function: cst.FunctionDef, mutation: Mutation) -> tuple[int, int, str] | None:
        """The same by the function alone, which is written without the indentation of its class: ten times as fast."""
        place = self._positions[function]
        first, indent = place.start.line - 1, place.start.column
        if function.decorators:
            return None
        bare = function.with_changes(leading_lines=())
        before = self._module.code_for_node(bare)
        after = self._module.code_for_node(
            cst.ensure_type(bare.deep_replace(mutation.original_node, mutation.mutated_node), cst.FunctionDef)
        )
        start, end, text = _difference(before, after)
        places = []
        for offset in (start, end):
            line = before.count("\n", 0, offset)
            places.append(self._starts[first + line] + indent + offset - (before.rfind("\n", 0, offset) + 1))
        if self._text[places[0] : places[1]] != before[start:end].replace("\n", "\n" + " " * indent):
            return None
        return places[0], places[1], text.replace("\n", "\n" + " " * indent)


def _difference(before: str, after: str) -> tuple[int, int, str]:
    start = _same(before, after)
    same = _same(before[start:][::-1], after[start:][::-1])
    return start, len(before) - same, after[start : len(after) - same]


def _same(one: str, other: str) -> int:
    """How many characters both begin with."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _told(text: str, start: int, end: int, changed: str) -> str:
    """`line before -> line after`."""
    first = text.rfind("\n", 0, start) + 1
    last = text.find("\n", end)
    before = text[first:last]
    after = text[first:start] + changed + text[end:last]
    differing = list(difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm=""))[3:]
    gone = [line[1:].strip() for line in differing if line.startswith("-")]
    new = [line[1:].strip() for line in differing if line.startswith("+")]
    return f"{' '.join(gone)} -> {' '.join(new)}"


class _Lines:
    """Which lines say that a statement ran: those of a simple one, the head of a compound one."""

    def __init__(self, text: str) -> None:
        self._text = text.splitlines()
        self._of: dict[int, range] = {}
        self._functions: dict[str, range] = {}
        self._add(ast.parse(text).body, "", None)

    def of(self, line: int, function: str) -> range:
        return self._of.get(line) or self._functions[function]

    def digest(self, function: str) -> str:
        lines = self._functions[function]
        return hashlib.sha256("\n".join(self._text[lines.start - 1 : lines.stop - 1]).encode()).hexdigest()

    def _add(self, statements: Sequence[ast.stmt], prefix: str, within: range | None) -> None:
        for each in statements:
            whole = range(each.lineno, (each.end_lineno or each.lineno) + 1)
            if isinstance(each, ast.ClassDef):
                self._add(each.body, f"{prefix}{each.name}.", within)
                continue
            if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef) and within is None:
                self._functions[prefix + each.name] = whole
                self._add(each.body, f"{prefix}{each.name}.", whole)
                continue
            inner = [node for node in ast.iter_child_nodes(each) if isinstance(node, ast.stmt | ast.ExceptHandler)]
            cases = list(getattr(each, "cases", []))
            heads = [node.lineno for node in inner] + [case.pattern.lineno for case in cases]
            head = range(each.lineno, max(min(heads, default=whole.stop), each.lineno + 1))
            if within is not None:
                self._of |= dict.fromkeys(head, head)
            self._add([node for node in inner if isinstance(node, ast.stmt)], prefix, within)
            for part in [*(node for node in inner if isinstance(node, ast.ExceptHandler)), *cases]:
                line = part.lineno if isinstance(part, ast.ExceptHandler) else part.pattern.lineno
                if within is not None:
                    self._of[line] = range(line, line + 1)
                self._add(part.body, prefix, within)
