"""Time and randomness. The only module of the package that reads either.

Protocol code takes `now` as an argument. Shells and the node are given a `Clock` and an `Entropy`, so that the
simulator can give them its own.
"""

from __future__ import annotations

import os
import time
from typing import NewType, Protocol, final

__all__ = ["Clock", "Entropy", "SystemClock", "SystemEntropy", "Timestamp", "stopwatch_us", "worked_us"]

Timestamp = NewType("Timestamp", int)
"""Milliseconds since the Unix epoch, UTC."""


def stopwatch_us() -> int:
    """Microseconds since some moment: only the difference of two says something. Event loops count in ms."""
    return time.perf_counter_ns() // 1_000


def worked_us() -> int:
    """Microseconds of processor time that this thread has used: what others did meanwhile is not in it."""
    return time.thread_time_ns() // 1_000


class Clock(Protocol):
    """What reads the time."""

    def now(self) -> Timestamp:
        """The present, in ms UTC."""
        ...


class Entropy(Protocol):
    """What makes random octets."""

    def octets(self, count: int) -> bytes:
        """`count` octets that nobody can guess."""
        ...


@final
class SystemClock:
    """The machine's clock."""

    def now(self) -> Timestamp:
        return Timestamp(time.time_ns() // 1_000_000)


@final
class SystemEntropy:
    """The operating system's random source."""

    def octets(self, count: int) -> bytes:
        return os.urandom(count)
