"""What a BTP link counts."""

from __future__ import annotations

__all__ = ["BtpCounters"]


class BtpCounters:
    """Plain integers, read by whoever exports them."""

    __slots__ = ("connections", "replies_dropped", "strikes", "transfers_refused", "unknown_responses")

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
