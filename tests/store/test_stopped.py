"""A stopped node's books are looked at, never touched; a running node's are refused."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from interledger.accounts.asset import Asset
from interledger.accounts.books.check import BooksCheck, CheckReport
from interledger.accounts.ledger import Ledger
from interledger.accounts.snapshot import capture
from interledger.clock import Timestamp
from interledger.errors import NotFoundError, StoreError
from interledger.store.follow import follow
from interledger.store.sqlite import DATABASE, SqliteStore
from interledger.store.stopped import open_stopped

USD = Asset("USD", 9)


def written(place: Path, *, killed: bool) -> SqliteStore:
    """Three commits, the second with a snapshot. Killed: the log is left behind as it is."""
    store = SqliteStore(place / "live", reserve_octets=4096)
    store.open()
    ledger = Ledger()
    store.load(ledger)
    for amount in (5, 7, 9):
        ledger.post(((ledger.account("peer/alice", USD), ledger.account("peer/bob", USD), amount),), "x")
        batch = ledger.take_batch()
        assert batch is not None
        store.write(b"".join(batch.records), Timestamp(amount), (), capture(ledger) if amount == 7 else None)
    (place / "node").mkdir()
    if not killed:
        store.close()
    for path in (place / "live").iterdir():
        (place / "node" / path.name).write_bytes(path.read_bytes())
    return store


def digests(place: Path) -> dict[str, str]:
    return {p.name: sha256(p.read_bytes()).hexdigest() for p in sorted(place.iterdir()) if p.name != "lock"}


def check(place: Path) -> CheckReport:
    with open_stopped(place) as history:
        openings = history.read_openings()
        return follow(history, lambda opening: BooksCheck(openings))


@pytest.mark.parametrize("killed", [False, True])
def test_nothing_changes_and_the_log_of_a_killed_node_is_read(tmp_path: Path, killed: bool) -> None:
    store = written(tmp_path, killed=killed)
    before = digests(tmp_path / "node")
    assert (DATABASE + "-wal" in before) == killed
    report = check(tmp_path / "node")
    assert (report.sound, report.last_seq, report.snapshots) == (True, 3, 1)
    assert digests(tmp_path / "node") == before
    store.close()


def test_J8_a_running_node_is_refused(tmp_path: Path) -> None:
    store = written(tmp_path, killed=True)
    with pytest.raises(StoreError, match="in use by another node"):
        check(tmp_path / "live")
    store.close()
    assert check(tmp_path / "live").sound


def test_where_there_are_no_books(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"ledger\.db is not there"):
        check(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_database_of_ours(tmp_path: Path) -> None:
    (tmp_path / DATABASE).write_bytes(b"not a database " * 100)
    with pytest.raises(StoreError, match="file is not a database"):
        check(tmp_path)


def test_J11_an_older_form_is_left_for_the_node_to_bring_up(tmp_path: Path) -> None:
    import sqlite3

    from interledger.store.migrations import migrate, migrations

    db = sqlite3.connect(tmp_path / DATABASE, isolation_level=None)
    migrate(db, tmp_path / DATABASE, migrations()[:1])
    db.close()
    with pytest.raises(StoreError, match="older program"):
        check(tmp_path)
