"""The client's side of BTP: dials the server of a link, again and again, and hands the socket to `BtpSocket`."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable
from typing import Final, cast, final

from interledger.clock import Clock, Entropy
from interledger.errors import LinkError, RemoteProtocolError
from interledger.link.btp.link import BtpLink
from interledger.link.btp.protocol import BtpConnection
from interledger.link.btp.reconnect import Backoff
from interledger.link.btp.shell import BtpSocket
from interledger.link.btp.urls import BtpAddress
from interledger.link.handshake import ClientHandshake
from interledger.link.http.egress import EgressPolicy
from interledger.link.http.resolving import checked_addresses
from interledger.link.http.urls import Url

__all__ = ["CONNECT_TIMEOUT_S", "BtpClient"]

CONNECT_TIMEOUT_S: Final = 10
"""For name, TCP, TLS and handshake together."""

logger = logging.getLogger("interledger.btp")


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
