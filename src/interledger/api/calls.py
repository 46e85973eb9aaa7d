"""How a client of the API asks: one HTTP request a call, errors as `ApiError`, streams of JSON lines."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Protocol, cast
from urllib.parse import quote as encode_path
from urllib.parse import urlencode

from interledger.errors import InterledgerError, LinkError

if TYPE_CHECKING:
    import ssl

    from interledger.api.types import PaymentDocument, ProblemDocument
    from interledger.application.spsp.shell import FetchResponse

__all__ = [
    "PAGE", "PAYMENT_HEAD_MS", "TIMEOUT_MS", "ApiCalls", "ApiError", "Fetch", "FetchStream", "place", "query_text",
    "read_answer",
]  # fmt: skip

TIMEOUT_MS: Final = 10_000
PAYMENT_HEAD_MS: Final = 60_000
"""Until a payment has begun: resolving its receiver and learning its asset may come first."""

ANSWER_OCTETS_MAX: Final = 16_777_216
"""A thousand payments have less than a tenth of it."""

PAGE: Final = 500
"""How many are asked for at a time by who goes through all pages."""

LINE_OCTETS_MAX: Final = 65_536
"""One progress document has some 1,000."""


class StreamedAnswer(Protocol):
    """An HTTP answer whose head is there and whose body comes in parts."""

    @property
    def status(self) -> int: ...
    def __aiter__(self) -> AsyncIterator[bytes]: ...


class Fetch(Protocol):
    """`link.http.fetch.fetch`, bound to its egress policy."""

    def __call__(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes, timeout_ms: int, limit_octets: int
    ) -> Awaitable[FetchResponse]: ...


class FetchStream(Protocol):
    """`link.http.fetch.fetch_stream`, bound alike."""

    def __call__(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes, timeout_ms: int
    ) -> AbstractAsyncContextManager[StreamedAnswer]: ...


class ApiError(InterledgerError):
    """The node answered with a problem. `str()` is its detail; `kind` the last part of its type, as `not-found`."""

    def __init__(self, status: int, problem: ProblemDocument) -> None:
        super().__init__(problem.get("detail") or problem.get("title") or f"HTTP {status}")
        self.status = status
        self.problem = problem

    @property
    def kind(self) -> str:
        return self.problem.get("type", "").rpartition("/")[2]


class ApiCalls:
    """One node, asked with one token. What may be asked is in `client.ApiClient`.

    `tls`: whom to trust, in place of the system's authorities (`link.tls` makes such contexts).
    """

    def __init__(
        self,
        base_url: str,
        token: str | None = None,
        *,
        fetch: Fetch | None = None,
        fetch_stream: FetchStream | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._token = token
        self._fetch = fetch
        self._fetch_stream = fetch_stream
        self._sleep = sleep
        self._tls = tls

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_url!r})"

    async def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """One request to anything that answers with a JSON object. Raises `ApiError`, `LinkError`."""
        return await self._call(method, path, body)

    async def _items(self, path: str) -> list[Any]:
        return cast("list[Any]", (await self._call("GET", path))["items"])

    async def _call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, timeout_ms: int = TIMEOUT_MS
    ) -> Any:
        answer = await self._answer(method, path, body, timeout_ms)
        return read_answer(answer.status, answer.body)

    async def _text(
        self, path: str, *, method: str = "GET", text: str | None = None, timeout_ms: int = TIMEOUT_MS
    ) -> str:
        """Text for text."""
        answer = await self._answer(method, path, text, timeout_ms)
        if answer.status >= HTTPStatus.BAD_REQUEST:
            read_answer(answer.status, answer.body)
        return answer.body.decode("utf-8", "replace")

    async def _answer(
        self, method: str, path: str, body: Mapping[str, Any] | str | None, timeout_ms: int
    ) -> FetchResponse:
        headers, octets = self._request(body)
        return await (self._fetch or self._default_fetch())(
            method,
            self.base_url + path,
            headers=headers,
            body=octets,
            timeout_ms=timeout_ms,
            limit_octets=ANSWER_OCTETS_MAX,
        )

    async def _lines(
        self, path: str, body: Mapping[str, Any], more: Mapping[str, str]
    ) -> AsyncIterator[PaymentDocument]:
        """The documents of a stream of progress, one a line."""
        headers, octets = self._request(body)
        fetch_stream = self._fetch_stream or self._default_fetch_stream()
        async with fetch_stream(
            "POST", self.base_url + path, headers=headers | dict(more), body=octets, timeout_ms=PAYMENT_HEAD_MS
        ) as answer:
            rest = b""
            async for part in answer:
                rest += part
                if answer.status < HTTPStatus.BAD_REQUEST:
                    *lines, rest = rest.split(b"\n")
                    for line in lines:
                        yield _read_line(line)
                if len(rest) > LINE_OCTETS_MAX:
                    raise LinkError(f"{self.base_url} sends lines that have no end")
            if answer.status >= HTTPStatus.BAD_REQUEST:
                read_answer(answer.status, rest)

    def _request(self, body: Mapping[str, Any] | str | None) -> tuple[dict[str, str], bytes]:
        headers = {"Accept": "application/json"}
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token}"
        if body is None:
            return headers, b""
        if isinstance(body, str):
            headers["Content-Type"] = "text/plain"
            return headers, body.encode("utf-8")
        headers["Content-Type"] = "application/json"
        return headers, json.dumps(body).encode("utf-8")

    def _default_fetch(self) -> Fetch:
        from interledger.link.http.fetch import fetch

        return cast("Fetch", partial(fetch, egress=self._egress(), tls=self._tls))

    def _default_fetch_stream(self) -> FetchStream:
        from interledger.link.http.fetch import fetch_stream

        return cast("FetchStream", partial(fetch_stream, egress=self._egress(), tls=self._tls))

    def _egress(self) -> Any:
        """The node itself, wherever it is: whoever made this client named it."""
        from interledger.link.http.egress import EgressPolicy
        from interledger.link.http.urls import parse_url

        return EgressPolicy(allowed=frozenset({parse_url(self.base_url).authority}))


def place(collection: str, *names: str) -> str:
    """A path: `/api/webhooks`, and names that may have any character."""
    return "/".join((collection, *(encode_path(name, safe="") for name in names)))


def query_text(**query: object) -> str:
    """`?limit=5&cursor=…`; what is None is left out, and an underscore behind a name."""
    said = {name.rstrip("_"): str(value) for name, value in query.items() if value is not None}
    return f"?{urlencode(said)}" if said else ""


def read_answer(status: int, body: bytes, kind: type = dict) -> Any:
    """The document of an answer: an object, or another `kind`. Raises `ApiError`; `LinkError` for what is no node."""
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    if status >= HTTPStatus.BAD_REQUEST:
        problem = document if isinstance(document, dict) else {}
        raise ApiError(status, cast("ProblemDocument", {"type": "about:blank", "status": status} | problem))
    if not isinstance(document, kind):
        raise LinkError("what answers there is not the API of a node")
    return document


def _read_line(line: bytes) -> PaymentDocument:
    document = read_answer(HTTPStatus.OK, line)
    problem = document.get("error")
    if "state" not in document and isinstance(problem, dict):
        raise ApiError(int(problem.get("status", 500)), cast("ProblemDocument", problem))
    return cast("PaymentDocument", document)
