"""The list of mutants that may live says what is still true of the code."""

from __future__ import annotations

import inspect
from functools import reduce
from importlib import import_module

import pytest

from tools.mutants import Survivor, change_of, is_harmless, justified

DIFF = """--- src/interledger/accounts/ledger.py
+++ src/interledger/accounts/ledger.py
@@ -10,4 +10,4 @@
         self._batch = Batch()
-        self._dirty = False
+        self._dirty = None
"""


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("interledger.accounts.ledger.xǁLedgerǁ__init____mutmut_15", "interledger.accounts.ledger.Ledger.__init__"),
        ("interledger.accounts.ledger.xǁLedgerǁ_post__mutmut_1", "interledger.accounts.ledger.Ledger._post"),
        ("interledger.accounts.records.x__get_text__mutmut_2", "interledger.accounts.records._get_text"),
    ],
)
def test_a_mutant_is_named_by_what_it_changes(name: str, where: str) -> None:
    assert change_of(name, DIFF) == Survivor(where, "self._dirty = False -> self._dirty = None")


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
    assert before in source
    assert after not in ("", before)
    assert reason
