"""Claims that a peer does not count: out of what it owes, still of its credit, in the journal, and ended once."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interledger.accounts.asset import Asset
from interledger.accounts.books.check import BooksCheck
from interledger.accounts.books.past import Commit, Opening, Past, PostingKind
from interledger.accounts.claim_records import ClaimSetAside, encode_claim_set_aside
from interledger.accounts.ledger import Hold, Ledger, Refusal
from interledger.accounts.records import decode_records
from interledger.accounts.snapshot import capture, decode_snapshot, encode_snapshot, restore
from interledger.accounts.unproven import Unproven
from interledger.clock import Timestamp
from interledger.errors import LedgerError

USD = Asset("USD", 9)
PROOF = bytes(range(32))
CONDITION = sha256(PROOF).digest()
U64 = 2**64 - 1


class Books:
    def __init__(self) -> None:
        self.ledger = Ledger()
        self.alice = self.ledger.account("peer/alice", USD)
        self.bob = self.ledger.account("peer/bob", USD)
        self.journal = b""

    def packet(self, amount: int) -> Hold | Refusal:
        return self.ledger.hold(((self.alice, self.bob, amount),), CONDITION, 1000, True)

    def pay(self, amount: int) -> None:
        hold = self.packet(amount)
        assert isinstance(hold, Hold)
        self.ledger.execute(hold, PROOF)

    def aside(self, amount: int) -> Unproven:
        return self.ledger.unproven.set_aside(self.alice, amount, PROOF, 5000)

    def write(self) -> bytes:
        batch = self.ledger.take_batch()
        octets = b"".join(batch.records) if batch else b""
        self.journal += octets
        return octets

    def net(self, name: str) -> int:
        account = self.ledger.find(name, USD)
        return 0 if account is None else account.net


@pytest.fixture
def books() -> Books:
    return Books()


def state(ledger: Ledger) -> object:
    return (
        [(a.name, a.debits_posted, a.credits_posted, a.debits_pending, a.credits_pending, a.unproven, a.unknown)
         for a in ledger.accounts],
        [(i.id, i.account.name, i.amount, i.fulfillment, i.since) for i in ledger.unproven.items.values()],
        ledger.next_id,
    )  # fmt: skip


def test_A6_it_is_out_of_what_the_peer_owes(books: Books) -> None:
    books.pay(100)
    item = books.aside(30)
    assert (books.alice.net, books.net("peer/alice/unproven")) == (70, 30)
    assert item.condition == CONDITION
    assert books.ledger.check() == []


def test_A6_it_goes_on_using_the_peers_credit(books: Books) -> None:
    """Else a peer that hangs up before each Fulfill gets as much as it likes."""
    books.alice.debit_max = 100
    books.pay(60)
    books.aside(60)
    assert (books.alice.net, books.alice.room) == (0, 40)
    assert isinstance(books.packet(41), Refusal)
    assert isinstance(books.packet(40), Hold)
    books.alice.debit_max = 200  # the operator grants more: what is set aside stays so
    assert books.alice.room == 100


@pytest.mark.parametrize(("owed", "nets"), [(True, (100, 0, 0)), (False, (70, 0, 30))])
def test_it_ends_as_owed_or_as_a_loss(books: Books, owed: bool, nets: tuple[int, int, int]) -> None:
    books.alice.debit_max = 1000
    books.pay(100)
    item = books.aside(30)
    books.ledger.unproven.close(item, owed=owed, memo="why")
    assert (books.alice.net, books.net("peer/alice/unproven"), books.net("loss/USD/9")) == nets
    assert books.alice.room == 1000 - books.alice.net
    assert books.ledger.check() == []
    with pytest.raises(LedgerError, match="closed already"):
        books.ledger.unproven.close(item, owed=owed, memo="again")


def test_unknown_amounts_use_what_we_may_owe(books: Books) -> None:
    books.bob.credit_max = 100
    hold = books.packet(60)
    assert isinstance(hold, Hold)
    unknown = books.ledger.give_up(hold)
    assert (books.bob.unknown, books.bob.credit_room) == (60, 40)
    assert isinstance(books.packet(41), Refusal)
    books.ledger.resolve(unknown, delivered=False, memo="")
    assert books.bob.credit_room == 100


@pytest.mark.parametrize("amount", [0, -1, U64 + 1])
def test_what_is_no_claim_is_refused(books: Books, amount: int) -> None:
    with pytest.raises(LedgerError, match="not a claim"):
        books.aside(amount)
    assert books.ledger.find("peer/alice/unproven", USD) is None


def test_J11_a_snapshot_of_version_3_had_no_claims(books: Books) -> None:
    """Books written by an earlier version are read; the next snapshot is of this one."""
    books.pay(100)
    old = b"\x03" + encode_snapshot(capture(books.ledger))[1:]
    again = Ledger()
    restore(again, decode_snapshot(old))
    assert state(again) == state(books.ledger)


def test_the_books_say_so(books: Books) -> None:
    books.pay(100)
    item = books.aside(30)
    books.ledger.unproven.close(item, owed=False, memo="it will not pay")
    past = Past(Opening(0, Timestamp(0), None))
    check = BooksCheck([Opening(0, Timestamp(0), None)])
    commit = Commit(1, Timestamp(7), books.write())
    postings = list(past.feed(commit))
    check.feed(commit)
    kinds = [(PostingKind.ENTRY, item.id), (PostingKind.RESOLUTION, item.id)]
    assert [(one.kind, one.id) for one in postings[1:]] == kinds
    assert postings[2].memo.kind == "it will not pay"
    report = check.finish()
    assert (report.faults, report.unproven) == ([], 0)


def test_a_correction_of_what_has_items_shows(books: Books) -> None:
    books.aside(5)
    unproven = books.ledger.account("peer/alice/unproven", USD)
    books.ledger.post(((unproven, books.bob, 1),), "by hand")
    assert books.ledger.check() == ["peer/alice/unproven (USD/9) is not the sum of its claims"]


@given(st.lists(st.tuples(st.sampled_from(["pay", "aside", "owed", "lost", "unknown", "found", "snapshot"]),
                          st.integers(1, U64)), max_size=30))  # fmt: skip
def test_journal_and_snapshot_make_the_same_claims(steps: list[tuple[str, int]]) -> None:
    books = Books()
    snapshot, after = encode_snapshot(capture(Ledger())), 0
    claims: dict[Unproven, int] = {}
    paid = lost = 0
    for what, amount in steps:
        if what == "pay":
            books.pay(amount)
            paid += amount
        elif what == "aside":
            claims[books.aside(amount)] = amount
        elif what in ("owed", "lost") and claims:
            item, part = claims.popitem()
            books.ledger.unproven.close(item, owed=what == "owed", memo="")
            paid, lost = (paid, lost) if what == "owed" else (paid - part, lost + part)
        elif what == "unknown":
            hold = books.packet(amount)
            assert isinstance(hold, Hold)
            books.ledger.give_up(hold, interrupted=True)
        elif what == "found" and books.ledger.unknown:
            books.ledger.resolve(next(iter(books.ledger.unknown.values())), delivered=False, memo="")
        elif what == "snapshot":
            books.write()
            snapshot, after = encode_snapshot(capture(books.ledger)), len(books.journal)
    books.write()
    aside = sum(claims.values())
    assert (books.alice.net, books.net("peer/alice/unproven"), books.net("loss/USD/9")) == (paid - aside, aside, lost)
    assert books.alice.unproven == aside
    assert books.ledger.check() == []
    for octets, begin in ((encode_snapshot(capture(Ledger())), 0), (snapshot, after)):
        again = Ledger()
        restore(again, decode_snapshot(octets))
        for record in decode_records(books.journal[begin:]):
            again.apply(record)
        again.end_replay()
        assert state(again) == state(books.ledger)
        assert again.check() == []


def test_an_account_without_a_limit_stays_so(books: Books) -> None:
    before = books.alice.debit_bound
    books.aside(5)
    assert books.alice.debit_bound == before


def test_what_ends_twice_in_a_journal_is_refused(books: Books) -> None:
    item = books.aside(5)
    books.ledger.unproven.close(item, owed=True, memo="")
    records = list(decode_records(books.write()))
    ledger = Ledger()
    for record in records:
        ledger.apply(record)
    with pytest.raises(LedgerError, match="fits nothing"):
        ledger.apply(next(record for record in records if type(record).__name__ == "ClaimClosed"))


@pytest.mark.parametrize("memo", ["", "ann: bob's operator says so"])
def test_A6_who_said_so_is_in_the_journal_and_nothing_when_the_peer_did(books: Books, memo: str) -> None:
    """A snapshot keeps the claim without it; the journal says it for ever."""
    item = books.ledger.unproven.set_aside(books.alice, 30, PROOF, 0, memo)
    written = list(decode_records(books.write()))
    assert [record for record in written if isinstance(record, ClaimSetAside)] == [
        ClaimSetAside(item.id, books.alice.index, 30, 0, PROOF, memo)
    ]
    octets = encode_claim_set_aside(item.id, books.alice.index, 30, 0, PROOF, memo)
    assert octets in books.journal
    assert len(octets) == len(encode_claim_set_aside(item.id, 0, 30, 0, PROOF)) + (len(memo) + 1 if memo else 0)


def test_A6_of_what_the_peer_says_nobody_else_is_named(books: Books) -> None:
    books.aside(1)
    assert [record.memo for record in decode_records(books.write()) if isinstance(record, ClaimSetAside)] == [""]


def test_A6_ids_follow_each_other(books: Books) -> None:
    first = books.ledger.next_id
    assert [books.aside(1).id, books.aside(1).id, books.ledger.next_id] == [first, first + 1, first + 2]


@pytest.mark.parametrize(
    ("amount", "since", "proof"),
    [(0, 0, PROOF), (U64 + 1, 0, PROOF), (1, -1, PROOF), (1, U64 + 1, PROOF), (1, 0, PROOF[1:])],
)
def test_A6_what_is_no_claim_changes_nothing(books: Books, amount: int, since: int, proof: bytes) -> None:
    books.write()
    before = state(books.ledger)
    with pytest.raises(LedgerError, match="not a claim"):
        books.ledger.unproven.set_aside(books.alice, amount, proof, since)
    assert state(books.ledger) == before
    assert books.write() == b""
    books.ledger.unproven.set_aside(books.alice, U64, PROOF, U64)  # the largest and latest is one
