"""When a request is sent again: later and later, until it is answered or too late. Sans-I/O, for every link that may.

The owner sends; this only says what is due. Times are ms UTC, handed in.
"""

from __future__ import annotations

import heapq
from typing import Final, Generic, TypeVar, final

from interledger.clock import Timestamp

__all__ = ["FIRST_DELAY_MS", "LAST_DELAY_MS", "Repetitions"]

FIRST_DELAY_MS: Final = 250
"""Longer than a round trip to most peers: who is only slow is not asked twice."""

LAST_DELAY_MS: Final = 5_000
"""The delay doubles up to this, so that a packet of 30 s is sent nine times at most."""

K = TypeVar("K", int, bytes)


@final
class Repetitions(Generic[K]):
    """What is to be sent again, by the owner's keys."""

    def __init__(self) -> None:
        self._tries: dict[K, int] = {}
        self._due_at: dict[K, int] = {}
        self._heap: list[tuple[int, K]] = []

    def __len__(self) -> int:
        return len(self._due_at)

    def schedule(self, key: K, now: Timestamp, until: int) -> bool:
        """An attempt brought nothing: one more after a delay. False, and forgotten, when that is after `until`."""
        tries = self._tries.get(key, 0)
        due_at = now + min(FIRST_DELAY_MS << min(tries, 16), LAST_DELAY_MS)
        if due_at >= until:
            self.forget(key)
            return False
        self._tries[key] = tries + 1
        self._due_at[key] = due_at
        heapq.heappush(self._heap, (due_at, key))
        return True

    def forget(self, key: K) -> None:
        """It is answered, or nobody cares any more."""
        self._tries.pop(key, None)
        self._due_at.pop(key, None)

    def timer(self) -> Timestamp | None:
        """When `take_due` next has something."""
        self._drop_stale()
        return Timestamp(self._heap[0][0]) if self._heap else None

    def take_due(self, now: Timestamp) -> list[K]:
        """What is to be sent again now, the longest due first. Each waits for another `schedule` then."""
        due = []
        self._drop_stale()
        while self._heap and self._heap[0][0] <= now:
            _, key = heapq.heappop(self._heap)
            del self._due_at[key]
            due.append(key)
            self._drop_stale()
        return due

    def _drop_stale(self) -> None:
        heap = self._heap
        while heap and self._due_at.get(heap[0][1]) != heap[0][0]:
            heapq.heappop(heap)
