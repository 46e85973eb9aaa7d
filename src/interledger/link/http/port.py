"""What all connections of one port share: what it puts up with, where requests go, and what is counted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sized
from dataclasses import dataclass
from email.utils import formatdate
from typing import Protocol, final

from interledger.clock import Clock
from interledger.link.attempts import Attempts
from interledger.link.http.asgi import AsgiApp
from interledger.link.http.heads import REQUEST_BODY_MAX
from interledger.link.http.messages import CONTENT_TYPE
from interledger.link.http.protocol import HttpIlpServer

__all__ = ["Limits", "OpenConnection", "Port", "Upgrade"]

Upgrade = Callable[[asyncio.Transport, bytes, bytes, str], asyncio.BaseProtocol | None]
"""`upgrade(transport, request_octets, trailing, path)`: takes a WebSocket request over. It gets all octets read so far,
writes its own answer, and returns the protocol for what comes next, or None, with nothing written, for a 404."""


class OpenConnection(Protocol):
    """What the port asks of a connection, whatever version of HTTP it speaks."""

    @property
    def exchanges(self) -> Sized:
        """Requests that are not answered yet."""
        ...

    transport: asyncio.Transport | None
    since: int
    """The port's tick of what the next deadline counts from."""
    kept: bool
    """Not to be cut off for another: a packet was answered on it, or it is ending."""

    def finish(self) -> None:
        """Write what is there and close."""
        ...

    def sweep(self) -> None:
        """Once per `sweep_ms`: end what takes too long."""
        ...


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
    ) -> None:
        self.ilp = ilp
        self.upgrade = upgrade
        self.app = app
        self.clock = clock
        self.limits = limits
        self.is_tls = is_tls
        self.attempts = Attempts() if attempts is None else attempts
        self.connections: dict[OpenConnection, None] = {}
        """In the order in which they came."""
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
        self.packet_fields: list[tuple[bytes, bytes]] = []
        """The head of an answer that is a packet, in HTTP/2, up to its length."""
        self.new_date()

    def new_date(self) -> None:
        """Called by every sweep: no packet formats a date (RFC 9110 6.6.1 asks for one in every answer)."""
        date = formatdate(self.clock.now() / 1000, usegmt=True).encode("ascii")
        self.date = b"Date: %b\r\n" % date
        self.date_field = (b"date", date)
        self.packet_fields = [(b":status", b"200"), (b"content-type", CONTENT_TYPE), self.date_field]
        self.packet_head = b"HTTP/1.1 200 OK\r\n%bContent-Type: %b\r\n" % (self.date, CONTENT_TYPE)

    def enter(self, connection: OpenConnection) -> None:
        """It is open from now on, and swept."""
        self.connections[connection] = None
        self.wake()

    def make_room(self) -> bool:
        """Cut the connection off that is idle for longest and no peer's. False: there is none.

        Whoever opens sockets and says nothing must not keep those out who have packets to send.
        """
        strangers = [c for c in self.connections if not c.kept and not c.exchanges]
        if not strangers:
            return False
        longest = min(strangers, key=lambda connection: connection.since)
        del self.connections[longest]
        if longest.transport is not None:
            longest.transport.abort()
        return True

    def ticks(self, ms: int) -> int:
        """How many sweeps `ms` are, rounded up."""
        return -(-ms // self.limits.sweep_ms)
