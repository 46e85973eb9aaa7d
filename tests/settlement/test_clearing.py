"""What settlements do to the books, without a node: entries, documents and what is to be sent, in one commit each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from interledger.accounts.account import Account, AccountId, Relation
from interledger.accounts.asset import Asset
from interledger.accounts.books.memo import Memo
from interledger.accounts.ledger import Ledger
from interledger.accounts.records import EntryPosted, decode_records
from interledger.clock import Timestamp
from interledger.errors import ConflictError
from interledger.ilp.address import Address
from interledger.settlement.book import SettlementBook
from interledger.settlement.clearing import Clearing, ClearingHooks, check_open
from interledger.settlement.messages import new_key
from interledger.settlement.quantity import Quantity
from interledger.settlement.records import Settlement, SettlementState

USD = Asset("USD", 2)
NOW = Timestamp(1_795_262_400_000)


class Desk:
    """A ledger whose batches are written when `commit` says so."""

    def __init__(self, **terms: Any) -> None:
        self.ledger, self.book = Ledger(), SettlementBook()
        self.kept: dict[str, Any] = {}
        self.sent: list[Settlement] = []
        self.is_open = True
        self.bob = Account(
            id=AccountId("bob"), asset=USD, ilp_address=Address("test.bob"), relation=Relation.PEER, **terms
        )
        hooks = ClearingHooks(
            now=lambda: NOW,
            random=bytes,
            is_open=lambda: self.is_open,
            store=self.kept.__setitem__,
            send=self.sent.append,
        )
        self.clearing = Clearing(self.ledger, self.book, hooks)
        self.ledger.before_batch = self.clearing.before_batch
        self.clearing.watch(self.bob, "http://engine")

    def packet(self, amount: int) -> None:
        """Bob fulfilled so much for us; below zero: we for him."""
        ledger = self.ledger
        legs = (ledger.account("local/alice", USD), ledger.account("peer/bob", USD))
        ledger.post(((*(legs if amount > 0 else legs[::-1]), abs(amount)),), "a packet")

    def commit(self) -> None:
        batch = self.ledger.take_batch()
        for waiter in batch.waiters if batch is not None else ():
            waiter(None)

    def net(self, name: str = "peer/bob") -> int:
        found = self.ledger.find(name, USD)
        return 0 if found is None else found.net


def test_a_settlement_is_of_the_commit_that_reached_the_threshold() -> None:
    desk = Desk(settle_threshold=500)
    desk.packet(499)
    desk.commit()
    assert desk.sent == []
    desk.packet(1)
    desk.ledger.take_batch()  # being written, and not written yet
    assert (desk.net(), desk.net("peer/bob/transit"), len(desk.kept), desk.sent) == (0, -500, 1, [])


def test_it_is_sent_when_it_is_written_and_one_at_a_time() -> None:
    desk = Desk(settle_threshold=500)
    desk.packet(700)
    desk.commit()
    [one] = desk.sent
    desk.packet(900)
    desk.commit()
    assert desk.sent == [one]
    assert desk.clearing.acknowledge(one)
    assert not desk.clearing.acknowledge(one)
    desk.commit()
    assert [sent.amount for sent in desk.sent] == [700, 900]
    assert (desk.net("external/bob"), desk.net("peer/bob/transit")) == (-700, -900)


def test_nothing_begins_while_it_is_not_open_nor_behind_a_void() -> None:
    desk = Desk(settle_threshold=500)
    desk.is_open = False
    desk.packet(700)
    desk.commit()
    assert desk.sent == []
    desk.is_open = True
    desk.clearing.look()
    desk.commit()
    [one] = desk.sent
    desk.clearing.void(one, Memo("void"))
    desk.commit()
    assert (desk.net(), desk.sent) == (-700, [one])
    with pytest.raises(ConflictError):
        desk.clearing.void(one, Memo("void"))


def test_I12_what_came_in_without_a_debt_is_not_sent_back() -> None:
    """Whatever passed before. Sent back, and sent back again by a peer that thinks as we do, it never comes to rest.

    Found by the simulation: how much was paid in advance was guessed from what had come in and been spent in all.
    """
    desk = Desk(settle_threshold=1)
    desk.packet(-10_000)
    desk.packet(10_000)
    desk.clearing.credit(desk.bob, "a", Quantity(2_000, 2))
    desk.commit()
    assert (desk.net(), desk.sent) == (-2_000, [])
    desk.packet(300)  # what packets make us owe is settled all the same
    desk.commit()
    assert [one.amount for one in desk.sent] == [300]
    assert desk.clearing.acknowledge(desk.sent[0])
    desk.packet(-500)  # and his packets use up what he has paid
    desk.packet(500)
    desk.commit()
    assert [one.amount for one in desk.sent] == [300, 500]


def test_I10_what_is_more_than_a_debt_is_paid_in_advance() -> None:
    desk = Desk(settle_threshold=1)
    desk.packet(-700)
    desk.clearing.credit(desk.bob, "a", Quantity(1_000, 2))
    desk.commit()
    assert (desk.net(), desk.sent, desk.book.prepaid(desk.bob.id, USD)) == (-300, [], (300, 700))


def test_I1_a_key_is_credited_once_with_its_leftover_in_the_same_documents() -> None:
    desk = Desk()
    for _ in range(2):
        desk.clearing.credit(desk.bob, "a", Quantity(1_999, 5))
    assert desk.net() == -1
    assert {key.partition("/")[0] for key in desk.kept} == {"done", "leftover", "cap", "prepaid"}
    assert desk.clearing.credit(desk.bob, "b", Quantity(0, 2)) is None


def test_I9_what_is_held_is_in_no_entry_until_it_is_approved() -> None:
    desk = Desk(settle_in_max=500)
    held = desk.clearing.credit(desk.bob, "a", Quantity(501, 2))
    assert held is not None
    assert (held.state, desk.net()) == (SettlementState.HELD, 0)
    desk.clearing.approve(held, Memo("approval"))
    assert desk.net() == -501


def test_it_is_settled_down_to_what_the_account_says_by_its_engine() -> None:
    desk = Desk(settle_threshold=500, settle_to=100)
    desk.packet(499)
    desk.clearing.look()
    desk.commit()
    assert (desk.sent, desk.clearing.due(desk.bob)) == ([], 399)
    desk.packet(1)
    desk.commit()
    [one] = desk.sent
    assert (one.amount, one.cause, one.engine) == (400, "threshold", "http://engine")
    assert desk.kept == {f"out/{one.id}": one.encode()}


def test_what_could_not_be_written_is_not_sent() -> None:
    desk = Desk(settle_threshold=500)
    desk.packet(500)
    batch = desk.ledger.take_batch()
    assert batch is not None
    for waiter in batch.waiters:
        waiter(OSError("the disk is full"))
    assert desk.sent == []


@pytest.mark.parametrize(
    ("terms", "paid"),
    [
        ({"settle_threshold": 500}, [100]),
        ({"settle_threshold": 500, "settle_to": 30}, [70]),
        ({"settle_threshold": 500, "settle_to": -50}, [100]),  # nothing is paid in advance
        ({"settle_threshold": 500, "settle_to": 101}, []),
        ({}, []),
    ],
)
def test_the_timer_settles_what_is_owed_below_the_threshold(terms: dict[str, int], paid: list[int]) -> None:
    desk = Desk(**terms)
    desk.packet(100)
    desk.commit()
    desk.is_open = False
    desk.clearing.settle_all()
    desk.is_open = True
    desk.clearing.settle_all()
    desk.packet(1)
    desk.clearing.settle_all()  # one at a time
    desk.commit()
    assert [one.amount for one in desk.sent] == paid
    assert all((one.cause, one.engine) == ("timer", "http://engine") for one in desk.sent)


def test_an_account_that_goes_is_not_settled_and_others_are() -> None:
    desk = Desk(settle_threshold=500)
    desk.clearing.unwatch(AccountId("carol"))
    desk.packet(500)
    desk.commit()
    assert [one.amount for one in desk.sent] == [500]
    desk.clearing.acknowledge(desk.sent[0])
    desk.clearing.unwatch(desk.bob.id)
    desk.packet(500)
    desk.commit()
    assert len(desk.sent) == 1


def test_an_account_that_has_another_asset_now_is_settled_in_that() -> None:
    desk = Desk(settle_threshold=500)
    desk.clearing.watch(replace(desk.bob, asset=Asset("EUR", 2)), "http://engine")
    desk.packet(500)
    desk.commit()
    assert desk.sent == []


def test_what_an_older_program_let_in_beyond_what_was_owed_counts_as_paid_in_advance() -> None:
    desk = Desk(settle_threshold=1)
    ledger = desk.ledger
    ledger.post(((ledger.account("external/bob", USD), ledger.account("peer/bob", USD), 1_000),), "settlement received")
    desk.commit()
    assert (desk.net(), desk.sent) == (-1_000, [])


def test_every_entry_says_what_it_is_and_of_which_settlement() -> None:
    desk = Desk(settle_threshold=500)
    desk.packet(500)
    batch = desk.ledger.take_batch()
    assert batch is not None
    one = desk.book.sending(desk.bob.id)
    assert one is not None
    one.error = "no answer"
    desk.clearing.acknowledge(one)
    came = desk.clearing.credit(desk.bob, "a", Quantity(7, 2))
    after = desk.ledger.take_batch()
    assert came is not None
    assert after is not None
    records = decode_records(b"".join((*batch.records, *after.records)))
    assert [
        Memo.decode(each.memo) for each in records if isinstance(each, EntryPosted) and each.memo != "a packet"
    ] == [
        Memo("settlement", by="threshold", id=one.id),
        Memo("settlement settled", id=one.id),
        Memo("settlement received", id=came.id),
    ]
    assert one.error == ""


def test_what_is_refused_by_hand_is_kept_and_not_open_any_more() -> None:
    desk = Desk(settle_in_max=500)
    held = desk.clearing.credit(desk.bob, "a", Quantity(501, 2))
    assert held is not None
    desk.clearing.void(held, Memo("void"))
    assert (desk.net(), desk.kept[held.document_key]) == (0, held.encode())
    with pytest.raises(ConflictError, match="does not change"):
        check_open(held)


def test_what_is_done_and_written_may_be_forgotten() -> None:
    desk = Desk()
    desk.book._finished_kept = 1
    for key in "abc":
        desk.clearing.credit(desk.bob, key, Quantity(1, 2))
    assert len(desk.book.latest()) == 3
    desk.commit()
    assert len(desk.book.latest()) == 1


def test_what_could_not_be_written_is_not_forgotten() -> None:
    desk = Desk()
    desk.book._finished_kept = 1
    for key in "ab":
        desk.clearing.credit(desk.bob, key, Quantity(1, 2))
    batch = desk.ledger.take_batch()
    assert batch is not None
    for waiter in batch.waiters:
        waiter(OSError("the disk is full"))
    assert len(desk.book.latest()) == 2


def test_a_settlement_has_a_key_of_sixteen_octets_and_its_times() -> None:
    desk = Desk(settle_threshold=500)
    for end in (desk.clearing.acknowledge, lambda one: desk.clearing.void(one, Memo("void"))):
        desk.packet(500)
        desk.commit()
        one = desk.sent[-1]
        desk.packet(500)
        desk.clearing.look()  # another one is due, and waits
        end(one)
        assert (one.key, one.made_at, one.done_at) == (new_key(bytes(16)), NOW, NOW)
