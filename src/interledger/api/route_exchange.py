"""`/api/routes/exchange`: what is told to neighbours and heard from them (CCP)."""

from __future__ import annotations

from typing import Any, Final

from starlette.responses import Response

from interledger.api.auth import Access
from interledger.api.documents import list_document
from interledger.api.facade import NodeFacade
from interledger.api.intake_facade import SessionView
from interledger.api.operations import Call, Operation, json_response
from interledger.clock import Timestamp
from interledger.codec.timestamp import format_rfc3339

__all__ = ["OPERATIONS", "session_document"]

PREFIXES_SHOWN: Final = 100
"""Of what a peer is told. More is a table, and the routes that lead elsewhere are in `/api/routes`."""


async def list_sessions(call: Call) -> Response:
    return json_response(list_document(session_document(call.node, one) for one in call.node.learned.sessions()))


def session_document(node: NodeFacade, session: SessionView) -> dict[str, Any]:
    """`epoch`: changes of our table so far; the peer has said that it has `acknowledged` of them."""
    count, prefixes = node.learned.told(session.account, PREFIXES_SHOWN)
    return {
        "account": session.account,
        "up": session.is_up,
        "asked_for_ours": session.sends_updates,
        "told": count,
        "told_prefixes": list(prefixes),
        "acknowledged": session.acknowledged,
        "epoch": session.epoch,
        "heard": session.routes,
        "speaker": session.speaker or None,
        "heard_at": _moment(session.heard_at),
        "expires_at": _moment(session.expires_at),
        "overflowed": session.overflowed,
    }


def _moment(at: Timestamp | None) -> str | None:
    return None if at is None else format_rfc3339(at)


OPERATIONS: Final = (
    Operation(
        method="GET", path="/api/routes/exchange", access=Access.ADMIN, handler=list_sessions,
        summary="What neighbours are told, and what is heard from them", answer="RouteSession[]", tags=("routes",),
    ),
)  # fmt: skip
"""The operations of this module."""
