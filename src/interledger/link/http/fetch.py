"""The general HTTP client: for SPSP, rates, the API's own client and settlement engines. Never for packets.

One connection per request. Where an address may come from a stranger, `EgressPolicy` decides, on addresses: the name
is resolved once, each of its addresses is checked, and the connection goes to a checked one, with the name in SNI and
Host.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final, NamedTuple, final

import httptools

from interledger.errors import InvalidRequestError
from interledger.link.http.egress import EgressPolicy
from interledger.link.http.resolving import (
    FetchError,
    NameNotFoundError,
    NotAllowedError,
    Resolve,
    checked_addresses,
    resolve_name,
)
from interledger.link.http.urls import Url, join_url, parse_url

__all__ = [
    "AnswerError",
    "FetchError",
    "FetchTimeoutError",
    "NameNotFoundError",
    "NotAllowedError",
    "RefusedError",
    "Resolve",
    "Response",
    "StreamedResponse",
    "TooLargeError",
    "fetch",
    "fetch_stream",
]

READ_OCTETS: Final = 16_384
HEAD_OCTETS_MAX: Final = 32_768
"""Of an answer's head: public services send cookies and policies of many KiB."""

REDIRECTS_MAX: Final = 5
"""Most that a caller can ask for; a longer chain is a loop."""

REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
USER_AGENT: Final = "interledger-py"


class RefusedError(FetchError):
    """Nobody answers there, or not with the certificate of that name."""


class FetchTimeoutError(FetchError):
    """It took too long."""


class TooLargeError(FetchError):
    """The answer is larger than the caller takes."""


class AnswerError(FetchError):
    """What came back is not an HTTP answer, or breaks off."""


class Response(NamedTuple):
    """A whole answer. `headers`: by name in lower case, of repeated ones the last. `url`: where it came from."""

    status: int
    headers: dict[str, str]
    body: bytes
    url: str


async def fetch(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    timeout_ms: int = 5_000,
    limit_octets: int = 65_536,
    egress: EgressPolicy,
    redirects: int = 0,
    resolve: Resolve | None = None,
    tls: ssl.SSLContext | None = None,
) -> Response:
    """One request and its whole answer, whatever its status. Raises a `FetchError`.

    `redirects`: how many to follow, up to 5; each is checked like a first URL, none leads from https to http, and
    `Authorization` and `Cookie` stay with the origin they were given for. Only GET and HEAD follow 301, 302 and 303.
    """
    deadline = asyncio.get_running_loop().time() + timeout_ms / 1000
    async with _opened(method, url, headers, body, deadline, egress, redirects, resolve, tls) as answer:
        async with _in_time(deadline, answer.url):
            content = await answer.read(limit_octets)
        return Response(answer.status, answer.headers, content, answer.url)


