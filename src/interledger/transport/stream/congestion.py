"""How much may be in flight: a window of packets and, where credit is short, a window of money (AIMD).

Both grow with every fulfillment: doubling per round trip up to where they were last cut, by one packet per round trip
above. Both are cut in half by trouble, once per round trip: the packets of one burst that fail together count once.
Integers throughout; no clock but the `now` of the caller.
"""

from __future__ import annotations

from typing import Final, final

from interledger.clock import Timestamp

__all__ = ["CongestionWindow"]

INITIAL_PACKETS: Final = 4
"""The first burst: what a connector with small buffers takes."""

PAUSE_FIRST_MS: Final = 50
PAUSE_MAX_MS: Final = 2_000
"""Trouble without a fulfillment in between: wait 50 ms, then double, up to 2 s."""

IDLE_MS: Final = 5_000
"""After such a silence the way may have changed: begin small again."""


@final
class CongestionWindow:
    """Both windows of one connection. `packets`: how many may be in flight. `amount`: how much money, None: any."""

    __slots__ = (
        "_acknowledged",
        "_amount_cut_before",
        "_amount_cuts",
        "_amount_threshold",
        "_cut_before",
        "_pauses",
        "_threshold",
        "amount",
        "last_sent_at",
        "packets",
        "packets_max",
        "resume_at",
    )

    def __init__(self, packets_max: int, amount: int | None = None) -> None:
        self.packets_max = packets_max
        self.packets = min(INITIAL_PACKETS, packets_max)
        self.amount = amount
        self.resume_at = Timestamp(0)
        self.last_sent_at = Timestamp(0)
        self._threshold = packets_max
        self._amount_threshold = amount or 0
        self._acknowledged = 0
        self._cut_before = 0
        self._amount_cut_before = 0
        self._amount_cuts = 0
        self._pauses = 0

    def fulfilled(self, amount: int) -> None:
        """A packet of `amount` came through."""
        self._pauses = 0
        self._amount_cuts = 0
        if self.packets < self._threshold:
            self.packets = min(self.packets + 1, self.packets_max)
        elif self.packets < self.packets_max:
            self._acknowledged += 1
            if self._acknowledged >= self.packets:
                self._acknowledged = 0
                self.packets += 1
        if self.amount is not None:
            slow = self.amount < self._amount_threshold
            self.amount += amount if slow else max(1, amount * amount // self.amount)

    def busy(self, sequence: int, next_sequence: int, now: Timestamp) -> None:
        """T02, T03, T05, another T, an expired or unanswered packet: half the packets, and a pause."""
        if sequence < self._cut_before:
            return
        self._cut_before = next_sequence
        self._threshold = max(2, self.packets // 2)
        self.packets = max(1, self.packets // 2)
        self._acknowledged = 0
        self.pause(now)

    def wait(self, sequence: int, next_sequence: int, now: Timestamp) -> None:
        """The receiver is not ready: a pause, once per round trip, and no fewer packets."""
        if sequence >= self._cut_before:
            self._cut_before = next_sequence
            self.pause(now)

    def short_of_credit(
        self, sequence: int, next_sequence: int, in_flight: int, amount_min: int, now: Timestamp
    ) -> None:
        """T04 while `in_flight` was under way (this packet included): a third less money, then half each time.

        At `amount_min` no smaller packet makes sense: then only waiting helps.
        """
        if sequence < self._amount_cut_before:
            return
        self._amount_cut_before = next_sequence
        before = in_flight if self.amount is None else min(self.amount, in_flight)
        less = before // 2 if self._amount_cuts else before * 2 // 3
        self.amount = max(amount_min, 1, less)
        # A run of cuts ends in one quick climb to where it began.
        if not self._amount_cuts:
            self._amount_threshold = self.amount
        self._amount_cuts += 1
        if before <= self.amount:
            self.pause(now)

    def pause(self, now: Timestamp) -> None:
        """Send nothing for a while; longer each time, until something is fulfilled."""
        wait = min(PAUSE_MAX_MS, PAUSE_FIRST_MS << min(self._pauses, 10))
        self._pauses += 1
        self.resume_at = Timestamp(now + wait)

    def sending(self, now: Timestamp, in_flight: int) -> None:
        """A burst is about to leave; after a long silence it is a small one."""
        if not in_flight and now - self.last_sent_at > IDLE_MS:
            self.packets = min(self.packets, INITIAL_PACKETS)
        self.last_sent_at = now
