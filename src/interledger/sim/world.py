"""Virtual time and seeded chance: a heap of things to do, and one random generator for everything."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from typing import Final, final

from interledger.clock import Timestamp

__all__ = ["World"]

EPOCH: Final = 1_700_000_000_000
"""When every simulation begins, ms UTC."""


@final
class World:
    """The clock, the dice and the agenda of one run. Serves as `Clock` and as `Entropy` too."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.dice = random.Random(seed)
        self.events = 0
        self._now = self.began = EPOCH
        self._agenda: list[tuple[int, int, Callable[[], None]]] = []
        self._order = 0

    def now(self) -> Timestamp:
        return Timestamp(self._now)

    def octets(self, count: int) -> bytes:
        return self.dice.randbytes(count)

    def after(self, delay_ms: int, do: Callable[[], None]) -> None:
        """Let `do` happen so much later; what is due at the same time happens in the order it was asked for."""
        self._order += 1
        heapq.heappush(self._agenda, (self._now + delay_ms, self._order, do))

    def soon(self, do: Callable[[], None]) -> None:
        """Let `do` happen next at the present time: the `defer` of local links."""
        self.after(0, do)

    def chance(self, probability: float) -> bool:
        """True that often."""
        return self.dice.random() < probability

    def run(self, until_ms: int, stop: Callable[[], bool] = lambda: False) -> None:
        """Do all that is due in the next `until_ms`, unless `stop` says so first."""
        end = self._now + until_ms
        while self._agenda and self._agenda[0][0] <= end and not stop():
            self._now, _, do = heapq.heappop(self._agenda)
            self.events += 1
            do()
        self._now = end
