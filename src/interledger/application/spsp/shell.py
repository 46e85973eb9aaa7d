"""The SPSP client (RFC 9): a payment pointer or URL in, the address and secret to pay with out.

HTTP is the caller's `fetch`, bound to its egress policy: which addresses may be asked is decided where the connection
is made, once, after the name was resolved (F1). Redirects are followed here, so that one parser judges each hop.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol
from urllib.parse import urljoin, urlsplit

from interledger.application.payment_pointer import endpoint_url
from interledger.application.spsp.messages import Transport, describe_error, parse_cache_seconds, parse_response
from interledger.errors import InterledgerError, LinkError, ResolveError
from interledger.ilp.address import Address
from interledger.link.http.fetch import AnswerError, NameNotFoundError, NotAllowedError, TooLargeError

__all__ = ["Fetch", "FetchResponse", "SpspDetails", "resolve"]

logger = logging.getLogger("interledger.spsp")

ACCEPT: Final = "application/spsp4+json, application/spsp+json;q=0.5, application/json;q=0.3"

TIME_LIMIT_MS: Final = 5_000
"""For everything: name, connection, redirects, tries. A person is waiting."""

ANSWER_OCTETS_MAX: Final = 65_536
"""Real answers have some 300 octets."""

REDIRECTS_MAX: Final = 3
"""One for `www.`, one for a provider, one to spare."""

RETRY_DELAYS_MS: Final = (10, 500, 2_500)
"""Between tries that failed for a moment; what the JavaScript client of the suite waits too (TRAP SPSP-4)."""

TRANSIENT_STATUSES: Final = frozenset((408, 425, 429, 500, 502, 503, 504))
REDIRECT_STATUSES: Final = frozenset((301, 302, 303, 307, 308))


class FetchResponse(Protocol):
    """An HTTP answer. Header names in small letters."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def body(self) -> bytes: ...


class Fetch(Protocol):
    """One HTTP request, without redirects and tries of its own: `partial(link.http.fetch.fetch, egress=policy)`."""

    def __call__(
        self, method: str, url: str, *, headers: Mapping[str, str], timeout_ms: int, limit_octets: int
    ) -> Awaitable[FetchResponse]: ...


@dataclass(frozen=True, slots=True)
class SpspDetails:
    """Where to pay, as one SPSP server told this one client."""

    destination_account: Address
    shared_secret: bytes = field(repr=False)
    receipts_enabled: bool
    transport: Transport
    cache_seconds: int
    """How long this same client may use it again; 0: ask anew."""
    endpoint: str
    """The URL that was asked first."""
    answered_by: str
    """The URL that answered, after redirects."""

    @property
    def redirected_to(self) -> str | None:
        """Another host than the one asked, to be shown to whoever pays; None where the same one answered."""
        # RFC 26: "the client MUST ensure it affords the sender an opportunity to verify both the originally resolved
        # and ultimate endpoint hosts"
        asked, answered = urlsplit(self.endpoint).netloc, urlsplit(self.answered_by).netloc
        return None if asked == answered else answered


class _TransientError(ResolveError):
    """Asking again may help."""


async def resolve(
    pointer_or_url: str,
    *,
    fetch: Fetch,
    own_address: str | None = None,
    development: bool = False,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    time_limit_ms: int = TIME_LIMIT_MS,
) -> SpspDetails:
    """Ask the SPSP endpoint of `pointer_or_url`. Raises `ResolveError` with a sentence for whoever wants to pay."""
    url = endpoint_url(pointer_or_url, development=development)
    try:
        async with asyncio.timeout(time_limit_ms / 1000):
            return await _resolve_with_retries(url, fetch, own_address, development, sleep, time_limit_ms)
    except TimeoutError:
        seconds = f"{time_limit_ms // 1000}.{time_limit_ms % 1000 // 100}"
        raise ResolveError(f"{url} did not answer within {seconds} s. Try again later.") from None


async def _resolve_with_retries(
    url: str,
    fetch: Fetch,
    own_address: str | None,
    development: bool,
    sleep: Callable[[float], Awaitable[object]],
    time_limit_ms: int,
) -> SpspDetails:
    for delay_ms in (*RETRY_DELAYS_MS, None):
        try:
            return await _ask(url, fetch, own_address, development, time_limit_ms)
        except _TransientError as error:
            if delay_ms is None:
                raise ResolveError(str(error)) from error.__cause__
            logger.debug("asking %s again in %d ms: %s", url, delay_ms, error)
        await sleep(delay_ms / 1000)
    raise ResolveError(f"{url} did not answer")  # pragma: no cover - the last delay is None


async def _ask(
    first_url: str, fetch: Fetch, own_address: str | None, development: bool, timeout_ms: int
) -> SpspDetails:
    """One try, redirects included."""
    url = first_url
    for _ in range(REDIRECTS_MAX + 1):
        answer = await _fetch(fetch, url, timeout_ms)
        if answer.status not in REDIRECT_STATUSES:
            return _read(answer, first_url, url, own_address)
        location = answer.headers.get("location")
        if not location:
            raise ResolveError(f"{url} redirects to nowhere (status {answer.status} without a location)")
        try:
            url = endpoint_url(urljoin(url, location), development=development)
        except (ResolveError, ValueError) as error:
            raise ResolveError(f"{url} redirects to an address that cannot be used: {error}") from None
    raise ResolveError(f"{first_url} redirects more than {REDIRECTS_MAX} times. Is the pointer right?")


async def _fetch(fetch: Fetch, url: str, timeout_ms: int) -> FetchResponse:
    try:
        return await fetch(
            "GET", url, headers={"Accept": ACCEPT}, timeout_ms=timeout_ms, limit_octets=ANSWER_OCTETS_MAX
        )
    except NameNotFoundError as error:
        raise ResolveError(f"nobody answers at {url} ({error}). Is the pointer right?") from error
    except AnswerError as error:
        raise _TransientError(f"{url} cannot be asked: {error}") from error
    except (NotAllowedError, TooLargeError) as error:
        raise ResolveError(f"{url} cannot be asked: {error}") from error
    except (LinkError, OSError) as error:
        raise _TransientError(f"nobody answers at {url} ({error}). Is the pointer right?") from error
    except InterledgerError as error:
        raise ResolveError(f"{url} cannot be asked: {error}") from error


def _read(answer: FetchResponse, first_url: str, url: str, own_address: str | None) -> SpspDetails:
    said = describe_error(answer.body) if answer.status != 200 else ""
    detail = f": {said}" if said else ""
    if answer.status == 404:
        raise ResolveError(f"there is no receiver at {url}{detail}. Is the pointer right?")
    if answer.status in TRANSIENT_STATUSES:
        raise _TransientError(f"{url} cannot answer now (status {answer.status}{detail}). Try again later.")
    if answer.status != 200:
        raise ResolveError(f"{url} refused to answer (status {answer.status}{detail})")
    try:
        response = parse_response(answer.headers.get("content-type"), answer.body, own_address=own_address)
    except ResolveError as error:
        raise ResolveError(f"{url}: {error}") from None
    return SpspDetails(
        destination_account=response.destination_account,
        shared_secret=response.shared_secret,
        receipts_enabled=response.receipts_enabled,
        transport=response.transport,
        cache_seconds=parse_cache_seconds(answer.headers.get("cache-control")),
        endpoint=first_url,
        answered_by=url,
    )
