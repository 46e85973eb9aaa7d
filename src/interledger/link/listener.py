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
from interledger.link.attempts import Attempts
from interledger.link.doorway import Doorway
from interledger.link.http import http2
from interledger.link.http.asgi import AsgiApp
from interledger.link.http.connection import Connection
from interledger.link.http.open_connection import OpenConnection
from interledger.link.http.port import Limits, Port, Upgrade
from interledger.link.http.protocol import HttpIlpServer
from interledger.link.standing import Standing

__all__ = ["Limits", "Listener", "Upgrade"]

SWEPT_AT_ONCE: Final = 16
SWEEP_PAUSE_S: Final = 0.002
"""Connections whose deadlines are looked at in one turn of the loop, and the time until the next: a full port takes an
eighth of a second."""

END_TIMEOUT_MS: Final = 10_000
"""How long sockets that were cut off may take to be gone."""


@final
class Listener:
    """A port and all connections to it. `host`, `port`: where; port 0 takes a free one, then `port` says which.

    `tls`: what the port presents (`link.tls`); `attempts` counts wrong tokens and
    `standing` who wastes connections, for all that a node offers together.
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
        standing: Standing | None = None,
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
            standing=standing,
        )
        self._doorway: Doorway | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Listen. Raises `LinkError` when the port cannot be had."""
        shared = self._shared
        doorway = Doorway(shared, self._tls, lambda source: Connection(shared, source))
        self.port = await doorway.open(self.host, self.port)
        self._doorway = doorway
        shared.wake = self._wake

    async def stop(self, drain_ms: int = 0) -> None:
        """Take no new connections or requests; give what runs `drain_ms` to finish; then cut what is left."""
        doorway, self._doorway = self._doorway, None
        if doorway is None:
            return
        await doorway.close()
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
        await self._wait_empty(END_TIMEOUT_MS)
        shared.strangers.close()
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
        self._sweep_some(tuple(shared.connections))

    def _sweep_some(self, connections: tuple[OpenConnection, ...]) -> None:
        """A part of them in each turn of the loop: to end hundreds at once would hold up everybody else."""
        for connection in connections[:SWEPT_AT_ONCE]:
            connection.sweep()
        rest = connections[SWEPT_AT_ONCE:]
        if rest:
            self._timer = asyncio.get_running_loop().call_later(SWEEP_PAUSE_S, self._sweep_some, rest)
            return
        self._timer = None
        if self._shared.connections:
            self._schedule()
