"""Replay refuses what does not agree, and says where to look."""

from __future__ import annotations

import pytest

from interledger.accounts.asset import Asset
from interledger.accounts.ledger import Ledger
from interledger.accounts.records import encode_gave_up, encode_held, encode_released
from interledger.accounts.snapshot import capture, encode_snapshot
from interledger.errors import StoreError
from interledger.store.replay import StoredBalance, replay

USD = Asset("USD", 9)


class Written:
    """A journal of three commits: two accounts, then 5, then 7 from alice to bob."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.alice = self.ledger.account("peer/alice", USD)
        self.bob = self.ledger.account("peer/bob", USD)
        self.commits = [(1, self.take())]
        for seq, amount in ((2, 5), (3, 7)):
            self.ledger.post(((self.alice, self.bob, amount),), "x")
            self.commits.append((seq, self.take()))
        self.balances = {
            a.index: StoredBalance(a.name, a.debits_posted, a.credits_posted) for a in (self.alice, self.bob)
        }

    def take(self) -> bytes:
        batch = self.ledger.take_batch()
        return b"".join(batch.records) if batch else b""


@pytest.fixture
def written() -> Written:
    return Written()


def test_the_books_come_back(written: Written) -> None:
    ledger = Ledger()
    assert replay(ledger, None, written.commits, written.balances) == 4
    assert [(a.name, a.net) for a in ledger.accounts] == [("peer/alice", 12), ("peer/bob", -12)]


def test_an_empty_store_is_an_empty_ledger() -> None:
    assert replay(Ledger(), None, [], {}) == 0


def test_J5_a_changed_balance_names_account_both_figures_and_the_first_record(written: Written) -> None:
    written.balances[0] = StoredBalance("peer/alice", 11, 0)
    with pytest.raises(StoreError) as caught:
        replay(Ledger(), None, written.commits, written.balances)
    assert str(caught.value).startswith(
        "peer/alice (USD/9): stored are 11 debits and 0 credits as peer/alice, the journal says 12 debits and 0 "
        "credits; the first record that changes it is number 1 of commit 2 (EntryPosted("
    )


def test_J5_an_account_that_is_opened_later_is_followed_too(written: Written) -> None:
    written.balances[1] = StoredBalance("peer/bob", 0, 11)
    with pytest.raises(StoreError, match="number 1 of commit 2"):
        replay(Ledger(), None, written.commits, written.balances)


def test_J5_a_difference_after_a_snapshot_looks_only_behind_it(written: Written) -> None:
    snapshot = encode_snapshot(capture(written.ledger))
    written.balances[1] = StoredBalance("peer/bob", 0, 13)
    with pytest.raises(StoreError, match="no record since the last snapshot changes it"):
        replay(Ledger(), snapshot, [], written.balances)
    written.ledger.account("peer/carl", USD)
    written.ledger.post(((written.alice, written.bob, 9),), "x")
    with pytest.raises(StoreError, match="number 2 of commit 4"):
        replay(Ledger(), snapshot, [(4, written.take())], written.balances)


def test_J5_a_new_account_that_differs(written: Written) -> None:
    snapshot = encode_snapshot(capture(Ledger()))
    written.balances[0] = StoredBalance("peer/alise", 12, 0)
    with pytest.raises(StoreError, match=r"as peer/alise.*number 1 of commit 2"):
        replay(Ledger(), snapshot, written.commits, written.balances)


def test_J5_a_balance_too_few_or_too_many(written: Written) -> None:
    with pytest.raises(StoreError, match=r"bob \(USD/9\) has no stored balance; the journal says 0 debits and 12"):
        replay(Ledger(), None, written.commits, {0: written.balances[0]})
    written.balances[2] = StoredBalance("peer/eve", 1, 0)
    with pytest.raises(StoreError, match="balance 2 \\(peer/eve\\) is of an account that the journal never opened"):
        replay(Ledger(), None, written.commits, written.balances)


@pytest.mark.parametrize(
    ("octets", "says"),
    [
        (encode_released(9), "commit 4 of the journal, near record 1: the journal has a record that fits nothing"),
        (b"\xff", "commit 4 of the journal, near record 0: the journal has a record of unknown kind 255"),
    ],
)
def test_J5_a_record_that_cannot_be_applied(written: Written, octets: bytes, says: str) -> None:
    with pytest.raises(StoreError, match=says):
        replay(Ledger(), None, [*written.commits, (4, octets)], written.balances)


def test_J5_a_damaged_snapshot(written: Written) -> None:
    with pytest.raises(StoreError, match="the snapshot of the books is damaged"):
        replay(Ledger(), b"\x01", written.commits, written.balances)


def test_J5_books_that_contradict_themselves(written: Written) -> None:
    hold = encode_held(1, True, 0, bytes(32), ((0, 1, 5),))
    with pytest.raises(StoreError, match="uses an account before it opens it"):
        replay(Ledger(), None, [*written.commits, (4, hold + encode_gave_up(1))], written.balances)


def test_INV1_a_snapshot_that_does_not_sum_to_zero(written: Written) -> None:
    written.alice.debits_posted += 1
    written.balances[0] = StoredBalance("peer/alice", 13, 0)
    with pytest.raises(StoreError, match="not sound: USD/9 does not sum to zero: 1 posted"):
        replay(Ledger(), encode_snapshot(capture(written.ledger)), [], written.balances)
