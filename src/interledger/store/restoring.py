"""Puts a backup in the place of a node's books, after it was judged."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from interledger.accounts.books.check import BooksCheck
from interledger.errors import ConflictError, NotFoundError, StoreError
from interledger.store.backup import last_commit
from interledger.store.commit_log import COMMIT_LOG, CommitLog
from interledger.store.files import DirectoryLock, create_private, make_directory, sync_directory
from interledger.store.follow import follow
from interledger.store.history import Backup
from interledger.store.migrations import migrate
from interledger.store.sqlite import DATABASE
from interledger.store.stopped import open_stopped
from interledger.store.tables import read_mark, store_errors

__all__ = ["RESTORED", "restore_books"]

RESTORED: Final = "restored"
"""The file beside books that were restored: as long as it is there, nothing is settled from them (J9)."""

_PLACE: Final = "restore"
_FILES: Final = (DATABASE, DATABASE + "-wal", DATABASE + "-shm", COMMIT_LOG)


def restore_books(
    backup: Path, directory: Path, *, replace: bool = False, dry_run: bool = False
) -> tuple[Backup, Path | None]:
    """Put the books of `backup` into the data directory of a node that is not running; where the former ones are now.

    They are brought to this program's form and judged first, record by record. Raises `NotFoundError` without a
    backup; `ConflictError` where there are books and `replace` is not said; `StoreError` where those of the backup are
    not sound, for a file that is no backup, and while a node uses the directory. `dry_run`: only judges.
    """
    if not backup.is_file():
        raise NotFoundError(f"There is no backup {backup}.")
    make_directory(directory)
    lock = DirectoryLock(directory / "lock")
    lock.take()
    try:
        former = [path for name in _FILES if (path := directory / name).exists()]
        if former and not replace:
            raise ConflictError(f"There are books in {directory} already.")
        with _beside(directory) as place:
            made = _prepare(backup, place / DATABASE)
            with open_stopped(place) as history:
                openings = history.read_openings()
                report = follow(history, lambda opening: BooksCheck(openings))
            if not report.sound:
                raise StoreError(f"the books in {backup} are not sound: {report.faults[0].text}")
            if dry_run:
                return made, None
            kept = None if not former else _set_aside(former, directory)
            if not (directory / RESTORED).exists():
                os.close(create_private(directory / RESTORED))
            for name in (COMMIT_LOG, DATABASE):  # the database last: without it there are no books
                (place / name).rename(directory / name)
            sync_directory(directory)
        return made._replace(path=directory / DATABASE), kept
    finally:
        lock.release()


@contextlib.contextmanager
def _beside(directory: Path) -> Iterator[Path]:
    place = directory / _PLACE
    shutil.rmtree(place, ignore_errors=True)
    make_directory(place)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _prepare(backup: Path, database: Path) -> Backup:
    """Copy the backup to where it can be looked at, in this program's form, with a new commit log beside it."""
    os.close(create_private(database))
    shutil.copyfile(backup, database)
    with store_errors(backup, "read"), contextlib.closing(sqlite3.connect(database, isolation_level=None)) as db:
        migrate(db, backup)
        # Another mark: a log of the former books can never be taken for these.
        db.execute("UPDATE commit_log SET mark = randomblob(16)")
        commit, at = last_commit(db)
        mark = read_mark(db)
    log = CommitLog(database.with_name(COMMIT_LOG), mark, durable=True)
    try:
        log.load(0, 0)  # makes an empty one
    finally:
        log.close()
    return Backup(database, database.stat().st_size, commit, at)


def _set_aside(former: Sequence[Path], directory: Path) -> Path:
    number = 1
    while (place := directory / f"before-restore-{number}").exists():
        number += 1
    make_directory(place)
    for path in former:
        path.rename(place / path.name)
    return place
