"""The simulated engine, and the invariants of settlement with a book of settlements beside it."""

from __future__ import annotations

from random import Random

import pytest

from interledger.accounts.account import Account, AccountId, Relation
from interledger.accounts.asset import Asset
from interledger.clock import Timestamp
from interledger.ilp.address import Address
from interledger.settlement.book import SettlementBook
from interledger.settlement.quantity import NOTHING, Quantity
from interledger.sim.engine import SimEngine, settlement_faults

BOB = Account(
    id=AccountId("bob"), asset=Asset("USD", 6), ilp_address=Address("test.bob"), relation=Relation.PEER,
    settlement_engine_url="http://engine",
)  # fmt: skip


@pytest.mark.parametrize("seed", range(30))
def test_invariants_14_to_16_under_faults(seed: int) -> None:
    random = Random(seed)
    ours, theirs = SimEngine(random, loss=30, scale=9), SimEngine(random, loss=30, scale=7)
    ours.peer, theirs.peer = theirs, ours
    book, now = SettlementBook(), Timestamp(0)
    debited = credited = notified = NOTHING
    answers: list[tuple[str, Quantity]] = []
    for step in range(200):
        now = Timestamp(now + 1_000)
        ours.down = random.random() < 0.2
        sending = book.sending(BOB.id)
        if sending is None and random.random() < 0.5:
            sending = book.send(BOB, random.randrange(1, 10**12), f"k{step}", "threshold", now)
            debited = debited.plus(sending.quantity)
        if sending is not None and ours.settle(sending.key, sending.quantity):
            book.acknowledge(sending, now)
        theirs.settle(f"t{step}", Quantity(random.randrange(1, 10**9), random.choice((3, 9, 18))))
        for news in list(ours.news()):
            key, quantity = news
            known = book.find_incoming(BOB.id, key, quantity)
            if known is None:
                notified = notified.plus(quantity)
                credited = credited.plus(Quantity(book.receive(BOB, key, quantity, None, now).amount, 6))
            answers.append((key, quantity))
            ours.acknowledged(news)
        left = book.leftover(BOB.id, BOB.asset)
        assert settlement_faults(ours, debited, answers, credited.plus(left), notified) == []
    assert len(ours.paid) > 10


class DeathError(Exception):
    """The node dies here."""


class DyingNode:
    """A node's settlements that are written before they are spoken of, and that are lost when they are not written.

    `ablation`: what it does wrong. Between any two steps it may die; then it is what was written.
    """

    def __init__(self, random: Random, engine: SimEngine, ablation: str) -> None:
        self.engine, self.written, self.deaths = engine, dict[str, object](), 0
        self._random, self._ablation = random, ablation
        self.debited = self.credited = NOTHING
        """As the ledger has them in the same commit as the settlements."""
        self._book, self._entries = SettlementBook(), (NOTHING, NOTHING)

    def _may_die(self) -> None:
        if self._random.randrange(100) < 4:
            raise DeathError

    def restart(self) -> None:
        self.deaths += 1
        self._book, self._entries = SettlementBook(), (NOTHING, NOTHING)
        self._book.load(self.written, Timestamp(0))

    def _commit(self) -> None:
        self._may_die()
        debit, credit = self._entries
        self.written.update(self._book.take_documents())
        self.debited, self.credited = self.debited.plus(debit), self.credited.plus(credit)
        self._entries = (NOTHING, NOTHING)
        self._may_die()

    @property
    def leftover(self) -> Quantity:
        read = SettlementBook()
        read.load(self.written, Timestamp(0))
        return read.leftover(BOB.id, BOB.asset)

    def settle(self, key: str, now: Timestamp, amount: int) -> None:
        sending = self._book.sending(BOB.id)
        if sending is None and amount:
            sending = self._book.send(BOB, amount, key, "threshold", now)
            self._entries = (sending.quantity, NOTHING)
            self._commit()
        if sending is None:
            return
        asked = key if self._ablation == "another key whenever it asks" else sending.key
        answered = self.engine.settle(asked, sending.quantity)
        self._may_die()
        if answered:
            self._book.acknowledge(sending, now)
            self._commit()

    def listen(self, now: Timestamp) -> None:
        for news in list(self.engine.news()):
            if self._ablation == "an answer before it is written":
                self.engine.acknowledged(news)
            if self._ablation == "keys that are forgotten" or not self._book.find_incoming(BOB.id, *news):
                credit = Quantity(self._book.receive(BOB, *news, None, now).amount, BOB.asset.scale)
                self._entries = (NOTHING, credit)
                self._commit()
            self.engine.acknowledged(news)


def simulate(seed: int, ablation: str = "") -> tuple[list[str], int]:
    """What is wrong after a while of losses, outages, and deaths of the node; and how often it died.

    14: what left the books is what was asked for, no more is paid; 15: each notice is credited once; 18: when all is
    quiet nothing is missing between what one side paid and what the other has.
    """
    random = Random(seed)
    ours, theirs = SimEngine(random, loss=30, scale=9), SimEngine(random, loss=30, scale=7)
    ours.peer, theirs.peer = theirs, ours
    node = DyingNode(random, ours, ablation)
    for step in range(400):
        quiet = step >= 300
        ours.down = not quiet and random.random() < 0.2
        if not quiet:
            theirs.settle(f"t{step}", Quantity(random.randrange(1, 10**9), random.choice((3, 9, 18))))
        now = Timestamp(1_000 * step)
        try:
            node.settle(f"k{step}", now, 0 if quiet or random.random() < 0.5 else random.randrange(1, 10**12))
            node.listen(now)
        except DeathError:
            node.restart()
    came = NOTHING
    for paid in theirs.paid:
        came = came.plus(paid)
    faults = settlement_faults(ours, node.debited, [], node.credited.plus(node.leftover), came)
    asked = NOTHING
    for quantity in ours.asked.values():
        asked = asked.plus(quantity)
    if asked.shortest() != node.debited.shortest():
        faults.append(f"18: {asked} arrived at the engine, {node.debited} were debited")
    return faults, node.deaths


@pytest.mark.parametrize("seed", range(40))
def test_settled_and_credited_once_whenever_the_node_dies(seed: int) -> None:
    faults, deaths = simulate(seed)
    assert faults == []
    assert deaths > 5


@pytest.mark.parametrize(
    ("ablation", "invariants"),
    [
        ("another key whenever it asks", {"14", "18"}),
        ("an answer before it is written", {"15"}),
        ("keys that are forgotten", {"15"}),
    ],
)
def test_an_ablation_fails(ablation: str, invariants: set[str]) -> None:
    found = {fault[:2] for seed in range(20) for fault in simulate(seed, ablation)[0]}
    assert found == invariants


def test_what_is_wrong_is_said() -> None:
    engine = SimEngine(Random(1))
    engine.settle("k", Quantity(5, 0))
    with pytest.raises(ValueError, match="was used for"):
        engine.settle("k", Quantity(6, 0))
    two = [("n", Quantity(1, 0)), ("n", Quantity(2, 0))]
    faults = settlement_faults(engine, Quantity(4, 0), two, Quantity(1, 0), Quantity(2, 0))
    assert [fault[:2] for fault in faults] == ["14", "15", "16"]
