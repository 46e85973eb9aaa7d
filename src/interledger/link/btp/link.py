"""The BTP link of one account: what the connector sees, whatever connections come and go below it.

The newest connection sends; older ones stay open until their peer closes them, for the replies that belong to them.

Request ids. Those of our Prepares are the connector's, unique on the link, so a reply counts on whichever connection it
comes: the JavaScript plugin answers on its newest one. Those of the peer's Prepares belong to one connection, because a
peer that dials again may count from 1 again: the connector is given them with the number of the connection in the bits
above the 32 of the wire (the first has number 0), and a reply finds its way back by that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol, final

from interledger.accounts.account import AccountId
from interledger.clock import Clock, Timestamp
from interledger.ilp.error_codes import ErrorCode
from interledger.ilp.packet import Fulfill, Prepare, Reject, Reply
from interledger.link.base import PacketHandler, RequestId
from interledger.link.btp.counters import BtpCounters
from interledger.link.btp.messages import TYPE_MESSAGE, TYPE_RESPONSE, BtpPacket, encode_ilp
from interledger.link.btp.requests import Requests
from interledger.link.btp.subprotocols import Subprotocols

__all__ = [
    "CONNECTIONS_MAX",
    "IN_FLIGHT_MAX",
    "OUTPUT_OCTETS_MAX",
    "BtpLink",
    "Connection",
    "Output",
    "Repeating",
]

IN_FLIGHT_MAX: Final = 1_000
"""Our Prepares without an answer; beyond, the link is not ready. What `money.md` allows one peer."""

OUTPUT_OCTETS_MAX: Final = 4 * 1024 * 1024
"""Octets that wait to be written; beyond, the link is not ready: thousands of usual packets, a hundred full ones."""

CONNECTIONS_MAX: Final = 8
"""Connections of one account at a time; the oldest is closed for one more."""

FORGET_AFTER_MS: Final = 5_000
"""After its expiry a Prepare counts as in flight this much longer; the connector has given up on it by then."""


class Output(Protocol):
    """What a link asks a connection's WebSocket. A plain attribute: it is looked at twice per packet."""

    queued_octets: int
    """Octets that wait for the next write."""


class Connection(Protocol):
    """What a link needs of an authenticated connection (see `BtpConnection`)."""

    number: int
    unanswered: set[int]
    """Wire request ids of the peer's Prepares that have no reply yet."""
    blocked: bool
    """The socket's own buffer is full."""

    @property
    def send(self) -> Callable[[bytes], None]:
        """Queue one BTP packet."""
        ...

    @property
    def output(self) -> Output:
        """What waits to be written."""
        ...

    def close(self, code: int, reason: str, now: Timestamp) -> None:
        """Close it in good order."""
        ...


class Repeating(Protocol):
    """What a link and its connections need of BTP/2.0-I (see `RepeatingLink`)."""

    def connected(self, connection: Connection, now: Timestamp) -> None:
        """A connection is authenticated."""
        ...

    def receive(self, connection: Connection, octets: bytes, packet: BtpPacket, now: Timestamp) -> bool:
        """Whether the packet was seen to."""
        ...

    def repeat(self, request_id: int, octets: bytes) -> None:
        """A request is sent that is no Prepare."""
        ...

    def forget(self, request_id: int) -> None:
        """Nobody waits for its answer any more."""
        ...

    def is_asking(self, now: Timestamp) -> bool:
        """Whether there is time yet for an answer that only a new connection can bring."""
        ...


def _nothing(account: AccountId, now: Timestamp) -> None:
    return None


