"""The books of a node that does not run, to look at and not to touch.

The directory is locked meanwhile, so that no node starts, and the database is opened read-only: what a killed node left
in its write-ahead log is read too, and stays there.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from threading import Lock
from urllib.parse import quote

from interledger.errors import NotFoundError
from interledger.store.commit_log import COMMIT_LOG, read_commit_log
from interledger.store.files import DirectoryLock
from interledger.store.history import HistoryReader
from interledger.store.migrations import check_form
from interledger.store.open import require_psycopg
from interledger.store.sqlite import DATABASE
from interledger.store.sqlite_history import SqliteHistory
from interledger.store.stamp import STAMP
from interledger.store.tables import check_small_tables, read_last, read_mark, store_errors

__all__ = ["open_stopped"]


@contextlib.contextmanager
def open_stopped(directory: Path, url: str | None = None) -> Iterator[HistoryReader]:
    """The past of the node whose data directory this is, or whose books are in the PostgreSQL database at `url`.

    Raises `NotFoundError` where there are no books; `StoreError` while a node uses them, or when they are damaged.
    """
    if url is not None:
        require_psycopg()
        from interledger.store.postgres_stopped import open_stopped_postgres

        with open_stopped_postgres(url) as history:
            yield history
        return
    path = directory / DATABASE
    if not path.exists() and (directory / STAMP).exists():
        raise NotFoundError(
            f"The books of this node are in PostgreSQL, as {directory / STAMP} says: name it by  --store"
        )
    if not path.exists():
        raise NotFoundError(f"There are no books in {directory}: {DATABASE} is not there.")
    lock = DirectoryLock(directory / "lock")
    lock.take()
    # A reader makes these where they are missing. They hold nothing of their own.
    made = [each for end in ("-shm", "-wal") if not (each := path.with_name(DATABASE + end)).exists()]
    try:
        with store_errors(path, "opened"):
            db = sqlite3.connect(
                f"file:{quote(str(path.absolute()))}?mode=ro", uri=True, isolation_level=None, timeout=0
            )
        try:
            with store_errors(path, "read"):
                check_form(db, path)
                check_small_tables(db, path)
                latest = read_commit_log(path.with_name(COMMIT_LOG), read_mark(db), *read_last(db))
            yield SqliteHistory(path, lambda: db, lambda what: store_errors(path, what), Lock(), lambda: latest)
        finally:
            db.close()
    finally:
        for each in made:
            each.unlink(missing_ok=True)
        lock.release()
