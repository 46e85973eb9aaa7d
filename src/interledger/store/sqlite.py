"""The store of one node on one machine: SQLite, and before it a log of the latest commits.

A commit that is only records is one write to the log (`commit_log.py`). One that also changes documents, or brings a
snapshot, is a transaction of the database, which takes what the log has along; then the log begins anew.

`durability` is what a commit in the log survives: `power` waits for the disk, `process` is in the system's page cache
when it returns, which kill -9 cannot take away. The database's transactions wait for the disk either way, because the
log is written over after them.

The database is opened in exclusive mode: nobody else can take the write lock of a node that is running.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Final, final

from interledger.accounts.ledger import Ledger
from interledger.accounts.snapshot import Snapshot, encode_snapshot
from interledger.clock import Timestamp
from interledger.errors import StoreError
from interledger.store.base import (
    Change,
    Documents,
    Durability,
    StoredState,
)
from interledger.store.commit_log import COMMIT_LOG, LOG_OCTETS, CommitLog, LoggedCommit
from interledger.store.files import (
    RESERVE_OCTETS,
    DirectoryLock,
    create_private,
    give_back_reserve,
    make_directory,
    make_reserve,
)
from interledger.store.keeping import COMMITS_KEPT, Kept
from interledger.store.migrations import migrate
from interledger.store.replay import replay
from interledger.store.rows import chain_of, crc_of_document, crc_of_snapshot
from interledger.store.sqlite_history import SqliteHistory
from interledger.store.tables import (
    check_small_tables,
    read_commits,
    read_documents,
    read_mark,
    read_snapshots,
    store_errors,
)

__all__ = ["DATABASE", "SqliteStore"]

DATABASE: Final = "ledger.db"

# One statement for all: Python's sqlite3 gives up the interpreter lock around every step of every statement, and has to
# wait for it again afterwards, up to 5 ms each while the packet path is busy.
_COMMITS = (
    "INSERT INTO journal SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'), "
    "substr(?2, 1 + json_extract(value, '$[3]'), json_extract(value, '$[4]')) FROM json_each(?1)"
)
_PRUNE = "DELETE FROM journal WHERE seq <= ?"
_PUT = (
    "INSERT INTO document (kind, key, at_ms, crc, body) VALUES (?, ?, ?, ?, ?) ON CONFLICT (kind, key) "
    "DO UPDATE SET at_ms = excluded.at_ms, crc = excluded.crc, body = excluded.body"
)
_DELETE = "DELETE FROM document WHERE kind = ? AND key = ?"
_FORGET_PAYMENTS = (
    "DELETE FROM document WHERE kind = 'payment' AND id <= "
    "(SELECT id FROM document WHERE kind = 'payment' ORDER BY id DESC LIMIT 1 OFFSET ?)"
)
_SNAPSHOT = "INSERT OR REPLACE INTO snapshot (seq, at_ms, chain, crc, state) VALUES (?, ?, ?, ?, ?)"
_FORGET_SNAPSHOT = "DELETE FROM snapshot WHERE seq = ?"


@final
class SqliteStore(Documents):
    """A node's books and documents in `directory`/ledger.db. See `interledger.store.base.Store`."""

    def __init__(
        self,
        directory: Path,
        durability: Durability = Durability.POWER,
        *,
        reserve_octets: int = RESERVE_OCTETS,
        commits_kept: int = COMMITS_KEPT,
        log_octets: int = LOG_OCTETS,
    ) -> None:
        super().__init__()
        self.path = directory / DATABASE
        self._durability = durability
        self._reserve = directory / "reserve"
        self._reserve_octets = reserve_octets
        self._commits_kept = commits_kept
        self._log_octets = log_octets
        self._lock = DirectoryLock(directory / "lock")
        self._db: sqlite3.Connection | None = None
        self._log: CommitLog | None = None
        self._seq = 0
        self._chain = 0
        self._octets = 0
        self._kept = self._kept_next = Kept()
        """What is kept, and what will be once the present commit is written."""
        self._busy = Lock()
        self.history = SqliteHistory(self.path, self._open_db, self._errors, self._busy, self._latest)

    # ------------------------------------------------------------------ life

    def open(self) -> None:
        """Raises `StoreError` when another node has the directory, or the database is not one of ours."""
        make_directory(self.path.parent)
        self._lock.take()
        try:
            make_reserve(self._reserve, self._reserve_octets)
            os.close(create_private(self.path))
            with self._errors("opened"):
                self._db = self._connect()
                mark = read_mark(self._db)
            durable = self._durability is Durability.POWER
            self._log = CommitLog(self.path.with_name(COMMIT_LOG), mark, durable=durable, octets=self._log_octets)
        except BaseException:
            self.close()
            raise

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=0)
        self._db = db  # so that it is closed when the rest fails
        db.execute("PRAGMA page_size = 16384")  # of a new database: a transfer of the log is a quarter as many writes
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        # EXTRA: that a rollback journal is gone is on the disk too before it matters. Otherwise a power cut after the
        # making of the database could bring it back, and with it the time before the making.
        db.execute("PRAGMA synchronous = EXTRA")
        if db.execute("PRAGMA journal_mode = WAL").fetchone() != ("wal",):
            raise StoreError(f"{self.path} is on a file system that cannot keep a write-ahead log")
        migrate(db, self.path)
        return db

    def close(self) -> None:
        with self._busy:  # a thread may be reading the past: SQLite does not survive a close under its feet
            db, self._db = self._db, None
            if db is not None:
                with contextlib.suppress(sqlite3.Error):  # a full disk: the log stays, and is read at the next start
                    db.close()
        log, self._log = self._log, None
        if log is not None:
            log.close()
        self._lock.release()

    @property
    def octets_since_snapshot(self) -> int:
        return self._octets

    # ------------------------------------------------------------------ load

    def load(self, ledger: Ledger) -> StoredState:
        with self._errors("read"):
            db = self._open_db()
            check_small_tables(db, self.path)
            snapshots = list(read_snapshots(db, self.path))
            if snapshots:
                self._seq, _, self._chain, _ = snapshots[0]
            commits = []
            for (seq, _, records), chain in read_commits(db, self.path, self._seq, self._chain):
                self._seq, self._chain = seq, chain
                commits.append((seq, records))
            log = self._open_log()
            log.load(self._seq, self._chain)
            for seq, _, chain, records in log.pending:
                self._seq, self._chain = seq, chain
                commits.append((seq, records))
            self._octets = sum(len(records) for _, records in commits)
            (first,) = db.execute("SELECT min(seq) FROM journal").fetchone()
            oldest = first or (log.pending[0].seq if log.pending else self._seq + 1)
            self._kept = Kept.of([row.seq for row in snapshots], oldest)
            state = StoredState()
            try:
                state.records_replayed = replay(ledger, snapshots[0].state if snapshots else None, commits)
            except StoreError as error:
                raise StoreError(f"{self.path}: {error}. Nothing was changed; the node does not start") from None
            read_documents(db, self.path, state, self.sealer)
        return state

    # ------------------------------------------------------------------ write

    def write(
        self, records: bytes, at: Timestamp, changes: Sequence[Change] = (), snapshot: Snapshot | None = None
    ) -> None:
        db, log = self._open_db(), self._open_log()
        seq, chain = self._seq, self._chain
        commit = None
        if records:
            seq, chain = seq + 1, chain_of(chain, seq + 1, at, records)
            commit = LoggedCommit(seq, at, chain, records)
        with self._busy:
            if changes or snapshot is not None or (commit is not None and not log.append(commit)):
                commits = log.pending if commit is None else [*log.pending, commit]
                with self._errors("written"):
                    self._write_all(db, commits, seq, chain, at, changes, snapshot)
                log.clear()
        self._seq, self._chain = seq, chain
        self._octets += len(records)
        if snapshot is not None:
            self._kept = self._kept_next
            self._octets = 0

    def is_quick(self, octets: int) -> bool:
        """Whether the log has room for so many octets of records, and nobody is reading the past."""
        return not self._busy.locked() and self._open_log().has_room(octets)

    def _write_all(
        self,
        db: sqlite3.Connection,
        commits: Sequence[LoggedCommit],
        seq: int,
        chain: int,
        at: Timestamp,
        changes: Sequence[Change],
        snapshot: Snapshot | None,
    ) -> None:
        """A commit with more than records: rare, so it may take several statements."""
        db.execute("BEGIN IMMEDIATE")
        try:
            _put_commits(db, commits)
            for kind, key, body in changes:
                if body is None:
                    db.execute(_DELETE, (kind, key))
                else:
                    db.execute(_PUT, (kind, key, at, crc_of_document(kind, key, body), body))
            kept = self._payments_to_keep(changes)
            if kept is not None:
                db.execute(_FORGET_PAYMENTS, (kept,))
            if snapshot is not None:
                self._put_snapshot(db, seq, chain, at, encode_snapshot(snapshot))
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:  # SQLite has rolled back by itself after some errors
                with contextlib.suppress(sqlite3.Error):
                    db.execute("ROLLBACK")
            raise

    def _put_snapshot(self, db: sqlite3.Connection, seq: int, chain: int, at: Timestamp, state: bytes) -> None:
        db.execute(_SNAPSHOT, (seq, at, chain, crc_of_snapshot(seq, chain, state), state))
        before, after = self._kept, self._kept.after(seq, self._commits_kept)
        for old in set(before.snapshots) - set(after.snapshots):
            db.execute(_FORGET_SNAPSHOT, (old,))
        if after.pruned > before.pruned:
            db.execute(_PRUNE, (after.pruned,))
        self._kept_next = after

    def release_reserve(self) -> None:
        give_back_reserve(self._reserve)

    def scrub(self) -> None:
        # Pages that are free, and the write-ahead log, still have what they had: all is written anew.
        with self._busy, self._errors("rewritten"):
            db = self._open_db()
            db.execute("VACUUM")
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    # ------------------------------------------------------------------ small things

    def _open_log(self) -> CommitLog:
        if self._log is None:
            raise StoreError(f"{self.path} is not open")
        return self._log

    def _latest(self) -> Sequence[LoggedCommit]:
        return self._open_log().pending

    def _errors(self, what: str) -> contextlib.AbstractContextManager[None]:
        return store_errors(self.path, what)

    def _open_db(self) -> sqlite3.Connection:
        if self._db is None:
            raise StoreError(f"{self.path} is not open")
        return self._db


def _put_commits(db: sqlite3.Connection, commits: Sequence[LoggedCommit]) -> None:
    rows, offset = [], 0
    for seq, at, chain, records in commits:
        rows.append((seq, at, chain, offset, len(records)))
        offset += len(records)
    if rows:
        db.execute(_COMMITS, (json.dumps(rows), b"".join(commit.records for commit in commits)))
