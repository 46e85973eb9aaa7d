"""What payments of this node came to since it started: counters, read by whoever exports them."""

from __future__ import annotations

from collections import Counter
from typing import Final, final

__all__ = ["BUCKETS_MS", "PaymentTotals"]

BUCKETS_MS: Final = (10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000)
"""Upper ends of the classes of a payment's duration: from a local network to the other side of the world."""


@final
class PaymentTotals:
    """Payments that ended, by state; and how long those took that delivered all."""

    def __init__(self) -> None:
        self.by_state: Counter[str] = Counter()
        self.by_duration = [0] * (len(BUCKETS_MS) + 1)
        """How many took at most each of `BUCKETS_MS`, and longer than the one before; the last: longer than all."""
        self.duration_ms = 0

    def add(self, state: str, duration_ms: int) -> None:
        """A payment ended."""
        self.by_state[state] += 1
        if state == "delivered":
            self.by_duration[sum(limit < duration_ms for limit in BUCKETS_MS)] += 1
            self.duration_ms += duration_ms
