"""Which snapshots a store keeps, and from where on its journal: decided here, done by the store."""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["COMMITS_KEPT", "SNAPSHOTS_KEPT", "Kept"]

COMMITS_KEPT: Final = 50_000
"""Commits of the journal that are kept at least although a snapshot covers them, to look things up: minutes to days of
history, 500 MB at most. The kept journal opens with a snapshot, so between this and twice as many are there."""

SNAPSHOTS_KEPT: Final = 3
"""The opening of the kept journal, the next opening, and the newest."""


class Kept(NamedTuple):
    """What is there. `snapshots`: the commits they follow, oldest first; 0 is the empty ledger, which needs no row.

    `pruned`: the last commit that the journal does not have any more.
    """

    snapshots: tuple[int, ...] = (0,)
    pruned: int = 0

    @classmethod
    def of(cls, snapshots: list[int], first: int) -> Kept:
        """As found in a database: snapshots newest first, and the first commit of the journal."""
        pruned = first - 1
        # A journal from its first commit on opens with an empty ledger.
        return cls((*(() if pruned else (0,)), *reversed(snapshots)), pruned)

    def after(self, seq: int, commits_kept: int) -> Kept:
        """What is to be there once a snapshot of commit `seq` is.

        What is older than the opening goes a little at a time, so that no commit takes long.
        """
        kept = [*(old for old in self.snapshots if old != seq), seq]
        while len(kept) > SNAPSHOTS_KEPT:
            del kept[0 if kept[1] <= seq - commits_kept else SNAPSHOTS_KEPT - 1]
        # Twice as many as were added since the snapshot before: it catches up, and never has much to do.
        pruned = min(kept[0], self.pruned + 2 * (seq - self.snapshots[-1]))
        return Kept(tuple(kept), max(pruned, self.pruned))
