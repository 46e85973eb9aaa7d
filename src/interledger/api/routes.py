"""Routes: `/routes` as interledger-rs has them, `/api/routes` with who said so."""

from __future__ import annotations

from typing import Any, Final

from starlette.responses import Response

from interledger.accounts.account import parse_account_id
from interledger.accounts.credentials import Scope
from interledger.api.auth import Access
from interledger.api.documents import list_document
from interledger.api.facade import NodeFacade, RouteView
from interledger.api.operations import Call, Operation, json_response
from interledger.api.problems import Problem
from interledger.codec.timestamp import format_rfc3339
from interledger.errors import InvalidRequestError
from interledger.ilp.address import parse_prefix
from interledger.routing.table import Origin, Route
from interledger.routing.targets import TARGETS_MAX, WEIGHT_MAX, format_targets

__all__ = ["OPERATIONS", "route_document", "routes_document"]

OWN: Final = "own"
"""The origin of routes to the node itself. Their account is null."""

_STATIC: Final = {"static": "static"}
_OF_LEARNED: Final = ("path", "speaker", "since")


async def get_compatible_routes(call: Call) -> Response:
    # The node's own address has no account, and interledger-rs has no word for that; nor for a second choice.
    routes: dict[str, str] = {}
    for route in call.node.routes():
        if str(route.origin) != OWN:
            routes.setdefault(route.prefix, route.account)
    return json_response(routes)


async def put_compatible_routes(call: Call) -> Response:
    fields = await call.compatible_fields()
    routes = {prefix: _account_id(prefix, fields.required_text(prefix)) for prefix in fields.as_mapping()}
    for prefix in routes:
        parse_prefix(prefix)
    await call.node.set_static_routes(routes)
    return json_response(routes)


async def put_compatible_route(call: Call) -> Response:
    """The body is the account's name and nothing else, as text."""
    prefix = parse_prefix(call.request.path_params["prefix"])
    account_id = _account_id(prefix, await call.text())
    await call.node.set_static_route(prefix, account_id)
    return Response(account_id, headers={"Cache-Control": "no-store"}, media_type="text/plain")


async def get_routes(call: Call) -> Response:
    return json_response(routes_document(call.node))


async def put_routes(call: Call) -> Response:
    """Replaces the static routes; what `GET` shows of them can be sent back. Answers with all routes."""
    fields = await call.fields()
    routes: dict[str, list[Route]] = {}
    for item in fields.objects("items"):
        prefix = item.required("prefix", parse_prefix)
        item.choice("origin", _STATIC)
        account = item.required("account", parse_account_id)
        weight, priority = item.integer("weight", 1, WEIGHT_MAX), item.integer("priority", 0, TARGETS_MAX)
        several = routes.setdefault(prefix, [])
        if any(other.account == account for other in several):
            raise item.wrong("prefix", "comes twice with the same account", prefix)
        if len(several) == TARGETS_MAX:
            raise item.wrong("prefix", f"has more than {TARGETS_MAX} accounts", prefix)
        several.append(Route(prefix, account, Origin.STATIC, weight or 1, priority or 0))
        for name in _OF_LEARNED:
            item.value(name)  # what `GET` shows can be sent back
        item.close()
    fields.value("next_cursor")
    fields.close()
    await call.node.set_static_routes({prefix: format_targets(several) for prefix, several in routes.items()})
    return json_response(routes_document(call.node))


def routes_document(node: NodeFacade, most: int | None = None) -> dict[str, object]:
    """All routes, or the first `most`."""
    return list_document(route_document(route) for route in node.routes()[:most])


def route_document(route: RouteView) -> dict[str, Any]:
    """One route. `path`, `speaker` and `since` are null where nobody announced it."""
    return {
        "prefix": route.prefix,
        "account": None if str(route.origin) == OWN else route.account,
        "origin": str(route.origin),
        "weight": route.weight,
        "priority": route.priority,
        "path": list(route.path) if route.speaker else None,
        "speaker": route.speaker or None,
        "since": None if route.since is None else format_rfc3339(route.since),
    }


def _account_id(prefix: str, text: str) -> str:
    try:
        return parse_account_id(text)
    except InvalidRequestError as error:
        raise Problem("invalid-request", f"{prefix or 'the default route'}: {error}", field=prefix) from None


OPERATIONS: Final = (
    Operation(
        method="GET", path="/routes", access=Access.PUBLIC, handler=get_compatible_routes,
        summary="Prefix to account", answer="CompatibleRoutes", tags=("interledger-rs",),
    ),
    Operation(
        method="PUT", path="/routes/static", access=Access.ADMIN, handler=put_compatible_routes,
        scope=Scope.OPERATE,
        summary="Replace the static routes", body="CompatibleRoutes", answer="CompatibleRoutes", problems=(400, 404),
        tags=("interledger-rs",),
    ),
    Operation(
        method="PUT", path="/routes/static/{prefix}", access=Access.ADMIN, handler=put_compatible_route,
        scope=Scope.OPERATE,
        summary="Set one static route", body="text", answer="text", problems=(400, 404), tags=("interledger-rs",),
    ),
    Operation(
        method="GET", path="/api/routes", access=Access.ANY, handler=get_routes,
        summary="All routes", answer="Route[]", tags=("routes",),
    ),
    Operation(
        method="PUT", path="/api/routes", access=Access.ADMIN, handler=put_routes,
        scope=Scope.OPERATE,
        summary="Replace the static routes", body="NewRoute[]", answer="Route[]", problems=(400, 404), tags=("routes",),
    ),
)  # fmt: skip
"""The operations of this module."""
