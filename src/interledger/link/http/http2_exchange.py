"""One stream of HTTP/2: a request on its way in, and its answer on its way out.

`StreamExchange` is what the ILP server gets as `Respond`; `AsgiStream` runs the application for one. Answers of streams
need no order, so each is handed to the library at once, and all of a turn of the loop leave in one write.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, final

import ngh2

from interledger.link.attempts import CUT, Attempts
from interledger.link.http.asgi import AsgiApp, AsgiRequest, Head
from interledger.link.http.heads import Request
from interledger.link.http.http2_requests import Fields
from interledger.link.http.messages import problem_body

if TYPE_CHECKING:
    from interledger.link.http.http2_connection import Http2Connection
    from interledger.link.http.protocol import IncomingSide

__all__ = ["AsgiStream", "StreamExchange"]


@final
class StreamExchange:
    """A request and its answer. `known`: who gets its body, when its head was accepted before."""

    __slots__ = (
        "_connection",
        "answered",
        "app",
        "complete",
        "fields",
        "known",
        "octets",
        "parts",
        "request",
        "since",
        "stream_id",
    )

    def __init__(
        self,
        connection: Http2Connection,
        stream_id: int,
        fields: Fields,
        known: IncomingSide | None,
    ) -> None:
        self._connection: Http2Connection | None = connection
        self.stream_id = stream_id
        self.fields = fields
        self.known = known
        self.request: Request | None = None
        self.parts: list[bytes] | None = None
        """Of a body that comes in pieces, and how long they are together."""
        self.octets = 0
        self.complete = False
        """The whole request is here."""
        self.answered = False
        """The whole answer is with the library; it may not have left yet."""
        self.app: AsgiStream | None = None
        self.since = connection.port.tick
        """The tick of the last progress."""

    def packet(self, octets: bytes) -> bool:
        """Answer with an ILP packet. False: the client has gone."""
        connection = self._connection
        if connection is None or self.answered:
            return False
        if not connection.kept:
            connection.keep()
        self.answered = True
        port, session, stream_id = connection.port, connection.session, self.stream_id
        self.since = port.tick
        try:
            session.send_response(stream_id, port.packet_fields(len(octets)))
            session.send_data(stream_id, octets, end_stream=True)
        except ngh2.NGH2Error:
            return False  # reset in the same read that brought the request
        connection.wake()
        return True

    def refuse(self, status: int, text: str) -> bool:
        """Answer with another status and a line for a person. False: the client has gone."""
        connection = self._connection
        if connection is None or self.answered:
            return False
        connection.refused(status)
        body = problem_body(status, text)
        fields = [
            (b":status", b"%d" % status),
            (b"content-type", b"application/problem+json"),
            connection.port.date_field,
        ]
        if status == 401:
            # RFC 9110 15.5.2: a 401 names the scheme that would do.
            fields.append((b"www-authenticate", b"Bearer"))
        if not self.complete or (self.request is not None and self.request.method == b"HEAD"):
            body = b""  # an answer to half a request is its status alone: the stream is reset behind it
        else:
            fields.append((b"content-length", b"%d" % len(body)))
        return self._answer(connection, fields, body)

    def acknowledge(self, status: int) -> bool:
        """Answer with a status that says all, without a body. False: the client has gone."""
        connection = self._connection
        if connection is None or self.answered:
            return False
        if not connection.kept:
            connection.keep()
        return self._answer(
            connection, [(b":status", b"%d" % status), connection.port.date_field, (b"content-length", b"0")], b""
        )

    def deny(self, text: str) -> bool:
        """Answer 401, now or after the delay that a source of wrong tokens has to wait. False: the client has gone."""
        connection = self._connection
        if connection is None or connection.transport is None:
            return False
        port, source = connection.port, connection.source
        delay_ms = port.attempts.wrong(source, port.clock.now())
        if delay_ms == 0:
            return self.refuse(401, text)
        if delay_ms == CUT:
            port.standing.cut_off(source, port.clock.now())
            connection.cut()
            return False
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
        """Our own fault: answer 500 if nothing was answered yet."""
        self.refuse(500, "this node failed to handle the request")

    def gone(self) -> None:
        """The stream is no more: what is answered from now on is lost."""
        self._connection = None
        if self.app is not None:
            self.app.gone()

    def _answer(self, connection: Http2Connection, fields: Sequence[tuple[bytes, bytes]], body: bytes) -> bool:
        self.answered = True
        self.since = connection.port.tick
        session = connection.session
        try:
            session.send_response(self.stream_id, fields, end_stream=not body)
            if body:
                session.send_data(self.stream_id, body, end_stream=True)
            if not self.complete:
                connection.given_up.append(self.stream_id)
        except ngh2.NGH2Error:
            return False  # reset in the same read that brought the request
        connection.wake()
        return True


@final
class AsgiStream(AsgiRequest):
    """A request of HTTP/2 for the application."""

    def __init__(
        self,
        connection: Http2Connection,
        exchange: StreamExchange,
        request: Request,
        app: AsgiApp,
    ) -> None:
        super().__init__(connection, request, app)
        self._connection = connection
        self._exchange = exchange

    def write(self, head: Head | None, body: bytes, more: bool) -> None:
        connection, exchange = self._connection, self._exchange
        session, stream_id = connection.session, exchange.stream_id
        exchange.since = connection.port.tick
        exchange.answered = not more
        try:
            if head is not None:
                session.send_response(stream_id, self._fields(head), end_stream=not more and not body)
            if body or (head is None and not more):
                session.send_data(stream_id, body, end_stream=not more)
        except ngh2.NGH2Error:
            exchange.gone()
        connection.wake()

    async def drain(self) -> None:
        await self._connection.drain(self._exchange)

    def fail(self) -> None:
        if self.begun:
            self._connection.reset(self._exchange)
        else:
            self._exchange.fail()

    def _fields(self, head: Head) -> list[tuple[bytes, bytes]]:
        fields = [(b":status", b"%d" % head.status), self._connection.port.date_field]
        fields += [(name.lower(), value) for name, value in head.fields]
        if head.length is not None and head.status not in (204, 304):
            fields.append((b"content-length", b"%d" % head.length))
        return fields
