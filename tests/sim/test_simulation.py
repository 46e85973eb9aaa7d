"""The simulation over 2,000 seeds, its repeatability, and ablations: without one rule, the auditor must object."""

from __future__ import annotations

import os
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from interledger.accounts.ledger import Hold, Ledger, Unknown
from interledger.connector.peer import Peer
from interledger.link.btp.repeating import RepeatingLink
from interledger.link.idempotent import IdempotentSide
from interledger.sim import node as sim_node
from interledger.sim import simulation
from interledger.sim.auditor import BreachError
from interledger.sim.campaign import Campaign, run_campaign, run_seeds
from interledger.sim.coverage import MUST_HAPPEN, Coverage
from interledger.sim.options import CLASSES, Options, draw_options
from interledger.sim.payments import StreamPayment
from interledger.sim.simulation import simulate
from interledger.sim.storage import ModelStorage
from interledger.store.memory import MemoryStore
from tests.support.at_once import send_at_once
from tools.torture.sim_storage import make_storage

SEEDS = int(os.environ.get("ILP_SIM_SEEDS", "2000"))
ENOUGH = 2_000
"""Seeds in which every cell that must occur does."""


@pytest.mark.slow
@pytest.mark.pure  # on all cores, in processes of their own: compiled code has `test_some_seeds`
def test_invariants_hold_over_all_seeds_and_everything_that_must_occur_did() -> None:
    campaign = Campaign()
    for campaign in run_campaign(0, SEEDS, make_storage):  # used after the loop
        assert not campaign.breaches, "\n".join(str(breach) for breach in campaign.breaches)
    assert campaign.seeds == SEEDS
    if SEEDS >= ENOUGH:
        assert campaign.coverage.missing() == []


def test_some_seeds() -> None:
    """As above, in this process: whatever code is under test here."""
    campaign = run_seeds(range(5_000, 5_012), make_storage)
    assert not campaign.breaches, "\n".join(str(breach) for breach in campaign.breaches)
    assert campaign.figures["packets"] > 300


def test_routes_of_accounts_that_were_opened_anew_are_learned_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Along a line of seven, which takes longer than the statements do. With one more class of faults a seed is another
    run: that this one still needs the time is part of the test."""
    assert simulate(2_808).fulfilled > 0
    monkeypatch.setattr(simulation, "ROUTES_MS", 1_000)
    with pytest.raises(BreachError, match="no route to the destination"):
        simulate(2_808)


@pytest.mark.parametrize("seed", [11, 14])
def test_the_same_seed_is_the_same_run(seed: int) -> None:
    sqlite = make_storage()
    first = simulate(seed, sqlite)
    assert first == simulate(seed, sqlite)
    assert first.fingerprint != simulate(seed + 100, sqlite).fingerprint


def test_without_faults_the_books_agree_and_nobody_is_exposed() -> None:
    for seed in range(8):
        report = simulate(seed, options=replace(draw_options(seed), faults={}, sqlite=False))
        assert (report.counts["exposed"], report.counts["unwritten"], report.crashes) == (0, 0, 0)
        assert report.counts["executed"] > 0


# ---------------------------------------------------------------------- what must fail does fail


def with_faults(seed: int, wire: str = "messages", **faults: float) -> Options:
    assert not {name.replace("_", " ") for name in faults} - CLASSES.keys()
    chosen = {name.replace("_", " "): value for name, value in faults.items()}
    return replace(draw_options(seed), wire=wire, sqlite=False, learned=False, packets=120, faults=chosen)


def breach(seeds: int = 12, wire: str = "messages", **faults: float) -> str:
    for seed in range(seeds):
        try:
            simulate(seed, options=with_faults(seed, wire, **faults))
        except BreachError as error:
            return str(error)
    return ""


NATURE: dict[str, float] = {"drop": 0.05, "delay": 0.1, "kill": 4, "slow_disk": 200}


def test_the_faults_of_the_ablations_break_nothing_by_themselves() -> None:
    assert breach(3, **NATURE, power=4) == ""
    assert breach(3, "btp/2.0-i", cut=8, slow_disk=1_000, settings_change=4) == ""


@pytest.mark.pure
def test_a_time_out_taken_for_a_rejection_breaks_the_books(monkeypatch: pytest.MonkeyPatch) -> None:
    def release_instead(ledger: Ledger, hold: Hold, interrupted: bool = False) -> Unknown:
        ledger.release(hold)
        return Unknown(hold.id, hold.legs[-1][1], 0, hold.condition, hold.expires_at)

    monkeypatch.setattr(Ledger, "give_up", release_instead)
    assert breach(**NATURE).startswith("17")


@pytest.mark.pure
def test_relaying_before_writing_breaks_the_books(monkeypatch: pytest.MonkeyPatch) -> None:
    send_at_once(monkeypatch, "replies")
    assert breach(**NATURE).startswith("7")


@pytest.mark.pure
def test_a_prepare_that_leaves_before_its_hold_is_durable_breaks_the_books(monkeypatch: pytest.MonkeyPatch) -> None:
    send_at_once(monkeypatch, "prepares")
    assert breach(**NATURE).startswith("17")


@pytest.mark.pure
def test_holds_voided_at_restart_break_the_books(monkeypatch: pytest.MonkeyPatch) -> None:
    def void_all(ledger: Ledger) -> tuple[int, list[Unknown]]:
        for hold in list(ledger.holds.values()):
            ledger.release(hold)
        return 0, []

    monkeypatch.setattr(sim_node, "recover", void_all)
    assert breach(**NATURE).startswith("17")


def _lossy(monkeypatch: pytest.MonkeyPatch, keep: int) -> None:
    """A disk that has lost its latest commits after a power cut; the auditor is told that this is allowed."""

    def crash(storage: ModelStorage, write: Any, *, power: bool) -> None:
        commits = storage.store.read_commits(0, 10**9)
        storage.store = MemoryStore()
        for commit in commits[: max(len(commits) - 2, 0)] if keep else []:
            storage.store.write(commit.records, commit.at)

    monkeypatch.setattr(ModelStorage, "crash", crash)


def test_books_in_memory_only_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    _lossy(monkeypatch, keep=0)
    assert breach(**NATURE).startswith("4")


def test_commits_that_no_disk_has_when_they_are_believed_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without fsync a restart would void what was fulfilled, or forget what was sent."""
    _lossy(monkeypatch, keep=1)
    assert breach(power=5, slow_disk=100).startswith("4")


