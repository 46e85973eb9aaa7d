"""The API's client without a socket: requests of the pages reach the API's application in the same process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, MutableMapping
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple, cast, final
from urllib.parse import unquote, urlsplit

from starlette.types import ASGIApp

from interledger.api.client import ApiClient, Fetch, FetchStream
from interledger.errors import LinkError

__all__ = ["inside_client"]

HERE: Final = "http://localhost"

PARTS_MAX: Final = 16
"""Of a stream that nobody has read yet: then the application waits."""


class Answer(NamedTuple):
    """A whole answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def inside_client(app: ASGIApp, token: str) -> ApiClient:
    """A client of `app`, with the token of a session. What it may do is decided by the API, as for everybody."""
    inside = _Inside(app)
    return ApiClient(HERE, token, fetch=cast("Fetch", inside), fetch_stream=cast("FetchStream", inside.stream))


@final
class _Inside:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes, timeout_ms: int, limit_octets: int
    ) -> Answer:
        """One request. Raises `LinkError` when there is no answer in time."""
        exchange = _Exchange(body)
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                await self._app(_scope(method, url, headers, body), exchange.receive, exchange.send)
        except TimeoutError:
            raise LinkError("the node does not answer itself in time") from None
        return Answer(exchange.status, {}, bytes(exchange.octets))

    @asynccontextmanager
    async def stream(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes, timeout_ms: int
    ) -> AsyncIterator[_Stream]:
        """An answer whose body comes in parts. Who leaves the context hangs up. Raises `LinkError`."""
        exchange = _Stream(body)

        async def run() -> None:
            try:
                await self._app(_scope(method, url, headers, body), exchange.receive, exchange.send)
            finally:
                exchange.begun.set()
            await exchange.parts.put(None)

        task = asyncio.create_task(run())
        try:
            try:
                async with asyncio.timeout(timeout_ms / 1000):
                    await exchange.begun.wait()
            except TimeoutError:
                raise LinkError("the node does not answer itself in time") from None
            yield exchange
        finally:
            exchange.hang_up()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def _scope(method: str, url: str, headers: Mapping[str, str], body: bytes) -> MutableMapping[str, Any]:
    parts = urlsplit(url)
    fields = {"host": "localhost", "content-length": str(len(body)), **headers}
    return {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": method,
        "scheme": "http", "path": unquote(parts.path), "raw_path": parts.path.encode("ascii"), "root_path": "",
        "query_string": parts.query.encode("ascii"), "client": ("127.0.0.1", 0), "server": ("localhost", 0),
        "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in fields.items()],
    }  # fmt: skip


@final
class _Stream:
    """An answer in parts, and what the application asks of its client."""

    def __init__(self, body: bytes) -> None:
        self._body: bytes | None = body
        self._gone = asyncio.Event()
        self.status = 500
        self.begun = asyncio.Event()
        self.parts: asyncio.Queue[bytes | None] = asyncio.Queue(PARTS_MAX)

    def hang_up(self) -> None:
        self._gone.set()

    async def receive(self) -> MutableMapping[str, Any]:
        body, self._body = self._body, None
        if body is not None:
            return {"type": "http.request", "body": body, "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.begun.set()
        elif message.get("body"):
            await self.parts.put(message["body"])

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (part := await self.parts.get()) is not None:
            yield part


@final
class _Exchange:
    def __init__(self, body: bytes) -> None:
        self._body: bytes | None = body
        self._never = asyncio.Event()
        self.status = 500
        self.octets = bytearray()

    async def receive(self) -> MutableMapping[str, Any]:
        body, self._body = self._body, None
        if body is None:
            await self._never.wait()  # this client does not hang up
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        else:
            self.octets += message.get("body", b"")
