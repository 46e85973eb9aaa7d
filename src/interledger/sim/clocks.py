"""A node's own clock, which may be wrong, and its timers, which follow it."""

from __future__ import annotations

from collections.abc import Callable
from typing import final

from interledger.clock import Timestamp
from interledger.node.timers import WAIT_MS_MAX, Timed
from interledger.sim.world import World

__all__ = ["NodeClock", "SimTimer"]


@final
class NodeClock:
    """The world's time and an offset."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.offset_ms = 0
        self.steps = False
        """It is set now and then: news that seem older than what is known are then refused, as those of rates."""

    def now(self) -> Timestamp:
        return Timestamp(self._world.now() + self.offset_ms)


@final
class SimTimer:
    """As `node.timers.DueTimer`, on virtual time: calls `handle_timer` when it is due by the node's clock.

    `alive` says whether the process that set it still is; `busy_ms` how long it does nothing.
    """

    def __init__(
        self,
        world: World,
        clock: NodeClock,
        timed: Timed,
        alive: Callable[[], bool],
        busy_ms: Callable[[], int],
    ) -> None:
        self._world = world
        self._clock = clock
        self._timed = timed
        self._alive = alive
        self._busy_ms = busy_ms
        self._due: int | None = None
        self._turn = 0
        due = timed.timer()
        if due is not None:
            self.sooner(due)

    def sooner(self, due: Timestamp) -> None:
        """Something is due before all else."""
        if self._due is None or due < self._due:
            self._set(due)

    def _set(self, due: int) -> None:
        self._due = due
        self._turn += 1
        turn = self._turn
        wait_ms = min(max(due - self._clock.now(), 0) + 1, WAIT_MS_MAX)
        self._world.after(wait_ms, lambda: self._fire(turn))

    def _fire(self, turn: int) -> None:
        if turn != self._turn or not self._alive():
            return
        busy_ms = self._busy_ms()
        if busy_ms:
            # What came by the network meanwhile is read first, as by asyncio.
            self._world.after(busy_ms, lambda: self._world.soon(lambda: self._fire(turn)))
            return
        self._due = None
        self._timed.handle_timer(self._clock.now())
        due = self._timed.timer()
        if due is not None and self._due is None:
            self._set(due)
