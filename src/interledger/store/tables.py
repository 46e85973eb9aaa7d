"""Reads the tables of a node's database, and checks every row: SQLite's pages have no check sums, ours have to do.

Used by the store of a running node, and by those who look at a stopped one's books. Each function raises `StoreError`,
which names the database and the row; none writes.
"""

from __future__ import annotations

import contextlib
import itertools
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from struct import error as StructError  # noqa: N812

from interledger.accounts.books.past import Commit
from interledger.errors import DiskFullError, StoreError
from interledger.store.base import StoredState
from interledger.store.commit_log import LoggedCommit
from interledger.store.rows import (
    DOCUMENTS,
    LATEST,
    LATEST_READ,
    SnapshotRow,
    add_documents,
    checked_commits,
    checked_snapshots,
)
from interledger.store.sealing import Sealer

__all__ = [
    "check_small_tables",
    "read_commits",
    "read_documents",
    "read_last",
    "read_mark",
    "read_snapshots",
    "store_errors",
]


def check_small_tables(db: sqlite3.Connection, path: Path) -> None:
    """Is every row where it should be? The journal need not be asked: each of its rows knows the one before it."""
    for table in ("document", "snapshot"):
        (verdict,) = db.execute(f"PRAGMA integrity_check({table})").fetchone()
        if verdict != "ok":
            raise StoreError(f"{path} is damaged: {verdict}")


def read_snapshots(db: sqlite3.Connection, path: Path) -> Iterator[SnapshotRow]:
    """All that are kept, newest first."""
    return checked_snapshots(db.execute("SELECT seq, at_ms, chain, crc, state FROM snapshot ORDER BY seq DESC"), path)


def read_commits(
    db: sqlite3.Connection, path: Path, seq: int, chain: int, latest: Sequence[LoggedCommit] = ()
) -> Iterator[tuple[Commit, int]]:
    """The commits after `seq`, whose chain is `chain`, and the chain of each. `latest`: those of the commit log."""
    rows = db.execute("SELECT seq, at_ms, chain, records FROM journal WHERE seq > ? ORDER BY seq", (seq,))
    return checked_commits(itertools.chain(rows, (one for one in latest if one.seq > seq)), path, seq, chain)


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
    """Put every document where it belongs in `state`, but of payments, and settlements that are done, only the latest;
    `sealer` opens the secrets in them."""
    add_documents(db.execute(DOCUMENTS), path, state, sealer)
    for latest in LATEST_READ:
        add_documents(db.execute(LATEST.format("?"), latest), path, state, sealer)


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
    except (UnicodeDecodeError, StructError, TypeError) as error:  # a damaged file, where SQLite saw nothing wrong
        raise StoreError(f"{path} cannot be {what}, it is damaged: {error}") from None
