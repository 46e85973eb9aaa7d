"""The disk of a simulated node whose books are in the real SQLite store: in memory, cut or killed at any request.

Several stores live in one process, each on a disk of its own, so a disk is mounted for as long as one call lasts.
"""

from __future__ import annotations

import errno
import itertools
import random
import shutil
import tempfile
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, final

from interledger.accounts.books.past import Commit, Opening
from interledger.accounts.ledger import Ledger
from interledger.accounts.snapshot import Snapshot
from interledger.clock import Timestamp
from interledger.sim.storage import MakeStorage
from interledger.store.base import Change, Documents, Store, StoredState
from interledger.store.documents import Kind as Document
from interledger.store.history import Backup, HistoryReader
from interledger.store.sqlite import SqliteStore
from tools.torture import vfs
from tools.torture.cuts import quick_place
from tools.torture.disk import Disk, DiskFaultError, Kind, Op
from tools.torture.vfs import mounted

__all__ = ["SqliteStorage", "make_storage"]

LOG_OCTETS: Final = 8_192
"""Small, so that a run fills the commit log some times."""

_number = itertools.count()


@final
class SqliteStorage:
    """A `Storage` (see `interledger.sim.storage`)."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._disk = Disk()
        self._store: SqliteStore | None = None
        self._refused = ""
        self._left = 0
        # Locks and reserves are real files, which no store needs for longer than it lives.
        self._directory = Path(tempfile.mkdtemp(prefix="sim", dir=quick_place())) / f"node{next(_number)}"
        weakref.finalize(self, shutil.rmtree, self._directory.parent, ignore_errors=True)

    def open(self) -> Store:
        self._disk.on_op = self._judge
        self._store = SqliteStore(self._directory, reserve_octets=0, log_octets=LOG_OCTETS)
        return _Mounting(self._store, self._disk)

    def crash(self, write: Callable[[], None] | None, *, power: bool) -> None:
        """The write that was under way is cut at any of its requests, or at any moment before or after them."""
        disk, before = self._disk, len(self._disk.ops)
        if write is not None:
            write()
        at = self._dice.randint(before, len(disk.ops))
        if power and at < len(disk.ops):
            files = disk.cut_at(at, self._dice)
        elif power:
            files = disk.cut_at(at, self._dice) if at else dict(disk.base)
        else:
            files = disk.killed_at(at)
        self._disk = Disk.of(files)
        if self._store is not None:
            disk.on_op = lambda op, number: None
            with mounted(disk):
                self._store.close()

    def refuse(self, kind: str) -> None:
        self._refused = kind
        # A full disk may have room for some of the writes, or have it again soon.
        self._left = self._dice.choice((1, 1, 3, 10**9)) if kind == "disk full" else 10**9

    def _judge(self, op: Op, number: int) -> None:
        if self._refused == "disk full" and op.kind is Kind.WRITE and self._left > 0:
            self._left -= 1
            raise DiskFaultError(errno.ENOSPC, "the simulated disk is full")
        if self._refused == "disk broken" and op.kind in (Kind.WRITE, Kind.SYNC):
            raise DiskFaultError(errno.EIO, "the simulated disk is broken")


@final
class _Mounting(Documents):
    """A store that finds its own disk whenever it is asked for anything."""

    def __init__(self, store: SqliteStore, disk: Disk) -> None:
        super().__init__()
        self._store = store
        self._disk = disk

    def open(self) -> None:
        with mounted(self._disk):
            self._store.open()

    def close(self) -> None:
        with mounted(self._disk):
            self._store.close()

    def load(self, ledger: Ledger) -> StoredState:
        with mounted(self._disk):
            return self._store.load(ledger)

    @property
    def history(self) -> HistoryReader:
        return _MountingHistory(self._store.history, self._disk)

    @property
    def octets_since_snapshot(self) -> int:
        return self._store.octets_since_snapshot

    def write(
        self, records: bytes, at: Timestamp, changes: Sequence[Change] = (), snapshot: Snapshot | None = None
    ) -> None:
        with mounted(self._disk):
            self._store.write(records, at, changes, snapshot)

    def release_reserve(self) -> None:
        self._store.release_reserve()

    def scrub(self) -> None:
        with mounted(self._disk):
            self._store.scrub()


@final
class _MountingHistory:
    def __init__(self, history: HistoryReader, disk: Disk) -> None:
        self._history = history
        self._disk = disk

    def read_openings(self) -> list[Opening]:
        with mounted(self._disk):
            return self._history.read_openings()

    def read_commits(self, after: int, limit: int) -> list[Commit]:
        with mounted(self._disk):
            return self._history.read_commits(after, limit)

    def read_document(self, kind: Document, key: str) -> Any:
        with mounted(self._disk):
            return self._history.read_document(kind, key)

    def read_documents(self, kind: Document, before: str | None, limit: int) -> list[tuple[str, Any]]:
        with mounted(self._disk):
            return self._history.read_documents(kind, before, limit)

    def backup(self, place: Path) -> Backup:
        return self._history.backup(place)


def make_storage() -> MakeStorage | None:
    """For `simulate`; None where this Python's SQLite cannot be given a file system."""
    return SqliteStorage if vfs.is_available() else None
