"""The list of mutants that may live says what is still true of the code."""

from __future__ import annotations

import inspect
import subprocess
import sys
from functools import reduce
from importlib import import_module
from pathlib import Path

import pytest

from tools.mutants import Survivor, is_harmless, justified
from tools.mutants.changes import Change, changes_of
from tools.source import ROOT


@pytest.fixture(scope="module")
def changes() -> list[Change]:
    return changes_of(ROOT / "src" / "interledger" / "settlement" / "retries.py")


def test_a_change_says_where_it_is_and_what_is_changed(changes: list[Change]) -> None:
    told = {each.survivor.change for each in changes}
    assert {each.survivor.where for each in changes} == {"interledger.settlement.retries.retry_delay_ms"}
    line = "whole = min(FIRST_DELAY_MS << min(attempts, 32), LAST_DELAY_MS)"
    assert f"{line} -> {line.replace('<<', '>>')}" in told
    assert f"{line} -> {line.replace('32', '33')}" in told
    assert f"{line} -> whole = min(FIRST_DELAY_MS << min(attempts, 32), )" in told
    assert len({each.key for each in changes}) == len(changes)


def test_each_change_is_a_module_that_differs_in_its_function_only(changes: list[Change]) -> None:
    original = changes[0].path.read_text(encoding="utf-8")
    for each in changes:
        source = each.source()
        compile(source, "changed", "exec")
        assert source != original
        assert source[: each.start] == original[: each.start]
        assert each.survivor.change.partition(" -> ")[2] in " ".join(source.split())


@pytest.mark.slow
@pytest.mark.pure
@pytest.mark.parametrize(
    ("asserted", "killed", "survived"),
    [("FIRST_DELAY_MS // 2 <= delay <= FIRST_DELAY_MS", 16, 9), ("delay >= 0", 15, 10)],
)
def test_what_the_tests_do_not_look_at_survives(tmp_path: Path, asserted: str, killed: int, survived: int) -> None:
    """One test that looks closely, one that hardly does; wording and what may live are not run."""
    test = tmp_path / "test_it.py"
    test.write_text(
        "from interledger.settlement.retries import FIRST_DELAY_MS, retry_delay_ms\n"
        f"def test_it():\n    delay = retry_delay_ms(0, bytes(2))\n    assert {asserted}\n"
    )
    command = [sys.executable, "-m", "tools.mutants", "interledger.settlement.retries", "--tests", str(test)]
    done = subprocess.run(
        [*command, "--results", str(tmp_path / "results")], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert f"| all | 27 | {killed} | 2 | {survived} | 0 |" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 1


@pytest.mark.parametrize(
    ("change", "is_so"),
    [
        ('raise LedgerError("it is gone") -> raise LedgerError("XXit is goneXX")', True),
        ('raise LedgerError("It is gone") -> raise LedgerError("IT IS GONE")', True),
        ('raise LedgerError("it is gone") -> raise LedgerError(None)', False),
        ('x.to_bytes(4, "big") -> x.to_bytes(4, )', True),
        ('x.to_bytes(4, "big") -> x.to_bytes(5, "big")', False),
        ('x = state["key"] -> x = state["XXkeyXX"]', False),
    ],
)
def test_wording_and_defaults_may_change(change: str, is_so: bool) -> None:
    assert is_harmless(Survivor("a.b", change)) is is_so


@pytest.mark.parametrize(("survivor", "reason"), justified().items(), ids=lambda each: str(each)[:60])
def test_a_mutant_that_may_live_is_one_of_todays_code_and_has_a_reason(survivor: Survivor, reason: str) -> None:
    module, name = survivor.where.rsplit(".", 1) if "." in survivor.where else ("", survivor.where)
    names = [name]
    while module.rsplit(".", 1)[1][:1].isupper():  # a class
        module, name = module.rsplit(".", 1)
        names.insert(0, name)
    function = reduce(getattr, names, import_module(module))
    source = " ".join(inspect.getsource(getattr(function, "fget", None) or function).split())
    before, _, after = survivor.change.partition(" -> ")
    assert " ".join(before.split()) in source
    assert after not in ("", before)
    assert reason
