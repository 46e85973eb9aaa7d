"""One beat a second while something moves or somebody looks; none while the node is idle and nobody does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, final

from interledger.clock import Clock, Timestamp
from interledger.node.live.watchers import Watchers

__all__ = ["Pulse"]

BEAT_MS: Final = 1_000


@final
class Pulse:
    """`stir` costs one comparison, so that it may be called for every commit."""

    def __init__(self, clock: Clock) -> None:
        self.on_beat: list[Callable[[Timestamp], None]] = []
        self._clock = clock
        self._timer: asyncio.TimerHandle | None = None
        self._stirred = False
        self._watchers = Watchers()
        self._runs = False

    def start(self) -> None:
        """Beat from now on, when there is a reason to."""
        self._runs = True
        self.stir()

    def stop(self) -> None:
        """The node stops."""
        self._runs = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def stir(self) -> None:
        """Something moved: there is a beat when this second ends, and one more a second later."""
        if self._stirred:
            return
        self._stirred = True
        if self._timer is None and self._runs:
            self._arm()

    def watch(self) -> Callable[[], None]:
        """Somebody looks: beats come until what is returned was called."""
        leave = self._watchers.enter()
        if self._timer is None and self._runs:
            self._arm()
        return leave

    def _arm(self) -> None:
        wait_ms = BEAT_MS - self._clock.now() % BEAT_MS
        self._timer = asyncio.get_running_loop().call_later(wait_ms / 1000, self._beat)

    def _beat(self) -> None:
        self._timer = None
        stirred, self._stirred = self._stirred, False
        now = self._clock.now()
        for listener in self.on_beat:
            listener(now)
        if self._runs and self._timer is None and (stirred or self._stirred or self._watchers):
            self._arm()
