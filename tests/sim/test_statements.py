"""After crashes and losses neighbours exchange statements: nothing is unknown any more, and nothing differs (28)."""

from __future__ import annotations

from typing import Any

import pytest

from interledger.sim import simulation, statements
from interledger.sim.auditor import BreachError
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
    assert len(resolved) == len(SEEDS)
    assert sum(resolved) > 0


def test_without_them_something_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statements, "resolve_unknown", lambda *arguments: [])
    with pytest.raises(BreachError, match=r"28 .* unknown"):
        _ = [simulate(seed) for seed in SEEDS]
