"""Where connections come in: sockets that listen, and who is let through.

Each new connection takes from the time that strangers have (`link.http.strangers`), so that a flood of them does not
keep the loop from those who are there. A source of bad standing is hung up on before TLS, and without a task.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import socket
import ssl
import struct
from collections.abc import Callable
from functools import partial
from typing import Final, final

from interledger.errors import LinkError
from interledger.link.http.port import Port
from interledger.link.http.strangers import ACCEPT_US, DOOR, HANDSHAKE_US
from interledger.link.throttle import source_of

__all__ = ["ENTERING_MAX", "ENTERING_PER_SOURCE", "Doorway"]

BACKLOG: Final = 512
"""Connections the system may hold for us until we accept them: a peer's whole pool may arrive at once."""

HANDSHAKE_TIMEOUT_S: Final = 10.0
"""As long as a request may take (`Limits.request_timeout_ms`); the loop wants seconds."""

ENTERING_MAX: Final = 256
"""Connections that are not open yet: they wait for their turn, or for their TLS handshake. More are hung up on, unless
a peer's packets came from their source lately."""

ENTERING_PER_SOURCE: Final = 128
"""And of one source: a peer's whole pool."""

ACCEPTED_AT_ONCE: Final = 8
"""Connections taken from the system at a time, which costs some 15 microseconds each: where a connection comes from is
only known then, and known sources do not wait for others."""

COLLECT_EVERY: Final = 32
"""asyncio's transports hold themselves, and a node's collector looks for such cycles only when 50,000 objects are new:
then it takes 50 ms. So the youngest are looked at, which takes a fraction of one, after so many connections."""

NO_FILES_WAIT_S: Final = 1.0
"""Until the next try, when the system gives us no more sockets."""

_RESET: Final = struct.pack("ii", 1, 0)
"""SO_LINGER: hang up without a goodbye, and without a socket that lingers here."""

logger = logging.getLogger("interledger.http")


@final
class Doorway:
    """Listens for `port`, and makes a protocol by `make(source)` for each connection."""

    def __init__(self, port: Port, tls: ssl.SSLContext | None, make: Callable[[str], asyncio.BaseProtocol]) -> None:
        self._loop = asyncio.get_running_loop()
        self._port = port
        self._tls = tls
        self._make = make
        self._sockets: list[socket.socket] = []
        self._waiting: set[socket.socket] = set()
        """Connections that wait for their turn."""
        self._entering: dict[asyncio.Task[None], str] = {}
        """Connections that are not open yet -> their source."""
        self._entering_of: dict[str, int] = {}
        self._entered_count = 0

    async def open(self, host: str, port: int) -> int:
        """Listen; returns the port that was taken. Raises `LinkError` when it cannot be had."""
        try:
            found = await self._loop.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
            for family, _, _, _, address in dict.fromkeys(found):
                self._sockets.append(_listen(family, address))
        except OSError as error:
            self._close_sockets()
            raise LinkError(f"{host} port {port} cannot be listened on: {error.strerror or error}") from error
        for listening in self._sockets:
            self._watch(listening)
        taken: int = self._sockets[0].getsockname()[1]
        return taken

    async def close(self) -> None:
        """Let nobody in any more. Who is on the way in is hung up on."""
        for listening in self._sockets:
            self._loop.remove_reader(listening)
        self._close_sockets()
        for connection in self._waiting:
            connection.close()
        self._waiting.clear()
        await asyncio.sleep(0)  # a task that has not begun would leave its socket open
        for task in self._entering:
            task.cancel()
        await asyncio.gather(*self._entering, return_exceptions=True)

    def _watch(self, listening: socket.socket) -> None:
        if listening in self._sockets:
            self._loop.add_reader(listening, self._knock, listening)

    def _knock(self, listening: socket.socket) -> None:
        """Somebody is at the door: look who, as soon as there is time for strangers."""
        self._loop.remove_reader(listening)
        self._port.strangers.run(DOOR, partial(self._accept_some, listening))

    def _accept_some(self, listening: socket.socket) -> None:
        if listening not in self._sockets:
            return
        self._watch(listening)
        for _ in range(ACCEPTED_AT_ONCE):
            try:
                self._accept(*listening.accept())
            except BlockingIOError:
                return
            except (InterruptedError, ConnectionError):
                continue  # it left while it waited
            except OSError as error:
                logger.error("no connection can be accepted now: %s", error.strerror or error)
                self._loop.remove_reader(listening)
                self._loop.call_later(NO_FILES_WAIT_S, self._watch, listening)
                return

    def _accept(self, connection: socket.socket, name: object) -> None:
        source = source_of(name)
        if not self._is_welcome(source):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            connection.close()
            return
        connection.setblocking(False)
        self._entering_of[source] = self._entering_of.get(source, 0) + 1
        self._waiting.add(connection)
        price_us = ACCEPT_US if self._tls is None else HANDSHAKE_US
        self._port.strangers.run(source, partial(self._enter, connection, source), price_us)

    def _enter(self, connection: socket.socket, source: str) -> None:
        if connection in self._waiting:
            self._waiting.discard(connection)
            task = self._loop.create_task(self._let_in(connection, source))
            self._entering[task] = source
            task.add_done_callback(self._entered)

    def _is_welcome(self, source: str) -> bool:
        standing, now = self._port.standing, self._port.clock.now()
        of_source = self._entering_of.get(source, 0)
        if standing.is_good(source, now):
            return of_source < ENTERING_MAX
        waiting = len(self._entering) + len(self._waiting)
        return waiting < ENTERING_MAX and of_source < ENTERING_PER_SOURCE and not standing.is_refused(source, now)

    async def _let_in(self, connection: socket.socket, source: str) -> None:
        try:
            await self._loop.connect_accepted_socket(
                lambda: self._make(source),
                connection,
                ssl=self._tls,
                ssl_handshake_timeout=None if self._tls is None else HANDSHAKE_TIMEOUT_S,
            )
        except OSError as error:
            logger.debug("a connection did not come about: %s", error)
            self._port.standing.wasted(source, self._port.clock.now())

    def _entered(self, task: asyncio.Task[None]) -> None:
        source = self._entering.pop(task)
        self._entering_of[source] -= 1
        if not self._entering_of[source]:
            del self._entering_of[source]
        self._entered_count += 1
        if not self._entered_count % COLLECT_EVERY:
            gc.collect(0)
        if not task.cancelled() and task.exception() is not None:
            logger.error("a connection could not be let in", exc_info=task.exception())

    def _close_sockets(self) -> None:
        for listening in self._sockets:
            listening.close()
        self._sockets.clear()


def _listen(family: int, address: tuple[object, ...]) -> socket.socket:
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            # IPv4 has a socket of its own, where the host has both.
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listening.bind(address)
        listening.listen(BACKLOG)
        listening.setblocking(False)
    except OSError:
        listening.close()
        raise
    return listening
