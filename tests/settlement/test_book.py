"""The book of settlements: what is under way, what is done and may be forgotten here, what is left of a unit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from interledger.accounts.account import Account, AccountId, Relation
from interledger.accounts.asset import Asset
from interledger.clock import Timestamp
from interledger.errors import ConflictError, InvalidRequestError, NotFoundError
from interledger.ilp.address import Address
from interledger.settlement.book import FINISHED_KEPT, SettlementBook
from interledger.settlement.policy import Prepaid
from interledger.settlement.quantity import Quantity
from interledger.settlement.records import Settlement, SettlementState, incoming_id, outgoing_id

BOB = Account(
    id=AccountId("bob"), asset=Asset("USD", 2), ilp_address=Address("test.bob"), relation=Relation.PEER,
    settlement_engine_url="http://engine",
)  # fmt: skip
NOW = Timestamp(1_795_262_400_000)
LATER = Timestamp(NOW + 5_000)


class Kept:
    """A store: what `take_documents` gave, newest word last."""

    def __init__(self) -> None:
        self.documents: dict[str, Any] = {}

    def take(self, book: SettlementBook) -> None:
        for key, body in book.take_documents().items():
            if body is None:
                self.documents.pop(key)
            else:
                self.documents[key] = body

    def book(self) -> SettlementBook:
        found = SettlementBook()
        found.load(self.documents)
        return found


def test_one_of_ours_from_its_debit_to_its_end() -> None:
    book, kept = SettlementBook(), Kept()
    one = book.send(BOB, 500, "a-key", "threshold", NOW)
    with pytest.raises(ConflictError, match="on its way"):
        book.send(BOB, 1, "other", "threshold", NOW)
    kept.take(book)
    assert list(kept.documents) == [f"out/{one.id}"]
    again = kept.book()
    assert (again.sending(BOB.id), again.open()) == (one, [one])
    book.acknowledge(one, NOW)
    kept.take(book)
    assert list(kept.documents) == [f"done/out/{one.id}"]
    assert kept.book().get(one.id).state is SettlementState.SETTLED
    for end in (book.acknowledge, book.void):
        with pytest.raises(ConflictError, match="does not change"):
            end(one, NOW)
    with pytest.raises(NotFoundError):
        book.get("set_0")


def test_what_is_held_is_open_and_what_the_operator_says_is_kept() -> None:
    book, kept = SettlementBook(), Kept()
    one = book.receive(BOB, "a", Quantity(1_000, 2), 500, NOW)
    two = book.receive(BOB, "b", Quantity(2_000, 2), 500, NOW)
    kept.take(book)
    assert sorted(kept.documents) == ["in/bob/a", "in/bob/b"]
    assert book.approve(one, NOW) == 1_000
    book.void(two, NOW)
    kept.take(book)
    again = kept.book()
    assert (again.open(), len(again.latest())) == ([], 2)
    assert {key for key in kept.documents if "in/" in key} == {"done/in/bob/a", "done/in/bob/b"}
    assert again.receive(BOB, "c", Quantity(1, 2), 1_000, NOW).state is SettlementState.HELD  # the cap is known again


def test_I2_keys_that_are_not_here_are_asked_of_the_store() -> None:
    """Memory is bounded, keys are not: whoever asks with an old key gets what the store has."""
    book, kept = SettlementBook(), Kept()
    for number in range(FINISHED_KEPT + 500):
        one = book.receive(BOB, f"k{number}", Quantity(1, 2), None, NOW)
        kept.take(book)
        book.written(one)
    assert len(book.latest()) == FINISHED_KEPT
    assert book.find_incoming(BOB.id, "k0", Quantity(1, 2)) is None
    missing = book.missing_key(BOB.id, "k0")
    assert missing == "done/in/bob/k0"
    book.found(kept.documents[missing])
    assert book.find_incoming(BOB.id, "k0", Quantity(1, 2)) is not None
    assert book.missing_key(BOB.id, "k0") is None
    with pytest.raises(ConflictError, match="another quantity"):
        book.find_incoming(BOB.id, "k0", Quantity(2, 2))
    assert len(book.latest()) == FINISHED_KEPT


def test_I2_what_is_not_written_yet_is_not_forgotten() -> None:
    book = SettlementBook()
    for number in range(FINISHED_KEPT + 500):
        book.receive(BOB, f"k{number}", Quantity(1, 2), None, NOW)
    assert book.missing_key(BOB.id, "k0") is None


def test_documents_of_an_older_program_move_to_where_they_are_found() -> None:
    book, kept = SettlementBook(), Kept()
    one = book.receive(BOB, "a", Quantity(7, 2), None, NOW)
    kept.take(book)
    old = {"in/bob/a": kept.documents["done/in/bob/a"]}
    book = SettlementBook()
    book.load(old)
    assert book.take_documents() == {"in/bob/a": None, "done/in/bob/a": old["in/bob/a"]}
    assert book.find_incoming(BOB.id, "a", Quantity(7, 2)) == one


def test_more_than_any_account_can_hold_is_refused_and_changes_nothing() -> None:
    book = SettlementBook()
    with pytest.raises(InvalidRequestError, match="more than an account can hold"):
        book.receive(BOB, "a", Quantity(2**127, 2), None, NOW)
    assert (book.take_documents(), book.latest()) == ({}, [])


def test_what_is_left_over_and_what_is_paid_in_advance_come_back_from_the_store() -> None:
    book, kept = SettlementBook(), Kept()
    book.receive(BOB, "a", Quantity(1_999, 5), None, NOW)
    book.set_prepaid(BOB.id, BOB.asset, Prepaid(300, 700))
    kept.take(book)
    again = kept.book()
    assert again.leftover(BOB.id, BOB.asset) == Quantity(999, 5)
    assert again.prepaid(BOB.id, BOB.asset) == Prepaid(300, 700)
    assert again.prepaid(AccountId("carol"), BOB.asset) is None


def test_one_of_ours_says_all_of_itself() -> None:
    book = SettlementBook()
    one = book.send(BOB, 500, "a-key", "threshold", NOW)
    assert (one.id, one.key, one.made_at, one.engine, one.cause) == (
        outgoing_id("a-key"),
        "a-key",
        NOW,
        "http://engine",
        "threshold",
    )
    book.acknowledge(one, NOW)
    assert book.send(BOB, 1, "other", "timer", NOW, "http://another").engine == "http://another"
    with pytest.raises(NotFoundError, match="set_0"):
        book.get("set_0")
    assert book.send(replace(BOB, id=AccountId("carol"), settlement_engine_url=None), 1, "k", "me", NOW).engine == ""


def test_I7_what_is_held_is_added_to_what_is_left_over_when_it_is_approved() -> None:
    book = SettlementBook()
    book.receive(BOB, "a", Quantity(600, 5), 500, NOW)
    held = book.receive(BOB, "b", Quantity(501_600, 5), 500, NOW)
    assert (held.amount, held.done_at) == (501, None)
    assert book.approve(held, LATER) == 502
    assert (held.amount, held.done_at, book.leftover(BOB.id, BOB.asset)) == (502, LATER, Quantity(2, 3))
    with pytest.raises(ConflictError, match="does not change"):
        book.void(held, LATER)


def test_every_end_has_its_time() -> None:
    book = SettlementBook()
    one = book.send(BOB, 500, "a", "threshold", NOW)
    book.acknowledge(one, LATER)
    two = book.send(BOB, 500, "b", "threshold", NOW)
    book.void(two, LATER)
    three = book.receive(BOB, "c", Quantity(1_000, 2), 500, NOW)
    book.void(three, LATER)
    assert [each.done_at for each in (one, two, three)] == [LATER] * 3


CAROL = replace(BOB, id=AccountId("carol"))


def test_what_came_in_says_all_of_itself() -> None:
    book = SettlementBook()
    one = book.receive(BOB, "a", Quantity(12_345, 4), None, NOW)
    assert (one.id, one.made_at, one.done_at) == (incoming_id(BOB.id, "a"), NOW, NOW)
    assert (one.amount, one.asset, one.key, one.state) == (123, BOB.asset, "a", SettlementState.CREDITED)
    held = book.receive(BOB, "b", Quantity(50_000, 4), 500, LATER)
    assert (held.made_at, held.done_at, held.state) == (LATER, None, SettlementState.HELD)
    assert Settlement.decode(held.encode()) == held
    assert Settlement.decode(one.encode()) == one


def test_I9_each_account_has_its_own_leftover_and_its_own_cap() -> None:
    book = SettlementBook()
    assert book.receive(BOB, "a", Quantity(995, 3), 100, NOW).state is SettlementState.CREDITED
    assert (book.leftover(BOB.id, BOB.asset), book.leftover(CAROL.id, BOB.asset)) == ((5, 3), (0, 0))
    first = book.receive(CAROL, "a", Quantity(100, 2), 100, NOW)
    assert (first.amount, first.state) == (100, SettlementState.CREDITED)
    assert book.receive(BOB, "b", Quantity(2, 2), 100, NOW).state is SettlementState.HELD
    assert book.receive(BOB, "c", Quantity(5, 3), 100, NOW).amount == 1
    assert book.leftover(BOB.id, BOB.asset) == (0, 0)


def test_the_newest_is_told_first_and_the_oldest_is_forgotten_first() -> None:
    book = SettlementBook(finished_kept=2)
    made = [book.receive(BOB, key, Quantity(1, 2), None, Timestamp(NOW + at)) for at, key in enumerate("abc")]
    assert book.latest(BOB.id) == made[::-1]
    assert all(book.knows(one.id) for one in made)
    for one in made:
        book.written(one)
    assert [book.knows(one.id) for one in made] == [False, True, True]
    assert book.find_incoming(BOB.id, "a", Quantity(1, 2)) is None
    ours = [book.send(account, 5, f"key {account.id}", "", NOW) for account in (BOB, CAROL)]
    for one in ours:
        book.acknowledge(one, LATER)
        book.written(one)
    assert [book.knows(one.id) for one in (*made, *ours)] == [False, False, False, True, True]
    last = book.receive(CAROL, "z", Quantity(1, 2), None, LATER)
    book.written(last)
    assert [book.knows(one.id) for one in (*ours, last)] == [False, True, True]


def test_more_than_an_account_can_hold_names_the_field() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        SettlementBook().receive(BOB, "a", Quantity(1 << 127, 2), None, NOW)
    assert caught.value.field == "amount"
