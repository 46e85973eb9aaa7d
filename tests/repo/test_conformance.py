"""Every rule is proved by a test, or says why not; what it names exists."""

from __future__ import annotations

from tools.rules import LEVELS, PACKAGE, read_rules
from tools.source import ROOT


def test_every_rule_has_a_proof_or_a_reason() -> None:
    rules = read_rules()
    assert len(rules) > 140
    assert [rule.id for rule in rules if bool(rule.tests) == bool(rule.why)] == []
    assert {rule.level for rule in rules} == set(LEVELS)
    assert len({rule.id for rule in rules}) == len(rules)


def test_every_rule_that_is_proved_is_obeyed_somewhere() -> None:
    rules = read_rules()
    assert [rule.id for rule in rules if rule.tests and not rule.modules] == []
    gone = [(rule.id, module) for rule in rules for module in rule.modules if not (PACKAGE / module).is_file()]
    assert gone == []


def test_the_tests_that_are_named_exist() -> None:
    for rule in read_rules():
        for name in rule.tests:
            path, _, function = name.partition("::")
            assert f"def {function}" in (ROOT / path).read_text(encoding="utf-8"), (rule.id, name)
