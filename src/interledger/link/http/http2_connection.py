"""One client's HTTP/2 connection to our port: many requests at a time, each answered when it can be.

The same port, servers and applications as behind HTTP/1.1 (`link.http.connection`), and the same habits: no task,
future or timer per packet, one write per turn of the loop, deadlines kept by the port's one sweep. `link.http.http2`
says what a connection may ask of us; a client that asks for more is told GOAWAY and cut off.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final, cast, final

import ngh2
from ngh2 import DataReceived, RequestReceived, StreamClosed

from interledger.link.http import http2
from interledger.link.http.exchange import receive_packet
from interledger.link.http.heads import Refusal, Request
from interledger.link.http.http2_exchange import AsgiStream, StreamExchange
from interledger.link.http.http2_library import CONTROLS, new_server
from interledger.link.http.http2_requests import is_short, read_head
from interledger.link.http.open_connection import OpenConnection
from interledger.link.http.port import Port
from interledger.link.tls import peer_certificate

__all__ = ["Http2Connection"]

logger = logging.getLogger("interledger.http")

ANSWER_QUEUED_MAX: Final = 65_536
"""Octets of one answer that wait for the client's window, above which the application waits too."""


@final
class Http2Connection(OpenConnection):
    """One socket. `streams`: requests whose answer has not left yet."""

    exchanges: dict[int, StreamExchange]

    def __init__(self, port: Port, source: str) -> None:
        super().__init__(port, source)
        self.session = new_server(port.limits.body_max)
        self.exchanges = {}
        self.given_up: list[int] = []
        """Streams refused before they were complete: what still comes of them is not wanted."""
        self._ever = False
        """A whole request came over this connection at some time."""
        self._due: list[StreamExchange] = []
        """Requests without a body, looked at behind this read: most of a flood's are given up in the same one."""
        self._buffered = 0
        """Octets of bodies that are not complete."""
        self._resets = http2.Budget(http2.RESETS_MAX)
        self._controls = http2.Budget(http2.CONTROLS_MAX)
        self._forgiven = 0
        """What requests have brought and the budget has not got yet."""
        self._now = port.clock.now()
        self._corked = False
        self._flush_due = False
        self._writable = True
        """The socket takes more."""
        self._moved = asyncio.Event()
        """Octets left, or streams ended: who waits for room looks again."""
        self._closing = False

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.port.enter(self)
        self.flush()

    def receive(self, octets: memoryview | bytes) -> None:
        if self._closing or self.transport is None:
            return
        self._corked = True
        self._now = self.port.clock.now()
        try:
            self.session.receive_data(octets)
            self._handle(self.session.events())
            if self._due and not self._controls.is_spent:
                self._begin_due()
        except ngh2.NGH2Error:
            self.cut()
            return
        finally:
            self._corked = False
        if self._controls.is_spent:
            self.cut()
        else:
            self.flush()

    def connection_lost(self, error: Exception | None) -> None:
        self._closing = True
        self._forget_all()
        self.judge()
        self.leave()

    def pause_writing(self) -> None:
        self.since = self.port.tick
        self._writable = False
        self.stop_reading()

    def resume_writing(self) -> None:
        self.since = self.port.tick
        self._writable = True
        self.read_on()
        self.flush()

    def may_read(self) -> bool:
        return self._writable

    # Answers.

    def wake(self) -> None:
        """Something can be written: do so at the end of this read, or of this turn of the loop."""
        if not self._corked and not self._flush_due:
            self._flush_due = True
            self.loop.call_soon(self.flush)

    def flush(self) -> None:
        """Write what is waiting, in one go."""
        self._flush_due = False
        transport = self.transport
        if transport is None or self._closing or not self._writable:
            return
        try:
            octets = self.session.data_to_send()
            self._handle(self.session.events())
            if self.given_up:
                # Now, that their answer is before the reset: the library would send the reset first.
                octets += self._reset_given_up()
        except ngh2.NGH2Error:
            self.cut()
            return
        if octets:
            transport.write(octets)
            self._moved.set()
        if not (self.session.want_read or self.session.want_write) or (self.port.draining and not self.exchanges):
            self.finish()

    def _reset_given_up(self) -> bytes:
        given_up, self.given_up = self.given_up, []
        for stream_id in given_up:
            if stream_id in self.exchanges:
                self.session.reset_stream(stream_id, ngh2.ErrorCode.NO_ERROR)
        octets = self.session.data_to_send()
        self._handle(self.session.events())
        return octets

    async def drain(self, exchange: StreamExchange) -> None:
        """Wait until the client has read most of this answer."""
        while exchange.stream_id in self.exchanges and not self._closing:
            if self.session.queued_body_size(exchange.stream_id) <= ANSWER_QUEUED_MAX:
                return
            self._moved.clear()
            await self._moved.wait()

    def reset(self, exchange: StreamExchange) -> None:
        """End a stream that cannot be answered any more."""
        self.session.reset_stream(exchange.stream_id, ngh2.ErrorCode.INTERNAL_ERROR)
        self.wake()

    def finish(self) -> None:
        """Say goodbye and close. Requests without an answer are lost."""
        transport = self.transport
        if transport is None or self._closing:
            return
        self._closing = True
        try:
            self.session.terminate_connection(ngh2.ErrorCode.NO_ERROR)
            transport.write(self.session.data_to_send())
        except ngh2.NGH2Error:
            pass
        self._forget_all()
        self.since = self.port.tick
        transport.close()

    def cut(self) -> None:
        """The client breaks HTTP/2 or asks too much: say so in one frame, and hang up."""
        transport = self.transport
        if transport is None or self._closing:
            return
        self._closing = True
        self.port.refusals += 1
        self.cost_too_much()
        transport.write(http2.GOAWAY_CALM)
        self._forget_all()
        self.since = self.port.tick
        transport.close()

    def sweep(self) -> None:
        """Once per `sweep_ms`: forgive, and end what takes too long."""
        port, transport = self.port, self.transport
        if transport is None:
            return
        limits, age = port.limits, port.tick - self.since
        self._resets.refill(http2.RESETS_PER_S * limits.sweep_ms // 1_000)
        self._controls.refill(http2.CONTROLS_PER_S * limits.sweep_ms // 1_000)
        if self._closing or not self._writable:
            if age > port.ticks(limits.write_timeout_ms):
                transport.abort()
        elif self.exchanges:
            for exchange in tuple(self.exchanges.values()):
                self._sweep_stream(exchange)
        elif age > port.ticks(limits.idle_timeout_ms if self._ever else limits.request_timeout_ms):
            self.finish()

    # Inside.

    def _sweep_stream(self, exchange: StreamExchange) -> None:
        port = self.port
        age = port.tick - exchange.since
        if not exchange.complete:
            if age > port.ticks(port.limits.request_timeout_ms):
                exchange.refuse(408, "the request did not arrive in time")
        elif not self.session.queued_body_size(exchange.stream_id):
            exchange.since = port.tick
        elif age > port.ticks(port.limits.write_timeout_ms):
            self.session.reset_stream(exchange.stream_id, ngh2.ErrorCode.CANCEL)
            self.wake()

    def _handle(self, events: list[ngh2.Event]) -> None:
        exchanges, heads, now = self.exchanges, self.port.known_heads(), self._now
        for event in events:
            # In the order of how often they come.
            if type(event) is RequestReceived:
                stream_id, fields = event.stream_id, event.headers
                known = heads.get(fields)
                if known is None or now >= known[2] or event.end_stream:
                    self._begin(event)
                else:
                    exchanges[stream_id] = StreamExchange(self, stream_id, fields, known[0])
            elif type(event) is DataReceived:
                exchange = exchanges.get(event.stream_id)
                if exchange is None or exchange.answered:
                    continue
                data = event.data
                if event.end_stream and exchange.parts is None and len(data) <= self.port.limits.body_max:
                    self._complete(exchange, data)
                else:
                    self._piece(exchange, data, event.end_stream)
            elif type(event) is StreamClosed:
                self._closed(event)
                resets_max = http2.RESETS_MAX if self.kept else http2.RESETS_STRANGER_MAX
                if event.error_code and self._resets.is_over(resets_max):
                    self._controls.left = -1  # ends the connection behind this read
                    return
            elif type(event) in CONTROLS:
                self._spend_control()
            elif isinstance(event, ngh2.TrailersReceived) and event.stream_id in exchanges:
                exchanges[event.stream_id].refuse(400, "headers behind a body are not accepted")

    def _spend_control(self) -> None:
        self._controls.refill(self._forgiven)
        self._forgiven = 0
        self._controls.left -= 1

    def _begin(self, event: RequestReceived) -> None:
        """A head that nobody knows yet, or of a request without a body."""
        exchange = self.exchanges[event.stream_id] = StreamExchange(self, event.stream_id, event.headers, None)
        exchange.complete = event.end_stream
        if event.end_stream:
            self._due.append(exchange)
        else:
            self._read_head(exchange)

    def _read_head(self, exchange: StreamExchange) -> bool:
        head = read_head(exchange.fields, self.port.limits.body_max)
        if isinstance(head, Refusal):
            exchange.refuse(*head)
            return False
        exchange.request = head
        if not exchange.complete and b"expect" in head.fields:
            self.session.send_informational_response(exchange.stream_id, [(b":status", b"100")])
        return True

    def _begin_due(self) -> None:
        due, self._due = self._due, []
        for exchange in due:
            if exchange.stream_id in self.exchanges and self._read_head(exchange):
                self._complete(exchange, b"")

    def _piece(self, exchange: StreamExchange, data: bytes, is_last: bool) -> None:
        """A part of a body."""
        parts = exchange.parts or []
        parts.append(data)
        if exchange.octets + len(data) > self.port.limits.body_max:
            exchange.refuse(413, f"a body has at most {self.port.limits.body_max} octets here")
        elif is_last:
            self._release(exchange.octets)
            self._complete(exchange, b"".join(parts))
        else:
            exchange.parts = parts
            exchange.octets += len(data)
            self._spend_control()
            self._buffered += len(data)
            self.port.buffered += len(data)
            if self.port.buffered > http2.BUFFERED_MAX and self._buffered > self.port.limits.body_max:
                self._controls.left = -1  # ends the connection behind this read

    def _complete(self, exchange: StreamExchange, body: bytes) -> None:
        """A whole request: to the account whose head it is, or to whoever its path belongs."""
        port = self.port
        port.requests += 1
        self.since = port.tick
        self._ever = True
        self.pieces = 0
        self._forgiven += http2.CONTROLS_PER_REQUEST
        exchange.complete = True
        if (known := exchange.known) is not None:
            try:
                known.receive(body, self._now, exchange)
            except Exception:
                logger.exception("a packet could not be handled")
                exchange.fail()
        elif exchange.request is not None:
            exchange.request.body = body
            self._dispatch(exchange, exchange.request)

    def _dispatch(self, exchange: StreamExchange, request: Request) -> None:
        port, transport = self.port, self.transport
        ilp = port.ilp
        path = request.path
        if port.draining or transport is None:
            exchange.refuse(503, "this node is stopping")
        elif ilp is not None and request.method == b"POST" and ilp.takes(path):
            fields = request.fields
            certificate = peer_certificate(transport)
            # What a client with a certificate may do, others may not with the same fields.
            repeats = certificate is None and b"content-length" in fields and is_short(exchange.fields)
            head = exchange.fields if repeats else b""
            receive_packet(ilp, path, request, self._now, exchange, head, certificate)
        elif port.app is None:
            exchange.refuse(404, "nothing is here")
        else:
            exchange.app = AsgiStream(self, exchange, request, port.app)
            exchange.app.start()

    def _closed(self, event: StreamClosed) -> None:
        """A stream is over, well or badly."""
        exchange = self.exchanges.pop(event.stream_id, None)
        if event.error_code:
            self._resets.left -= 1
        if exchange is not None:
            if not exchange.complete:
                self._release(exchange.octets)
            exchange.gone()
            self._moved.set()

    def _release(self, octets: int) -> None:
        self._buffered -= octets
        self.port.buffered -= octets

    def _forget_all(self) -> None:
        exchanges, self.exchanges = self.exchanges, {}
        for exchange in exchanges.values():
            exchange.gone()
        self._release(self._buffered)
        self._moved.set()
