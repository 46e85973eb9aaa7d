"""A client of a node's HTTP API. The command line and the dashboard use it, and so may any program.

    client = ApiClient("http://127.0.0.1:7770", token)
    payment = await client.pay("$wallet.example/bob", send="10 USD")

Importing it loads no server and no cryptography. Every method raises `ApiError` when the node says no, `LinkError` when
nobody answers.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Protocol, cast, final
from urllib.parse import quote as encode_path
from urllib.parse import urlencode

from interledger.errors import InterledgerError, LinkError

if TYPE_CHECKING:
    from interledger.api.types import (
        AccountDocument,
        CallerDocument,
        PaymentDocument,
        PingDocument,
        ProblemDocument,
        QuoteDocument,
        RateDocument,
        RouteDocument,
        StatusDocument,
    )
    from interledger.application.spsp.shell import FetchResponse

__all__ = ["ApiClient", "ApiError", "Fetch", "FetchStream"]

TIMEOUT_MS: Final = 10_000
PAYMENT_HEAD_MS: Final = 60_000
"""Until a payment has begun: resolving its receiver and learning its asset may come first."""

ANSWER_OCTETS_MAX: Final = 16_777_216
"""A thousand payments have less than a tenth of it."""

LINE_OCTETS_MAX: Final = 65_536
"""One progress document has some 1,000."""

POLL_S: Final = 0.5
POLLS_FAILED_MAX: Final = 20
"""Ten seconds without the node, and a payment's outcome is somebody else's to look up."""


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


@final
class ApiClient:
    """One node, seen with one token. It keeps no connection, so there is nothing to close."""

    def __init__(
        self,
        base_url: str,
        token: str | None = None,
        *,
        fetch: Fetch | None = None,
        fetch_stream: FetchStream | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._token = token
        self._fetch = fetch
        self._fetch_stream = fetch_stream
        self._sleep = sleep

    def __repr__(self) -> str:
        return f"ApiClient({self.base_url!r})"

    # The node.

    async def status(self) -> StatusDocument:
        """The node in one look."""
        return cast("StatusDocument", await self._call("GET", "/api/status"))

    async def whoami(self) -> CallerDocument:
        """Whose the token is."""
        return cast("CallerDocument", await self._call("GET", "/api/whoami"))

    async def is_ready(self) -> bool:
        """Whether the node takes packets. Raises `LinkError` when nobody answers."""
        try:
            await self._call("GET", "/readyz")
        except ApiError as error:
            if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
                return False
            raise
        return True

    async def ping(self, destination: str, *, timeout_ms: int = TIMEOUT_MS) -> PingDocument:
        """Ask the node at an ILP address for an echo."""
        body = {"destination": destination, "timeout_ms": timeout_ms}
        document = await self._call("POST", "/api/ping", body, timeout_ms=timeout_ms + TIMEOUT_MS)
        return cast("PingDocument", document)

    # Accounts.

    async def accounts(self) -> list[AccountDocument]:
        return cast("list[AccountDocument]", await self._items("/api/accounts"))

    async def account(self, account_id: str) -> AccountDocument:
        return cast("AccountDocument", await self._call("GET", _path("/api/accounts", account_id)))

    async def create_account(self, account: Mapping[str, Any]) -> AccountDocument:
        """`account`: the document's own fields; tokens in `link` in clear, limits in units."""
        return cast("AccountDocument", await self._call("POST", "/api/accounts", account))

    async def update_account(self, account_id: str, changes: Mapping[str, Any]) -> AccountDocument:
        """What is named changes, None clears, all else stays."""
        return cast("AccountDocument", await self._call("PATCH", _path("/api/accounts", account_id), changes))

    async def delete_account(self, account_id: str) -> AccountDocument:
        """Returns what was."""
        return cast("AccountDocument", await self._call("DELETE", _path("/api/accounts", account_id)))

    # Routes and rates.

    async def routes(self) -> list[RouteDocument]:
        return cast("list[RouteDocument]", await self._items("/api/routes"))

    async def set_routes(self, routes: Mapping[str, str]) -> list[RouteDocument]:
        """Replace the static routes (prefix -> account, or several as `bob:3,carol/dave`). Returns all routes."""
        from interledger.routing.targets import parse_targets

        items = [
            {"prefix": prefix, "account": one.account, "weight": one.weight, "priority": one.priority}
            for prefix, text in routes.items()
            for one in parse_targets(prefix, text)
        ]
        return cast("list[RouteDocument]", (await self._call("PUT", "/api/routes", {"items": items}))["items"])

    async def rates(self) -> list[RateDocument]:
        return cast("list[RateDocument]", await self._items("/api/rates"))

    async def set_rates(self, rates: Mapping[str, str]) -> list[RateDocument]:
        """Replace the rates set by hand (code -> decimal text). Returns all rates."""
        items = [{"code": code, "value": value} for code, value in rates.items()]
        return cast("list[RateDocument]", (await self._call("PUT", "/api/rates", {"items": items}))["items"])

    # Payments.

    async def quote(self, receiver: str, **terms: Any) -> QuoteDocument:
        """What a payment would cost. Terms: `account`, `send` or `deliver` (`"10 USD"`), `slippage`, `min_rate`."""
        body = _terms(receiver, terms)
        return cast("QuoteDocument", await self._call("POST", "/api/quotes", body, timeout_ms=PAYMENT_HEAD_MS))

    async def pay(self, receiver: str, *, idempotency_key: str | None = None, **terms: Any) -> PaymentDocument:
        """Pay and wait for the end, however it ends: look at its `state`. Terms as `quote`'s, and `quote_id`."""
        last: PaymentDocument | None = None
        async for document in self.pay_with_progress(receiver, idempotency_key=idempotency_key, **terms):
            last = document
        if last is None:
            raise LinkError(f"{self.base_url} began a payment and said nothing of it")
        return last

    async def pay_with_progress(
        self, receiver: str, *, idempotency_key: str | None = None, **terms: Any
    ) -> AsyncIterator[PaymentDocument]:
        """Pay, and see it go; the last document is final. Who stops listening does not stop the payment."""
        headers = {"Accept": "application/x-ndjson"}
        if idempotency_key is not None:
            headers["Idempotency-Key"] = idempotency_key
        last: PaymentDocument | None = None
        try:
            async for document in self._lines("/api/payments", _terms(receiver, terms), headers):
                last = document
                yield document
        except LinkError:
            # Never asked for a second time: a node that was started anew in between would pay twice.
            if last is None:
                raise
        while last is not None and last["ended_at"] is None:
            last = await self._poll(last["id"])
            yield last

    async def payments(
        self, *, limit: int = 100, cursor: str | None = None
    ) -> tuple[list[PaymentDocument], str | None]:
        """One page, newest first, and the cursor of the next one."""
        query = {"limit": str(limit)} | ({} if cursor is None else {"cursor": cursor})
        page = await self._call("GET", f"/api/payments?{urlencode(query)}")
        return page["items"], page["next_cursor"]

    async def payment(self, payment_id: str) -> PaymentDocument:
        return cast("PaymentDocument", await self._call("GET", _path("/api/payments", payment_id)))

    async def cancel_payment(self, payment_id: str) -> PaymentDocument:
        """Send no more. What is in flight is still waited for."""
        return cast("PaymentDocument", await self._call("POST", _path("/api/payments", payment_id) + "/cancel"))

    # How.

    async def _poll(self, payment_id: str) -> PaymentDocument:
        failed = 0
        while True:
            await self._sleep(POLL_S)
            try:
                return await self.payment(payment_id)
            except LinkError as error:
                failed += 1
                if failed == POLLS_FAILED_MAX:
                    raise LinkError(f"{error}. The payment {payment_id} may still go on: look later.") from None

    async def _items(self, path: str) -> list[Any]:
        return cast("list[Any]", (await self._call("GET", path))["items"])

    async def _call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, timeout_ms: int = TIMEOUT_MS
    ) -> Any:
        headers, octets = self._request(body)
        answer = await (self._fetch or self._default_fetch())(
            method,
            self.base_url + path,
            headers=headers,
            body=octets,
            timeout_ms=timeout_ms,
            limit_octets=ANSWER_OCTETS_MAX,
        )
        return _read(answer.status, answer.body)

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
                _read(answer.status, rest)

    def _request(self, body: Mapping[str, Any] | None) -> tuple[dict[str, str], bytes]:
        headers = {"Accept": "application/json"}
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token}"
        if body is None:
            return headers, b""
        headers["Content-Type"] = "application/json"
        return headers, json.dumps(body).encode("utf-8")

    def _default_fetch(self) -> Fetch:
        from interledger.link.http.fetch import fetch

        return cast("Fetch", partial(fetch, egress=self._egress()))

    def _default_fetch_stream(self) -> FetchStream:
        from interledger.link.http.fetch import fetch_stream

        return cast("FetchStream", partial(fetch_stream, egress=self._egress()))

    def _egress(self) -> Any:
        """The node itself, wherever it is: whoever made this client named it."""
        from interledger.link.http.egress import EgressPolicy
        from interledger.link.http.urls import parse_url

        return EgressPolicy(allowed=frozenset({parse_url(self.base_url).authority}))


def _path(collection: str, name: str) -> str:
    return f"{collection}/{encode_path(name, safe='')}"


def _terms(receiver: str, terms: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a quote or payment. Exact numbers (`Fraction`, `Decimal`) would have to be text already."""
    return {"receiver": receiver} | {name: value for name, value in terms.items() if value is not None}


def _read(status: int, body: bytes) -> Any:
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    if status >= HTTPStatus.BAD_REQUEST:
        problem = document if isinstance(document, dict) else {}
        raise ApiError(status, cast("ProblemDocument", {"type": "about:blank", "status": status} | problem))
    if not isinstance(document, dict):
        raise LinkError("what answers there is not the API of a node")
    return document


def _read_line(line: bytes) -> PaymentDocument:
    document = _read(HTTPStatus.OK, line)
    problem = document.get("error")
    if "state" not in document and isinstance(problem, dict):
        raise ApiError(int(problem.get("status", 500)), cast("ProblemDocument", problem))
    return cast("PaymentDocument", document)
