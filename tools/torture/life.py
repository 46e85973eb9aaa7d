"""One life of a store: real ledger, real group commit, real SQLite, on a `Disk`. What it promised is written down.

A *state* is what the books and documents are after one durable step. States are numbered; every effect that leaves
(a reply, a Prepare, an answer to who waited) says which state it rests on.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from interledger.accounts.asset import Asset
from interledger.accounts.ledger import Hold, Ledger, LedgerAccount
from interledger.accounts.recovery import recover
from interledger.accounts.snapshot import capture, encode_snapshot
from interledger.clock import Timestamp
from interledger.errors import StoreError
from interledger.store import group_commit
from interledger.store.base import Durability, Store
from interledger.store.group_commit import GroupCommit
from interledger.store.sqlite import SqliteStore
from tools.torture.disk import Disk, Op
from tools.torture.vfs import mounted

__all__ = ["LOG_OCTETS", "Life", "State", "load", "open_store"]

ASSET: Final = Asset("USD", 9)
SNAPSHOT_OCTETS: Final = 6_000
LOG_OCTETS: Final = 8_192
"""Small, so that a short life has snapshots and a full commit log."""
COMMITS_KEPT: Final = 12

State = tuple[bytes, int]
"""(digest of the ledger, version of the documents)"""


class _Clock:
    """Goes on from life to life: two commits of the same number are never written at the same moment."""

    def __init__(self, dice: random.Random) -> None:
        self._now = 1_700_000_000_000 + dice.getrandbits(40)

    def now(self) -> Timestamp:
        self._now += 7
        return Timestamp(self._now)


def open_store(directory: Path, durability: Durability) -> SqliteStore:
    """A store on whatever is mounted."""
    return SqliteStore(directory, durability, reserve_octets=0, commits_kept=COMMITS_KEPT, log_octets=LOG_OCTETS)


def load(directory: Path, durability: Durability, files: dict[str, bytes]) -> tuple[State, Disk]:
    """What a start finds on these files, and the disk after it. Raises `StoreError` when it refuses."""
    disk = Disk.of(files)
    ledger = Ledger()
    store = open_store(directory, durability)
    with mounted(disk):
        try:
            store.open()
            version = store.load(ledger).facts.get("version", 0)
        finally:
            store.close()
    faults = ledger.check()
    if faults:
        raise AssertionError(f"the books are not sound: {faults}")
    return (digest(ledger), version), disk


def digest(ledger: Ledger) -> bytes:
    """Equal for equal books: accounts with all counters, open holds, unknown items."""
    return sha256(encode_snapshot(capture(ledger))).digest()


@dataclass
class Life:
    """Runs `steps` steps on `files`, then stops as it stands, or in good order. `promises`: (requests of the disk until
    then, number of the state that an effect rests on)."""

    directory: Path
    durability: Durability
    dice: random.Random
    files: dict[str, bytes]
    states: list[State] = field(default_factory=list)
    promises: list[tuple[int, int]] = field(default_factory=list)
    disk: Disk = field(default_factory=Disk)
    on_op: Callable[[Op, int], None] | None = None
    """The fault to inject: see `Disk.on_op`."""
    failures: list[StoreError] = field(default_factory=list)
    """What the node was told of the disk."""

    def run(self, steps: int) -> None:
        """Live. All that is done is in `disk`, `states` and `promises`."""
        self.disk = Disk.of(self.files)
        self.disk.on_op = self.on_op or self.disk.on_op
        with mounted(self.disk), patch.object(group_commit, "SNAPSHOT_OCTETS", SNAPSHOT_OCTETS):
            store = open_store(self.directory, self.durability)
            try:
                store.open()
                self._work(store, steps)
            finally:
                store.close()

    def _work(self, store: Store, steps: int) -> None:
        ledger = Ledger()
        self._version = store.load(ledger).facts.get("version", 0)
        self.states.append((digest(ledger), self._version))
        commits = self._commits = GroupCommit(
            ledger, store, _Clock(self.dice), self.failures.append, inline=True, call_soon=lambda do: None
        )
        self._promise(0)
        with self._recording(store, ledger):
            recover(ledger)
            names = [ledger.account(f"peer/{name}", ASSET) for name in ("alice", "bob", "carol")]
            commits.flush()
            for _ in range(steps):
                for _ in range(self.dice.choice((1, 1, 2, 9))):
                    self._act(ledger, names)
                self._change_documents(store)
                ledger.call_after_commit(partial(self._promise, len(self.states)))
                commits.flush()

    @contextlib.contextmanager
    def _recording(self, store: Store, ledger: Ledger) -> Iterator[None]:
        """Note the state of every durable step before it is written."""
        write = store.write

        def note(*arguments: Any) -> None:
            self.states.append((digest(ledger), self._version))
            write(*arguments)

        with patch.object(store, "write", note):
            yield

    def _promise(self, state: int, error: Exception | None = None) -> None:
        # A Fulfill leaves when the disk fails too: that is no promise.
        if error is None and self._commits.error is None:
            self.promises.append((len(self.disk.ops), state))

    def _act(self, ledger: Ledger, names: list[LedgerAccount]) -> None:
        dice = self.dice
        source, target = dice.sample(names, 2)
        what = dice.random()
        if what < 0.5 or not ledger.holds:
            fulfillment = dice.randbytes(32)
            legs = ((source, target, dice.choice((1, 7, 2**63))),)
            ledger.hold(legs, sha256(fulfillment).digest(), 1_000, dice.random() < 0.8)
            # The state that the effect rests on is the one that is written next.
            ledger.prepare_after_commit(lambda n, _: self._promise(n), lambda n, _: None, len(self.states), None)
            return
        hold: Hold = dice.choice(list(ledger.holds.values()))
        if what < 0.8:
            ledger.execute(hold, dice.randbytes(32))
            ledger.reply_after_commit(lambda n, _: self._promise(n), len(self.states), None)
        elif what < 0.88:
            ledger.release(hold)
        elif what < 0.94:
            ledger.give_up(hold)
        elif ledger.unknown:
            ledger.resolve(dice.choice(list(ledger.unknown.values())), delivered=dice.random() < 0.5, memo="decided")
        else:
            ledger.post(((source, target, 5),), "settled")

    def _change_documents(self, store: Store) -> None:
        if self.dice.random() < 0.15:
            self._version += 1
            store.put_fact("version", self._version)
            store.put_payment(f"pay_{self._version}", {"state": "delivered", "text": "x" * self.dice.randint(0, 3_000)})
