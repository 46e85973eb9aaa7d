"""Packets that were sent onward and must be answered, and the wheel that finds those whose time is up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from interledger.accounts.ledger import Hold
from interledger.clock import Timestamp
from interledger.link.base import RequestId

if TYPE_CHECKING:
    from interledger.connector.peer import Peer

__all__ = ["ExpiryWheel", "InFlight"]


@final
class InFlight:
    """One packet between hold and outcome. `hold` is None for an amount of zero; `deadline`: when we stop waiting."""

    __slots__ = ("condition", "deadline", "hold", "incoming", "incoming_expires_at", "request_id", "sent_at")

    def __init__(
        self,
        incoming: Peer,
        request_id: RequestId,
        hold: Hold | None,
        condition: bytes,
        incoming_expires_at: Timestamp,
        deadline: Timestamp,
        sent_at: Timestamp,
    ) -> None:
        self.incoming = incoming
        self.request_id = request_id
        self.hold = hold
        self.condition = condition
        self.incoming_expires_at = incoming_expires_at
        self.deadline = deadline
        self.sent_at = sent_at


BUCKET_MS: Final = 100
"""Deadlines are met to the tenth of a second: an insertion costs a tenth of what a timer would."""


@final
class ExpiryWheel:
    """Buckets of 100 ms, swept lazily: answered packets stay in their bucket until its time and are then skipped."""

    def __init__(self) -> None:
        self._buckets: dict[int, list[tuple[Peer, RequestId, InFlight]]] = {}

    def add(self, outgoing: Peer, request_id: RequestId, flight: InFlight) -> None:
        key = flight.deadline // BUCKET_MS
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = []
        bucket.append((outgoing, request_id, flight))

    def next_due(self) -> Timestamp | None:
        """When `take_due` will next have something, or None."""
        return Timestamp((min(self._buckets) + 1) * BUCKET_MS) if self._buckets else None

    def take_due(self, now: Timestamp) -> list[tuple[Peer, RequestId, InFlight]]:
        """All whose deadline has passed, oldest first, answered ones among them."""
        keys = sorted(key for key in self._buckets if (key + 1) * BUCKET_MS <= now)
        return [entry for key in keys for entry in self._buckets.pop(key)]
