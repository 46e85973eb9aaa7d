"""Runs an ASGI 3 application for one request: the API, the pages and SPSP. One task per request, none for packets.

The application starts when the whole body is there (it is small: see `REQUEST_BODY_MAX`) and when its request is first
in line, so that answers keep their order. Octets go out as the application sends them. We say `spec_version` 2.3: with
it, applications watch `receive()` for the client's leaving, which ends a stream of events that has nothing to send.
"""

from __future__ import annotations

import logging
import re
from asyncio import Event, get_running_loop
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import TYPE_CHECKING, Any, Final, final
from urllib.parse import unquote_to_bytes

from interledger.errors import LocalProtocolError
from interledger.link.http.messages import encode_response, status_line
from interledger.link.http.requests import Request

if TYPE_CHECKING:
    from interledger.link.http.connection import Connection

__all__ = ["AsgiApp", "AsgiExchange"]

logger = logging.getLogger("interledger.http")

Message = MutableMapping[str, Any]
AsgiApp = Callable[
    [MutableMapping[str, Any], Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]

_CONTROL: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_OURS: Final = frozenset({b"transfer-encoding", b"connection", b"date"})
"""Headers that belong to the connection, not to the application."""

NO_BODY: Final = frozenset({204, 304})


@final
class AsgiExchange:
    """One request and its answer."""

    def __init__(self, connection: Connection, request: Request, app: AsgiApp) -> None:
        self.octets: bytes | None = None
        self.closes = not request.keep_alive
        self._connection: Connection | None = connection
        self._request = request
        self._app = app
        self._over = Event()
        """The answer is complete, or the client is gone."""
        self._body_given = False
        self._start: Message | None = None
        """The `http.response.start` that is not written yet."""
        self._begun = False
        self._chunked = False
        self._without_body = request.method == b"HEAD"
        self._left: int | None = None
        """Octets of the body still owed by the Content-Length that was sent."""

    def start(self) -> None:
        connection = self._connection
        if connection is None:
            return
        task = get_running_loop().create_task(self._run(connection))
        connection.port.tasks.add(task)
        task.add_done_callback(connection.port.tasks.discard)

    def gone(self) -> None:
        self._connection = None
        self._over.set()

    async def _run(self, connection: Connection) -> None:
        try:
            await self._app(self._scope(connection), self._receive, self._send)
        except Exception:
            if self._connection is None:
                logger.debug("a request ended after its client had left", exc_info=True)
            else:
                logger.exception("the application failed")
        if self._connection is not None and not self._over.is_set():
            self._fail(self._connection)

    def _scope(self, connection: Connection) -> dict[str, Any]:
        request = self._request
        path, _, query = request.target.partition(b"?")
        transport = connection.transport
        server = transport.get_extra_info("sockname") if transport is not None else None
        client = transport.get_extra_info("peername") if transport is not None else None
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": request.version,
            "method": request.method.decode("ascii"),
            "scheme": "https" if connection.port.is_tls else "http",
            "path": unquote_to_bytes(path).decode("utf-8", "replace"),
            "raw_path": path,
            "query_string": query,
            "root_path": "",
            "headers": request.headers,
            "server": server[:2] if isinstance(server, tuple) else None,
            "client": client[:2] if isinstance(client, tuple) else None,
        }

    async def _receive(self) -> Message:
        if not self._body_given:
            self._body_given = True
            return {"type": "http.request", "body": self._request.body, "more_body": False}
        await self._over.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        connection = self._connection
        if connection is None:
            return
        if message["type"] == "http.response.start":
            if self._start is not None or self._begun:
                raise LocalProtocolError("the application started its answer twice")
            self._start = message
        elif message["type"] == "http.response.body":
            self._send_body(connection, bytes(message.get("body", b"")), bool(message.get("more_body", False)))
            if not connection.writable.is_set():
                await connection.writable.wait()
        else:
            raise LocalProtocolError(f"the application sent {message['type']}, which is no part of an answer")

    def _send_body(self, connection: Connection, body: bytes, more: bool) -> None:
        if self._over.is_set():
            raise LocalProtocolError("the application sent more behind the end of its answer")
        head = b""
        if not self._begun:
            if self._start is None:
                raise LocalProtocolError("the application sent a body before its status")
            head = self._head(connection, self._start, None if more else len(body))
        if self._without_body:
            body = b""
        elif self._left is not None:
            self._left -= len(body)
            if self._left < 0 or (self._left and not more):
                raise LocalProtocolError("the application's answer has another length than it said")
        elif self._chunked:
            body = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            if not more:
                body += b"0\r\n\r\n"
        self._begun = True
        if head or body:
            connection.write(head + body)
        if not more:
            self._over.set()
            connection.streamed(self)

    def _head(self, connection: Connection, start: Message, length: int | None) -> bytes:
        """Status line and headers. `length`: of the whole body, when it is known."""
        status = int(start["status"])
        if status in NO_BODY or 100 <= status < 200:
            self._without_body = True
        lines, said = _header_lines(start.get("headers", ()))
        if b"connection" in said and b"close" in said[b"connection"].lower():
            self.closes = True
        if b"content-length" in said:
            self._left = int(said[b"content-length"])
        elif length is not None:
            self._left = length
            if status not in NO_BODY:
                lines.append(b"Content-Length: %d\r\n" % length)
        elif self._request.version == "1.1":
            self._chunked = True
            if not self._without_body:
                lines.append(b"Transfer-Encoding: chunked\r\n")
        else:
            self.closes = True
        if connection.port.draining:
            self.closes = True
        if self.closes:
            lines.append(b"Connection: close\r\n")
        elif self._request.version == "1.0":
            lines.append(b"Connection: keep-alive\r\n")
        return b"".join((status_line(status), connection.port.date, *lines, b"\r\n"))

    def _fail(self, connection: Connection) -> None:
        """The application gave no whole answer: 500 when nothing was written yet, else cut the connection."""
        self._over.set()
        if self._begun:
            if connection.transport is not None:
                connection.transport.abort()
            return
        self.closes = True
        connection.write(
            encode_response(500, "this node failed to handle the request", date=connection.port.date, close=True)
        )
        connection.streamed(self)


def _header_lines(headers: Iterable[tuple[bytes, bytes]]) -> tuple[list[bytes], dict[bytes, bytes]]:
    """The application's headers as lines, without those of the connection; and all of them by name."""
    lines: list[bytes] = []
    said: dict[bytes, bytes] = {}
    for raw_name, raw_value in headers:
        name, value = bytes(raw_name), bytes(raw_value)
        if _CONTROL.search(name) or _CONTROL.search(value) or not name or b":" in name or b" " in name:
            raise LocalProtocolError("the application set a header that would break the answer")
        lower = name.lower()
        said[lower] = value
        if lower not in _OURS:
            lines.append(name + b": " + value + b"\r\n")
    length = said.get(b"content-length")
    if length is not None and not (length.isdigit() and len(length) < 19):
        raise LocalProtocolError("the application set a Content-Length that is no number")
    return lines, said
