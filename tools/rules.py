"""`docs/reference/rules.md`: every rule of `conformance/rules.toml`, and its tests or why there are none."""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from functools import cache
from typing import Any, Final, NamedTuple

from tools.source import ROOT, package_sources

__all__ = ["LEVELS", "PACKAGE", "Rule", "read_rules", "rules_page"]

PACKAGE: Final = ROOT / "src" / "interledger"

LEVELS: Final = {"M": "must", "S": "should", "real": "real peers", "ours": "ours"}

_ID: Final = re.compile(r"(?<![A-Z])([A-Z]{2})[_-](\d\d)(?!\d)")


class Rule(NamedTuple):
    """One rule. `modules`: what obeys it; `tests`: files or single tests that prove it; `why`: why there are none."""

    section: str
    id: str
    level: str
    says: str
    modules: tuple[str, ...]
    tests: tuple[str, ...]
    why: str


def read_rules() -> list[Rule]:
    """All rules, in their order, with the files of tests that name them."""
    named: dict[str, list[str]] = defaultdict(list)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for prefix, number in set(_ID.findall(path.read_text(encoding="utf-8"))):
            named[f"{prefix}-{number}"].append(str(path.relative_to(ROOT)))
    document = tomllib.loads((ROOT / "conformance" / "rules.toml").read_text(encoding="utf-8"))
    return [
        Rule(
            section["title"],
            row["id"],
            row["level"],
            row["says"],
            _modules(row, tests := (*named[row["id"]], *row.get("tests", ()))),
            tests,
            row.get("why", ""),
        )
        for section in document["section"]
        for row in section["rule"]
    ]


def _modules(row: dict[str, Any], tests: tuple[str, ...]) -> tuple[str, ...]:
    """Paths below src/interledger: those with the id in their text, and those whose tests prove the rule."""
    mirrored = {re.sub(r"(.*/)test_(.*\.py).*", r"\1\2", test.removeprefix("tests/")) for test in tests}
    found = {path for path in mirrored if (PACKAGE / path).is_file()}
    return tuple(sorted({*found, *_naming().get(row["id"], ()), *row.get("modules", ())}))


@cache
def _naming() -> dict[str, set[str]]:
    """By rule: the modules that have its id in their text."""
    found: dict[str, set[str]] = defaultdict(set)
    for source in package_sources():
        for prefix, number in _ID.findall(source.text):
            found[f"{prefix}-{number}"].add(source.path.relative_to(PACKAGE).as_posix())
    return found


def rules_page() -> list[str]:
    """The parts of the page."""
    rules = read_rules()
    proved = sum(bool(rule.tests) for rule in rules)
    parts = [
        "What a node obeys, rule by rule: the RFCs' MUST and SHOULD in our words, what real peers need besides, "
        f"and what the RFCs leave open. Of {len(rules)} rules {proved} are proved by a test; the others say why not. "
        "Modules are those below `src/interledger`. The RFCs' own sentences, each with what proves it: "
        "[sentences of the RFCs](requirements.md)."
    ]
    for section in dict.fromkeys(rule.section for rule in rules):
        parts.append(f"## {section}")
        rows = ["| id | level | rule | obeyed in | proved by |", "| --- | --- | --- | --- | --- |"]
        for rule in rules:
            if rule.section == section:
                proof = "<br>".join(f"`{test}`" for test in rule.tests) or rule.why
                modules = "<br>".join(f"`{module}`" for module in rule.modules)
                says = rule.says.replace("|", "\\|")
                rows.append(f"| {rule.id} | {LEVELS[rule.level]} | {says} | {modules} | {proof} |")
        parts.append("\n".join(rows))
    return parts
