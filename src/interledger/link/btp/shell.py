"""Sockets and time for BTP connections: the asyncio protocol of a socket, and the client that dials.

Nothing here happens per packet but the call of `BtpConnection.receive` per read and one write per turn of the loop.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable
from typing import Final, cast, final

from interledger.clock import Clock, Entropy
from interledger.errors import LinkError, RemoteProtocolError
from interledger.link.btp.link import OUTPUT_OCTETS_MAX, BtpLink
from interledger.link.btp.protocol import BtpConnection
from interledger.link.btp.reconnect import Backoff
from interledger.link.btp.urls import BtpAddress
from interledger.link.handshake import ClientHandshake
from interledger.link.http.egress import EgressPolicy
from interledger.link.http.resolving import checked_addresses
from interledger.link.http.urls import Url
from interledger.link.read_buffer import read_buffer
from interledger.link.websocket import CLOSE_TIMEOUT_MS, CloseCode, WebSocket

__all__ = [
    "CONNECT_TIMEOUT_S",
    "BtpClient",
    "BtpSocket",
]

CONNECT_TIMEOUT_S: Final = 10
"""For name, TCP, TLS and handshake together."""

PREPARES_WAIT_MAX: Final = 256 * 1024
"""Octets that wait to be written, above which our Prepares are refused (T02): a Fulfill waits behind no more than so
many, a few seconds on a thin line. At `OUTPUT_OCTETS_MAX` the peer is not read either."""

logger = logging.getLogger("interledger.btp")


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
            transport.pause_reading()
            self._loop.call_later(delay_ms / 1000, self._read_on, trailing)
        elif trailing:
            self.connection.receive(trailing, self._clock.now())

    def _read_on(self, trailing: bytes) -> None:
        if self._transport is None:
            return
        self._transport.resume_reading()
        if trailing:
            self.connection.receive(trailing, self._clock.now())

    def get_buffer(self, sizehint: int) -> memoryview:
        self._buffer = buffer = read_buffer()
        return buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.connection.receive(bytes(self._buffer[:nbytes]), self._clock.now())

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


# ---------------------------------------------------------------------- client


@final
class _Handshake(asyncio.Protocol):
    """The client's socket until the handshake is done; then it belongs to what `make_socket` makes."""

    def __init__(self, handshake: ClientHandshake, make_socket: Callable[[], BtpSocket]) -> None:
        self._handshake = handshake
        self._make_socket = make_socket
        self._transport: asyncio.Transport | None = None
        self.done: asyncio.Future[BtpSocket] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._handshake.octets_to_send())

    def data_received(self, data: bytes) -> None:
        if self._transport is None or self.done.done():
            return
        try:
            trailing = self._handshake.receive(data)
        except RemoteProtocolError as error:
            self.done.set_exception(error)
            return
        if trailing is not None:
            socket = self._make_socket()
            socket.take_over(self._transport, trailing)
            self.done.set_result(socket)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(LinkError("the server closed the connection"))


@final
class BtpClient:
    """Keeps `link` connected to the server at `address`, from `start()` to `stop()`."""

    def __init__(
        self,
        link: BtpLink,
        address: BtpAddress,
        *,
        clock: Clock,
        entropy: Entropy,
        ssl_context: ssl.SSLContext | None = None,
        egress: EgressPolicy | None = None,
    ) -> None:
        """`egress`: where we may connect, when the address is a stranger's word; asked after the name was resolved."""
        self._link = link
        self._address = address
        self._egress = egress
        self._clock = clock
        self._entropy = entropy
        self._ssl = (ssl_context or ssl.create_default_context()) if address.secure else None
        self._socket: BtpSocket | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to dial, in the background."""
        if self._task is None:
            self._task = asyncio.create_task(self.run(), name=f"btp-client-{self._link.account}")

    async def stop(self) -> None:
        """Stop dialling, close the connection in good order, and wait until it is gone."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
        socket, self._socket = self._socket, None
        if socket is not None:
            socket.close()
            await socket.closed

    async def run(self) -> None:
        """Dial, wait until the connection is lost, dial again. Ends only when it is cancelled."""
        if not (self._address.secure or self._address.is_loopback):
            logger.warning("The token of %s travels without TLS to %s", self._link.account, self._address.url)
        backoff = Backoff(self._entropy)
        while True:
            repeating = self._link.repeating
            asking = repeating is not None and repeating.is_asking(self._clock.now())
            await asyncio.sleep(backoff.delay_ms(asking=asking) / 1000)
            began = self._clock.now()
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT_S):
                    socket = self._socket = await self._dial()
            except (OSError, TimeoutError, LinkError, RemoteProtocolError) as error:
                logger.info("BTP to %s: %s", self._address.url, str(error) or "no answer in time")
                backoff.ended(opened_ms=None, refused=False)
                continue
            # The socket lives on when this task is cancelled: `stop` closes it in good order.
            await asyncio.shield(socket.closed)
            connection = socket.connection
            why = connection.refusal or connection.websocket.close_reason or "the socket was lost"
            logger.info("BTP to %s ended: %s", self._address.url, why)
            opened_ms = self._clock.now() - began if connection.opened else None
            backoff.ended(opened_ms=opened_ms, refused=connection.refused_for_good)

    async def _dial(self) -> BtpSocket:
        handshake = _Handshake(ClientHandshake(self._address.url, self._entropy), self._make_socket)
        loop = asyncio.get_running_loop()
        host, port = self._address.host, self._address.port
        name = host if self._ssl is not None else None
        if self._egress is not None:
            url = Url("https" if self._address.secure else "http", host, port, "/")
            host = str((await checked_addresses(url, self._egress))[0])
        transport, _ = await loop.create_connection(lambda: handshake, host, port, ssl=self._ssl, server_hostname=name)
        try:
            return await handshake.done
        except BaseException:
            transport.abort()
            raise

    def _make_socket(self) -> BtpSocket:
        address, now = self._address, self._clock.now()
        request_id = int.from_bytes(self._entropy.octets(4), "big")
        return BtpSocket(
            lambda websocket: BtpConnection.client(
                websocket, self._link, address.username, address.token, request_id, now
            ),
            client=True,
            clock=self._clock,
            entropy=self._entropy,
        )
