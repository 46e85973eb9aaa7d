"""One client's connection to our port: requests in, answers out in the order of the requests.

No task, future or timer per packet: a Prepare is answered from inside the read that brought it, or when the connector
calls back. Only requests for the application run as tasks (see `asgi`). Deadlines are kept by the port's one sweep.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import Final, cast, final

from interledger.clock import Timestamp
from interledger.link.http import http2
from interledger.link.http.exchange import AsgiExchange, Exchange, PacketExchange, receive_packet
from interledger.link.http.heads import Request, repeatable_head
from interledger.link.http.open_connection import OpenConnection
from interledger.link.http.port import Port
from interledger.link.http.protocol import HttpIlpServer
from interledger.link.http.requests import RequestReader
from interledger.link.http.strangers import UPGRADE_US
from interledger.link.tls import NO_PROOF, proof_of

__all__ = ["Connection"]

logger = logging.getLogger("interledger.http")

PIPELINED_PAUSE: Final = 64
"""Unanswered requests of one connection at which we stop reading from it."""

OVERFLOW_MAX: Final = 100
"""Connections above the limit that still get a 503 in words. Any more are cut off."""


@final
class Connection(OpenConnection):
    """One socket. Reads requests, keeps the order of answers, writes once per read."""

    exchanges: deque[Exchange]

    def __init__(self, port: Port, source: str) -> None:
        super().__init__(port, source)
        self.exchanges = deque()
        self.writable = asyncio.Event()
        self.writable.set()
        self._proof = NO_PROOF
        """What is known of a head counts only together with this."""
        self._ever = False
        """A whole request came over this connection at some time."""
        self._lingering = False
        """Refused: what still comes is dropped."""
        self._closing = False
        self._reader = RequestReader(port.limits.body_max)
        self._out: list[bytes] = []
        self._corked = False
        self._flush_due = False
        self._paused = False

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # A server of streams makes no others; uvloop's are no subclass, so that a check would refuse them.
        self.transport = stream = cast("asyncio.Transport", transport)
        port = self.port
        is_full = len(port.connections) >= port.limits.connections_max and not port.make_room()
        is_http2 = http2.is_chosen(stream)
        if is_full and (is_http2 or len(port.connections) >= port.limits.connections_max + OVERFLOW_MAX):
            stream.abort()
            return
        if is_http2:
            self._become_http2(stream)
            return
        port.enter(self)
        self._proof = proof_of(stream)
        if is_full:
            self._refuse(503, "too many connections")

    def receive(self, octets: memoryview | bytes) -> None:
        if self._lingering or self._closing or self.transport is None:
            return
        reader = self._reader
        had_begun = reader.in_message
        data = bytes(octets)
        if reader.between_messages and self._receive_known(data):
            return
        # RFC 9113 3.3: a client may know that we speak it. In TLS it has to say so there.
        if not (self._ever or had_begun or self.port.is_tls) and http2.begins(data) and self.transport is not None:
            self._become_http2(self.transport, data)
            return
        requests = reader.receive(data)
        self._corked = True
        if requests:
            self._ever = True
            self.pieces = 0
            head = b""
            if len(requests) == 1 and not had_begun and reader.between_messages:
                head = repeatable_head(requests[0], data, self._proof.digest)
            self._dispatch(requests, head)
        if requests or not had_begun:
            self.since = self.port.tick
        if reader.refusal is not None:
            self._refuse(*reader.refusal)
        elif reader.trailing is not None:
            self._upgrade(requests[-1], reader.trailing)
        elif reader.wants_continue and not self.exchanges:
            reader.wants_continue = False
            self._out.append(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._corked = False
        if self._out:
            self.flush()
        if len(self.exchanges) >= PIPELINED_PAUSE:
            self.pause()

    def _receive_known(self, data: bytes) -> bool:
        """The common request, all of it in one read: its head was accepted before, so only the body is new.

        False for every other one: then `data` have to be read. See `HttpIlpServer.accepted_heads`.
        """
        port = self.port
        end = data.find(b"\r\n\r\n") + 4
        known = port.known_heads().get(self._proof.digest + data[:end])
        now = port.clock.now()
        if known is None or now >= known[2] or len(data) != end + known[1]:
            return False
        port.requests += 1
        self.since = port.tick
        exchange = PacketExchange(self, keep_alive=True)
        self.exchanges.append(exchange)
        try:
            known[0].receive(data[end:], now, exchange)
        except Exception:
            logger.exception("a packet could not be handled")
            exchange.fail()
        if len(self.exchanges) >= PIPELINED_PAUSE:
            self.pause()
        return True

    def connection_lost(self, error: Exception | None) -> None:
        self.judge()
        self.leave()
        exchanges, self.exchanges = self.exchanges, deque()
        for exchange in exchanges:
            exchange.gone()
        self.writable.set()

    def pause_writing(self) -> None:
        self.since = self.port.tick
        self.writable.clear()
        self.pause()

    def resume_writing(self) -> None:
        self.since = self.port.tick
        self.writable.set()
        if self.exchanges:
            self.exchanges[0].start()
        self._unpause()

    # Answers.

    def answered(self, exchange: Exchange) -> None:
        """`exchange.octets` is there. Writes what is first in line."""
        exchanges = self.exchanges
        if exchanges[0] is not exchange:
            return
        while exchanges:
            first = exchanges[0]
            octets = first.octets
            if octets is None:
                first.start()
                break
            exchanges.popleft()
            if octets:
                self._out.append(octets)
            if first.closes:
                self.finish()
                return
        self._written(more=bool(exchanges))

    def write(self, octets: bytes) -> None:
        """A part of the answer of the first exchange."""
        if self._out:
            self.flush()
        if self.transport is not None:
            self.transport.write(octets)

    def streamed(self, exchange: Exchange) -> None:
        """The first exchange has written its answer by `write`, all of it."""
        if self.exchanges and self.exchanges[0] is exchange:
            exchange.octets = b""
            self.answered(exchange)

    def flush(self) -> None:
        """Write what is waiting, in one go."""
        self._flush_due = False
        out, self._out = self._out, []
        if out and self.transport is not None:
            self.transport.write(out[0] if len(out) == 1 else b"".join(out))

    def finish(self) -> None:
        """No more answers: close, after a refusal with some patience."""
        self.flush()
        self.since = self.port.tick
        exchanges, self.exchanges = self.exchanges, deque()
        for exchange in exchanges:
            exchange.gone()
        transport = self.transport
        if transport is None:
            return
        if self._lingering and not self._closing and transport.can_write_eof():
            # Closing with octets unread resets the connection, and the client might never see why.
            transport.write_eof()
        else:
            transport.close()
        self._closing = True

    def may_read(self) -> bool:
        return not self._paused

    def sweep(self) -> None:
        port, transport = self.port, self.transport
        age = port.tick - self.since
        if transport is None or age < 1:
            return
        limits = port.limits
        if self._closing:
            if age > port.ticks(limits.linger_ms if self._lingering else limits.write_timeout_ms):
                transport.abort()
        elif not self.writable.is_set():
            if age > port.ticks(limits.write_timeout_ms):
                transport.abort()
        elif self.exchanges:
            return
        elif self._reader.in_message:
            if age > port.ticks(limits.request_timeout_ms):
                self._refuse(408, "the request did not arrive in time")
        elif age > port.ticks(limits.idle_timeout_ms if self._ever else limits.request_timeout_ms):
            self.finish()

    # Inside.

    def _written(self, *, more: bool) -> None:
        if self._paused:
            self._unpause()
        if not more:
            self.since = self.port.tick
            if self.port.draining and not self._corked:
                self.finish()
                return
        if self._corked or not self._out:
            return
        if more:
            # Pipelined: the next answers often come in this turn of the loop too.
            if not self._flush_due:
                self._flush_due = True
                self.loop.call_soon(self.flush)
        else:
            self.flush()

    def _dispatch(self, requests: list[Request], head: bytes) -> None:
        port = self.port
        port.requests += len(requests)
        now = port.clock.now()
        ilp = port.ilp
        for request in requests:
            path = request.target if b"?" not in request.target else request.path
            if request.upgrade:
                return
            if port.draining:
                self._refuse(503, "this node is stopping")
                return
            if ilp is not None and request.method == b"POST" and ilp.takes(path):
                self._packet(ilp, path, request, now, head)
            elif port.app is None:
                self._answer(request, 404, "nothing is here")
            else:
                exchange = AsgiExchange(self, request, port.app)
                self.exchanges.append(exchange)
                if len(self.exchanges) == 1:
                    exchange.start()
            if self._closing:
                return

    def _packet(self, ilp: HttpIlpServer, path: bytes, request: Request, now: Timestamp, head: bytes) -> None:
        exchange = PacketExchange(self, request.keep_alive)
        self.exchanges.append(exchange)
        receive_packet(ilp, path, request, now, exchange, head, self._proof.certificate)

    def _answer(self, request: Request, status: int, text: str) -> None:
        exchange = PacketExchange(self, request.keep_alive)
        self.exchanges.append(exchange)
        exchange.refuse(status, text)

    def _refuse(self, status: int, reason: str) -> None:
        """Answer behind what is still to be answered, then read nothing more."""
        self.port.refusals += 1
        self.cost_too_much()
        self._lingering = True
        self.read_at_once()
        self._reader.close()
        exchange = PacketExchange(self, keep_alive=False)
        self.exchanges.append(exchange)
        exchange.refuse(status, reason)

    def _upgrade(self, request: Request, trailing: bytes) -> None:
        """Hand the socket over to whoever speaks WebSocket at this path."""
        port, transport = self.port, self.transport
        if transport is None:
            return
        if self.exchanges or request.method != b"GET" or port.draining:
            self._refuse(503 if port.draining else 400, "no WebSocket can be opened by this request")
            return
        self.flush()
        path = request.path.decode("ascii")
        protocol = port.upgrade and port.upgrade(transport, request.encode_head(), trailing, path)
        if protocol is None:
            self._refuse(404, "nothing is here")
            return
        port.strangers.charge(UPGRADE_US)
        self.leave()
        transport.set_protocol(protocol)

    def _become_http2(self, transport: asyncio.Transport, octets: bytes = b"") -> None:
        """Hand the socket over to what speaks HTTP/2. `octets`: what was read already."""
        # Here, because the library may not be installed; then no client gets so far.
        from interledger.link.http.http2_connection import Http2Connection

        protocol = Http2Connection(self.port, self.source)
        transport.set_protocol(protocol)
        self.leave()
        protocol.connection_made(transport)
        if octets:
            protocol.receive(octets)

    def pause(self) -> None:
        """Read nothing more until there is room again."""
        if not self._paused:
            self._paused = True
            self.stop_reading()

    def _unpause(self) -> None:
        if self.writable.is_set() and len(self.exchanges) < PIPELINED_PAUSE:
            self._paused = False
            self.read_on()

    def leave(self) -> None:
        self._reader.close()
        super().leave()
