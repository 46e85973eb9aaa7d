"""One connection of HTTP/2 to a peer, for all requests at a time: each is a stream, all of a turn leave in one write.

What a stream's end says about its request is more exact than in HTTP/1.1: a peer that refuses a stream, or says goodbye
with a lower one, has not taken it (RFC 9113 8.7); a stream that breaks off otherwise has an unknown outcome.
"""

from __future__ import annotations

import asyncio
from typing import Final, cast, final

import ngh2
from ngh2 import DataReceived, ResponseReceived, StreamClosed

from interledger.clock import Timestamp
from interledger.ilp.error_codes import ErrorCode
from interledger.link.base import RequestId
from interledger.link.http import http2
from interledger.link.http.http2_library import new_client
from interledger.link.http.http2_requests import Fields, fields_of_request
from interledger.link.http.messages import Failure
from interledger.link.http.outgoing import GARBLED, GRACE_MS, LATE, LOST, RESPONSE_OCTETS_MAX, SWEEP_MS, Owner
from interledger.link.read_buffer import read_buffer

__all__ = ["IDLE_MAX_MS", "STREAMS_MAX", "STREAMS_UNSAID", "STREAM_ID_MAX", "Http2Outgoing"]

STREAMS_MAX: Final = 1_000
"""Requests on their way over one connection: what money.md allows one peer. Most peers take 100 to 250."""

STREAMS_UNSAID: Final = 100
"""The same for a peer that sets no limit: what RFC 9113 advises as the least, and all live ones take as many."""

STREAM_ID_MAX: Final = (1 << 31) - 1_000_001
"""Half a million streams before their numbers end, a new connection takes over. At 10,000 a second that is a day."""

IDLE_MAX_MS: Final = 60_000
"""An unused connection is closed after this: a goodbye cannot cross a request unseen, so there is no hurry."""

HEADS_KEPT: Final = 64
"""Heads of requests with their fields; emptied at this many. A peer gets one per size of packet."""

_REFUSED: Final = Failure(ErrorCode.T02_PEER_BUSY, "the next node refused the packet before reading it", True)
_UNSENT: Final = Failure(ErrorCode.T01_PEER_UNREACHABLE, "the connection to the next node ends", True)


@final
class _Stream:
    """A request on its way."""

    __slots__ = ("expires_at", "parts", "reads", "request_id", "status")

    def __init__(self, request_id: RequestId, expires_at: Timestamp, reads: int) -> None:
        self.request_id = request_id
        self.expires_at = expires_at
        self.reads = reads
        """How often the peer had been heard before."""
        self.status = 0
        self.parts: tuple[bytes, ...] = ()
        """Of an answer that came in pieces."""


