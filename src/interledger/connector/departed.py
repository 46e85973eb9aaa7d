"""Peers that were detached while something of theirs was in flight, until they are attached again.

An account whose settings are changed gets another link, and with it another `Peer`. The counterpart does not know, and
answers what it was sent before: a Fulfill that nobody would recognise is money lost.
"""

from __future__ import annotations

from typing import final

from interledger.accounts.account import AccountId
from interledger.connector.in_flight import Deadlines
from interledger.connector.peer import Peer

__all__ = ["Departed"]


@final
class Departed:
    """`keep` at detaching, `hand_over` at attaching. An account that is removed for good has nothing in flight."""

    def __init__(self, deadlines: Deadlines) -> None:
        self._deadlines = deadlines
        self._peers: dict[AccountId, Peer] = {}

    def keep(self, peer: Peer) -> None:
        """It was detached; what is in flight ends by expiry, or by its reply when it comes back before."""
        if peer.in_flight or peer.gave_up:
            self._peers[peer.id] = peer

    def hand_over(self, peer: Peer) -> None:
        """It is attached: what it owed an answer to under its name it owes still."""
        left = self._peers.pop(peer.id, None)
        if left is not None:
            peer.take_over(left)
            self._deadlines.move(left, peer)