@final
class BtpLink:
    """A `Link` (see `link.base`). `account`: the name under which `handler` knows it.

    `defer` schedules a call for the next turn (`loop.call_soon`). `address` gives our own address, for the Rejects that
    we make. `subprotocols` answers what carries no ILP packet. `link_up(account, now)` is called when the first
    connection is authenticated, and again after each time the link was lost.
    """

    __slots__ = (
        "_clock",
        "_connections",
        "_defer",
        "_look_again",
        "_newest",
        "_next_number",
        "_outstanding",
        "_refused",
        "account",
        "address",
        "counters",
        "handler",
        "link_up",
        "repeating",
        "requests",
        "subprotocols",
    )

    def __init__(
        self,
        account: AccountId,
        handler: PacketHandler,
        *,
        clock: Clock,
        defer: Callable[[Callable[[], None]], object],
        address: Callable[[], str],
        subprotocols: Subprotocols | None = None,
        link_up: Callable[[AccountId, Timestamp], None] = _nothing,
    ) -> None:
        self.account = account
        self.handler = handler
        self.address = address
        self.subprotocols = subprotocols or Subprotocols()
        self.requests = Requests(self, clock)
        self.repeating: Repeating | None = None  # what makes it a link of BTP/2.0-I; None on one of BTP/2.0
        self.link_up = link_up
        self.counters = BtpCounters()
        self._clock = clock
        self._defer = defer
        self._connections: dict[int, Connection] = {}
        self._newest: Connection | None = None
        self._next_number = 0
        self._outstanding: dict[int, Timestamp] = {}
        """Request ids of our Prepares without an answer -> when they expire."""
        self._look_again = 0
        self._refused: list[RequestId] = []

    def __repr__(self) -> str:
        return f"<BtpLink {self.account} connections={len(self._connections)} in_flight={len(self._outstanding)}>"

    # ------------------------------------------------------------------ what the connector calls

    def send_prepare(self, request_id: RequestId, prepare: Prepare) -> None:
        """Send a Prepare. Without a connection, or far behind on one, the handler gets a T01 for it, deferred."""
        connection = self._newest
        if connection is None or connection.output.queued_octets > OUTPUT_OCTETS_MAX:
            self._refuse(request_id)
            return
        self._outstanding[request_id] = prepare.expires_at
        connection.send(encode_ilp(TYPE_MESSAGE, request_id, prepare.encode()))

    def send_reply(self, request_id: RequestId, reply: Reply) -> None:
        """Answer a Prepare, on the connection it came on. When that one is gone, so is the peer's question: dropped."""
        connection = self._connections.get(request_id >> 32)
        wire_id = request_id & 0xFFFF_FFFF
        if connection is None or wire_id not in connection.unanswered:
            self.counters.replies_dropped += 1
            return
        connection.unanswered.remove(wire_id)
        # RFC 23: "The responder should always send back a response to a request with the same requestId."
        connection.send(encode_ilp(TYPE_RESPONSE, wire_id, reply.encode()))

    def ready(self) -> bool:
        """Whether a Prepare can leave now: connected, not too many in flight, not too much waiting to be written."""
        connection = self._newest
        if connection is None or connection.blocked or connection.output.queued_octets > OUTPUT_OCTETS_MAX:
            return False
        return len(self._outstanding) < IN_FLIGHT_MAX or self._forget_expired()

    def is_full(self) -> bool:
        """Connected; so when it is not ready, too much is in flight or waits."""
        return self._newest is not None

    def sending_connection(self) -> Connection | None:
        """The one that a request can leave on now, or None: not connected, or far behind."""
        connection = self._newest
        if connection is None or connection.blocked or connection.output.queued_octets > OUTPUT_OCTETS_MAX:
            return None
        return connection

    def is_outstanding(self, request_id: int) -> bool:
        """Whether a Prepare of that id was sent and has no answer."""
        return request_id in self._outstanding

    def newest_connection(self) -> Connection | None:
        """The one that answers leave on, however much waits there, or None."""
        return self._newest

    def has(self, connection: Connection) -> bool:
        """Whether it is still one of the link's."""
        return self._connections.get(connection.number) is connection

    def close(self, now: Timestamp) -> None:
        """The account is closed: close every connection of it in good order."""
        for connection in list(self._connections.values()):
            connection.close(1000, "this account was closed", now)

    def _forget_expired(self) -> bool:
        """Make room when the bound is reached. Looks at most once a second, so that a full link stays cheap."""
        now = self._clock.now()
        if now < self._look_again:
            return False
        self._look_again = now + 1_000
        limit = now - FORGET_AFTER_MS
        self._outstanding = {i: expires_at for i, expires_at in self._outstanding.items() if expires_at > limit}
        return len(self._outstanding) < IN_FLIGHT_MAX

    def _refuse(self, request_id: RequestId) -> None:
        if not self._refused:
            self._defer(self._deliver_refusals)
        self._refused.append(request_id)

    def _deliver_refusals(self) -> None:
        refused, self._refused = self._refused, []
        now = self._clock.now()
        for request_id in refused:
            reject = Reject(ErrorCode.T01_PEER_UNREACHABLE, self.address(), "the peer is not connected")
            self.handler.receive_reply(self.account, request_id, reject, now)

    # ------------------------------------------------------------------ what a connection calls

    def attach(self, connection: Connection, now: Timestamp) -> None:
        """`connection` is authenticated: it gets its number, and sends from now on."""
        was_down = self._newest is None
        if len(self._connections) >= CONNECTIONS_MAX:
            oldest = next(iter(self._connections.values()))
            oldest.close(1000, "newer connections of the same account replace it", now)
            del self._connections[oldest.number]
        connection.number = self._next_number
        self._next_number += 1
        self._connections[connection.number] = connection
        self._newest = connection
        self.counters.connections += 1
        if self.repeating is not None:
            self.repeating.connected(connection, now)
        if was_down:
            self.link_up(self.account, now)

    def detach(self, connection: Connection, now: Timestamp) -> None:
        """`connection` is gone, or sends no more. Our Prepares on it stay in flight: their replies may still come."""
        if not self.has(connection):
            return
        del self._connections[connection.number]
        if connection is self._newest:
            self._newest = next(reversed(self._connections.values()), None)
            if self._newest is None:
                self.handler.link_lost(self.account, now)

    def receive_reply(self, request_id: RequestId, reply: Reply, now: Timestamp) -> bool:
        """A Fulfill or Reject for `request_id`. False: nobody waits for it."""
        known = self._outstanding.pop(request_id, None) is not None
        if known or type(reply) is Fulfill:
            # Money may depend on a Fulfill, however late: whether it does is not for the link to say.
            self.handler.receive_reply(self.account, request_id, reply, now)
        if not known:
            # RFC 23: "If an unexpected BTP packet is received, no response should be sent."
            self.counters.stray(now)
        return known

    def receive_refusal(self, request_id: int, code: ErrorCode, message: str, now: Timestamp) -> None:
        """The peer said that it did not take our Prepare `request_id`, in words of BTP: nothing can be owed for it."""
        if self._outstanding.pop(request_id, None) is None:
            self.counters.stray(now)
            return
        reject = Reject(code, self.address(), message)
        self.handler.receive_reply(self.account, RequestId(request_id), reject, now)

    def receive_unreadable_reply(self, request_id: int, now: Timestamp) -> None:
        """The peer answered our Prepare `request_id`, we cannot read what: it may believe that it was fulfilled."""
        if self._outstanding.pop(request_id, None) is None:
            self.counters.stray(now)
            return
        reject = Reject(ErrorCode.T00_INTERNAL_ERROR, self.address(), "the next node's answer cannot be read")
        self.handler.receive_no_reply(self.account, RequestId(request_id), reject, now)
