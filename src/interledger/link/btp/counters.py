"""What a BTP link counts, and how many answers to nothing it takes."""

from __future__ import annotations

from typing import Final

from interledger.clock import Timestamp

__all__ = ["STRAYS_MAX", "STRAYS_PER_S", "BtpCounters"]

STRAYS_MAX: Final = 1_000
"""Answers at once that nobody waits for: an honest peer has as many when we were restarted with all in flight."""

STRAYS_PER_S: Final = 100
"""So many more each second: packets that were answered too late."""


class BtpCounters:
    """Plain integers, read by whoever exports them."""

    __slots__ = (
        "_strays",
        "_strays_at",
        "connections",
        "replies_dropped",
        "strikes",
        "transfers_refused",
        "unknown_responses",
    )

    def __init__(self) -> None:
        self.connections = 0
        """Authenticated connections so far."""
        self.replies_dropped = 0
        """Replies whose connection was gone, or to which an answer was sent already."""
        self.unknown_responses = 0
        """Replies to no Prepare of ours, or to one given up long ago."""
        self.strikes = 0
        """Packets that could not be read."""
        self.transfers_refused = 0
        """Transfers answered with an Error, because nobody takes them."""
        self._strays = 0
        self._strays_at = 0

    @property
    def too_many_strays(self) -> bool:
        """Whoever sends so many answers to no Prepare of ours only costs time."""
        return self._strays > STRAYS_MAX

    def stray(self, now: Timestamp) -> None:
        """Count an answer to no Prepare of ours."""
        self.unknown_responses += 1
        forgiven = (now - self._strays_at) * STRAYS_PER_S // 1_000
        if forgiven > 0:
            self._strays = max(0, self._strays - forgiven)
            self._strays_at = now
        self._strays += 1
