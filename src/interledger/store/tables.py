"""Reads the tables of a node's database, and checks every row: SQLite's pages have no check sums, ours have to do.

Used by the store of a running node, and by those who look at a stopped one's books. Each function raises `StoreError`,
which names the database and the row; none writes.
"""

from __future__ import annotations

import contextlib
import itertools
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from struct import Struct
from struct import error as StructError  # noqa: N812
from typing import NamedTuple

from interledger.accounts.books.past import Commit, Opening
from interledger.clock import Timestamp
from interledger.errors import DiskFullError, StoreError
from interledger.store.base import StoredState, add_document
from interledger.store.commit_log import LoggedCommit, chain_of
from interledger.store.sealing import Sealer

__all__ = [
    "SnapshotRow",
    "check_small_tables",
    "crc_of_document",
    "crc_of_snapshot",
    "read_commits",
    "read_documents",
    "read_last",
    "read_mark",
    "read_snapshots",
    "store_errors",
]

_LINK = Struct(">IQQ")  # chain, seq, 0


class SnapshotRow(NamedTuple):
    """The ledger after commit `seq`; `chain` continues in the commit after it."""

    seq: int
    at: Timestamp
    chain: int
    state: bytes

    @property
    def opening(self) -> Opening:
        return Opening(self.seq, self.at, self.state)


def crc_of_snapshot(seq: int, chain: int, state: bytes) -> int:
    """The check sum of a snapshot."""
    return zlib.crc32(state, zlib.crc32(_LINK.pack(chain, seq, 0)))


def crc_of_document(kind: str, key: str, body: str) -> int:
    """The check sum of a document."""
    return zlib.crc32("\0".join((kind, key, body)).encode())


def check_small_tables(db: sqlite3.Connection, path: Path) -> None:
    """Is every row where it should be? The journal need not be asked: each of its rows knows the one before it."""
    for table in ("document", "snapshot"):
        (verdict,) = db.execute(f"PRAGMA integrity_check({table})").fetchone()
        if verdict != "ok":
            raise StoreError(f"{path} is damaged: {verdict}")


def read_snapshots(db: sqlite3.Connection, path: Path) -> Iterator[SnapshotRow]:
    """All that are kept, newest first."""
    for seq, at, chain, crc, state in db.execute(
        "SELECT seq, at_ms, chain, crc, state FROM snapshot ORDER BY seq DESC"
    ):
        if crc_of_snapshot(seq, chain, state) != crc:
            raise StoreError(f"{path}: the snapshot of commit {seq} is damaged (its check sum differs)")
        yield SnapshotRow(seq, Timestamp(at), chain, bytes(state))


def read_commits(
    db: sqlite3.Connection, path: Path, seq: int, chain: int, latest: Sequence[LoggedCommit] = ()
) -> Iterator[tuple[Commit, int]]:
    """The commits after `seq`, whose chain is `chain`, and the chain of each. `latest`: those of the commit log."""
    rows = db.execute("SELECT seq, at_ms, chain, records FROM journal WHERE seq > ? ORDER BY seq", (seq,))
    for found, at, stored_chain, records in itertools.chain(rows, (one for one in latest if one.seq > seq)):
        if found != seq + 1:
            raise StoreError(f"{path}: commit {seq + 1} of the journal is missing")
        seq, chain = found, chain_of(chain, found, at, records)
        if chain != stored_chain:
            raise StoreError(f"{path}: commit {seq} of the journal is damaged (its check sum differs)")
        yield Commit(seq, Timestamp(at), records), chain


def read_mark(db: sqlite3.Connection) -> bytes:
    """Which commit log belongs to this database."""
    (mark,) = db.execute("SELECT mark FROM commit_log").fetchone()
    return bytes(mark)


def read_last(db: sqlite3.Connection) -> tuple[int, int]:
    """seq and chain of the last commit that the database has; (0, 0) when it has none."""
    found = db.execute("SELECT seq, chain FROM journal ORDER BY seq DESC LIMIT 1").fetchone()
    found = found or db.execute("SELECT seq, chain FROM snapshot ORDER BY seq DESC LIMIT 1").fetchone()
    return (0, 0) if found is None else (int(found[0]), int(found[1]))


def read_documents(db: sqlite3.Connection, path: Path, state: StoredState, sealer: Sealer | None) -> None:
    """Put every document where it belongs in `state`; `sealer` opens the secrets in them."""
    for kind, key, crc, body in db.execute("SELECT kind, key, crc, body FROM document ORDER BY id"):
        if crc_of_document(kind, key, body) != crc:
            raise StoreError(f"{path}: the document {kind} “{key}” is damaged (its check sum differs)")
        add_document(state, kind, key, body, sealer)


@contextlib.contextmanager
def store_errors(path: Path, what: str) -> Iterator[None]:
    """Turns SQLite's errors into `StoreError`: the database `path` cannot be `what` (opened, read, written)."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorname", type(error).__name__)
        if code == "SQLITE_FULL":
            raise DiskFullError(f"{path} cannot be {what}: the disk is full") from None
        raise StoreError(f"{path} cannot be {what}: {error} ({code})") from None
    except (UnicodeDecodeError, StructError) as error:  # a damaged file, where SQLite saw nothing wrong
        raise StoreError(f"{path} cannot be {what}, it is damaged: {error}") from None
