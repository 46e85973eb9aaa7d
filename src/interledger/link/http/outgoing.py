"""One connection to a peer, on which Prepares go out as POST requests: one at a time, each answered before the next.

Reads answers with `httptools`; says to its link what came, or that nothing will.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Protocol, cast, final

import httptools

from interledger.clock import Clock, Timestamp
from interledger.ilp.error_codes import ErrorCode
from interledger.link.base import RequestId
from interledger.link.http import http2
from interledger.link.http.messages import ILP_BODY_MAX, Failure
from interledger.link.read_buffer import read_buffer

if TYPE_CHECKING:
    from interledger.link.http.http2_outgoing import Http2Outgoing

__all__ = [
    "GARBLED",
    "GRACE_MS",
    "IDLE_MAX_MS",
    "LATE",
    "LOST",
    "RESPONSE_OCTETS_MAX",
    "SWEEP_MS",
    "OutgoingConnection",
    "Owner",
    "PooledConnection",
]

GRACE_MS: Final = 500
"""How long after a Prepare's expiry its answer is still waited for: the clocks of peers differ."""

IDLE_MAX_MS: Final = 4_000
"""Unused connections are closed after this. Node's HTTP servers close theirs after 5 s, and a Prepare written into a
connection that is just being closed has an unknown outcome."""

SWEEP_MS: Final = 250
"""How often late packets and idle connections are looked for."""

RESPONSE_OCTETS_MAX: Final = 2 * ILP_BODY_MAX
"""An answer with its headers. A longer one cannot hold a Fulfill."""

LOST: Final = Failure(ErrorCode.T01_PEER_UNREACHABLE, "the connection to the next node broke before its answer", False)
LATE: Final = Failure(ErrorCode.R00_TRANSFER_TIMED_OUT, "the next node did not answer in time", False)
GARBLED: Final = Failure(ErrorCode.T00_INTERNAL_ERROR, "the next node's answer is not HTTP", False, True)


class PooledConnection(Protocol):
    """A connection to the peer, of whatever version of HTTP."""

    def abort(self) -> None: ...
    def fail(self, failure: Failure, now: Timestamp) -> None: ...
    def sweep(self, now: Timestamp, tick: int) -> None: ...


class Owner(Protocol):
    """What a connection tells its pool. `tick`: of its timer."""

    clock: Clock
    tick: int

    def connected(self, connection: OutgoingConnection) -> None: ...
    def released(self, connection: OutgoingConnection) -> None: ...
    def speak_http2(self, transport: asyncio.Transport) -> None: ...
    def multiplexed(self, connection: Http2Outgoing) -> None: ...
    def has_room(self, connection: Http2Outgoing) -> None: ...
    def retired(self, connection: Http2Outgoing) -> None: ...
    def lost(self, connection: PooledConnection, useless: Exception | None = None) -> None: ...
    def receive_response(self, request_id: RequestId, status: int, body: bytes, now: Timestamp) -> None: ...
    def fail(self, request_id: RequestId, failure: Failure, now: Timestamp) -> None: ...


