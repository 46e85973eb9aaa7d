"""Calls by RFC 38 over HTTP: a node's to its settlement engine, and an engine's to its node. The API is the same."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, final
from urllib.parse import quote

from interledger.errors import DecodeError, InterledgerError, InvalidRequestError, LinkError
from interledger.link.http.egress import EgressPolicy
from interledger.link.http.fetch import Response, fetch
from interledger.link.http.urls import parse_url
from interledger.settlement.btp import ILP_ADDRESS
from interledger.settlement.messages import (
    IDEMPOTENCY_KEY,
    MESSAGE_OCTETS_MAX,
    EngineTerms,
    decode_engine_terms,
    encode_new_account,
)
from interledger.settlement.quantity import Quantity

__all__ = ["MESSAGE_TIMEOUT_MS", "TIMEOUT_MS", "CallError", "SettlementCalls"]

TIMEOUT_MS: Final = 10_000
"""An engine answers when it has written a request down, not when it has paid."""

MESSAGE_TIMEOUT_MS: Final = 30_000
"""A message goes to the peer's engine and back; the packet that carries it lives no longer than 60 s."""

BTP_TIMEOUT_MS: Final = 40_000
"""Longer than a peer has for its answer by BTP (`node.subprotocols`)."""

SETUP_TIMEOUT_MS: Final = 60_000
"""Some engines talk to the peer's engine before they answer."""

ANSWER_OCTETS_MAX: Final = MESSAGE_OCTETS_MAX

_SAID_MAX: Final = 200

Fetch = Callable[..., Awaitable[Response]]


class CallError(InterledgerError):
    """The other side did not do it, or nobody knows. `status`: of its answer; None when there was none."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status

    @property
    def is_refusal(self) -> bool:
        """It said no (4xx): to send the same again will hardly help."""
        return self.status is not None and 400 <= self.status < 500


@final
class SettlementCalls:
    """One side of RFC 38, asked by the other. `url`: where its API is; `token`: what we present there."""

    def __init__(self, url: str, token: str | None = None, *, fetch: Fetch = fetch) -> None:
        """Raises `InvalidRequestError` for what is no URL."""
        self.url = url.rstrip("/")
        self._token = token
        self._fetch = fetch
        # The operator named it: it may be anywhere, over http too.
        self._egress = EgressPolicy(allowed=frozenset({parse_url(self.url).authority}))

    async def create_account(self, account: str) -> EngineTerms:
        """Tell an engine of an account; the id it gave the account, and what else it says. Raises `CallError`."""
        answer = await self._call("POST", "/accounts", encode_new_account(account), timeout_ms=SETUP_TIMEOUT_MS)
        try:
            terms = decode_engine_terms(answer.body)
        except (DecodeError, InvalidRequestError):
            return EngineTerms(account)  # RFC 38 does not say that there is a body
        return terms._replace(id=terms.id or account)

    async def delete_account(self, account: str) -> None:
        """The account is gone. Raises `CallError`."""
        await self._call("DELETE", f"/accounts/{quote(account, safe='')}")

    async def settle(self, account: str, key: str, quantity: Quantity) -> Quantity | None:
        """Ask an engine to pay, or tell a node what was received. What the answer says of it, if anything.

        Raises `CallError`: then the same has to be asked again, with the same key.
        """
        path = f"/accounts/{quote(account, safe='')}/settlements"
        answer = await self._call("POST", path, quantity.encode(), headers={IDEMPOTENCY_KEY: key})
        try:
            return Quantity.decode(answer.body)
        except DecodeError:
            return None  # interledger-rs answers RECEIVED

    async def send_message(self, account: str, message: bytes) -> bytes:
        """Hand a message over; its answer. Raises `CallError`."""
        path = f"/accounts/{quote(account, safe='')}/messages"
        headers = {"Content-Type": "application/octet-stream", "Accept": "application/octet-stream"}
        answer = await self._call("POST", path, message, headers=headers, timeout_ms=MESSAGE_TIMEOUT_MS)
        return answer.body

    async def send_btp(self, account: str, packet: bytes, ilp_address: str = "") -> bytes:
        """Hand a request of a BTP link over (`settlement.btp`); its answer. Raises `CallError`."""
        headers = {"Content-Type": "application/octet-stream", "Accept": "application/octet-stream"}
        if ilp_address:
            headers[ILP_ADDRESS] = ilp_address
        path = f"/accounts/{quote(account, safe='')}/btp"
        answer = await self._call("POST", path, packet, headers=headers, timeout_ms=BTP_TIMEOUT_MS)
        return answer.body

    async def _call(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        headers: Mapping[str, str] | None = None,
        timeout_ms: int = TIMEOUT_MS,
    ) -> Response:
        given = {"Content-Type": "application/json", "Accept": "application/json", **(headers or {})}
        if self._token is not None:
            given["Authorization"] = f"Bearer {self._token}"
        try:
            answer = await self._fetch(
                method,
                self.url + path,
                headers=given,
                body=body,
                timeout_ms=timeout_ms,
                limit_octets=ANSWER_OCTETS_MAX,
                egress=self._egress,
            )
        except (LinkError, OSError) as error:
            raise CallError(f"{self.url} does not answer: {error}") from error
        # TRAP SE-2: the Java connector answers 200 where the RFC says 201.
        if not 200 <= answer.status < 300:
            said = " ".join(answer.body[:_SAID_MAX].decode("utf-8", "replace").split())
            raise CallError(f"{self.url} answers {answer.status}{': ' if said else ''}{said}", answer.status)
        return answer