@asynccontextmanager
async def fetch_stream(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    timeout_ms: int = 5_000,
    egress: EgressPolicy,
    redirects: int = 0,
    resolve: Resolve | None = None,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[StreamedResponse]:
    """As `fetch`, for an answer without an end: `async with fetch_stream(...) as answer: async for octets in answer`.

    `timeout_ms` holds until the answer's head is there; from then on the caller decides how long to listen.
    """
    deadline = asyncio.get_running_loop().time() + timeout_ms / 1000
    async with _opened(method, url, headers, body, deadline, egress, redirects, resolve, tls) as answer:
        yield answer


@final
class StreamedResponse:
    """An answer whose head is there. Iterate over its body once, or `read` it."""

    def __init__(self, url: Url, reader: asyncio.StreamReader, method: str) -> None:
        self.url = str(url)
        self.status = 0
        self.headers: dict[str, str] = {}
        self._reader = reader
        self._parser = httptools.HttpResponseParser(self)
        self._parts: list[bytes] = []
        self._has_head = False
        self._complete = False
        self._without_body = method == "HEAD"

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            parts, self._parts = self._parts, []
            for part in parts:
                yield part
            if self._complete:
                return
            await self._feed()

    async def read(self, limit_octets: int) -> bytes:
        """The whole body. Raises `TooLargeError` as soon as it is known to be above the limit."""
        announced = self.headers.get("content-length", "")
        if announced.isascii() and announced.isdigit() and not self._without_body:
            self._check(int(announced[:20]), limit_octets)
        parts: list[bytes] = []
        octets = 0
        async for part in self:
            parts.append(part)
            octets += len(part)
            self._check(octets, limit_octets)
        return b"".join(parts)

    async def read_head(self) -> None:
        """Wait for status and headers."""
        octets = 0
        while not self._has_head:
            octets += await self._feed()
            if octets > HEAD_OCTETS_MAX and not self._has_head:
                raise TooLargeError(f"the headers of {self.url} have more than {HEAD_OCTETS_MAX} octets")
        if self._without_body:
            self._complete = True

    async def _feed(self) -> int:
        try:
            octets = await self._reader.read(READ_OCTETS)
        except OSError as error:
            raise AnswerError(f"the connection to {self.url} broke: {error}") from None
        if not octets:
            self._end()
            return 0
        try:
            self._parser.feed_data(octets)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if not self._complete:
                raise AnswerError(f"{self.url} answers with something that is not HTTP: {error}") from None
        return len(octets)

    def _end(self) -> None:
        """The server closed: the proper end of a body without a length, the middle of any other."""
        has_end = "content-length" in self.headers or "transfer-encoding" in self.headers
        if not self._has_head or has_end:
            raise AnswerError(f"the answer of {self.url} breaks off")
        self._complete = True

    def _check(self, octets: int, limit: int) -> None:
        if octets > limit:
            raise TooLargeError(f"the answer of {self.url} is larger than {limit} octets")

    # What httptools calls.

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._has_head:
            self.headers[name.decode("latin-1").lower()] = value.decode("latin-1").strip()

    def on_headers_complete(self) -> None:
        self.status = self._parser.get_status_code()
        if self.status < 200:
            self.headers.clear()
        else:
            self._has_head = True

    def on_body(self, part: bytes) -> None:
        if not self._without_body:
            self._parts.append(part)

    def on_message_complete(self) -> None:
        self._complete = self._has_head


@asynccontextmanager
async def _opened(
    method: str,
    text: str,
    headers: Mapping[str, str] | None,
    body: bytes,
    deadline: float,
    egress: EgressPolicy,
    redirects: int,
    resolve: Resolve | None,
    tls: ssl.SSLContext | None,
) -> AsyncIterator[StreamedResponse]:
    """The last answer of a chain of redirects, its head read; its connection ends with the block."""
    url = _read_url(text)
    given = dict(headers or {})
    for left in range(min(redirects, REDIRECTS_MAX), -1, -1):
        async with _in_time(deadline, str(url)):
            reader, writer = await _connect(url, egress, resolve or resolve_name, tls)
        try:
            answer = StreamedResponse(url, reader, method)
            async with _in_time(deadline, str(url)):
                writer.write(_request(method, url, given, body))
                await answer.read_head()
            target = _redirect_of(answer, method, url) if left else None
            if target is None:
                yield answer
                return
            if target.origin != url.origin:
                given = {k: v for k, v in given.items() if k.lower() not in ("authorization", "cookie")}
            url = target
        finally:
            # Abort: we are done, and a server that does not close must not keep us.
            writer.transport.abort()


def _redirect_of(answer: StreamedResponse, method: str, url: Url) -> Url | None:
    """Where `answer` sends us, when we go there."""
    location = answer.headers.get("location")
    if answer.status not in REDIRECTS or not location:
        return None
    if method not in ("GET", "HEAD") and answer.status not in (307, 308):
        return None
    try:
        target = join_url(url, location)
    except InvalidRequestError as error:
        raise NotAllowedError(f"{url} sends us to a place that cannot be called: {error}") from None
    if url.is_tls and not target.is_tls:
        raise NotAllowedError(f"{url} sends us from https to http, which we do not follow")
    return target


async def _connect(
    url: Url, egress: EgressPolicy, resolve: Resolve, tls: ssl.SSLContext | None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to one of the addresses of `url`, all of which `egress` allows."""
    addresses = await checked_addresses(url, egress, resolve)
    context = (tls or ssl.create_default_context()) if url.is_tls else None
    failure: Exception | None = None
    for address in addresses:
        try:
            return await asyncio.open_connection(
                str(address), url.port, ssl=context, server_hostname=url.host if url.is_tls else None, limit=READ_OCTETS
            )
        except OSError as error:
            failure = error
    raise RefusedError(f"{url.origin} cannot be reached: {_sentence(failure)}") from failure


@asynccontextmanager
async def _in_time(deadline: float, url: str) -> AsyncIterator[None]:
    scope = asyncio.timeout_at(deadline)
    try:
        async with scope:
            yield
    except TimeoutError:
        if not scope.expired():
            raise
        raise FetchTimeoutError(f"{url} did not answer in time") from None


def _read_url(text: str) -> Url:
    try:
        return parse_url(text)
    except InvalidRequestError as error:
        raise NotAllowedError(str(error)) from None


def _request(method: str, url: Url, headers: Mapping[str, str], body: bytes) -> bytes:
    fields = {"host": url.authority, "user-agent": USER_AGENT, "accept": "*/*"}
    fields |= {name.lower(): value for name, value in headers.items()}
    fields["connection"] = "close"
    if body or method in ("POST", "PUT", "PATCH"):
        fields["content-length"] = str(len(body))
    lines = [f"{method} {url.target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    if any(not line.isprintable() for line in lines) or not method.isalpha():
        raise InvalidRequestError("a request's method and headers are visible characters in one line")
    return "\r\n".join([*lines, "", ""]).encode("utf-8") + body


def _sentence(error: Exception | None) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not good: {error.verify_message}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error)
