"""The one timer a connector needs: it is set while packets are in flight, and not at all while the node is idle."""

from __future__ import annotations

import asyncio
from typing import Final, final

from interledger.clock import Clock, Timestamp
from interledger.connector.forward import Connector

__all__ = ["ConnectorTimer"]

WAIT_MS_MAX: Final = 1_000
"""While something is in flight, the clock is looked at this often: it may have been set, or the machine have slept."""


@final
class ConnectorTimer:
    """Calls `Connector.handle_timer` when it is due."""

    def __init__(self, connector: Connector, clock: Clock) -> None:
        self._connector = connector
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._handle: asyncio.TimerHandle | None = None
        self._due = Timestamp(0)
        connector.deadlines.on_sooner = self._sooner
        due = connector.timer()
        if due is not None:
            self._set(due)

    def stop(self) -> None:
        """Call no more."""
        self._connector.deadlines.on_sooner = lambda due: None
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _sooner(self, due: Timestamp) -> None:
        if self._handle is None or due < self._due:
            self._set(due)

    def _set(self, due: Timestamp) -> None:
        if self._handle is not None:
            self._handle.cancel()
        self._due = due
        wait_ms = min(max(due - self._clock.now(), 0) + 1, WAIT_MS_MAX)
        self._handle = self._loop.call_later(wait_ms / 1000, self._fire)

    def _fire(self) -> None:
        self._handle = None
        self._connector.handle_timer(self._clock.now())
        due = self._connector.timer()
        if due is not None and self._handle is None:
            self._set(due)
