"""Settlement in the simulation: engines that fail in every way settle once, and nodes that break one rule are found."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import pytest

from interledger.accounts.books.memo import Memo
from interledger.accounts.ledger import Ledger
from interledger.settlement.book import SettlementBook
from interledger.settlement.engine.base import Payment
from interledger.settlement.engine.state import EngineState, Requested
from interledger.settlement.quantity import Quantity
from interledger.settlement.records import Settlement
from interledger.sim.books import BreachError
from interledger.sim.coverage import MUST_HAPPEN
from interledger.sim.engine import STEPS, Chain, Transfer
from interledger.sim.options import CLASSES, Options, draw_options
from interledger.sim.settling import NodeSettling
from interledger.sim.simulation import Report, simulate

ENGINE = {name: 0.2 for name, found in CLASSES.items() if found.group == "engine"}
FAULTS: dict[str, float] = ENGINE | {"engine dies": 0.1, "engine away": 2, "engine days": 1}
HONEST = {name: value for name, value in FAULTS.items() if name != "engine lies"}
REPEATED: dict[str, float] = {"engine times out": 0.5, "engine twice": 0.5, "engine late": 0.3}
NATURE: dict[str, float] = {"kill": 3, "power": 2, "slow disk": 200}


def options(seed: int, **faults: float) -> Options:
    drawn = draw_options(seed)
    return replace(
        drawn, wire="messages", sqlite=False, learned=False, packets=200, topology="line 3", settles=True, faults=faults
    )


def breach(seeds: int = 12, **faults: float) -> str:
    for seed in range(seeds):
        try:
            simulate(seed, options=options(seed, **faults))
        except BreachError as error:
            return str(error)
    return ""


def happened(report: Report) -> set[str]:
    return {name for name, count in report.coverage.events.items() if count}


def test_14_15_16_18_engines_that_fail_in_every_way_settle_once() -> None:
    seen: set[str] = set()
    for seed in range(4, 9):
        seen |= happened(simulate(seed, options=options(seed, **FAULTS, **NATURE)))
        seen |= happened(simulate(seed, options=options(seed, **HONEST, **NATURE)))
    missing = {*FAULTS, *MUST_HAPPEN} - seen
    assert not missing


def test_without_faults_every_settlement_arrives() -> None:
    for seed in range(3):
        report = simulate(seed, options=options(seed))
        assert report.coverage.events["settlement settled"] >= report.coverage.events["settlement credited"] > 0


def test_an_engine_may_die_behind_every_step() -> None:
    assert {f"engine dies: {step}" for step in STEPS} <= set(MUST_HAPPEN)


# ---------------------------------------------------------------------- what must fail does fail


def test_RS1_another_key_for_each_attempt_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    ask, dice = NodeSettling._ask, Random(1)

    def another(settling: NodeSettling, settlement: Settlement) -> None:
        settlement.key = f"{dice.random()}"
        ask(settling, settlement)

    monkeypatch.setattr(NodeSettling, "_ask", another)
    assert breach(**HONEST).startswith("14")


def test_RS8_a_refund_when_no_answer_comes_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = NodeSettling._answered

    def give_back(settling: NodeSettling, settlement: Settlement, *, done: bool) -> None:
        if done:
            answered(settling, settlement, done=done)
        else:
            settling.clearing.void(settlement, Memo("refund"))

    monkeypatch.setattr(NodeSettling, "_answered", give_back)
    assert breach(**HONEST).startswith(("14", "18"))


@pytest.mark.pure
def test_speaking_before_writing_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The request to the engine, or the answer to it, leaves before the commit."""
    monkeypatch.setattr(Ledger, "call_after_commit", lambda ledger, waiter: waiter(None))
    assert breach(**HONEST, **NATURE).startswith(("14", "15"))


def test_RS10_keys_that_are_forgotten_at_a_restart_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    load = SettlementBook.load

    def forget(book: SettlementBook, documents: dict[str, Any]) -> None:
        load(book, {key: body for key, body in documents.items() if "in/" not in key})

    monkeypatch.setattr(SettlementBook, "load", forget)
    monkeypatch.setattr(SettlementBook, "missing_key", lambda book, account, key: None)
    assert breach(40, **REPEATED, kill=6).startswith(("15", "18"))


def test_RS10_keys_that_the_store_is_not_asked_for_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SettlementBook, "missing_key", lambda book, account, key: None)
    assert breach(40, **REPEATED).startswith(("15", "18"))


def test_RS7_leftovers_that_are_dropped_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SettlementBook, "_set_leftover", lambda book, account, asset, leftover: None)
    assert breach(40).startswith("15")


def test_an_engine_that_forgets_requests_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    request = EngineState.request

    def forget(state: EngineState, account: str, key: str, quantity: Quantity, now: Any) -> Requested:
        return request(state, account, f"{key} {Random().random()}", quantity, now)

    monkeypatch.setattr(EngineState, "request", forget)
    assert breach(**HONEST).startswith(("14", "15", "18"))


def test_an_engine_that_does_not_remember_what_it_sent_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Payment, "remember", lambda payment, note: None)
    assert breach(**{"engine dies": 0.2}).startswith(("14", "18"))


def test_I9_an_engine_that_lies_without_a_cap_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    book_receive = SettlementBook.receive

    def without(book: SettlementBook, account: Any, key: str, quantity: Quantity, cap: Any, now: Any) -> Settlement:
        return book_receive(book, account, key, quantity, None, now)

    monkeypatch.setattr(SettlementBook, "receive", without)
    assert breach(**{"engine lies": 0.2}).startswith("15")


# ---------------------------------------------------------------------- the ledger of the engines


def test_a_transfer_happens_once_and_is_never_another() -> None:
    chain = Chain()
    for _ in range(3):
        chain.send("a", Transfer("left", Quantity(5, 0)))
    assert len(chain.transfers) == 1
    with pytest.raises(ValueError, match="a was"):
        chain.send("a", Transfer("left", Quantity(6, 0)))