@final
class Http2Outgoing(asyncio.BufferedProtocol):
    """One connection to the peer."""

    def __init__(self, pool: Owner) -> None:
        self._pool = pool
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._session = new_client(RESPONSE_OCTETS_MAX)
        self._streams: dict[int, _Stream] = {}
        self._streams_max = 0
        """What the peer allows: nothing before it has said so. Streams beyond its limit would be refused."""
        self._has_settings = False
        self._fields: dict[tuple[bytes, int], Fields] = {}
        self._buffer = memoryview(b"")
        self._controls = http2.Budget(http2.CONTROLS_MAX)
        self._forgiven = 0
        """What answers have brought and the budget has not got yet."""
        self._reads = 0
        """How often the peer was heard."""
        self._used_tick = 0
        self._retiring = False
        """No new requests: the peer says goodbye, or the numbers end."""
        self._writable = True
        self._flush_due = False

    def take_over(self, transport: asyncio.Transport) -> None:
        """From the protocol that connected."""
        transport.set_protocol(self)
        self.connection_made(transport)

    def is_open(self) -> bool:
        """Whether there is a socket."""
        return self._transport is not None and not self._transport.is_closing()

    def has_room(self) -> bool:
        """Whether a request can leave now."""
        transport = self._transport
        return (
            len(self._streams) < self._streams_max
            and self._writable
            and not self._retiring
            and transport is not None
            and not transport.is_closing()
        )

    def send(self, request_id: RequestId, expires_at: Timestamp, head: bytes, body: bytes) -> None:
        """A request, its head as HTTP/1.1 would have it (`pool`). From here on its outcome is the peer's."""
        # A head that is kept has its hash computed once, and is compared by identity.
        fields = self._fields.get((head, len(body)))
        if fields is None:
            if len(self._fields) >= HEADS_KEPT:
                self._fields.clear()
            fields = self._fields[head, len(body)] = fields_of_request(b"%b%d" % (head, len(body)))
        session = self._session
        try:
            stream_id = session.send_request(fields)
            session.send_data(stream_id, body, end_stream=True)
        except ngh2.NGH2Error:
            self._retire()
            self._loop.call_soon(lambda: self._pool.fail(request_id, _UNSENT, self._pool.clock.now()))
            return
        self._used_tick = self._pool.tick
        self._streams[stream_id] = _Stream(request_id, expires_at, self._reads)
        if stream_id > STREAM_ID_MAX:
            self._retire()
        if not self._flush_due:
            self._flush_due = True
            self._loop.call_soon(self._flush)

    def abort(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.abort()

    def fail(self, failure: Failure, now: Timestamp) -> None:
        """Give up on what is on its way, and on this connection."""
        self._retiring = True
        streams, self._streams = self._streams, {}
        self.abort()
        for stream in streams.values():
            self._pool.fail(stream.request_id, failure, now)

    def sweep(self, now: Timestamp, tick: int) -> None:
        """Late requests, a peer that is not there any more, and a connection that nobody uses."""
        self._controls.refill(http2.CONTROLS_PER_S * SWEEP_MS // 1_000)
        late = [(i, stream) for i, stream in self._streams.items() if now > stream.expires_at + GRACE_MS]
        if any(stream.reads == self._reads for _, stream in late):
            self.fail(LATE, now)  # not an octet since: the connection is dead
            return
        for stream_id, stream in late:
            del self._streams[stream_id]
            self._session.reset_stream(stream_id, ngh2.ErrorCode.CANCEL)
            self._pool.fail(stream.request_id, LATE, now)
        if late:
            self._flush()
        elif not self._streams and (self._retiring or tick - self._used_tick > IDLE_MAX_MS // SWEEP_MS):
            self._say_goodbye()

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._used_tick = self._pool.tick
        self._pool.multiplexed(self)
        self._flush()

    def get_buffer(self, sizehint: int) -> memoryview:
        self._buffer = buffer = read_buffer()
        return buffer

    def buffer_updated(self, nbytes: int) -> None:
        self._reads += 1
        try:
            self._session.receive_data(self._buffer[:nbytes])
            self._handle(self._session.events())
        except ngh2.NGH2Error:
            self._controls.left = -1
        if self._controls.is_spent:
            self.fail(GARBLED, self._pool.clock.now())
            return
        self._pool.has_room(self)
        self._flush()

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        unheard = None if self._has_settings else error or ConnectionResetError("the peer hung up")
        self._pool.lost(self, unheard)
        self.fail(LOST, self._pool.clock.now())

    def pause_writing(self) -> None:
        self._writable = False

    def resume_writing(self) -> None:
        self._writable = True
        self._pool.has_room(self)
        self._flush()

    # Inside.

    def _flush(self) -> None:
        self._flush_due = False
        transport = self._transport
        if transport is None or not self._writable:
            return
        try:
            octets = self._session.data_to_send()
            self._handle(self._session.events())
        except ngh2.NGH2Error:
            self.fail(LOST, self._pool.clock.now())
            return
        if octets:
            transport.write(octets)

    def _handle(self, events: list[ngh2.Event]) -> None:
        if not events:
            return
        now = self._pool.clock.now()
        streams, receive_response = self._streams, self._pool.receive_response
        for event in events:
            # In the order of how often they come.
            if type(event) is ResponseReceived:
                stream_id = event.stream_id
                stream = streams.get(stream_id)
                if stream is not None:
                    status = event.headers[0][1]  # before all others, and three digits: the library has seen to that
                    stream.status = 200 if status == b"200" else int(status)
                    if event.end_stream:
                        self._deliver(stream_id, stream, b"", now)
            elif type(event) is DataReceived:
                stream_id = event.stream_id
                stream = streams.get(stream_id)
                if stream is None:
                    continue
                if event.end_stream and not stream.parts:
                    # The whole answer is here, in one piece.
                    del streams[stream_id]
                    self._forgiven += http2.CONTROLS_PER_REQUEST
                    receive_response(stream.request_id, stream.status, event.data, now)
                else:
                    self._piece(event, stream, now)
            elif type(event) is StreamClosed:
                stream = streams.pop(event.stream_id, None)
                if stream is not None:
                    self._end_early(stream, event, now)
            elif isinstance(event, ngh2.GoAwayReceived | ngh2.ConnectionClosed):
                self._retire()
            else:
                self._controls.refill(self._forgiven)
                self._forgiven = 0
                self._controls.left -= 1
                if isinstance(event, ngh2.SettingsReceived):
                    unsaid = self._streams_max if self._has_settings else STREAMS_UNSAID
                    self._has_settings = True
                    allowed = event.settings.get(ngh2.Setting.MAX_CONCURRENT_STREAMS, unsaid)
                    self._streams_max = min(allowed, STREAMS_MAX)

    def _piece(self, event: DataReceived, stream: _Stream, now: Timestamp) -> None:
        stream.parts += (event.data,)
        if event.end_stream:
            self._deliver(event.stream_id, stream, b"".join(stream.parts), now)
        elif sum(map(len, stream.parts)) > RESPONSE_OCTETS_MAX or not event.data:
            del self._streams[event.stream_id]
            self._session.reset_stream(event.stream_id, ngh2.ErrorCode.CANCEL)
            self._pool.fail(stream.request_id, GARBLED, now)

    def _deliver(self, stream_id: int, stream: _Stream, body: bytes, now: Timestamp) -> None:
        """The whole answer is here."""
        del self._streams[stream_id]
        self._forgiven += http2.CONTROLS_PER_REQUEST
        self._pool.receive_response(stream.request_id, stream.status, body, now)

    def _end_early(self, stream: _Stream, event: StreamClosed, now: Timestamp) -> None:
        """A stream without a whole answer. A status other than 200, where one came, still says what the peer did."""
        if event.error_code == ngh2.ErrorCode.REFUSED_STREAM or event.local_error is not None:
            self._pool.fail(stream.request_id, _UNSENT if self._retiring else _REFUSED, now)
        elif stream.status not in (0, 200):
            self._pool.receive_response(stream.request_id, stream.status, b"".join(stream.parts), now)
        else:
            self._pool.fail(stream.request_id, LOST, now)

    def _retire(self) -> None:
        if not self._retiring:
            self._retiring = True
            self._pool.retired(self)

    def _say_goodbye(self) -> None:
        self._retire()
        if self._transport is not None:
            try:
                self._session.terminate_connection(ngh2.ErrorCode.NO_ERROR)
                self._transport.write(self._session.data_to_send())
            except ngh2.NGH2Error:
                pass
            self._transport.close()
