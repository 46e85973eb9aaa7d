"""One Prepare's place in its connection's queue of answers."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol, final

from interledger.clock import Timestamp
from interledger.link.attempts import CUT, Attempts
from interledger.link.http.heads import Request
from interledger.link.http.interfaces import Respond
from interledger.link.http.messages import encode_response, status_line
from interledger.link.http.protocol import HttpIlpServer
from interledger.link.throttle import source_of

if TYPE_CHECKING:
    from interledger.link.http.connection import Connection

__all__ = ["Exchange", "Fallible", "PacketExchange", "receive_packet"]

logger = logging.getLogger("interledger.http")


class Fallible(Respond, Protocol):
    """An answer that may turn out to be our own fault."""

    def fail(self) -> None:
        """Answer 500."""


class Exchange(Protocol):
    """A request that is not answered yet. `octets`: the whole answer once it is there, where it is kept whole."""

    octets: bytes | None
    closes: bool

    def start(self) -> None:
        """It is first in line now."""

    def gone(self) -> None:
        """The client left."""


@final
class PacketExchange:
    """Given to the ILP server as `Respond`; `octets` is the whole answer once it is there."""

    __slots__ = ("_connection", "closes", "octets")

    def __init__(self, connection: Connection, keep_alive: bool) -> None:
        self._connection: Connection | None = connection
        self.closes = not keep_alive
        self.octets: bytes | None = None

    def packet(self, octets: bytes) -> bool:
        """Answer with an ILP packet. False: the client has gone."""
        connection = self._connection
        if connection is None:
            return False
        self._connection = None
        connection.kept = True
        self.octets = b"%b%bContent-Length: %d\r\n\r\n%b" % (
            connection.port.packet_head,
            b"Connection: close\r\n" if self.closes else b"",
            len(octets),
            octets,
        )
        connection.answered(self)
        return True

    def refuse(self, status: int, text: str) -> bool:
        """Answer with another status and a line for a person. False: the client has gone."""
        connection = self._connection
        if connection is None:
            return False
        self._connection = None
        # RFC 9110 15.5.2: a 401 names the scheme that would do.
        challenge = b"WWW-Authenticate: Bearer\r\n" if status == 401 else b""
        self.octets = encode_response(status, text, date=connection.port.date + challenge, close=self.closes)
        connection.answered(self)
        return True

    def acknowledge(self, status: int) -> bool:
        """Answer with a status that says all, without a body. False: the client has gone."""
        connection = self._connection
        if connection is None:
            return False
        self._connection = None
        self.octets = b"%b%b%bContent-Length: 0\r\n\r\n" % (
            status_line(status),
            connection.port.date,
            b"Connection: close\r\n" if self.closes else b"",
        )
        connection.answered(self)
        return True

    def deny(self, text: str) -> bool:
        """Answer 401, now or after the delay that a source of wrong tokens has to wait. False: the client has gone."""
        connection = self._connection
        if connection is None or connection.transport is None:
            return False
        transport, port = connection.transport, connection.port
        source = source_of(transport.get_extra_info("peername"))
        delay_ms = port.attempts.wrong(source, port.clock.now())
        if delay_ms == 0:
            return self.refuse(401, text)
        self.closes = True
        if delay_ms == CUT:
            transport.abort()
            return False
        transport.pause_reading()
        connection.loop.call_later(delay_ms / 1000, self._deny_now, text, port.attempts, source)
        return True

    def _deny_now(self, text: str, attempts: Attempts, source: str) -> None:
        attempts.done(source)
        self.refuse(401, text)

    def fail(self) -> None:
        """Our own fault: answer 500 if nothing was answered yet, and end the connection."""
        self.closes = True
        self.refuse(500, "this node failed to handle the request")

    def start(self) -> None:
        """Nothing to start: it runs already."""

    def gone(self) -> None:
        """The client left: what is answered from now on is lost."""
        self._connection = None


def receive_packet(
    ilp: HttpIlpServer,
    path: bytes,
    request: Request,
    now: Timestamp,
    exchange: Fallible,
    head: bytes | tuple[tuple[bytes, bytes], ...],
    certificate: bytes | None,
) -> None:
    """A POST for ILP, whatever version of HTTP it came by. A fault of ours ends this one and no other."""
    fields = request.fields
    try:
        authorization, content_type = fields.get(b"authorization"), fields.get(b"content-type")
        ilp.handle(path, authorization, content_type, request.body, now, exchange, head, fields, certificate)
    except Exception:
        logger.exception("a packet could not be handled")
        exchange.fail()
