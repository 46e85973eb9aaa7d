"""The past, read while the node writes, and what is refused of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest

from interledger.accounts.asset import Asset
from interledger.accounts.ledger import Ledger
from interledger.accounts.snapshot import capture, decode_snapshot
from interledger.clock import Timestamp
from interledger.errors import StoreError
from interledger.store import sqlite_history
from interledger.store.base import Store
from interledger.store.memory import MemoryStore
from interledger.store.sqlite import SqliteStore
from interledger.store.tables import SnapshotRow, read_snapshots

USD = Asset("USD", 9)


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    made: Store = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path, reserve_octets=4096)
    made.open()
    made.load(Ledger())
    yield made
    made.close()


def write(store: Store, ledger: Ledger, amount: int, at: int, *, snapshot: bool = False) -> None:
    alice, bob = ledger.account("peer/alice", USD), ledger.account("peer/bob", USD)
    ledger.post(((alice, bob, amount),), "x")
    batch = ledger.take_batch()
    assert batch is not None
    store.write(b"".join(batch.records), Timestamp(at), (), capture(ledger) if snapshot else None)


def test_an_empty_past(store: Store) -> None:
    assert [(opening.seq, opening.state) for opening in store.history.read_openings()] == [(0, None)]
    assert store.history.read_commits(0, 10) == []


def test_commits_come_in_order_and_in_parts(store: Store) -> None:
    ledger = Ledger()
    for amount in range(1, 6):
        write(store, ledger, amount, 1_000 + amount)
    assert [(commit.seq, commit.at) for commit in store.history.read_commits(0, 2)] == [(1, 1_001), (2, 1_002)]
    assert [commit.seq for commit in store.history.read_commits(2, 100)] == [3, 4, 5]


def test_a_snapshot_is_an_opening(store: Store) -> None:
    ledger = Ledger()
    write(store, ledger, 5, 1_000, snapshot=True)
    write(store, ledger, 7, 2_000)
    opening = store.history.read_openings()[-1]
    assert (opening.seq, opening.at) == (1, 1_000)
    assert opening.state is not None
    assert [account.debits_posted for account in decode_snapshot(opening.state).accounts] == [5, 0]
    assert [commit.seq for commit in store.history.read_commits(1, 100)] == [2]


def test_a_commit_that_is_not_kept_any_more_is_named(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path, reserve_octets=4096)
    store.open()
    store.load(Ledger())
    with pytest.raises(StoreError, match="commit 9 of the journal is not kept"):
        store.history.read_commits(9, 1)
    store.close()
    with pytest.raises(StoreError, match="is not open"):
        store.history.read_commits(0, 1)


def test_closing_waits_for_who_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The interpreter crashes when a connection is closed in one thread while another steps through its rows."""
    store = SqliteStore(tmp_path, reserve_octets=4096)
    store.open()
    store.load(Ledger())
    write(store, Ledger(), 5, 1_000)
    reading, go_on = Event(), Event()

    def slow_snapshots(db: sqlite3.Connection, path: Path) -> Iterator[SnapshotRow]:
        reading.set()
        go_on.wait()
        return read_snapshots(db, path)

    monkeypatch.setattr(sqlite_history, "read_snapshots", slow_snapshots)
    found: list[int] = []
    reader = Thread(target=lambda: found.extend(opening.seq for opening in store.history.read_openings()))
    reader.start()
    reading.wait()
    closer = Thread(target=store.close)
    closer.start()
    closer.join(0.05)
    assert closer.is_alive()
    go_on.set()
    reader.join()
    closer.join()
    assert found == [0]
    with pytest.raises(StoreError, match="not open"):
        store.history.read_openings()
