"""One request's place in its connection's queue of answers: a packet's, or one for the application."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol, final

from interledger.clock import Timestamp
from interledger.link.attempts import CUT, Attempts
from interledger.link.http.asgi import NO_BODY, AsgiApp, AsgiRequest, Head
from interledger.link.http.heads import Request
from interledger.link.http.interfaces import Respond
from interledger.link.http.messages import encode_response, status_line
from interledger.link.http.protocol import HttpIlpServer

if TYPE_CHECKING:
    from interledger.link.http.connection import Connection

__all__ = ["AsgiExchange", "Exchange", "Fallible", "PacketExchange", "receive_packet"]

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
        if not connection.kept:
            connection.keep()
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
        connection.refused(status)
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
        if not connection.kept:
            connection.keep()
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
        transport, port, source = connection.transport, connection.port, connection.source
        delay_ms = port.attempts.wrong(source, port.clock.now())
        if delay_ms == 0:
            return self.refuse(401, text)
        self.closes = True
        if delay_ms == CUT:
            port.standing.cut_off(source, port.clock.now())
            transport.abort()
            return False
        connection.pause()
        connection.loop.call_later(delay_ms / 1000, self._deny_now, text, port.attempts, source)
        return True

    def in_turn(self) -> None:
        """For a while the connection is read like a stranger's."""
        if self._connection is not None:
            self._connection.read_in_turn()

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


@final
class AsgiExchange(AsgiRequest):
    """A request of HTTP/1.1, in its connection's queue of answers."""

    def __init__(self, connection: Connection, request: Request, app: AsgiApp) -> None:
        super().__init__(connection, request, app)
        self.octets: bytes | None = None
        self.closes = not request.keep_alive
        self._connection = connection
        self._chunked = False

    def start(self) -> None:
        """Not before the client has read most of the answer in front of this one."""
        if self._connection.writable.is_set():
            super().start()

    def write(self, head: Head | None, body: bytes, more: bool) -> None:
        octets = b"" if head is None else self._encode(head)
        if self._chunked and not self.without_body:
            octets += b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            if not more:
                octets += b"0\r\n\r\n"
        else:
            octets += body
        if octets:
            self._connection.write(octets)
        if not more:
            self._connection.streamed(self)

    async def drain(self) -> None:
        if not self._connection.writable.is_set():
            await self._connection.writable.wait()

    def fail(self) -> None:
        connection = self._connection
        if self.begun:
            if connection.transport is not None:
                connection.transport.abort()
            return
        self.closes = True
        connection.write(
            encode_response(500, "this node failed to handle the request", date=connection.port.date, close=True)
        )
        connection.streamed(self)

    def _encode(self, head: Head) -> bytes:
        """Status line and headers."""
        lines = [name + b": " + value + b"\r\n" for name, value in head.fields]
        if head.wants_close or self._connection.port.draining:
            self.closes = True
        if head.length is not None:
            if head.status not in NO_BODY:
                lines.append(b"Content-Length: %d\r\n" % head.length)
        elif head.says_length:
            pass
        elif self.request.version == "1.1":
            self._chunked = True
            if not self.without_body:
                lines.append(b"Transfer-Encoding: chunked\r\n")
        else:
            self.closes = True
        if self.closes:
            lines.append(b"Connection: close\r\n")
        elif self.request.version == "1.0":
            lines.append(b"Connection: keep-alive\r\n")
        return b"".join((status_line(head.status), self._connection.port.date, *lines, b"\r\n"))


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
