"""Runs an ASGI 3 application for one request: the API, the pages and SPSP. One task per request, none for packets.

The application starts when the whole body is there (it is small: see `REQUEST_BODY_MAX`) and, in HTTP/1.1, when its
request is first in line, so that answers keep their order. Octets go out as the application sends them. We say
`spec_version` 2.3: with it, applications watch `receive()` for the client's leaving, which ends a stream of events that
has nothing to send.
"""

from __future__ import annotations

import logging
import re
from asyncio import Event, get_running_loop, timeout
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import unquote_to_bytes

from interledger.errors import LocalProtocolError
from interledger.link.attempts import CUT
from interledger.link.http.heads import Request
from interledger.link.http.strangers import APPLICATION_US

if TYPE_CHECKING:
    from interledger.link.http.open_connection import OpenConnection
    from interledger.link.http.port import Port

__all__ = ["NO_BODY", "AsgiApp", "AsgiRequest", "Head"]

logger = logging.getLogger("interledger.http")

Message = MutableMapping[str, Any]
AsgiApp = Callable[
    [MutableMapping[str, Any], Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]

_CONTROL: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_OURS: Final = frozenset({b"transfer-encoding", b"connection", b"date"})
"""Headers that belong to the connection, not to the application."""

NO_BODY: Final = frozenset({204, 304})
"""Statuses whose answers have none."""


class Head(NamedTuple):
    """The beginning of an application's answer. `fields`: its headers, without those of the connection."""

    status: int
    fields: list[tuple[bytes, bytes]]
    length: int | None
    """Of the body, where it is known and the application did not say it."""
    says_length: bool
    """`fields` have a Content-Length."""
    wants_close: bool
    """The application wants the connection to end behind its answer."""


class AsgiRequest:
    """One request and its application. How the answer is written is the business of each version of HTTP."""

    def __init__(self, connection: OpenConnection, request: Request, app: AsgiApp) -> None:
        self.request = request
        self.without_body = request.method == b"HEAD"
        self.begun = False
        """A part of the answer was written."""
        self._port: Port | None = connection.port
        """None: the client left."""
        self._opened = connection
        self._transport = connection.transport
        self._app = app
        self._over = Event()
        """The answer is complete, or the client is gone."""
        self._started = False
        self._body_given = False
        self._start: Message | None = None
        """The `http.response.start` that is not written yet."""
        self._left: int | None = None
        """Octets of the body still owed by the Content-Length that was sent."""

    def start(self) -> None:
        """Run the application, once."""
        port = self._port
        if port is None or self._started:
            return
        self._started = True
        if self._opened.kept:
            self._begin()
        else:
            port.strangers.run(self._opened.source, self._begin, APPLICATION_US)

    def _begin(self) -> None:
        port = self._port
        if port is None:
            return
        task = get_running_loop().create_task(self._run(port))
        port.tasks.add(task)
        task.add_done_callback(port.tasks.discard)

    def gone(self) -> None:
        """The client left."""
        self._port = None
        self._over.set()

    # What versions of HTTP differ in.

    def write(self, head: Head | None, body: bytes, more: bool) -> None:
        """A part of the answer; `head` with the first."""
        raise NotImplementedError

    async def drain(self) -> None:
        """Wait while the client does not read."""
        raise NotImplementedError

    def fail(self) -> None:
        """The application gave no whole answer: 500 when nothing was written yet, else cut it off."""
        raise NotImplementedError

    # Inside.

    async def _run(self, port: Port) -> None:
        if self._over.is_set():
            return  # the client left in the same read: nobody pays for what nobody waits for
        try:
            await self._app(self._scope(port), self._receive, self._send)
        except Exception:
            if self._port is None:
                logger.debug("a request ended after its client had left", exc_info=True)
            else:
                logger.exception("the application failed")
        if self._port is not None and not self._over.is_set():
            self._over.set()
            self.fail()

    def _scope(self, port: Port) -> dict[str, Any]:
        request = self.request
        path, _, query = request.target.partition(b"?")
        transport = self._transport
        server = None if transport is None else transport.get_extra_info("sockname")
        client = None if transport is None else transport.get_extra_info("peername")
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": request.version,
            "method": request.method.decode("ascii"),
            "scheme": "https" if port.is_tls else "http",
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
            return {"type": "http.request", "body": self.request.body, "more_body": False}
        await self._over.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        port = self._port
        if port is None:
            return
        if message["type"] == "http.response.start":
            if self._start is not None or self.begun:
                raise LocalProtocolError("the application started its answer twice")
            self._start = message
            if message["status"] == HTTPStatus.UNAUTHORIZED and b"authorization" in self.request.fields:
                await self._hold_back(port)
        elif message["type"] == "http.response.body":
            self._send_body(bytes(message.get("body", b"")), bool(message.get("more_body", False)))
            await self.drain()
        else:
            raise LocalProtocolError(f"the application sent {message['type']}, which is no part of an answer")

    async def _hold_back(self, port: Port) -> None:
        """A wrong token: its answer waits as long as `link.attempts` says, or ends the connection."""
        source = self._opened.source
        delay_ms = port.attempts.wrong(source, port.clock.now())
        if delay_ms == CUT and self._transport is not None:
            port.standing.cut_off(source, port.clock.now())
            self._transport.abort()
        elif delay_ms > 0:
            try:
                # The client may leave earlier; then there is nothing to wait for.
                async with timeout(delay_ms / 1000):
                    await self._over.wait()
            except TimeoutError:
                pass
            finally:
                port.attempts.done(source)

    def _send_body(self, body: bytes, more: bool) -> None:
        if self._over.is_set():
            raise LocalProtocolError("the application sent more behind the end of its answer")
        head = None
        if not self.begun:
            if self._start is None:
                raise LocalProtocolError("the application sent a body before its status")
            head = self._head(self._start, None if more else len(body))
        if self.without_body:
            body = b""
        elif self._left is not None:
            self._left -= len(body)
            if self._left < 0 or (self._left and not more):
                raise LocalProtocolError("the application's answer has another length than it said")
        if head is not None:
            self._opened.served |= head.status < HTTPStatus.BAD_REQUEST
        self.begun = True
        if not more:
            self._over.set()
        self.write(head, body, more)

    def _head(self, start: Message, length: int | None) -> Head:
        """Status and headers. `length`: of the whole body, when it is known."""
        status = int(start["status"])
        if status in NO_BODY or 100 <= status < 200:
            self.without_body = True
        fields, said = _checked_headers(start.get("headers", ()))
        wants_close = b"close" in said.get(b"connection", b"").lower()
        if b"content-length" in said:
            self._left = int(said[b"content-length"])
            return Head(status, fields, None, True, wants_close)
        self._left = length
        return Head(status, fields, length, False, wants_close)


def _checked_headers(
    headers: Iterable[tuple[bytes, bytes]],
) -> tuple[list[tuple[bytes, bytes]], dict[bytes, bytes]]:
    """The application's headers without those of the connection; and all of them by name in lower case."""
    fields: list[tuple[bytes, bytes]] = []
    said: dict[bytes, bytes] = {}
    for raw_name, raw_value in headers:
        name, value = bytes(raw_name), bytes(raw_value)
        if _CONTROL.search(name) or _CONTROL.search(value) or not name or b":" in name or b" " in name:
            raise LocalProtocolError("the application set a header that would break the answer")
        lower = name.lower()
        said[lower] = value
        if lower not in _OURS:
            fields.append((name, value))
    length = said.get(b"content-length")
    if length is not None and not (length.isdigit() and len(length) < 19):
        raise LocalProtocolError("the application set a Content-Length that is no number")
    return fields, said
