"""One port for everything: ILP over HTTP, BTP over WebSocket, and the HTTP application, told apart by each request.

* `POST` on an ILP path goes to `ilp`, on a path without tasks (see `link.http.connection`);
* `Upgrade: websocket` goes to `upgrade`, which takes the socket over;
* everything else goes to `app`, an ASGI 3 application.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from typing import Final, final

from interledger.clock import Clock
from interledger.errors import LinkError
from interledger.link.attempts import Attempts
from interledger.link.http import http2
from interledger.link.http.asgi import AsgiApp
from interledger.link.http.connection import Connection
from interledger.link.http.port import Limits, Port, Upgrade
from interledger.link.http.protocol import HttpIlpServer

__all__ = ["Limits", "Listener", "Upgrade"]

BACKLOG: Final = 512
"""Connections the system may hold for us until we accept them: a peer's whole pool may arrive at once."""

TLS_HANDSHAKE_S: Final = 10.0
"""As long as a request may take (`Limits.request_timeout_ms`); the loop wants seconds."""


@final
class Listener:
    """A port and all connections to it. `host`, `port`: where; port 0 takes a free one, then `port` says which.

    `tls`: what the port presents (`link.tls`); `attempts`: counts wrong tokens, for all that a node offers together.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        clock: Clock,
        ilp: HttpIlpServer | None = None,
        upgrade: Upgrade | None = None,
        app: AsgiApp | None = None,
        limits: Limits | None = None,
        tls: ssl.SSLContext | None = None,
        attempts: Attempts | None = None,
    ) -> None:
        self.host = host
        self.port = port
        self._tls = tls
        if tls is not None:
            http2.offer(tls)
        self._shared = Port(
            ilp=ilp,
            upgrade=upgrade,
            app=app,
            clock=clock,
            limits=limits or Limits(),
            is_tls=tls is not None,
            attempts=attempts,
        )
        self._server: asyncio.Server | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Listen. Raises `LinkError` when the port cannot be had."""
        loop = asyncio.get_running_loop()
        shared = self._shared
        try:
            self._server = await loop.create_server(
                lambda: Connection(shared),
                self.host,
                self.port,
                ssl=self._tls,
                backlog=BACKLOG,
                ssl_handshake_timeout=None if self._tls is None else TLS_HANDSHAKE_S,
                start_serving=False,  # else asyncio waits once more, and a cancellation then loses the open socket
            )
        except OSError as error:
            raise LinkError(f"{self.host} port {self.port} cannot be listened on: {error.strerror or error}") from error
        self.port = int(self._server.sockets[0].getsockname()[1])
        shared.wake = self._wake
        await self._server.start_serving()

    async def stop(self, drain_ms: int = 0) -> None:
        """Take no new connections or requests; give what runs `drain_ms` to finish; then cut what is left."""
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        shared = self._shared
        shared.draining = True
        for connection in tuple(shared.connections):
            if not connection.exchanges:
                connection.finish()
        await self._wait_empty(drain_ms)
        for connection in tuple(shared.connections):
            if connection.transport is not None:
                connection.transport.abort()
        for task in tuple(shared.tasks):
            task.cancel()
        await asyncio.gather(*shared.tasks, return_exceptions=True)
        await self._wait_empty(int(TLS_HANDSHAKE_S * 1000))
        if self._timer is not None:
            self._timer.cancel()

    @property
    def connections(self) -> int:
        """Sockets open now, WebSockets not counted."""
        return len(self._shared.connections)

    @property
    def requests(self) -> int:
        """Requests read since the start."""
        return self._shared.requests

    @property
    def refusals(self) -> int:
        """Connections ended because of what came over them."""
        return self._shared.refusals

    async def _wait_empty(self, timeout_ms: int) -> None:
        shared = self._shared
        shared.empty.clear()
        if not shared.connections or timeout_ms <= 0:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_ms / 1000):
                await shared.empty.wait()

    def _wake(self) -> None:
        if self._timer is None:
            self._shared.new_date()
            self._schedule()

    def _schedule(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._shared.limits.sweep_ms / 1000, self._sweep)

    def _sweep(self) -> None:
        """The one timer of the port, while a connection is open."""
        shared = self._shared
        self._timer = None
        shared.tick += 1
        shared.new_date()
        for connection in tuple(shared.connections):
            connection.sweep()
        if shared.connections:
            self._schedule()
