"""The log of our forwarding table: every change has a number, its epoch, and a peer needs only what is new to it.

A prefix has one entry, its last: an older one becomes a hole. So a new peer gets one line a prefix, however often the
prefix has changed. A withdrawal is an entry too, and is forgotten when there are too many; a peer that has not seen
all that was forgotten starts again, under another table id.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import Final, NamedTuple, final

from interledger.accounts.account import AccountId, Relation
from interledger.routing.ccp.messages import UINT32_MAX, AnnouncedRoute

__all__ = ["Export", "ForwardingLog", "LogEntry"]

WITHDRAWALS_MAX: Final = 20_000
"""Withdrawals that are remembered: two whole tables of a peer."""

_HOLES_MAX: Final = 1_000
"""Holes that are let be, beside as many as there are entries."""


class Export(NamedTuple):
    """What we announce: the route as peers get it, and over which account it leads. Own prefixes have no account."""

    account: AccountId | None
    relation: Relation
    route: AnnouncedRoute


class LogEntry(NamedTuple):
    """What has been so of `prefix` since `epoch`. `export` is None when it was withdrawn."""

    epoch: int
    prefix: str
    export: Export | None


@final
class ForwardingLog:
    """`epoch`: the number that the next change gets. `floor`: whoever has less may have missed a withdrawal.

    `generation` counts how often the numbers began anew: on the wire they have 32 bits.
    """

    def __init__(self, *, withdrawals_max: int = WITHDRAWALS_MAX, epoch_max: int = UINT32_MAX) -> None:
        self.epoch = 0
        self.floor = 0
        self.generation = 0
        self._withdrawals_max = withdrawals_max
        self._epoch_max = epoch_max
        self._latest: dict[str, LogEntry] = {}
        self._entries: dict[int, LogEntry] = {}
        self._epochs: list[int] = []
        self._withdrawn: dict[str, int] = {}

    def get(self, prefix: str) -> Export | None:
        """What we announce for exactly `prefix`."""
        entry = self._latest.get(prefix)
        return None if entry is None else entry.export

    def put(self, prefix: str, export: Export | None) -> bool:
        """Announce this from now on; None: withdraw it. False when nothing is new."""
        last = self._latest.get(prefix)
        if export == (None if last is None else last.export):
            return False
        if self.epoch >= self._epoch_max:
            self._renumber()
            last = self._latest.get(prefix)
        if last is not None:
            del self._entries[last.epoch]
        self._withdrawn.pop(prefix, None)
        self._append(prefix, export)
        if export is None:
            self._withdrawn[prefix] = self.epoch - 1
            if len(self._withdrawn) > self._withdrawals_max:
                self._forget_oldest()
        if len(self._epochs) > 2 * len(self._entries) + _HOLES_MAX:
            self._epochs = list(self._entries)
        return True

    def entries_from(self, epoch: int) -> Iterator[LogEntry]:
        """All entries of `epoch` and later ones, in order, without the holes."""
        for index in range(bisect_left(self._epochs, epoch), len(self._epochs)):
            entry = self._entries.get(self._epochs[index])
            if entry is not None:
                yield entry

    def exports(self) -> dict[str, Export]:
        """All that is announced: prefix -> what."""
        return {prefix: entry.export for prefix, entry in self._latest.items() if entry.export is not None}

    def __len__(self) -> int:
        return len(self._entries)

    def _append(self, prefix: str, export: Export | None) -> None:
        entry = LogEntry(self.epoch, prefix, export)
        self._latest[prefix] = self._entries[self.epoch] = entry
        self._epochs.append(self.epoch)
        self.epoch += 1

    def _forget_oldest(self) -> None:
        prefix, epoch = next(iter(self._withdrawn.items()))
        del self._withdrawn[prefix], self._latest[prefix], self._entries[epoch]
        self.floor = epoch + 1

    def _renumber(self) -> None:
        """Count from 0 again, without withdrawals: every peer starts again."""
        kept = self.exports()
        self._latest, self._entries, self._epochs, self._withdrawn = {}, {}, [], {}
        self.epoch = self.floor = 0
        self.generation += 1
        for prefix, export in kept.items():
            self._append(prefix, export)
