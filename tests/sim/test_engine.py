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


def test_what_is_wrong_is_said() -> None:
    engine = SimEngine(Random(1))
    engine.settle("k", Quantity(5, 0))
    with pytest.raises(ValueError, match="was used for"):
        engine.settle("k", Quantity(6, 0))
    two = [("n", Quantity(1, 0)), ("n", Quantity(2, 0))]
    faults = settlement_faults(engine, Quantity(4, 0), two, Quantity(1, 0), Quantity(2, 0))
    assert [fault[:2] for fault in faults] == ["14", "15", "16"]
