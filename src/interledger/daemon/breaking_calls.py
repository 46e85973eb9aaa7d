"""`/api/dev`: the controls of a development network, for its dashboard and for programs. No other node has these paths.

    GET  /api/dev                      what is there, and what is wrong with it
    PUT  /api/dev/links/{left}/{right} {"delay_ms": 800, "loss_percent": 5, "cut": false}
    POST /api/dev/nodes/{name}/kill    another node, never the one that is asked
    POST /api/dev/nodes/{name}/start
    PUT  /api/dev/rates/{code}         {"percent": -20}: against what the rate usually is
    POST /api/dev/mend                 everything is put back
    GET  /api/dev/packets/{condition}  a packet at every node that it went through, in the order of its way

Each but the last answers with the document of `GET /api/dev`.
"""

from __future__ import annotations

from starlette.responses import Response

from interledger.accounts.credentials import Scope
from interledger.api.auth import Access
from interledger.api.operations import Call, Operation, json_response
from interledger.daemon.breaking import JUMP_PERCENT_MAX, JUMP_PERCENT_MIN, Breaking
from interledger.daemon.packet_path import packet_path
from interledger.daemon.troubled_link import DELAY_MS_MAX, Trouble
from interledger.errors import ConflictError

__all__ = ["breaking_operations"]


def breaking_operations(breaking: Breaking, name: str) -> tuple[Operation, ...]:
    """As the node called `name` offers them, to its operator."""

    async def look(call: Call) -> Response:
        return json_response(breaking.document())

    async def trouble(call: Call) -> Response:
        fields, path = await call.fields(), call.request.path_params
        wanted = Trouble(
            fields.integer("delay_ms", 0, DELAY_MS_MAX) or 0,
            fields.integer("loss_percent", 0, 100) or 0,
            bool(fields.flag("cut")),
        )
        fields.close()
        breaking.trouble(path["left"], path["right"], wanted)
        return json_response(breaking.document())

    async def kill(call: Call) -> Response:
        if call.request.path_params["name"] == name:
            raise ConflictError(f"{name} answers you itself. Kill it from another node's page")
        await breaking.kill(call.request.path_params["name"])
        return json_response(breaking.document())

    async def start(call: Call) -> Response:
        await breaking.start(call.request.path_params["name"])
        return json_response(breaking.document())

    async def jump(call: Call) -> Response:
        fields = await call.fields()
        percent = fields.required_integer("percent", JUMP_PERCENT_MIN, JUMP_PERCENT_MAX)
        fields.close()
        await breaking.jump(call.request.path_params["code"], percent)
        return json_response(breaking.document())

    async def mend(call: Call) -> Response:
        await breaking.mend()
        return json_response(breaking.document())

    async def path(call: Call) -> Response:
        may_open = Scope.OPERATE in call.caller.may
        return json_response(packet_path(breaking.nodes, call.request.path_params["packet"], may_open=may_open))

    offered = (
        ("GET", "/api/dev", look, "The development network, and what is wrong with it"),
        ("PUT", "/api/dev/links/{left}/{right}", trouble, "Make a link slow, lossy or cut"),
        ("POST", "/api/dev/nodes/{name}/kill", kill, "Kill a node"),
        ("POST", "/api/dev/nodes/{name}/start", start, "Start a killed node again"),
        ("PUT", "/api/dev/rates/{code}", jump, "Let a rate jump at every node"),
        ("POST", "/api/dev/mend", mend, "Put everything back"),
        ("GET", "/api/dev/packets/{packet}", path, "A packet, hop by hop"),
    )
    return tuple(
        Operation(
            method=method, path=path, access=Access.ADMIN, handler=handler, summary=summary,
            scope=Scope.READ if method == "GET" else Scope.OPERATE, tags=("development",),
        )
        for method, path, handler, summary in offered
    )  # fmt: skip
