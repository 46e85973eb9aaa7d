"""What all connections of one port share: what it puts up with, where requests go, and what is counted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from typing import TYPE_CHECKING, Final, final

from interledger.clock import Clock, Timestamp
from interledger.link.attempts import Attempts
from interledger.link.http.asgi import AsgiApp
from interledger.link.http.heads import REQUEST_BODY_MAX
from interledger.link.http.messages import CONTENT_TYPE
from interledger.link.http.protocol import HttpIlpServer, IncomingSide
from interledger.link.http.strangers import Strangers
from interledger.link.standing import Standing

if TYPE_CHECKING:
    from interledger.link.http.open_connection import OpenConnection

__all__ = ["STRANGERS_PER_SOURCE", "Limits", "Port", "Upgrade"]

STRANGERS_PER_SOURCE: Final = 256
"""Connections of one source that have brought no packet: the oldest idle one makes room. A peer's pool has 128."""

_NO_HEADS: Final[Mapping[Hashable, tuple[IncomingSide, int, Timestamp]]] = {}

Upgrade = Callable[[asyncio.Transport, bytes, bytes, str], asyncio.BaseProtocol | None]
"""`upgrade(transport, request_octets, trailing, path)`: takes a WebSocket request over. It gets all octets read so far,
writes its own answer, and returns the protocol for what comes next, or None, with nothing written, for a 404."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one port puts up with. Times in ms."""

    connections_max: int = 1_000
    """Sockets: the usual limit of open files is 1,024, and the store and our own links need some. Above: 503."""
    body_max: int = REQUEST_BODY_MAX
    """Octets of a request's body. Above: 413, before anything is buffered where the length is announced."""
    request_timeout_ms: int = 10_000
    """From a request's first octet to its last; a Prepare arrives in one read. Above: 408."""
    idle_timeout_ms: int = 75_000
    """A connection kept alive without a request: longer than the pools of the peers keep theirs."""
    write_timeout_ms: int = 30_000
    """A client that does not read what it asked for is cut off."""
    linger_ms: int = 2_000
    """After a refusal we still read and drop, so that the client sees the answer before the connection ends."""
    sweep_ms: int = 1_000
    """How often deadlines are looked at: all times above are kept to within this."""


@final
class Port:
    """What all connections of one port share."""

    def __init__(
        self,
        *,
        ilp: HttpIlpServer | None,
        upgrade: Upgrade | None,
        app: AsgiApp | None,
        clock: Clock,
        limits: Limits,
        is_tls: bool,
        attempts: Attempts | None = None,
        standing: Standing | None = None,
    ) -> None:
        self.ilp = ilp
        self.upgrade = upgrade
        self.app = app
        self.clock = clock
        self.limits = limits
        self.is_tls = is_tls
        self.attempts = Attempts() if attempts is None else attempts
        self.standing = Standing() if standing is None else standing
        self.strangers = Strangers(lambda source: self.standing.is_good(source, clock.now()))
        self.connections: dict[OpenConnection, None] = {}
        """In the order in which they came."""
        self._strangers: dict[str, dict[OpenConnection, None]] = {}
        """Those that have brought no packet, by source, in the same order."""
        self.wake: Callable[[], None] = lambda: None
        """Called for the first connection: sweeps are made while there are any, and not while the port is idle."""
        self.tasks: set[asyncio.Task[None]] = set()
        self.draining = False
        self.tick = 0
        """Sweeps so far: the clock of all deadlines here."""
        self.empty = asyncio.Event()
        self.requests = 0
        self.refusals = 0
        self.buffered = 0
        """Octets of requests of HTTP/2 that are not complete."""
        self.date = b""
        self.packet_head = b""
        self.date_field = (b"date", b"")
        self._packet_fields: dict[int, tuple[tuple[bytes, bytes], ...]] = {}
        self.new_date()

    def new_date(self) -> None:
        """Called by every sweep: no packet formats a date (RFC 9110 6.6.1 asks for one in every answer)."""
        date = formatdate(self.clock.now() / 1000, usegmt=True).encode("ascii")
        self.date = b"Date: %b\r\n" % date
        self.date_field = (b"date", date)
        self._packet_fields.clear()
        self.packet_head = b"HTTP/1.1 200 OK\r\n%bContent-Type: %b\r\n" % (self.date, CONTENT_TYPE)

    def known_heads(self) -> Mapping[Hashable, tuple[IncomingSide, int, Timestamp]]:
        """Heads that need not be read again (`HttpIlpServer.accepted_heads`), while packets are taken."""
        ilp = self.ilp
        return _NO_HEADS if ilp is None or ilp.draining or self.draining else ilp.accepted_heads

    def packet_fields(self, length: int) -> tuple[tuple[bytes, bytes], ...]:
        """The head of an answer that is a packet of so many octets, in HTTP/2."""
        fields = self._packet_fields.get(length)
        if fields is None:
            common = ((b":status", b"200"), (b"content-type", CONTENT_TYPE), self.date_field)
            fields = self._packet_fields[length] = (*common, (b"content-length", b"%d" % length))
        return fields

    def enter(self, connection: OpenConnection) -> None:
        """It is open from now on, a stranger's, and swept. Makes room where its source has too many."""
        others = self._strangers.setdefault(connection.source, {})
        if len(others) >= STRANGERS_PER_SOURCE:
            self._cut_oldest(others)
        others[connection] = None
        self.connections[connection] = None
        self.wake()

    def leave(self, connection: OpenConnection) -> None:
        """It is closed, or not ours any more."""
        if connection in self.connections:
            del self.connections[connection]
            self.no_stranger(connection)
        if not self.connections:
            self.empty.set()

    def make_room(self) -> bool:
        """Cut the oldest connection off that is idle and no peer's, of the source that has the most of them.

        False: there is none. Whoever opens sockets and says nothing must not keep those out who have packets to send.
        """
        most = max(self._strangers.values(), key=len, default=None)
        return most is not None and self._cut_oldest(most)

    def _cut_oldest(self, connections: dict[OpenConnection, None]) -> bool:
        oldest = next((c for c in connections if not c.exchanges), None)
        if oldest is None:
            return False
        transport = oldest.transport
        self.leave(oldest)
        if transport is not None:
            transport.abort()
        return True

    def no_stranger(self, connection: OpenConnection) -> None:
        """It is not cut off to make room: a peer's, or ending already."""
        others = self._strangers.get(connection.source)
        if others is not None and connection in others:
            del others[connection]
            if not others:
                del self._strangers[connection.source]

    def ticks(self, ms: int) -> int:
        """How many sweeps `ms` are, rounded up."""
        return -(-ms // self.limits.sweep_ms)
