"""Books in one file, copied while the node runs.

A backup is the database with the commits of the log in it, as of one moment. It has no secrets of the node's own files
(`secret_seed`, `admin_token`): what is sealed in it opens with the seed alone.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event, Lock
from typing import Final

from interledger.clock import Timestamp
from interledger.codec.timestamp import format_rfc3339
from interledger.errors import StoreError
from interledger.store.commit_log import LoggedCommit
from interledger.store.files import create_private, make_directory, sync_directory
from interledger.store.history import Backup
from interledger.store.tables import read_last, store_errors

__all__ = ["copy_books", "last_commit", "new_backup"]

_BACKUPS: Final = "backups"

PAGES_AT_ONCE: Final = 64
"""One mebibyte, copied in less than a millisecond: so long a commit waits at most."""

_PAUSE_S: Final = 0.001


def new_backup(directory: Path, now: Timestamp) -> Path:
    """Where a backup made `now` goes, below the data directory."""
    moment = format_rfc3339(now).replace("-", "").replace(":", "").replace(".", "")
    return directory / _BACKUPS / f"books-{moment}.db"


def copy_books(db: sqlite3.Connection, latest: Callable[[], Sequence[LoggedCommit]], busy: Lock, place: Path) -> Backup:
    """Copy an open database, with what the log has, into the new file `place`. Raises `StoreError`.

    `busy` guards the database; it is let go again and again, so that packets need not wait. What is written meanwhile
    is in the copy, too: `latest` is asked at the very end.
    """
    make_directory(place.parent)
    if place.exists():
        raise StoreError(f"{place} is there already")
    new = place.with_name(place.name + ".part")
    new.unlink(missing_ok=True)
    os.close(create_private(new))

    def pause(status: int, *_: int) -> None:
        if status == sqlite3.SQLITE_OK:  # there is more
            busy.release()
            Event().wait(_PAUSE_S)
            busy.acquire()

    try:
        with store_errors(new, "written"), contextlib.closing(sqlite3.connect(new, isolation_level=None)) as target:
            with busy:
                db.backup(target, pages=PAGES_AT_ONCE, progress=pause)
                commits = list(latest())
            commit, at = _finish(target, commits)
        new.rename(place)
        sync_directory(place.parent)
    finally:
        new.unlink(missing_ok=True)
    return Backup(place, place.stat().st_size, commit, at)


def _finish(target: sqlite3.Connection, commits: Sequence[LoggedCommit]) -> tuple[int, Timestamp]:
    target.execute("PRAGMA synchronous = EXTRA")
    target.execute("PRAGMA journal_mode = DELETE").fetchall()  # one file, that needs none beside it
    target.execute("BEGIN IMMEDIATE")
    target.executemany("INSERT INTO journal (seq, at_ms, chain, records) VALUES (?, ?, ?, ?)", commits)
    target.execute("COMMIT")
    return last_commit(target)


def last_commit(db: sqlite3.Connection) -> tuple[int, Timestamp]:
    """The number of the last commit that a database has, and its moment; zeros where it has none."""
    seq, _ = read_last(db)
    found = db.execute(
        "SELECT at_ms FROM journal WHERE seq = ?1 UNION SELECT at_ms FROM snapshot WHERE seq = ?1", (seq,)
    )
    row = found.fetchone()
    return seq, Timestamp(0 if row is None else row[0])
