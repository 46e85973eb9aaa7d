"""What settlement engines call (RFC 38), on a port of its own: money that came in, and messages to the peer's engine.

As interledger-rs has it, so that engines made for it work: `settlement_api_bind_address`, `/accounts/:id/settlements`,
`/accounts/:id/messages`; and one of our own, `/accounts/:id/btp` (`settlement.btp`). It says what peers have paid, so
nobody else may reach it: this machine, or a token.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from interledger.accounts.account import Account, AccountId
from interledger.api.app import HANGED_UP
from interledger.api.bodies import check_json, read_body
from interledger.api.hosts import host_of, is_loopback_name
from interledger.api.operations import JSON_HEADERS
from interledger.api.problems import Problem, problem_response
from interledger.node.settings_parsers import is_loopback_host
from interledger.settlement.messages import IDEMPOTENCY_KEY, MESSAGE_OCTETS_MAX, account_of_path, parse_key
from interledger.settlement.quantity import Quantity

__all__ = ["CreditFacade", "EngineCallsNode", "RelayFacade", "create_settlement_app"]

OCTETS: Final = "application/octet-stream"


class RelayFacade(Protocol):
    """What engines may say to the peer's engine."""

    async def send_message(self, account: Account, message: bytes) -> bytes:
        """Raises `LinkError`."""
        ...

    async def send_btp(self, account: Account, packet: bytes) -> bytes:
        """Raises `DecodeError`, `InvalidRequestError`, `LinkError`."""
        ...


class CreditFacade(Protocol):
    """What engines may do. The errors are `interledger.errors`."""

    def engine_account(self, account_id: AccountId) -> Account:
        """Raises `NotFoundError`."""
        ...

    async def credit(self, account: Account, key: str, quantity: Quantity) -> Quantity:
        """Raises `ConflictError`, `InvalidRequestError`, `StoreError`. Durable when it returns."""
        ...

    @property
    def engines(self) -> RelayFacade: ...


class _Settings(Protocol):
    @property
    def settlement_token(self) -> str | None: ...
    @property
    def settlement_bind(self) -> tuple[str, int] | None: ...


class EngineCallsNode(Protocol):
    """The node."""

    @property
    def settings(self) -> _Settings: ...
    @property
    def settlements(self) -> CreditFacade: ...


def create_settlement_app(node: EngineCallsNode) -> Starlette:
    """The application. The node need not be started yet."""
    token = node.settings.settlement_token
    bind = node.settings.settlement_bind
    # A web page under a name of its own must not reach a port that asks for nothing (see `api.hosts`).
    bound_here = bind is None or is_loopback_host(bind[0])
    expected = None if token is None else f"Bearer {token}".encode()

    async def credit(request: Request) -> Response:
        # RFC 38: "Endpoints to settle and endpoints to credit incoming settlements MUST support idempotency keys."
        key = parse_key(request.headers.get(IDEMPOTENCY_KEY))
        check_json(request)
        quantity = Quantity.decode(await read_body(request))
        answer = await node.settlements.credit(_account(node, request), key, quantity)
        return Response(answer.encode(), 201, JSON_HEADERS, media_type="application/json")

    async def relay(request: Request) -> Response:
        message = await _octets(request)
        answer = await node.settlements.engines.send_message(_account(node, request), message)
        return Response(answer, 201, JSON_HEADERS, media_type=OCTETS)

    async def relay_btp(request: Request) -> Response:
        packet = await _octets(request)
        answer = await node.settlements.engines.send_btp(_account(node, request), packet)
        return Response(answer, 201, JSON_HEADERS, media_type=OCTETS)

    def guarded(handler: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def call(request: Request) -> Response:
            given = request.headers.get("authorization", "").encode("latin-1")
            try:
                if bound_here and not is_loopback_name(host_of(request)):
                    raise Problem("misdirected", "Engines call this port by a name or address of this machine")
                if expected is not None and not hmac.compare_digest(given, expected):
                    raise Problem("unauthorized", "Send the settlement_token:  Authorization: Bearer …")
                return await handler(request)
            except ClientDisconnect:
                return Response(status_code=HANGED_UP)
            except Exception as error:  # a fault of ours must not show its inside: see `problem_of`
                return problem_response(error)

        return call

    app = Starlette(
        routes=[
            Route("/accounts/{account}/settlements", guarded(credit), methods=["POST"]),
            Route("/accounts/{account}/messages", guarded(relay), methods=["POST"]),
            Route("/accounts/{account}/btp", guarded(relay_btp), methods=["POST"]),
        ]
    )
    app.router.redirect_slashes = False
    return app


async def _octets(request: Request) -> bytes:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != OCTETS:
        raise Problem("unsupported-media-type", f"Send octets, with  Content-Type: {OCTETS}")
    return await read_body(request, octets_max=MESSAGE_OCTETS_MAX)


def _account(node: EngineCallsNode, request: Request) -> Account:
    return node.settlements.engine_account(account_of_path(request.path_params["account"]))
