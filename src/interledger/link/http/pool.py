"""The connections to one peer, over which requests go out: one request at a time on each, as many as are needed.

A burst opens as many connections as it needs, up to a bound; what waits for one waits in a bounded queue. No task,
future or timer per request: a connection keeps the id of the one request it carries, and one timer per pool looks for
late ones. A request of which an octet was written is never written again from here (HT-10).
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections import deque
from typing import TYPE_CHECKING, Final

from interledger.accounts.account import AccountId
from interledger.clock import Clock, Timestamp
from interledger.link.base import PacketHandler, RequestId
from interledger.link.http import http2
from interledger.link.http.egress import EgressPolicy
from interledger.link.http.messages import Failure
from interledger.link.http.outcomes import BUSY, CLOSED, NO_URL, UNREACHABLE, UNSENT_LATE, Outcomes
from interledger.link.http.outgoing import LOST, SWEEP_MS, OutgoingConnection, PooledConnection
from interledger.link.http.resolving import FetchError, checked_addresses
from interledger.link.http.urls import Url

if TYPE_CHECKING:
    from interledger.link.http.http2_outgoing import Http2Outgoing

__all__ = ["CONNECTIONS_MAX", "ConnectionPool"]

logger = logging.getLogger("interledger.http")

CONNECTIONS_MAX: Final = 128
"""To one peer. Twice what our benchmarks keep in flight; an eighth of what a peer like us accepts in all."""

QUEUE_MAX: Final = 1_000
"""Packets that wait for a connection. At 128 in flight and 50 ms each that is 0.4 s, less than any expiry."""

CONNECT_TIMEOUT_S: Final = 5.0
"""Name, TCP and TLS together."""

RECONNECT_DELAY_S: Final = 1.0
"""After a failed connect: packets are refused at once instead of each waiting for another failure."""


class ConnectionPool(Outcomes):
    """A link derives from this, and is told of each request what came of it, once.

    `url`: where to; without one every request fails. `egress`: where we may connect, when the url is a stranger's word;
    it is asked each time, after the name was resolved. Request ids are the link's, unique among those on their way.
    `tls`: of this pool alone, because HTTP/2 is offered in it; a peer that takes it gets one connection for everything.
    """

    def __init__(
        self,
        handler: PacketHandler,
        account: AccountId,
        *,
        clock: Clock,
        url: Url | None,
        tls: ssl.SSLContext | None,
        own_address: str,
        connections_max: int = CONNECTIONS_MAX,
        egress: EgressPolicy | None = None,
    ) -> None:
        super().__init__(handler, account, clock, own_address)
        self.tick = 0
        self._url, self._tls = url, tls
        if tls is None and url is not None and url.is_tls:
            self._tls = ssl.create_default_context()
        self._connections_max, self._egress = connections_max, egress
        self._offers_http2 = self._tls is not None and http2.is_installed()
        if self._tls is not None:
            http2.offer(self._tls)
        self._speaks_http1 = False  # the last time
        self._multiplexed: Http2Outgoing | None = None  # the connection for all requests, when the peer speaks HTTP/2
        self._connections: set[PooledConnection] = set()
        self._idle: list[OutgoingConnection] = []
        """Free connections, the last used last: a small load uses few, and the others close."""
        self._queue: deque[tuple[RequestId, Timestamp, bytes, bytes]] = deque()
        self._opening: set[asyncio.Task[None]] = set()
        self._connecting = 0
        """Connections on their way; a task of `_opening` outlives its by a turn of the loop."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._no_new_before = 0.0
        self._down = self._closed = False
        self._timer: asyncio.TimerHandle | None = None

    # Requests.

    def request(self, request_id: RequestId, expires_at: Timestamp, head: bytes, body: bytes) -> None:
        """Send a request; its answer is waited for until `expires_at` and a little longer. `head`: all of HTTP/1.1's
        up to the figure of `Content-Length`."""
        if (multiplexed := self._multiplexed) is not None and multiplexed.has_room():
            multiplexed.send(request_id, expires_at, head, body)
            return
        idle = self._idle
        while idle:
            connection = idle.pop()
            if connection.is_open():
                connection.send(request_id, expires_at, head, body)
                return
        if self._closed or self._url is None:
            self._refuse_soon(request_id, CLOSED if self._closed else NO_URL)
        elif len(self._queue) >= QUEUE_MAX:
            self._refuse_soon(request_id, BUSY)
        elif not self.ready():
            self._refuse_soon(request_id, UNREACHABLE)
        else:
            self._queue.append((request_id, expires_at, head, body))
            self._grow()

    def ready(self) -> bool:
        """Whether a request would be sent or queued."""
        if self._closed or self._url is None or len(self._queue) >= QUEUE_MAX:
            return False
        return not self._down or self._running_loop().time() >= self._no_new_before

    def is_full(self) -> bool:
        """As many packets wait as may."""
        return not self._closed and len(self._queue) >= QUEUE_MAX

    async def close_connections(self) -> None:
        """Send nothing more. Of requests on their way it is not known what becomes of them."""
        self._closed = True
        now = self.clock.now()
        self._refuse_queue(CLOSED, now)
        for connection in tuple(self._connections):
            connection.fail(LOST, now)
        for task in self._opening:
            task.cancel()
        await asyncio.gather(*self._opening, return_exceptions=True)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    @property
    def connections(self) -> int:
        """Open connections to the peer."""
        return len(self._connections)

    # What connections call.

    def connected(self, connection: OutgoingConnection) -> None:
        """A new connection can be used."""
        self._opened(connection)
        self.released(connection)
        more, self._speaks_http1 = 0 if self._speaks_http1 else len(self._queue), True
        for _ in range(more):
            self._grow()

    def speak_http2(self, transport: asyncio.Transport) -> None:
        """The peer chose HTTP/2 on a new connection."""
        # Here, because the library may not be installed; then it was not offered.
        from interledger.link.http.http2_outgoing import Http2Outgoing

        Http2Outgoing(self).take_over(transport)

    def multiplexed(self, connection: Http2Outgoing) -> None:
        """A new connection can be used, for many requests at a time: the only one, until it retires."""
        self._speaks_http1 = False
        self._opened(connection)
        self._multiplexed = connection
        self.has_room(connection)

    def has_room(self, connection: Http2Outgoing) -> None:
        """`connection` may take more requests."""
        while connection.has_room() and (request := self._take_next()) is not None:
            connection.send(*request)

    def retired(self, connection: Http2Outgoing) -> None:
        """`connection` takes no more requests, and ends when its last is answered."""
        if self._multiplexed is connection:
            self._multiplexed = None
            if self._queue:
                self._grow()

    def released(self, connection: OutgoingConnection) -> None:
        """`connection` is free: give it the next packet, or keep it."""
        if self._closed:
            connection.abort()
            return
        if (request := self._take_next()) is not None:
            connection.send(*request)
        else:
            connection.idle_since = self.tick
            self._idle.append(connection)

    def lost(self, connection: PooledConnection, useless: Exception | None = None) -> None:
        """`connection` is no more. `useless`: why the peer never said a word on it; our certificate is wrong, say."""
        self._connections.discard(connection)
        if connection is self._multiplexed:
            self._multiplexed = None
        elif isinstance(connection, OutgoingConnection) and connection in self._idle:
            self._idle.remove(connection)
        if useless is not None:
            self._not_reached(useless)
        elif self._queue:
            self._grow()

    # Inside.

    def _take_next(self) -> tuple[RequestId, Timestamp, bytes, bytes] | None:
        while self._queue:
            request = self._queue.popleft()
            if self.clock.now() <= request[1]:
                return request
            self._refuse_soon(request[0], UNSENT_LATE)
        return None

    def _opened(self, connection: PooledConnection) -> None:
        self._connecting -= 1
        self._connections.add(connection)
        if self._down:
            self._down = False
            logger.info("%s: reached again", self.account)

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        return self._loop

    def _refuse_soon(self, request_id: RequestId, failure: Failure) -> None:
        """In the next turn of the loop: no answer may overtake the question's own call."""
        self._running_loop().call_soon(lambda: self.fail(request_id, failure, self.clock.now()))

    def _refuse_queue(self, failure: Failure, now: Timestamp) -> None:
        queue, self._queue = self._queue, deque()
        for request_id, *_ in queue:
            self.fail(request_id, failure, now)

    def _grow(self) -> None:
        """Open one more connection if packets wait and no other that is being opened will take them."""
        loop = self._running_loop()
        if self._timer is None and not self._closed:
            self._timer = loop.call_later(SWEEP_MS / 1000, self._sweep)
        if (
            self._closed
            or self._connecting >= len(self._queue)
            or self._connecting + len(self._connections) >= self._connections_max
            or loop.time() < self._no_new_before
            or self._multiplexed is not None
            # One is enough to learn which version the peer speaks, and one is all that HTTP/2 needs.
            or (self._offers_http2 and not self._speaks_http1 and self._connecting)
        ):
            return
        self._connecting += 1
        task = loop.create_task(self._open())
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _open(self) -> None:
        url = self._url
        if url is None:
            return
        loop = asyncio.get_running_loop()
        connection = OutgoingConnection(self)
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                host = url.host
                if self._egress is not None:
                    host = str((await checked_addresses(url, self._egress))[0])
                await loop.create_connection(
                    lambda: connection,
                    host,
                    url.port,
                    ssl=self._tls if url.is_tls else None,
                    server_hostname=url.host if url.is_tls else None,
                )
        except (OSError, TimeoutError, UnicodeError, FetchError) as error:
            if not connection.is_open():
                self._connecting -= 1
                self._not_reached(error)

    def _not_reached(self, error: Exception) -> None:
        self._no_new_before = self._running_loop().time() + RECONNECT_DELAY_S
        # Others may succeed, and open connections still serve the queue.
        if self._connecting or self._connections or self._closed:
            return
        now = self.clock.now()
        if not self._down:
            self._down = True
            logger.warning("%s: cannot be reached: %s", self.account, error or type(error).__name__)
            self.handler.link_lost(self.account, now)
        self._refuse_queue(UNREACHABLE, now)

    def _sweep(self) -> None:
        """The one timer of the link: packets past their expiry, connections that nobody uses."""
        self._timer = None
        self.tick += 1
        now = self.clock.now()
        for connection in tuple(self._connections):
            connection.sweep(now, self.tick)
        late = [entry for entry in self._queue if now > entry[1]]
        if late:
            self._queue = deque(entry for entry in self._queue if now <= entry[1])
            for request_id, *_ in late:
                self.fail(request_id, UNSENT_LATE, now)
        if self._connections or self._queue:
            self._grow()
