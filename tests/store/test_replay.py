"""Replay refuses what does not agree, and says where to look."""

from __future__ import annotations

import pytest

from interledger.accounts.asset import Asset
from interledger.accounts.ledger import Ledger
from interledger.accounts.records import encode_entry, encode_gave_up, encode_held, encode_released
from interledger.accounts.snapshot import capture, encode_snapshot
from interledger.errors import StoreError
from interledger.store.replay import replay

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

    def take(self) -> bytes:
        batch = self.ledger.take_batch()
        return b"".join(batch.records) if batch else b""


@pytest.fixture
def written() -> Written:
    return Written()


def test_the_books_come_back(written: Written) -> None:
    ledger = Ledger()
    assert replay(ledger, None, written.commits) == 4 + 3 * 2
    assert [(a.name, a.net) for a in ledger.accounts] == [("peer/alice", 12), ("peer/bob", -12)]


def test_an_empty_store_is_an_empty_ledger() -> None:
    assert replay(Ledger(), None, []) == 0


def test_J5_a_commit_that_adds_up_to_something_else_is_named_with_both_figures(written: Written) -> None:
    seq, records = written.commits[2]
    posted = encode_entry("x", ((0, 1, 7),))
    assert records.startswith(posted)
    written.commits[2] = (seq, encode_entry("x", ((0, 1, 6),)) + records[len(posted) :])
    with pytest.raises(StoreError) as caught:
        replay(Ledger(), None, written.commits)
    assert str(caught.value) == (
        "commit 3 of the journal, record 2: peer/alice (USD/9) had 12 debits and 0 credits then, the journal's records "
        "make 11 and 0"
    )


def test_J5_a_snapshot_of_other_books_than_the_commits_after_it(written: Written) -> None:
    snapshot = encode_snapshot(capture(written.ledger))
    with pytest.raises(StoreError, match=r"commit 3 of the journal, record 2: peer/alice \(USD/9\) had 12 .* make 19"):
        replay(Ledger(), snapshot, written.commits[2:])


@pytest.mark.parametrize(
    ("octets", "says"),
    [
        (encode_released(9), "commit 4 of the journal, record 1: the journal has a record that fits nothing"),
        (b"\xff", "commit 4 of the journal, record 1: the journal has a record of unknown kind 255"),
    ],
)
def test_J5_a_record_that_cannot_be_applied(written: Written, octets: bytes, says: str) -> None:
    with pytest.raises(StoreError, match=says):
        replay(Ledger(), None, [*written.commits, (4, octets)])


def test_J5_a_damaged_snapshot(written: Written) -> None:
    with pytest.raises(StoreError, match="the snapshot of the books is damaged"):
        replay(Ledger(), b"\x01", written.commits)


def test_J5_books_that_contradict_themselves(written: Written) -> None:
    hold = encode_held(1, True, 0, bytes(32), ((0, 1, 5),))
    with pytest.raises(StoreError, match="uses an account before it opens it"):
        replay(Ledger(), None, [*written.commits, (4, hold + encode_gave_up(1))])


def test_INV1_a_snapshot_that_does_not_sum_to_zero(written: Written) -> None:
    written.alice.debits_posted += 1
    with pytest.raises(StoreError, match="not sound: USD/9 does not sum to zero: 1 posted"):
        replay(Ledger(), encode_snapshot(capture(written.ledger)), [])
