"""After crashes and losses neighbours exchange statements: nothing is unknown any more, and nothing differs (28)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from interledger.sim import simulation, statements
from interledger.sim.auditor import BreachError
from interledger.sim.options import CLASSES, draw_options
from interledger.sim.simulation import simulate

SEEDS = (1, 2, 3, 5, 9)


def test_statements_resolve_what_crashes_and_losses_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """The auditor then finds the books of each pair equal to the unit, by records that it reads itself."""
    resolved = []
    original = simulation.exchange_statements

    def counted(*arguments: Any) -> int:
        resolved.append(original(*arguments))
        return resolved[-1]

    monkeypatch.setattr(simulation, "exchange_statements", counted)
    for seed in SEEDS:
        simulate(seed)
    assert sum(resolved) > 0


def test_without_them_something_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statements, "resolve_unknown", lambda *arguments: [])
    with pytest.raises(BreachError, match=r"28 .* unknown"):
        _ = [simulate(seed) for seed in SEEDS]


_DRAWN = draw_options(75)
LATE = replace(
    _DRAWN, settles=False, faults={name: x for name, x in _DRAWN.faults.items() if CLASSES[name].group != "engine"}
)
"""Of an odd seed, where nodes take nothing that is late, and something is: a Fulfill was lost."""


def test_A6_what_is_late_is_set_aside_and_both_count_the_same() -> None:
    """With the default of `late_claims_max`: unknown there with its proof, unproven here, and the balances equal."""
    asked = []
    original = statements.settle_claims
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(statements, "settle_claims", lambda *some: asked.append(original(*some)) or asked[-1])
        simulate(LATE.seed, options=LATE)
    assert sum(len(new) for new, _ in asked) > 0
    assert sum(len(new) for new, _ in asked) == sum(len(back) for _, back in asked)


def test_A6_claims_that_are_not_set_aside_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statements, "settle_claims", lambda *arguments: ([], []))
    with pytest.raises(BreachError, match=r"28 .* 0 unproven"):
        simulate(LATE.seed, options=LATE)