def test_24_more_in_flight_than_may_be_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation, "IN_FLIGHT_MAX", 0)
    assert breach(grief=1).startswith("24")


@pytest.mark.pure
def test_20_a_sender_that_takes_any_rate_is_noticed_when_a_node_steals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StreamPayment, "brought", (100, 1, 1, Fraction(1, 2)))
    assert breach(20, steal=0.3).startswith("20")


# What the simulation found: with the old behaviour it finds it again.


def test_answers_that_leave_by_a_repetition_before_they_are_written_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def at_once(link: RepeatingLink, connection: Any, journal: Any, key: bytes, encode: Any) -> None:
        connection.send(encode(journal.find(key).answer))

    monkeypatch.setattr(RepeatingLink, "_answer_again", at_once)
    assert breach(12, "btp/2.0-i", cut=8, slow_disk=1_000).startswith("7")


def test_answers_that_leave_by_a_new_link_before_they_are_written_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    resume = IdempotentSide.resume

    def at_once(side: IdempotentSide, now: Any) -> None:
        for request_id, state in list(side.journal.entries()):
            if state.answer is not None and state.expires_at > now:
                side.journal.on_answer(request_id, state.answer)
        resume(side, now)

    monkeypatch.setattr(IdempotentSide, "resume", at_once)
    assert breach(40, "btp/2.0-i", settings_change=8, slow_disk=2_000).startswith("7")


@pytest.mark.pure
def test_replies_that_are_forgotten_when_an_account_is_changed_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Peer, "take_over", lambda peer, left: None)
    assert breach(settings_change=8).startswith(("6", "8"))


# ---------------------------------------------------------------------- the generator is judged too


def test_a_class_that_never_happened_is_missing() -> None:
    coverage = Coverage()
    assert coverage.missing([("kill", "in flight", "unknown")])[:2] == [
        "kill / in flight / unknown",
        "drop: never happened",
    ]
    coverage.events.update(dict.fromkeys((*CLASSES, *MUST_HAPPEN), 1))
    coverage.cells["kill", "in flight", "unknown"] = 1
    assert coverage.missing([("kill", "in flight", "unknown")]) == []


def test_a_breach_says_how_to_see_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(storage: ModelStorage, write: Any, *, power: bool) -> None:
        raise BreachError("4 planted")

    monkeypatch.setattr(ModelStorage, "crash", crash)
    campaign = run_seeds(range(40, 48))
    assert str(campaign.breaches[0]).endswith(f"Again:  make sim SEED={campaign.breaches[0].seed}")
    assert len(campaign.fingerprints) + len(campaign.breaches) == 8
