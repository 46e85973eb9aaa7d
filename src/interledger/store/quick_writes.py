"""Writes in the loop's own thread, while the disk is quick: handing them to another thread would cost more CPU."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter_ns
from typing import Final, final

from interledger.store.base import Store
from interledger.store.durable_step import DurableStep, write_step

__all__ = ["QUICK_US", "SLOW_TIMES", "QuickWrites"]

QUICK_US: Final = 250
"""How long a write may hold up the loop. To hand it to a thread and to be told costs as much, in CPU time."""

SLOW_TIMES: Final = 20
"""After a slower one the thread writes for so many times as long: slow ones get a twentieth of the loop's time."""


@final
class QuickWrites:
    """Of one store, by one thread. `is_quick`: as of a `QuickStore`."""

    def __init__(self, store: Store, is_quick: Callable[[int], bool]) -> None:
        self._store = store
        self._is_quick = is_quick
        self._slow_until_ns = 0

    def write(self, step: DurableStep) -> bool:
        """Write it here and now, if that is one short write to a disk that was quick the last time; else False."""
        if step.changes or step.snapshot is not None:
            return False
        began = perf_counter_ns()
        if began < self._slow_until_ns or not self._is_quick(len(step.records)):
            return False
        write_step(self._store, step)
        step.is_written = True
        took = perf_counter_ns() - began
        if took > QUICK_US * 1000:
            self._slow_until_ns = began + took + SLOW_TIMES * took
        return True
