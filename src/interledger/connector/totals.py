"""Counters of all peers together, those that have left included: a payment's own peer lives as long as the payment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final, final

from interledger.connector.peer import Peer

__all__ = ["COUNTERS", "Totals"]

COUNTERS: Final = ("prepares", "answered", "fulfilled", "rejected", "refused", "late")
"""The counters of a peer, by the names they have there."""


@final
class Totals:
    """What peers counted that are attached no more."""

    def __init__(self) -> None:
        self._past: Counter[str] = Counter()
        self._leaving: list[Peer] = []

    def add(self, peer: Peer) -> None:
        """The peer was detached. It is still counted in while packets that came from it wait for their outcome."""
        self._leaving.append(peer)
        self._settle()

    def with_those(self, peers: Iterable[Peer]) -> dict[str, int]:
        """Name -> count, over all that left and all `peers`."""
        self._settle()
        total = Counter(self._past)
        for peer in (*peers, *self._leaving):
            total.update({name: getattr(peer, name) for name in COUNTERS})
        return {name: total[name] for name in COUNTERS}

    def _settle(self) -> None:
        """Those whose every packet has an outcome count no more: their numbers are added, they are forgotten."""
        leaving, self._leaving = self._leaving, []
        for peer in leaving:
            if peer.prepares > peer.answered + peer.fulfilled + peer.rejected + peer.refused:
                self._leaving.append(peer)
            else:
                self._past.update({name: getattr(peer, name) for name in COUNTERS})
