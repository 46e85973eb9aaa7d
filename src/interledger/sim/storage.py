"""Where a simulated node keeps its books: what outlives its processes, and what a kill or a power cut leaves of it.

`ModelStorage` is memory that keeps the promises of a durable store. The real store, on a disk in memory that can be cut
at any request, comes from `tools/torture/sim_storage.py`: the package itself ships nothing that replaces file systems.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Final, Protocol, final

from interledger.accounts.ledger import Ledger
from interledger.accounts.snapshot import Snapshot
from interledger.clock import Timestamp
from interledger.errors import DiskFullError, StoreError
from interledger.store.base import Change, Documents, Store, StoredState
from interledger.store.history import HistoryReader
from interledger.store.memory import MemoryStore

__all__ = ["MakeStorage", "ModelStorage", "SimStore", "Storage"]

ALL: Final = 1_000_000_000


class Storage(Protocol):
    """One node's disk."""

    def open(self) -> Store:
        """A process starts on what is there."""
        ...

    def crash(self, write: Callable[[], None] | None, *, power: bool) -> None:
        """The process dies, or the power fails. `write`: the commit that was being written, wholly or partly done."""
        ...

    def refuse(self, kind: str) -> None:
        """From now on the disk is “disk full”, “disk broken” or, with an empty text, as it should be."""
        ...


MakeStorage = Callable[[random.Random], Storage]


@final
class ModelStorage:
    """Memory that is as durable as a disk. A commit that was being written when the process died is there, or not."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self.store = MemoryStore()
        self._refused = ""
        self._room = 0

    def open(self) -> Store:
        return _Refusing(self)

    def crash(self, write: Callable[[], None] | None, *, power: bool) -> None:
        if write is not None and self._dice.random() < 0.5:
            write()

    def refuse(self, kind: str) -> None:
        self._refused = kind
        self._room = self._dice.choice((0, 3, ALL))  # commits that the reserve has room for

    def check(self) -> None:
        """Raise what the disk says to a write."""
        if self._refused == "disk broken":
            raise StoreError("the simulated disk is broken")
        if self._refused == "disk full":
            raise DiskFullError("the simulated disk is full")
        if self._refused == "reserve":
            self._room -= 1
            if self._room < 0:
                raise DiskFullError("the simulated disk is full, and its reserve is used up")

    def release_reserve(self) -> None:
        """What was kept free may be used."""
        if self._refused == "disk full":
            self._refused = "reserve"


class _Delegating(Documents):
    """A store in front of another one: documents wait here."""

    def __init__(self, inner: Store) -> None:
        super().__init__()
        self.inner = inner

    def open(self) -> None:
        self.inner.open()

    def close(self) -> None:
        self.inner.close()

    def load(self, ledger: Ledger) -> StoredState:
        return self.inner.load(ledger)

    @property
    def history(self) -> HistoryReader:
        return self.inner.history

    @property
    def octets_since_snapshot(self) -> int:
        return self.inner.octets_since_snapshot

    def write(
        self, records: bytes, at: Timestamp, changes: Sequence[Change] = (), snapshot: Snapshot | None = None
    ) -> None:
        self.inner.write(records, at, changes, snapshot)

    def release_reserve(self) -> None:
        self.inner.release_reserve()

    def scrub(self) -> None:
        self.inner.scrub()


@final
class _Refusing(_Delegating):
    """The model's store, which refuses what its disk does. It makes no snapshots: a start replays everything."""

    def __init__(self, storage: ModelStorage) -> None:
        super().__init__(storage.store)
        self._storage = storage

    @property
    def octets_since_snapshot(self) -> int:
        return 0

    def write(
        self, records: bytes, at: Timestamp, changes: Sequence[Change] = (), snapshot: Snapshot | None = None
    ) -> None:
        self._storage.check()
        self.inner.write(records, at, changes, snapshot)

    def release_reserve(self) -> None:
        self._storage.release_reserve()


SNAPSHOTS_OFTEN: Final = 200
"""A run writes some 10 KB where a node writes megabytes: counted so many times, there are snapshots in it too."""


@final
class SimStore(_Delegating):
    """Notes what was written: `take_written` gives it to whoever wants to know, once."""

    def __init__(self, inner: Store) -> None:
        super().__init__(inner)
        self._written: list[bytes] = []

    @property
    def octets_since_snapshot(self) -> int:
        return self.inner.octets_since_snapshot * SNAPSHOTS_OFTEN

    def write(
        self, records: bytes, at: Timestamp, changes: Sequence[Change] = (), snapshot: Snapshot | None = None
    ) -> None:
        super().write(records, at, changes, snapshot)
        if records:
            self._written.append(records)

    def take_written(self) -> list[bytes]:
        """The records of what succeeded since the last call."""
        written, self._written = self._written, []
        return written

    def journal(self) -> list[bytes]:
        """The records of every commit, from the first."""
        return [commit.records for commit in self.history.read_commits(0, ALL)]
