"""The store of one node on one machine: SQLite with a write-ahead log.

`durability`:

* `power` is `synchronous=FULL`: every commit ends with an fsync of the log.
* `process` is `synchronous=NORMAL`: a commit is in the system's page cache when it returns, which kill -9 cannot take
  away, and the log is synced before it is copied into the database. `OFF` would save 0 to 4 % of a commit's CPU, and a
  power cut could then leave a database that cannot be read at all; with NORMAL it loses the last commits, nothing else.

The database is opened in exclusive mode: nobody else can take the write lock of a node that is running.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from struct import Struct
from struct import error as StructError  # noqa: N812
from typing import Final, final

from interledger.accounts.entries import LedgerAccount
from interledger.accounts.ledger import Ledger
from interledger.accounts.snapshot import Snapshot, encode_snapshot
from interledger.clock import Timestamp
from interledger.errors import DiskFullError, StoreError
from interledger.store.base import (
    PAYMENTS_KEPT,
    Balance,
    Change,
    Documents,
    Durability,
    StoredState,
    add_document,
)
from interledger.store.documents import Kind
from interledger.store.files import (
    RESERVE_OCTETS,
    DirectoryLock,
    create_private,
    give_back_reserve,
    make_directory,
    make_reserve,
)
from interledger.store.migrations import migrate
from interledger.store.replay import StoredBalance, replay

__all__ = ["COMMITS_KEPT", "DATABASE", "SqliteStore"]

DATABASE: Final = "ledger.db"

COMMITS_KEPT: Final = 50_000
"""Commits of the journal that are kept although a snapshot covers them, to look things up: minutes to days of history,
250 MB at most."""

PRUNED_PER_COMMIT: Final = 4
"""Old rows that one commit deletes. More than it adds, and never enough to make it slow."""

_LINK = Struct(">IQQ")  # chain of the commit before, seq, at
_AMOUNT = re.compile(r"[0-9]{1,39}")
_SYNCHRONOUS = {Durability.POWER: "FULL", Durability.PROCESS: "NORMAL"}

_COMMIT = "INSERT INTO new_commit VALUES (?, ?, ?, ?, ?, ?)"
_PUT = (
    "INSERT INTO document (kind, key, at_ms, crc, body) VALUES (?, ?, ?, ?, ?) ON CONFLICT (kind, key) "
    "DO UPDATE SET at_ms = excluded.at_ms, crc = excluded.crc, body = excluded.body"
)
_DELETE = "DELETE FROM document WHERE kind = ? AND key = ?"
_FORGET_PAYMENTS = (
    "DELETE FROM document WHERE kind = 'payment' AND id <= "
    "(SELECT id FROM document WHERE kind = 'payment' ORDER BY id DESC LIMIT 1 OFFSET ?)"
)
_SNAPSHOT = "INSERT OR REPLACE INTO snapshot (id, seq, at_ms, chain, crc, state) VALUES (1, ?, ?, ?, ?, ?)"


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
    ) -> None:
        super().__init__()
        self.path = directory / DATABASE
        self._durability = durability
        self._reserve = directory / "reserve"
        self._reserve_octets = reserve_octets
        self._commits_kept = commits_kept
        self._lock = DirectoryLock(directory / "lock")
        self._db: sqlite3.Connection | None = None
        self._seq = 0
        self._chain = 0
        self._octets = 0
        self._snapshot_seq = 0
        self._pruned = 0
        self._prefixes: dict[int, str] = {}

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
        except BaseException:
            self.close()
            raise

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=0)
        self._db = db  # so that it is closed when the rest fails
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        if db.execute("PRAGMA journal_mode = WAL").fetchone() != ("wal",):
            raise StoreError(f"{self.path} is on a file system that cannot keep a write-ahead log")
        db.execute(f"PRAGMA synchronous = {_SYNCHRONOUS[self._durability]}")
        migrate(db, self.path)
        return db

    def close(self) -> None:
        db, self._db = self._db, None
        if db is not None:
            with contextlib.suppress(sqlite3.Error):  # a full disk: the log stays, and is read at the next start
                db.close()
        self._lock.release()

    @property
    def octets_since_snapshot(self) -> int:
        return self._octets

    # ------------------------------------------------------------------ load

    def load(self, ledger: Ledger) -> StoredState:
        with self._errors("read"):
            self._check_small_tables()
            snapshot = self._load_snapshot()
            commits = self._load_commits()
            balances = self._load_balances()
            state = StoredState()
            try:
                state.records_replayed = replay(ledger, snapshot, commits, balances)
            except StoreError as error:
                raise StoreError(f"{self.path}: {error}. Nothing was changed; the node does not start") from None
            for kind, key, crc, body in self._open_db().execute(
                "SELECT kind, key, crc, body FROM document ORDER BY id"
            ):
                if _document_crc(kind, key, body) != crc:
                    raise StoreError(f"{self.path}: the document {kind} “{key}” is damaged (its check sum differs)")
                add_document(state, kind, key, body)
        return state

    def _check_small_tables(self) -> None:
        """Is every row where it should be? The journal need not be asked: each of its rows knows the one before it."""
        for table in ("balance", "document", "snapshot"):
            (verdict,) = self._open_db().execute(f"PRAGMA integrity_check({table})").fetchone()
            if verdict != "ok":
                raise StoreError(f"{self.path} is damaged: {verdict}")

    def _load_snapshot(self) -> bytes | None:
        row = self._open_db().execute("SELECT seq, chain, crc, state FROM snapshot").fetchone()
        if row is None:
            return None
        self._seq, self._chain, crc, state = row
        self._snapshot_seq = self._seq
        if _snapshot_crc(self._seq, self._chain, state) != crc:
            raise StoreError(f"{self.path}: the snapshot of commit {self._seq} is damaged (its check sum differs)")
        return bytes(state)

    def _load_commits(self) -> list[tuple[int, bytes]]:
        """The commits after the snapshot, each checked against the one before it."""
        db = self._open_db()
        commits = []
        rows = db.execute("SELECT seq, at_ms, chain, records FROM journal WHERE seq > ? ORDER BY seq", (self._seq,))
        for seq, at, chain, records in rows:
            if seq != self._seq + 1:
                raise StoreError(f"{self.path}: commit {self._seq + 1} of the journal is missing")
            if _chain(self._chain, seq, at, records) != chain:
                raise StoreError(f"{self.path}: commit {seq} of the journal is damaged (its check sum differs)")
            self._seq, self._chain = seq, chain
            self._octets += len(records)
            commits.append((seq, records))
        self._pruned = (db.execute("SELECT min(seq) FROM journal").fetchone()[0] or self._seq + 1) - 1
        return commits

    def _load_balances(self) -> dict[int, StoredBalance]:
        balances = {}
        rows = self._open_db().execute("SELECT account, name, debits_posted, credits_posted, seq FROM balance")
        for index, name, debits, credits_, seq in rows:
            if not (_AMOUNT.fullmatch(debits) and _AMOUNT.fullmatch(credits_)):
                raise StoreError(f"{self.path}: the balance of {name}, written by commit {seq}, is not a number")
            balances[index] = StoredBalance(name, int(debits), int(credits_))
        return balances

    # ------------------------------------------------------------------ write

    def write(
        self,
        records: bytes,
        balances: Sequence[Balance],
        at: Timestamp,
        changes: Sequence[Change] = (),
        snapshot: Snapshot | None = None,
    ) -> None:
        db = self._open_db()
        seq, chain = self._seq, self._chain
        prune_to = min(self._pruned + PRUNED_PER_COMMIT, self._snapshot_seq, seq - self._commits_kept)
        commit = None
        if records or balances:
            seq, chain = seq + 1, _chain(chain, seq + 1, at, records)
            commit = (seq, at, chain, records, self._balances_json(balances), prune_to if prune_to > 0 else None)
        with self._errors("written"):
            if not changes and snapshot is None:
                if commit is not None:
                    db.execute(_COMMIT, commit)
            else:
                self._write_all(db, commit, seq, chain, at, changes, snapshot)
        self._seq, self._chain = seq, chain
        self._octets += len(records)
        self._pruned = max(self._pruned, prune_to)
        if snapshot is not None:
            self._snapshot_seq = seq
            self._octets = 0

    def _write_all(
        self,
        db: sqlite3.Connection,
        commit: tuple[object, ...] | None,
        seq: int,
        chain: int,
        at: Timestamp,
        changes: Sequence[Change],
        snapshot: Snapshot | None,
    ) -> None:
        """A commit with more than records: rare, so it may take several statements."""
        db.execute("BEGIN IMMEDIATE")
        try:
            if commit is not None:
                db.execute(_COMMIT, commit)
            for kind, key, body in changes:
                if body is None:
                    db.execute(_DELETE, (kind, key))
                else:
                    db.execute(_PUT, (kind, key, at, _document_crc(kind, key, body), body))
            if any(change.kind is Kind.PAYMENT for change in changes):
                db.execute(_FORGET_PAYMENTS, (PAYMENTS_KEPT,))
            if snapshot is not None:
                state = encode_snapshot(snapshot)
                db.execute(_SNAPSHOT, (seq, at, chain, _snapshot_crc(seq, chain, state), state))
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:  # SQLite has rolled back by itself after some errors
                with contextlib.suppress(sqlite3.Error):
                    db.execute("ROLLBACK")
            raise

    def _balances_json(self, balances: Sequence[Balance]) -> str:
        """What the trigger of `new_commit` takes apart. The part that never changes is made once per account."""
        prefixes = self._prefixes
        parts = []
        for account, debits, credits_ in balances:
            prefix = prefixes.get(account.index)
            if prefix is None:
                prefix = prefixes[account.index] = _prefix(account)
            parts.append(f'{prefix}"{debits}","{credits_}"]')
        return f"[{','.join(parts)}]"

    def release_reserve(self) -> None:
        give_back_reserve(self._reserve)

    # ------------------------------------------------------------------ small things

    def _open_db(self) -> sqlite3.Connection:
        if self._db is None:
            raise StoreError(f"{self.path} is not open")
        return self._db

    @contextlib.contextmanager
    def _errors(self, what: str) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorname", type(error).__name__)
            if code == "SQLITE_FULL":
                raise DiskFullError(f"{self.path} cannot be {what}: the disk is full") from None
            raise StoreError(f"{self.path} cannot be {what}: {error} ({code})") from None
        except (UnicodeDecodeError, StructError) as error:  # a damaged file, where SQLite saw nothing wrong
            raise StoreError(f"{self.path} cannot be {what}, it is damaged: {error}") from None


def _chain(before: int, seq: int, at: int, records: bytes) -> int:
    return zlib.crc32(records, zlib.crc32(_LINK.pack(before, seq, at)))


def _snapshot_crc(seq: int, chain: int, state: bytes) -> int:
    return zlib.crc32(state, zlib.crc32(_LINK.pack(chain, seq, 0)))


def _document_crc(kind: str, key: str, body: str) -> int:
    return zlib.crc32("\0".join((kind, key, body)).encode())


def _prefix(account: LedgerAccount) -> str:
    return json.dumps([account.index, account.name, account.asset.code, account.asset.scale])[:-1] + ","
