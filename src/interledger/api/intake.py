"""`/api/drain`, `/api/resume`, `/api/stop`: whether the node takes new packets, and its end. For the operator only."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from interledger.accounts.credentials import Scope
from interledger.api.auth import Access
from interledger.api.operations import Call, Operation, json_response

__all__ = ["OPERATIONS"]


async def drain(call: Call) -> Response:
    """May be asked again: `in_flight` of the answer is 0 when all is done."""
    call.node.intake.close()
    return _answer(call)


async def resume(call: Call) -> Response:
    """Packets are taken again."""
    call.node.intake.open()
    return _answer(call)


async def stop(call: Call) -> Response:
    """The answer comes before the end."""
    call.node.intake.stop()
    return _answer(call, 202)


def _answer(call: Call, status: int = 200) -> Response:
    intake = call.node.intake
    document = {"taking_packets": intake.is_open, "in_flight": intake.in_flight, "stopping": intake.is_stopping}
    return json_response(document, status)


OPERATIONS: Final = (
    Operation(
        method="POST", path="/api/drain", access=Access.ADMIN, handler=drain, scope=Scope.OPERATE,
        summary="Take no new packets (T03); those in flight come to their end", answer="Intake", tags=("status",),
    ),
    Operation(
        method="POST", path="/api/resume", access=Access.ADMIN, handler=resume, scope=Scope.OPERATE,
        summary="Take packets again", answer="Intake", problems=(409,), tags=("status",),
    ),
    Operation(
        method="POST", path="/api/stop", access=Access.ADMIN, handler=stop, scope=Scope.OPERATE, status=202,
        summary="Take no new packets, wait for those in flight, and end the node's program", answer="Intake",
        problems=(409,), tags=("status",),
    ),
)  # fmt: skip
"""The operations of this module."""
