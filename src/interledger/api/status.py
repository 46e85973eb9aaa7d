"""How the node is: `/` as interledger-rs has it, `/livez` and `/readyz` for supervisors, `/api/status`, and pings."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from interledger.accounts.credentials import Scope
from interledger.api.auth import Access
from interledger.api.documents import status_document
from interledger.api.operations import Call, Operation, json_response
from interledger.api.problems import Problem
from interledger.ilp.address import parse_address
from interledger.ilp.echo import PingKind

__all__ = ["OPERATIONS"]

PING_MS_DEFAULT: Final = 10_000
PING_MS_MAX: Final = 30_000
"""A packet is held no longer anywhere."""


async def get_root(call: Call) -> Response:
    node = call.node
    if not node.ready:
        return json_response({"status": "Starting"})
    return json_response({"status": "Ready", "ilp_address": node.address, "version": node.status().version})


async def get_live(call: Call) -> Response:
    """The process answers. It says nothing of the node."""
    return json_response({"status": "ok"})


async def get_ready(call: Call) -> Response:
    """Whether packets should come here. If not, `reason` is starting, stopping, books or clock."""
    why = call.node.not_ready()
    if why is not None:
        reason, text = why
        raise Problem("not-ready", text, reason=reason)
    return json_response({"status": "ok"})


async def get_status(call: Call) -> Response:
    return json_response(status_document(call.node.status(), ready=call.node.ready))


async def get_caller(call: Call) -> Response:
    """Whose the token is."""
    caller = call.caller
    may = [scope.value for scope in caller.may]
    return json_response({"is_admin": caller.is_admin, "account": caller.account, "token": caller.token, "may": may})


async def ping(call: Call) -> Response:
    """Asks a node for an echo. `code` is the ILP code where the answer was a Reject."""
    fields = await call.fields()
    destination = fields.required("destination", parse_address)
    timeout_ms = fields.integer("timeout_ms", 1, PING_MS_MAX) or PING_MS_DEFAULT
    kind = fields.choice("kind", _KINDS) or PingKind.ECHO
    wants_hops = fields.flag("hops")
    fields.close()
    requests = call.node.requests
    try:
        result = await requests.ping(destination, timeout_ms, kind=kind)
        hops = await requests.trace(destination, timeout_ms) if wants_hops else []
    except TimeoutError:
        raise Problem("no-answer", f"{destination} did not answer in time") from None
    document = {
        "destination": destination,
        "round_trip_us": _us(result.round_trip_ms),
        "code": result.code,
        "triggered_by": result.triggered_by or None,
        "hops": [{"address": hop.address, "round_trip_us": _us(hop.round_trip_ms), "code": hop.code} for hop in hops],
    }
    return json_response(document)


def _us(milliseconds: float) -> int:
    """Whole microseconds as an integer: no float in any document."""
    return round(milliseconds * 1000)


_KINDS: Final = {kind.value: kind for kind in PingKind}

OPERATIONS: Final = (
    Operation(
        method="GET", path="/", access=Access.PUBLIC, handler=get_root,
        summary="Who answers here", answer="Root", tags=("interledger-rs",),
    ),
    Operation(
        method="GET", path="/livez", access=Access.PUBLIC, handler=get_live,
        summary="The process answers", answer="Health", tags=("status",),
    ),
    Operation(
        method="GET", path="/healthz", access=Access.PUBLIC, handler=get_live,
        summary="As /livez, by the name that Rafiki has", answer="Health", tags=("status",),
    ),
    Operation(
        method="GET", path="/readyz", access=Access.PUBLIC, handler=get_ready,
        summary="The node takes packets", answer="Health", problems=(503,), tags=("status",),
    ),
    Operation(
        method="GET", path="/api/status", access=Access.ADMIN, handler=get_status,
        summary="The node in one look", answer="Status", tags=("status",),
    ),
    Operation(
        method="GET", path="/api/whoami", access=Access.ANY, handler=get_caller,
        summary="Whose the token is", answer="Caller", tags=("status",),
    ),
    Operation(
        method="POST", path="/api/ping", access=Access.ADMIN, handler=ping, scope=Scope.OPERATE,
        summary="Ask a node for an echo", body="Ping", answer="PingResult", problems=(400, 504), tags=("status",),
    ),
)  # fmt: skip
"""The operations of this module."""
