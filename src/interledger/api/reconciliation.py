"""`/api/ledger/reconcile/{account}`: exchange statements with a peer, and resolve what is unknown."""

from __future__ import annotations

from typing import Any, Final

from starlette.responses import Response

from interledger.accounts.books.documents import unknown_document
from interledger.accounts.credentials import Scope
from interledger.api.auth import Access
from interledger.api.operations import Call, Operation, json_response
from interledger.api.reconciliation_view import ReconciliationView
from interledger.application.statement.messages import Direction, ItemState
from interledger.application.statement.protocol import Difference
from interledger.application.statement.resolving import CLOSED, Resolution
from interledger.clock import Timestamp
from interledger.codec.timestamp import format_rfc3339

__all__ = ["DIFFERENCES_TOLD", "OPERATIONS"]

DIFFERENCES_TOLD: Final = 500
"""In one answer; the counts and sums are of all."""


async def reconcile(call: Call) -> Response:
    """Answers 200 also when the books differ or the peer does not answer: see `agrees` and `problem`."""
    return json_response(_document(await call.node.books.reconcile(call.account.id)))


def _document(found: ReconciliationView) -> dict[str, Any]:
    findings = found.findings
    return {
        "account": found.account,
        "asset_code": found.asset.code,
        "asset_scale": found.asset.scale,
        "at": format_rfc3339(found.at),
        "agrees": found.agrees,
        "problem": found.problem or None,
        "net": str(found.net),
        "compared": {
            "from": _moment(findings.since),
            "until": _moment(findings.until),
            "packets": findings.compared,
            "questions": findings.requests,
            "complete": findings.is_complete,
        },
        "agreed_until": _moment(findings.agreed_until),
        "difference": str(sum(one.total for one in findings.differences)),
        "differences": [_difference(one) for one in findings.differences[:DIFFERENCES_TOLD]],
        "more": max(len(findings.differences) - DIFFERENCES_TOLD, 0),
        "resolved": [_resolution(one, found.at) for one in found.resolutions if one.outcome in CLOSED],
        "left": [_resolution(one, found.at) for one in found.resolutions if one.outcome not in CLOSED],
    }


def _difference(one: Difference) -> dict[str, Any]:
    proof = one.answer.fulfillment
    return {
        "direction": one.direction.name.lower(),
        "condition": one.key[:32].hex(),
        "amount": str(one.amount),
        "at": format_rfc3339(Timestamp(one.at)),
        "ours": one.ours,
        "theirs": one.theirs,
        "total": str(one.total),
        "proof": None if proof is None else proof.hex(),
        "meaning": _meaning(one),
    }


def _meaning(one: Difference) -> str:
    they_more = one.theirs > one.ours
    if one.direction is Direction.SENT:
        return "they claim what our books do not owe" if they_more else "we count that we owe it, they do not claim it"
    if they_more:
        return "they count that they owe it, we do not claim it"
    if one.answer.state & ItemState.LATE:
        return "they have the proof and hold that it came too late"
    if one.answer.state:
        return "they have not found out yet what became of it"
    return "we claim what their books do not owe"


def _resolution(one: Resolution, now: Timestamp) -> dict[str, Any]:
    return {**unknown_document(one.item, now), "outcome": one.outcome.value}


def _moment(at: int) -> str | None:
    return format_rfc3339(Timestamp(at)) if at else None


OPERATIONS: Final = (
    Operation(
        method="POST", path="/api/ledger/reconcile/{account}", access=Access.ADMIN, handler=reconcile,
        scope=Scope.OPERATE,
        summary="Compare our books with a peer's, and resolve what is unknown", answer="Reconciliation",
        problems=(400, 404, 503), tags=("ledger",),
    ),
)  # fmt: skip
"""The operations of this module."""
