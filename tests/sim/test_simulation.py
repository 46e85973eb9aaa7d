"""The simulation over many seeds, its repeatability, and ablations: without one rule, the auditor must object."""

from __future__ import annotations

import os
from typing import Any

import pytest

from interledger.accounts.ledger import Hold, Ledger, Unknown
from interledger.sim.auditor import BreachError
from interledger.sim.simulation import simulate

SEEDS = int(os.environ.get("ILP_SIM_SEEDS", "200"))
CHUNK = 25


@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
def test_invariants_hold(first: int) -> None:
    """1 2 3 6 7 8 10 12 13 17 18, with losses, delays, duplicates and crashes."""
    packets = sum(simulate(seed).packets for seed in range(first, min(first + CHUNK, SEEDS)))
    assert packets > 100


def test_the_same_seed_is_the_same_run() -> None:
    assert simulate(11) == simulate(11)
    assert simulate(11).fingerprint != simulate(12).fingerprint


def _breach(seeds: range) -> str:
    for seed in seeds:
        try:
            simulate(seed)
        except BreachError as breach:
            return str(breach)
    return ""


@pytest.mark.pure
def test_a_time_out_taken_for_a_rejection_breaks_the_books(monkeypatch: pytest.MonkeyPatch) -> None:
    def release_instead(ledger: Ledger, hold: Hold) -> Unknown:
        ledger.release(hold)
        return Unknown(hold.id, hold.legs[-1][1], 0, hold.condition, hold.expires_at)

    monkeypatch.setattr(Ledger, "give_up", release_instead)
    assert _breach(range(60)).startswith(("17", "18"))


@pytest.mark.pure
def test_speaking_before_writing_breaks_the_books(monkeypatch: pytest.MonkeyPatch) -> None:
    def at_once(ledger: Ledger, send: Any, request_id: Any, reply: Any) -> None:
        send(request_id, reply)

    monkeypatch.setattr(Ledger, "reply_after_commit", at_once)
    assert _breach(range(60)).startswith("7")


@pytest.mark.pure
def test_holds_voided_at_restart_break_the_books(monkeypatch: pytest.MonkeyPatch) -> None:
    def void_all(ledger: Ledger) -> tuple[int, list[Unknown]]:
        for hold in list(ledger.holds.values()):
            ledger.release(hold)
        return 0, []

    monkeypatch.setattr(Ledger, "recover", void_all)
    assert _breach(range(200)).startswith(("17", "18"))
