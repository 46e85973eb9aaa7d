"""Sockets and time for BTP connections: the asyncio protocol of a socket, whoever dialled.

Nothing here happens per packet but the call of `BtpConnection.receive` per read and one write per turn of the loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, cast, final

from interledger.clock import Clock, Entropy, Timestamp
from interledger.link.btp.link import OUTPUT_OCTETS_MAX
from interledger.link.btp.protocol import BtpConnection
from interledger.link.read_buffer import read_buffer
from interledger.link.websocket import CLOSE_TIMEOUT_MS, CloseCode, WebSocket

__all__ = ["PACED_FOR_MS", "PACED_OCTETS", "PACE_MS", "TALK_MAX", "BtpSocket"]

PREPARES_WAIT_MAX: Final = 256 * 1024
"""Octets that wait to be written, above which our Prepares are refused (T02): a Fulfill waits behind no more than so
many, a few seconds on a thin line. At `OUTPUT_OCTETS_MAX` the peer is not read either."""


TALK_MAX: Final = 64
"""Messages that move nothing (answers nobody waits for, refusals, packets beyond the limit of packets a minute, other
sub-protocols), after which a peer is paced: it costs time that others wait for."""

PACE_MS: Final = 10
PACED_OCTETS: Final = 2_048
"""Then so many octets are read each so often: some hundred packets a second still, and a fiftieth of the time."""

PACED_FOR_MS: Final = 1_000
"""Until it has stopped for so long."""


@final
class BtpSocket(asyncio.BufferedProtocol):
    """One socket after its handshake. `closed` is done when it is gone."""

    def __init__(
        self,
        make_connection: Callable[[WebSocket], BtpConnection],
        *,
        client: bool,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._clock = clock
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._buffer = memoryview(b"")
        self._flush_due = False
        self._is_full = False
        """So much waits that nothing is read."""
        self._paced_until = 0 if client else clock.now() + PACED_FOR_MS
        """Until then little is read at a time; of one that dialled us at first too, whatever it has in mind."""
        self.closed: asyncio.Future[None] = self._loop.create_future()
        websocket = WebSocket(client=client, entropy=entropy, wake=self._wake, now=clock.now())
        self.connection = make_connection(websocket)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport = cast(asyncio.Transport, transport)
        transport.set_write_buffer_limits(high=PREPARES_WAIT_MAX, low=PREPARES_WAIT_MAX // 4)
        self._set_timer()

    def take_over(self, transport: asyncio.Transport, trailing: bytes, delay_ms: int = 0) -> None:
        """From the protocol that did the handshake. `trailing`: octets that came behind it. Nothing is read for
        `delay_ms`."""
        transport.set_protocol(self)
        self.connection_made(transport)
        if delay_ms:
            self._paced_until += delay_ms
            transport.pause_reading()
            self._loop.call_later(delay_ms / 1000, self._read_on, trailing)
        elif trailing:
            self.connection.receive(trailing, self._clock.now())

    def _read_on(self, trailing: bytes) -> None:
        if self._transport is None or self._is_full:
            return
        self._transport.resume_reading()
        if trailing:
            self.connection.receive(trailing, self._clock.now())

    def get_buffer(self, sizehint: int) -> memoryview:
        self._buffer = buffer = read_buffer() if not self._paced_until else read_buffer()[:PACED_OCTETS]
        return buffer

    def buffer_updated(self, nbytes: int) -> None:
        connection, now = self.connection, self._clock.now()
        connection.receive(bytes(self._buffer[:nbytes]), now)
        if self._paced_until or connection.talk > TALK_MAX:
            self._pace(now)

    def _pace(self, now: Timestamp) -> None:
        """Read little for a while, and not at once behind talk, nor what comes while a refused peer says goodbye."""
        if not (self.connection.talk or self.connection.refusal):
            self._paced_until = self._paced_until if now < self._paced_until else 0
            return
        self.connection.talk = 0
        self._paced_until = now + PACED_FOR_MS
        if self._transport is not None and not self._is_full:
            self._transport.pause_reading()
            self._loop.call_later(PACE_MS / 1000, self._read_on, b"")

    def eof_received(self) -> None:
        """The peer is gone; without its reading side a connection is of no use. Returning None closes the socket."""

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel_timer()
        self._transport = None
        self.connection.lost(self._clock.now())
        if not self.closed.done():
            self.closed.set_result(None)

    def pause_writing(self) -> None:
        # Prepares are refused from now on, so that replies wait behind few of them; what the peer sends is still read.
        self.connection.blocked = True

    def resume_writing(self) -> None:
        self._is_full = False
        self.connection.resume_sending()
        if self._transport is not None:
            self._transport.resume_reading()

    def close(self, code: int = CloseCode.GOING_AWAY, reason: str = "this node stops") -> None:
        """Close in good order; `closed` says when it is done."""
        self.connection.close(code, reason, self._clock.now())

    def _wake(self) -> None:
        if not self._flush_due:
            self._flush_due = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flush_due = False
        transport = self._transport
        if transport is None:
            return
        websocket = self.connection.websocket
        octets = websocket.octets_to_send()
        if octets:
            transport.write(octets)
            if self.connection.blocked and transport.get_write_buffer_size() > OUTPUT_OCTETS_MAX:
                self._stop_reading(transport)
        if websocket.closing:
            self._finish(transport)

    def _stop_reading(self, transport: asyncio.Transport) -> None:
        """Replies alone are too many: the peer asks and does not read."""
        if not self._is_full and not self.connection.websocket.finished:
            self._is_full = True
            transport.pause_reading()
            self.connection.pause_sending(self._clock.now())
            self._set_timer()

    def _finish(self, transport: asyncio.Transport) -> None:
        if not self.connection.websocket.finished:
            self._set_timer()
        elif self.connection.blocked:
            transport.abort()  # what is buffered will not leave
        else:
            self._cancel_timer()
            transport.close()
            # `close` waits until the rest has left, however long the peer takes to read it.
            self._timer = self._loop.call_later(CLOSE_TIMEOUT_MS / 1000, transport.abort)

    def _set_timer(self) -> None:
        self._cancel_timer()
        wait_ms = self.connection.timer() - self._clock.now()
        self._timer = self._loop.call_later(max(0, wait_ms) / 1000, self._handle_timer)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _handle_timer(self) -> None:
        self.connection.handle_timer(self._clock.now())
        if self.connection.websocket.finished:
            self._wake()
        elif self._transport is not None:
            self._set_timer()