@final
class OutgoingConnection(asyncio.BufferedProtocol):
    """One connection to the peer, with at most one request on its way."""

    def __init__(self, link: Owner) -> None:
        self.request_id: RequestId | None = None
        self.expires_at = Timestamp(0)
        self.idle_since = 0
        self._link = link
        self._transport: asyncio.Transport | None = None
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)
        self._buffer = memoryview(b"")
        self._parts: list[bytes] = []
        self._octets = 0
        self._known_head = b""
        self._known_size = -1
        """The head of the last answer that was a packet, octet for octet, and the length of its body."""
        self._has_status = False
        self._complete = False
        self._keep_alive = False

    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def send(self, request_id: RequestId, expires_at: Timestamp, head: bytes, body: bytes) -> None:
        """Write a request; `head`: up to the figure of `Content-Length`. From here on its outcome is the peer's."""
        self.request_id = request_id
        self.expires_at = expires_at
        if self._transport is not None:
            self._transport.write(b"%b%d\r\n\r\n%b" % (head, len(body), body))

    def sweep(self, now: Timestamp, tick: int) -> None:
        """A late answer, or a connection that nobody uses."""
        if self.request_id is None:
            if tick - self.idle_since > IDLE_MAX_MS // SWEEP_MS:
                self.abort()
        elif now > self.expires_at + GRACE_MS:
            self.fail(LATE, now)

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def fail(self, failure: Failure, now: Timestamp) -> None:
        """Give up on what is on its way, and on this connection: an answer that still comes would be another's."""
        request_id, self.request_id = self.request_id, None
        self.abort()
        if request_id is not None:
            self._link.fail(request_id, failure, now)

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = stream = cast("asyncio.Transport", transport)
        if http2.is_chosen(stream):
            self._link.speak_http2(stream)
        else:
            self._link.connected(self)

    def get_buffer(self, sizehint: int) -> memoryview:
        self._buffer = buffer = read_buffer()
        return buffer

    def buffer_updated(self, nbytes: int) -> None:
        self._receive(self._buffer[:nbytes])

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        parser, self._parser = self._parser, None
        self._link.lost(self)
        if self.request_id is None:
            return
        if self._has_status and parser is not None:
            self._deliver_partial(parser)
        else:
            self.fail(LOST, self._link.clock.now())

    # What httptools calls.

    def on_message_begin(self) -> None:
        if self._complete:
            raise ValueError("octets behind the answer")

    def on_headers_complete(self) -> None:
        parser = self._parser
        self._has_status = parser is not None and parser.get_status_code() >= 200

    def on_body(self, part: bytes) -> None:
        self._parts.append(part)

    def on_message_complete(self) -> None:
        # 100 to 199 announce an answer that is still to come.
        self._complete = self._has_status
        self._keep_alive = self._parser is not None and self._parser.should_keep_alive()

    # Inside.

    def _receive(self, octets: memoryview) -> None:
        """Octets of the peer."""
        parser, request_id = self._parser, self.request_id
        if request_id is None or parser is None:
            self.abort()  # nobody asked
            return
        data = bytes(octets)
        end = data.find(b"\r\n\r\n") + 4
        if not self._octets and len(data) == end + self._known_size and data[:end] == self._known_head:
            # A peer answers all packets of a second with the same head. It was read strictly the first time, and the
            # parser stands between two answers: it need not see this one.
            self.request_id = None
            link = self._link
            link.released(self)
            link.receive_response(request_id, 200, data[end:], link.clock.now())
            return
        self._octets += len(data)
        broken = False
        try:
            parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            broken = True
        if self._complete:
            status, body = parser.get_status_code(), b"".join(self._parts)
            if status == 200 and self._keep_alive and not broken and self._octets == len(data) and body == data[end:]:
                self._known_head, self._known_size = data[:end], len(body)
            self._parts.clear()
            self._octets = 0
            self._complete = self._has_status = False
            self.request_id = None
            link = self._link
            # Free before the handler is called: it may have the next packet.
            if broken or not self._keep_alive:
                self.abort()
            else:
                link.released(self)
            link.receive_response(request_id, status, body, link.clock.now())
        elif broken or self._octets > RESPONSE_OCTETS_MAX:
            self._end_early(parser)

    def _end_early(self, parser: httptools.HttpResponseParser) -> None:
        """The answer breaks off or has no end. Its status, where one came, still says what the peer did."""
        if self._has_status and parser.get_status_code() != 200:
            self._deliver_partial(parser)
        else:
            self.fail(GARBLED, self._link.clock.now())

    def _deliver_partial(self, parser: httptools.HttpResponseParser) -> None:
        """An answer that ended with its connection: without a length that is its proper end; a packet knows its own."""
        request_id, self.request_id = self.request_id, None
        self.abort()
        if request_id is not None:
            self._link.receive_response(
                request_id, parser.get_status_code(), b"".join(self._parts), self._link.clock.now()
            )
