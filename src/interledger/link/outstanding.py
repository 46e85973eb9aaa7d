"""Our Prepares whose reply comes as a request of its own, by the ids we gave them. Sans-I/O.

The first reply wins; the same octets again are the peer's repetition, because it did not see that we have them.
"""

from __future__ import annotations

import enum
import heapq
from typing import Final, NamedTuple, final

from interledger.clock import Timestamp
from interledger.codec.digest import sha256
from interledger.link.base import RequestId

__all__ = ["KEPT_AFTER_EXPIRY_MS", "Arrival", "Outstanding"]

KEPT_AFTER_EXPIRY_MS: Final = 60_000
"""How long after its expiry a Prepare is still known: a late Fulfill is evidence of what became of the amount."""


class Arrival(enum.Enum):
    """What a reply is to us."""

    FIRST = "first"
    REPEATED = "repeated"
    OTHER = "other"
    """Not what was replied before to the same Prepare."""
    UNKNOWN = "unknown"
    """To no Prepare of ours, or to one of before a restart."""


class _Entry(NamedTuple):
    onward_id: RequestId
    expires_at: int
    digest: bytes | None


@final
class Outstanding:
    """Request id on the wire -> the id under which the handler knows the Prepare."""

    def __init__(self) -> None:
        self._entries: dict[bytes, _Entry] = {}
        self._due: list[tuple[int, bytes]] = []

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, request_id: bytes, onward_id: RequestId, expires_at: int) -> None:
        """A Prepare is about to be sent."""
        self._entries[request_id] = _Entry(onward_id, expires_at, None)
        heapq.heappush(self._due, (expires_at + KEPT_AFTER_EXPIRY_MS, request_id))

    def receive(self, request_id: bytes, octets: bytes) -> tuple[Arrival, RequestId]:
        """A reply came: what it is, and for the first one to whom it belongs (else 0)."""
        entry = self._entries.get(request_id)
        if entry is None:
            return Arrival.UNKNOWN, RequestId(0)
        digest = sha256(octets).digest()
        if entry.digest is None:
            self._entries[request_id] = entry._replace(digest=digest)
            return Arrival.FIRST, entry.onward_id
        return (Arrival.REPEATED if entry.digest == digest else Arrival.OTHER), RequestId(0)

    def is_open(self, request_id: bytes) -> bool:
        """Whether its reply is still to come."""
        entry = self._entries.get(request_id)
        return entry is not None and entry.digest is None

    def handle_timer(self, now: Timestamp) -> None:
        """Forget what expired long ago."""
        while self._due and self._due[0][0] <= now:
            _, request_id = heapq.heappop(self._due)
            self._entries.pop(request_id, None)
