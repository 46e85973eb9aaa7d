"""`/api/routes/explain`: where a packet would go from here, and why; nothing is sent."""

from __future__ import annotations

from typing import Any, Final

from starlette.responses import Response

from interledger.accounts.account import parse_account_id
from interledger.accounts.asset import Asset, Money
from interledger.api.auth import Access
from interledger.api.bodies import Fields
from interledger.api.facade import ExplanationView
from interledger.api.operations import Call, Operation, json_response
from interledger.api.routes import route_document
from interledger.connector.explain import Candidate
from interledger.ilp.address import parse_address
from interledger.ilp.error_codes import ERROR_CODES, AmountTooLarge, ErrorCode
from interledger.ilp.packet import Reject

__all__ = ["OPERATIONS", "explanation_document"]


async def get_explanation(call: Call) -> Response:
    """`account`: whose packet; without it, one of the node itself, without money. `amount`: units of its asset."""
    query = Fields(call.request.query_params, strict=True)
    destination = query.required("destination", parse_address)
    account = query.parsed("account", parse_account_id)
    amount = query.integer("amount")
    query.close()
    return json_response(explanation_document(call.node.explainer.explain(destination, account, amount), account))


def explanation_document(found: ExplanationView, account: str | None) -> dict[str, Any]:
    """The verdict as a document."""
    verdict = found.verdict
    refusal = verdict.refusal
    outcome = "refused" if refusal is not None else "answered" if verdict.answered_here else "forwarded"
    name = ERROR_CODES.get(refusal.code) if refusal is not None else None
    return {
        "destination": verdict.destination,
        "account": account,
        "amount": _money(verdict.amount, found.source_asset),
        "outcome": outcome,
        "next": None
        if found.outgoing_account is None
        else {
            "account": found.outgoing_account,
            "amount": None
            if account is None or refusal is not None
            else _money(verdict.outgoing_amount, found.outgoing_asset),
            "less_ms": verdict.less_ms,
            "room": _room(verdict.outgoing_room, found.outgoing_asset),
        },
        "refusal": None
        if refusal is None
        else {
            "step": "" if verdict.step is None else verdict.step.value,
            "code": refusal.code,
            "name": "" if name is None else name.name,
            "message": refusal.message,
            "triggered_by": refusal.triggered_by,
            "amount_max": _most(refusal, found.source_asset),
        },
        "room": _room(verdict.incoming_room, found.source_asset),
        "candidates": [_candidate(one) for one in verdict.candidates],
        "nearest": list(found.nearest),
    }


def _candidate(one: Candidate) -> dict[str, Any]:
    return {
        **route_document(one.route),
        "up": one.up,
        "chosen": one.why_not == "",
        "why_not": one.why_not or None,
    }


def _money(amount: int, asset: Asset | None) -> dict[str, object] | None:
    return None if asset is None else Money(amount, asset).as_json()


def _most(refusal: Reject, asset: Asset | None) -> dict[str, object] | None:
    """Of an F08: the largest amount that would pass."""
    if refusal.code != ErrorCode.F08_AMOUNT_TOO_LARGE:
        return None
    amounts = AmountTooLarge.decode(refusal.data)
    return None if amounts is None else _money(amounts.maximum_amount, asset)


def _room(amount: int | None, asset: Asset | None) -> dict[str, object] | None:
    return None if amount is None else _money(amount, asset)


OPERATIONS: Final = (
    Operation(
        method="GET", path="/api/routes/explain", access=Access.ADMIN, handler=get_explanation,
        summary="Where a packet would go, and why", answer="RouteExplanation", problems=(400, 404),
        parameters=("destination", "account", "amount"), tags=("routes",),
    ),
)  # fmt: skip
"""The operations of this module."""
