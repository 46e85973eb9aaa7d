"""Sockets that have not said yet who they are: how many may wait, and which one has to make room (D1, D3).

An honest client authenticates in the first packet behind its handshake, so the one that has waited longest is the least
likely to. A source with wrong tokens waits before its next first packet is looked at, whatever token that has: guessing
costs time, and those who are connected already notice nothing.
"""

from __future__ import annotations

from typing import Final, Generic, TypeVar, final

from interledger.clock import Timestamp
from interledger.link.attempts import FREE_PER_MINUTE
from interledger.link.throttle import Throttle

__all__ = [
    "FAILURE_DELAY_MS",
    "UNAUTHENTICATED_MAX",
    "UNAUTHENTICATED_PER_SOURCE",
    "WaitingRoom",
]

UNAUTHENTICATED_MAX: Final = 64
"""Sockets in all that have not said yet who they are."""

UNAUTHENTICATED_PER_SOURCE: Final = 8
"""And those of one source: a household, or a proxy before this node."""

FAILURE_DELAY_MS: Final = 2_000
"""How long the first packet of such a source lies unread: well within the time that authentication may take."""

T = TypeVar("T")


@final
class WaitingRoom(Generic[T]):
    """`T`: a socket. `failures` counts wrong tokens by source."""

    def __init__(self, failures: Throttle | None = None) -> None:
        self._waiting: dict[T, str] = {}
        """Socket -> source, in the order in which they came."""
        self._per_source: dict[str, int] = {}
        self._failures = Throttle(FREE_PER_MINUTE) if failures is None else failures

    def __len__(self) -> int:
        return len(self._waiting)

    def is_closed_to(self, source: str, now: Timestamp) -> bool:
        """Whether a socket from there is turned away: its source is slowed down, and has as many as it may already."""
        crowded = self._per_source.get(source, 0) >= UNAUTHENTICATED_PER_SOURCE
        return crowded and self._failures.is_over(source, now)

    def enter(self, socket: T, source: str) -> T | None:
        """A socket waits from now on. The one that has to be closed for it, if there is one."""
        evicted = None
        if self._per_source.get(source, 0) >= UNAUTHENTICATED_PER_SOURCE:
            evicted = self._oldest_of(source)
        elif len(self._waiting) >= UNAUTHENTICATED_MAX:
            evicted = self._oldest_of(max(self._per_source, key=lambda key: self._per_source[key]))
        if evicted is not None:
            self.leave(evicted)
        self._waiting[socket] = source
        self._per_source[source] = self._per_source.get(source, 0) + 1
        return evicted

    def leave(self, socket: T) -> None:
        """It has said who it is, or is gone. May be called again."""
        source = self._waiting.pop(socket, None)
        if source is None:
            return
        self._per_source[source] -= 1
        if not self._per_source[source]:
            del self._per_source[source]

    def failed(self, source: str, now: Timestamp) -> None:
        """A wrong token came from there."""
        self._failures.count(source, now)

    def delay_ms(self, source: str, now: Timestamp) -> int:
        """How long to wait before the first packet from there is read."""
        return FAILURE_DELAY_MS if self._failures.is_over(source, now) else 0

    def _oldest_of(self, source: str) -> T:
        return next(socket for socket, other in self._waiting.items() if other == source)
