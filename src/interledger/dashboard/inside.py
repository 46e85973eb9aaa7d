"""The API's client without a socket: requests of the pages reach the API's application in the same process."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, MutableMapping
from typing import Any, NamedTuple, cast, final
from urllib.parse import unquote, urlsplit

from starlette.types import ASGIApp

from interledger.api.client import ApiClient, Fetch
from interledger.errors import LinkError

__all__ = ["inside_client"]

HERE = "http://localhost"


class Answer(NamedTuple):
    """A whole answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def inside_client(app: ASGIApp, token: str) -> ApiClient:
    """A client of `app`, with the token of a session. What it may do is decided by the API, as for everybody."""
    return ApiClient(HERE, token, fetch=cast("Fetch", _Inside(app)))


@final
class _Inside:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes, timeout_ms: int, limit_octets: int
    ) -> Answer:
        """One request. Raises `LinkError` when there is no answer in time."""
        parts = urlsplit(url)
        fields = {"host": "localhost", "content-length": str(len(body)), **headers}
        scope: MutableMapping[str, Any] = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
            "path": unquote(parts.path), "raw_path": parts.path.encode("ascii"), "root_path": "",
            "query_string": parts.query.encode("ascii"), "client": ("127.0.0.1", 0), "server": ("localhost", 0),
            "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in fields.items()],
        }  # fmt: skip
        exchange = _Exchange(body)
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                await self._app(scope, exchange.receive, exchange.send)
        except TimeoutError:
            raise LinkError("the node does not answer itself in time") from None
        return Answer(exchange.status, {}, bytes(exchange.octets))


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
