"""The one timer a connector needs, or a link that repeats: set while something is due, not while all is idle."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Protocol, final

from interledger.clock import Clock, Timestamp

__all__ = ["Alarm", "DueTimer", "Timed"]

WAIT_MS_MAX: Final = 1_000
"""While something is in flight, the clock is looked at this often: it may have been set, or the machine have slept."""


class Timed(Protocol):
    """What has times to keep: a `Connector`, a `RepeatingLink`."""

    def timer(self) -> Timestamp | None:
        """When `handle_timer` is next due; None: nothing is."""
        ...

    def handle_timer(self, now: Timestamp) -> None:
        """Do what is due."""
        ...


class Alarm(Protocol):
    """What tells of something that is due before all else."""

    on_sooner: Callable[[Timestamp], None]
    """Called with the new due time."""


@final
class DueTimer:
    """Calls `handle_timer` of `timed` when it is due."""

    def __init__(self, timed: Timed, alarm: Alarm, clock: Clock) -> None:
        self._timed = timed
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._handle: asyncio.TimerHandle | None = None
        self._due = Timestamp(0)
        self._alarm = alarm
        alarm.on_sooner = self._sooner
        due = timed.timer()
        if due is not None:
            self._set(due)

    def stop(self) -> None:
        """Call no more."""
        self._alarm.on_sooner = lambda due: None
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
        self._timed.handle_timer(self._clock.now())
        due = self._timed.timer()
        if due is not None and self._handle is None:
            self._set(due)
