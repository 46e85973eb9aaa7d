"""What a peer is told: of its own account only, from a journal that was read lately, and at a bounded price."""

from __future__ import annotations

from hashlib import sha256

import pytest

from interledger.accounts.account import Account, AccountId, Relation
from interledger.accounts.asset import Asset
from interledger.accounts.books.past import Opening
from interledger.accounts.ledger import Hold, Ledger
from interledger.application.statement import answering
from interledger.application.statement.answering import Answerer, answer_request
from interledger.application.statement.claims import ClaimIndex
from interledger.application.statement.messages import (
    Answer,
    AskItems,
    AskRange,
    AskTimes,
    Direction,
    Items,
    ItemState,
    Later,
    Listed,
    Parts,
    Request,
    Times,
    Wanted,
    decode_answer,
    key_of,
    statement_request,
)
from interledger.clock import Timestamp
from interledger.connector.guards import Refused
from interledger.connector.services import check_peer_packet
from interledger.ilp.address import Address
from interledger.ilp.packet import Fulfill, Prepare
from interledger.ilp.peer import PEER_CONDITION

USD = Asset("USD", 9)
NOW = Timestamp(1_700_000_000_000)
ITEMS = AskItems(Direction.SENT, ())


def account(name: str, relation: Relation = Relation.PEER) -> Account:
    return Account(id=AccountId(name), asset=USD, ilp_address=Address(f"test.{name}"), relation=relation)


def proof(number: int) -> bytes:
    return sha256(b"%d" % number).digest()


def key(number: int, amount: int = 5) -> bytes:
    return key_of(sha256(proof(number)).digest(), amount)


class Made:
    def __init__(self) -> None:
        self.ledger = Ledger()
        self.index: ClaimIndex | None = ClaimIndex(Opening(0, NOW, None))
        self.index.caught_at = NOW
        self.refreshed = 0
        self.answerer = Answerer(self.ledger, lambda: self.index, self.refresh)

    def refresh(self) -> None:
        self.refreshed += 1

    def ask(self, request: Request, who: str = "alice", at: int = NOW) -> Answer:
        reply = self.answerer.answer(account(who), statement_request(request, NOW), Timestamp(at))
        assert isinstance(reply, Fulfill)
        return decode_answer(reply.data)


@pytest.fixture
def made() -> Made:
    return Made()


def test_holders_and_nonsense_are_refused(made: Made) -> None:
    prepare = statement_request(ITEMS, NOW)
    assert check_peer_packet(prepare, NOW) is None
    refused = made.answerer.answer(account("carol", Relation.LOCAL), prepare, NOW)
    assert (isinstance(refused, Refused) and refused.code) == "F01"
    bad = Prepare(0, Timestamp(NOW + 1), PEER_CONDITION, Address("peer.statement"), b"\x02")
    refused = made.answerer.answer(account("alice"), bad, NOW)
    assert (isinstance(refused, Refused) and refused.code) == "F00"


def test_an_old_reading_is_made_new_first(made: Made) -> None:
    old = AskTimes(Direction.SENT, 0, NOW - 1, 60_000 * 2**40)
    assert isinstance(made.ask(old, at=NOW + 3_600_000), Times)  # that was over when we read
    assert made.refreshed == 0
    assert made.ask(ITEMS, at=NOW + answering.FRESH_MS + 1) == Later(250)
    assert made.ask(AskRange(Direction.SENT, 0, NOW + 5_000, b""), at=NOW + 5_000) == Later(250)
    made.index = None
    assert made.ask(old) == Later(250)
    assert made.refreshed == 3


def test_a_peer_may_only_have_us_do_so_much(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "WORK_PER_MINUTE", 50)
    assert made.index is not None
    for number in range(40):
        made.index.of("peer/alice", USD, incoming=True).add(key(number), NOW - 5, proof(number))
    whole = AskRange(Direction.SENT, 0, NOW, b"")
    assert [type(made.ask(whole)) for _ in range(4)] == [Listed, Listed, Later, Later]
    assert isinstance(made.ask(whole, who="bob"), Listed)  # the others are not held up
    made.index.caught_at = NOW + 60_000
    assert isinstance(made.ask(whole, at=NOW + 60_000), Listed)


def test_nobody_hears_of_the_packets_of_others(made: Made) -> None:
    assert made.index is not None
    made.index.of("peer/bob", USD, incoming=True).add(key(1), NOW - 5, proof(1))
    legs = ((made.ledger.account("peer/bob", USD), made.ledger.account("peer/carol", USD), 5),)
    made.ledger.hold(legs, key(2)[:32], NOW, True)
    hold = made.ledger.hold(legs, key(3)[:32], NOW, True)
    assert isinstance(hold, Hold)
    made.ledger.give_up(hold)
    for direction in Direction:
        wanted = tuple(Wanted(key(number), 0) for number in (1, 2, 3))
        found = made.ask(AskItems(direction, wanted))
        assert isinstance(found, Items)
        assert {(item.number, item.state, item.fulfillment) for item in found.items} == {(0, ItemState(0), None)}
        assert made.ask(AskRange(direction, 0, NOW, b"")) == Listed(())
        times = made.ask(AskTimes(direction, NOW - 60_000, NOW, 60_000))
        assert isinstance(times, Times)
        assert times.times == ()


def test_what_we_sent_and_do_not_know_is_said(made: Made) -> None:
    alice, bob = made.ledger.account("peer/alice", USD), made.ledger.account("peer/bob", USD)
    for number, proven in ((1, False), (2, True)):
        hold = made.ledger.hold(((bob, alice, 5),), key(number)[:32], NOW, True)
        assert isinstance(hold, Hold)
        item = made.ledger.give_up(hold)
        if proven:
            made.ledger.add_evidence(item, proof(number))
    found = made.ask(AskItems(Direction.RECEIVED, (Wanted(key(1), 0), Wanted(key(2), 0))))
    assert isinstance(found, Items)
    assert [item.state for item in found.items] == [ItemState.UNKNOWN, ItemState.LATE]


def test_more_than_fits_is_divided() -> None:
    index = ClaimIndex(Opening(0, NOW, None))
    for number in range(301):
        index.of("peer/alice", USD, incoming=True).add(key(number), NOW - 5, proof(number))
    found, work = answer_request(Ledger(), index, "peer/alice", USD, AskRange(Direction.SENT, 0, NOW, b""))
    assert isinstance(found, Parts)
    assert sum(summary.number for _, summary in found.parts) == 301
    assert work == 302
