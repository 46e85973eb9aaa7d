"""The HTTP API as one ASGI application.

Every request takes the same way: find the operation, admit the caller, run the handler, and turn whatever it raises
into a problem document. WebSockets and ILP over HTTP share the port but never come here: `link/listener.py` keeps them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from interledger.api import (
    accounts,
    backups,
    compatible_accounts,
    events,
    incoming_socket,
    intake,
    ledger,
    live,
    market,
    metrics,
    openapi,
    operator_settings,
    overview,
    packets,
    peer_balance,
    rates,
    received,
    reconciliation,
    route_exchange,
    route_explain,
    routes,
    settings_view,
    settlement_totals,
    settlements,
    status,
    unknown,
    unproven,
    webhooks,
)
from interledger.api.auth import Gate
from interledger.api.facade import NodeFacade
from interledger.api.hosts import HostGate
from interledger.api.logins import LoginResource, Logins
from interledger.api.operations import Call, Operation
from interledger.api.payments import PaymentResource
from interledger.api.peers import PeerResource
from interledger.api.problems import http_problem, problem_response
from interledger.api.spsp import SpspResource
from interledger.api.tokens import TokenResource

__all__ = ["add_operations", "all_operations", "create_app"]

HANGED_UP = 499
"""What a request is counted as whose caller is gone. Nobody reads the answer."""


def create_app(node: NodeFacade) -> Starlette:
    """The application. The node need not be started yet: it is asked when a request comes.

    Its state has `logins` and `hosts`, for pages that are served beside it.
    """
    logins = Logins()
    gate, hosts = Gate(node, logins.caller), HostGate(node.settings)
    app = Starlette(exception_handlers={HTTPException: http_problem})
    # `/accounts/` is not `/accounts`: a redirect would lose the body of a POST.
    app.router.redirect_slashes = False
    app.state.logins, app.state.hosts = logins, hosts
    app.state.endpoint = lambda methods: _endpoint(methods, node, gate, hosts)
    add_operations(app, all_operations(logins))
    return app


def add_operations(app: Starlette, operations: Iterable[Operation]) -> None:
    """Serve them behind the same checks. What `create_app` did not serve is in no OpenAPI document."""
    by_path: dict[str, dict[str, Operation]] = {}
    for operation in operations:
        by_path.setdefault(operation.path, {})[operation.method] = operation
    app.router.routes += [
        Route(path, app.state.endpoint(methods), methods=list(methods)) for path, methods in by_path.items()
    ]


def all_operations(logins: Logins | None = None) -> tuple[Operation, ...]:
    """Everything the API can do, in the order in which paths are tried. `logins`: those of browsers."""
    described = (
        *status.OPERATIONS,
        *LoginResource(logins).operations(),
        *metrics.OPERATIONS,
        *accounts.OPERATIONS,
        *peer_balance.OPERATIONS,
        *TokenResource().operations(),
        *compatible_accounts.OPERATIONS,
        *incoming_socket.OPERATIONS,
        *PaymentResource().operations(),
        *received.OPERATIONS,
        *PeerResource().operations(),
        *routes.OPERATIONS,
        *route_explain.OPERATIONS,
        *route_exchange.OPERATIONS,
        *rates.OPERATIONS,
        *market.OPERATIONS,
        *operator_settings.OPERATIONS,
        *backups.OPERATIONS,
        *intake.OPERATIONS,
        *SpspResource().operations(),
        *ledger.OPERATIONS,
        *reconciliation.OPERATIONS,
        *unknown.OPERATIONS,
        *unproven.OPERATIONS,
        *settlement_totals.OPERATIONS,
        *settlements.OPERATIONS,
        *webhooks.OPERATIONS,
        *events.OPERATIONS,
        *overview.OPERATIONS,
        *packets.OPERATIONS,
        *settings_view.OPERATIONS,
        *live.OPERATIONS,
    )
    return (openapi.operation(described), *described)


def _endpoint(
    methods: Mapping[str, Operation], node: NodeFacade, gate: Gate, hosts: HostGate
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        operation = methods["GET" if request.method == "HEAD" else request.method]
        try:
            hosts.admit(request)
            caller = gate.admit(request, operation.access, operation.needs)
            return await operation.handler(Call(node, request, caller))
        except ClientDisconnect:
            return Response(status_code=HANGED_UP)
        except Exception as error:  # a fault of ours must not show its inside: see `problem_of`
            return problem_response(error)

    return endpoint
