"""Packets that were sent onward and must be answered, and who has some whose time may be up."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, final

from interledger.accounts.ledger import Hold
from interledger.clock import Timestamp
from interledger.link.base import RequestId

if TYPE_CHECKING:
    from interledger.connector.peer import Peer

__all__ = ["NEVER", "Deadlines", "InFlight"]

NEVER: Final = 1 << 62
"""The deadline of nothing: later than any time that a packet can carry."""


@final
class InFlight:
    """One packet between hold and outcome. `hold` is None for an amount of zero; `deadline`: when we stop waiting.

    `request_id` is the incoming peer's, `onward_id` the one we gave it on the outgoing link.

    It has no `__init__`, which would double the price: `Deadlines.open` sets every field.
    """

    __slots__ = (
        "condition",
        "deadline",
        "hold",
        "incoming",
        "onward_id",
        "outgoing",
        "request_id",
    )

    incoming: Peer
    request_id: RequestId
    outgoing: Peer
    onward_id: RequestId
    hold: Hold | None
    condition: bytes
    deadline: int


STEP_MS: Final = 100
"""Deadlines are met to the tenth of a second, so that a thousand of them wake nobody a thousand times."""


@final
class Deadlines:
    """The peers that packets were sent to, each with a time before which none of them is due (`Peer.next_deadline`).

    An answered packet is not looked for here: the time stays, and when it comes, what is left in flight gives the next
    one. So the path of a packet pays one comparison, and a busy peer is looked at once in a packet's lifetime.
    """

    def __init__(self) -> None:
        self._peers: dict[Peer, None] = {}
        self.on_sooner: Callable[[Timestamp], None] = lambda due: None
        """Called with its due time when a peer has a packet that is due before all others of that peer."""

    def open(
        self, incoming: Peer, request_id: RequestId, outgoing: Peer, hold: Hold | None, condition: bytes, deadline: int
    ) -> RequestId:
        """What is sent to `outgoing` next waits for its reply, until `deadline`. The id to send it with."""
        onward_id = outgoing.next_request_id
        # `RequestId(...)` would be a call, per packet.
        outgoing.next_request_id = (onward_id + 1) & 0xFFFFFFFF  # type: ignore[assignment]  # see above
        flight = outgoing.in_flight[onward_id] = InFlight()
        flight.incoming, flight.request_id = incoming, request_id
        flight.outgoing, flight.onward_id = outgoing, onward_id
        flight.hold, flight.condition, flight.deadline = hold, condition, deadline
        if deadline < outgoing.next_deadline:
            self.watch(outgoing, deadline)
        return onward_id

    def watch(self, peer: Peer, deadline: int) -> None:
        """A packet to `peer` is due at `deadline`, before all others of that peer."""
        peer.next_deadline = deadline
        self._peers[peer] = None
        self.on_sooner(_due(deadline))

    def move(self, old: Peer, new: Peer) -> None:
        """What was in flight to `old` is in flight to `new` now."""
        if old in self._peers:
            due = old.next_deadline
            self._forget(old)
            self.watch(new, due)

    def next_due(self) -> Timestamp | None:
        """When `take_due` may have something, or None while nothing is in flight."""
        for peer in [peer for peer in self._peers if not peer.in_flight]:
            self._forget(peer)
        if not self._peers:
            return None
        return _due(min(peer.next_deadline for peer in self._peers))

    def take_due(self, now: Timestamp) -> list[InFlight]:
        """All whose deadline has come, no longer in flight, in the order of their deadlines."""
        due = []
        for peer in [peer for peer in self._peers if peer.next_deadline <= now]:
            flights = peer.in_flight
            for flight in [flight for flight in flights.values() if flight.deadline <= now]:
                del flights[flight.onward_id]
                due.append(flight)
            if flights:
                peer.next_deadline = min(flight.deadline for flight in flights.values())
            else:
                self._forget(peer)
        return sorted(due, key=_order)

    def _forget(self, peer: Peer) -> None:
        peer.next_deadline = NEVER
        del self._peers[peer]


def _due(deadline: int) -> Timestamp:
    return Timestamp(-(-deadline // STEP_MS) * STEP_MS)


def _order(flight: InFlight) -> tuple[int, str, int]:
    return flight.deadline, flight.outgoing.id, flight.onward_id
