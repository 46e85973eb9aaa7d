"""Packets that were sent onward and must be answered, and the wheel that finds those whose time is up."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, final

from interledger.accounts.ledger import Hold
from interledger.clock import Timestamp
from interledger.link.base import RequestId

if TYPE_CHECKING:
    from interledger.connector.peer import Peer

__all__ = ["ExpiryWheel", "InFlight"]


@final
class InFlight:
    """One packet between hold and outcome. `hold` is None for an amount of zero; `deadline`: when we stop waiting.

    `request_id` is the incoming peer's, `onward_id` the one we gave it on the outgoing link. `bucket`: of the wheel.
    """

    __slots__ = (
        "bucket",
        "condition",
        "deadline",
        "hold",
        "incoming",
        "onward_id",
        "outgoing",
        "request_id",
    )

    def __init__(
        self,
        incoming: Peer,
        request_id: RequestId,
        outgoing: Peer,
        onward_id: RequestId,
        hold: Hold | None,
        condition: bytes,
        deadline: int,
        bucket: set[InFlight],
    ) -> None:
        self.incoming = incoming
        self.request_id = request_id
        self.outgoing = outgoing
        self.onward_id = onward_id
        self.hold = hold
        self.condition = condition
        self.deadline = deadline
        self.bucket = bucket


BUCKET_MS: Final = 100
"""Deadlines are met to the tenth of a second: an insertion costs a tenth of what a timer would."""


@final
class ExpiryWheel:
    """Buckets of 100 ms. An answered packet leaves its bucket at once, so only what is in flight takes memory."""

    def __init__(self) -> None:
        self._buckets: dict[int, set[InFlight]] = {}
        self.on_bucket: Callable[[Timestamp], None] = lambda due: None
        """Called with its due time when a bucket is made: ten times a second at most, under any load."""

    def bucket(self, deadline: int) -> set[InFlight]:
        """Where to put a packet that is to be looked at when `deadline` has passed. Whoever answers it takes it out."""
        key = deadline // BUCKET_MS
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = set()
            self.on_bucket(Timestamp((key + 1) * BUCKET_MS))
        return bucket

    def next_due(self) -> Timestamp | None:
        """When `take_due` will next have something to look at, or None. Forgets buckets whose packets are answered."""
        for key in [key for key, bucket in self._buckets.items() if not bucket]:
            del self._buckets[key]
        return Timestamp((min(self._buckets) + 1) * BUCKET_MS) if self._buckets else None

    def take_due(self, now: Timestamp) -> list[InFlight]:
        """All whose deadline has passed, oldest bucket first, in the order of their ids."""
        keys = sorted(key for key in self._buckets if (key + 1) * BUCKET_MS <= now)
        return [flight for key in keys for flight in sorted(self._buckets.pop(key), key=_order)]


def _order(flight: InFlight) -> tuple[int, str, int]:
    return flight.deadline, flight.outgoing.id, flight.onward_id
