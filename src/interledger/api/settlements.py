"""`/api/settlements`: what the node settles and what came in, for the operator. Engines have a port of their own."""

from __future__ import annotations

from typing import Any, Final

from starlette.responses import Response

from interledger.accounts.account import parse_account_id
from interledger.accounts.asset import Money
from interledger.accounts.credentials import Scope
from interledger.api.auth import Access
from interledger.api.documents import list_document
from interledger.api.ledger import decision_document, read_by
from interledger.api.operations import Call, Operation, json_response
from interledger.api.paging import read_limit
from interledger.codec.timestamp import format_rfc3339
from interledger.settlement.records import Settlement

__all__ = ["OPERATIONS", "settlement_document"]


def settlement_document(settlement: Settlement) -> dict[str, Any]:
    """One settlement. `quantity` is as the engine has it; `amount` what moves in our books."""
    return {
        "id": settlement.id,
        "direction": settlement.direction.value,
        "account": settlement.account,
        "amount": Money(settlement.amount, settlement.asset).as_json(),
        "quantity": settlement.quantity.as_document(),
        "state": settlement.state.value,
        "key": settlement.key,
        "engine": settlement.engine or None,
        "cause": settlement.cause or None,
        "made_at": format_rfc3339(settlement.made_at),
        "done_at": None if settlement.done_at is None else format_rfc3339(settlement.done_at),
        "attempts_failed": settlement.attempts,
        "error": settlement.error or None,
        "next_at": None if settlement.next_at is None else format_rfc3339(settlement.next_at),
    }


async def list_settlements(call: Call) -> Response:
    text = call.request.query_params.get("account")
    account = None if text is None else call.node.account(parse_account_id(text)).id
    cursor = call.request.query_params.get("cursor")
    page = await call.node.settlements.history.page(account, read_limit(call.request), cursor)
    return json_response(list_document(map(settlement_document, page.items), page.cursor))


async def get_settlement(call: Call) -> Response:
    return json_response(settlement_document(await call.node.settlements.history.find(_id(call))))


async def create_settlement(call: Call) -> Response:
    """Of `amount` units, or all that is above the account's settle_to."""
    fields = await call.fields()
    account = fields.required("account", parse_account_id)
    amount = fields.integer("amount", 1)
    by = read_by(fields)
    fields.close()
    settlement = await call.node.settlements.create(account, amount, by=by)
    return json_response(settlement_document(settlement), 201, location=f"/api/settlements/{settlement.id}")


async def retry(call: Call) -> Response:
    """Ask the engine now, with the same key."""
    return json_response(settlement_document(call.node.settlements.retry(_id(call))))


async def void(call: Call) -> Response:
    """The first step: nothing has happened yet. Confirm it as any decision."""
    fields = await call.fields()
    reason, by = fields.required_text("reason"), read_by(fields)
    fields.close()
    settlements = call.node.settlements
    decision = settlements.by_hand.propose_void(settlements.get(_id(call)), reason=reason, by=by)
    return json_response(decision_document(decision), 201)


async def approve(call: Call) -> Response:
    """The first step of crediting what is held."""
    fields = await call.fields()
    reason, by = fields.required_text("reason"), read_by(fields)
    fields.close()
    settlements = call.node.settlements
    decision = settlements.by_hand.propose_approval(settlements.get(_id(call)), reason=reason, by=by)
    return json_response(decision_document(decision), 201)


async def resume(call: Call) -> Response:
    """The first step of settling again from books that were restored from a backup."""
    fields = await call.fields()
    reason, by = fields.required_text("reason"), read_by(fields)
    fields.close()
    return json_response(decision_document(call.node.settlements.by_hand.propose_resume(reason=reason, by=by)), 201)


def _id(call: Call) -> str:
    text: str = call.request.path_params["settlement"]
    return text


_PATH: Final = "/api/settlements/{settlement}"
_TAGS: Final = ("settlements",)

OPERATIONS: Final = (
    Operation(
        method="GET", path="/api/settlements", access=Access.ADMIN, handler=list_settlements,
        summary="Settlements, newest first; of one account with ?account=", answer="Settlement[]",
        problems=(400, 404, 503), parameters=("account", "limit", "cursor"), tags=_TAGS,
    ),
    Operation(
        method="POST", path="/api/settlements", access=Access.ADMIN, handler=create_settlement,
        summary="Settle now", body="NewSettlement", answer="Settlement", status=201, problems=(400, 404, 409, 503),
        tags=_TAGS,
    ),
    Operation(
        method="POST", path="/api/settlements/resume", access=Access.ADMIN, handler=resume,
        summary="Propose to settle again from restored books; nothing happens until it is confirmed", body="Reason",
        answer="Decision", status=201, problems=(400, 409), tags=_TAGS,
    ),
    Operation(
        method="GET", path=_PATH, access=Access.ADMIN, handler=get_settlement,
        summary="One settlement", answer="Settlement", problems=(404, 503), tags=_TAGS,
    ),
    Operation(
        method="POST", path=_PATH + "/retry", access=Access.ADMIN, handler=retry,
        scope=Scope.OPERATE,
        summary="Ask its engine now, with the same key", answer="Settlement", problems=(404, 409), tags=_TAGS,
    ),
    Operation(
        method="POST", path=_PATH + "/void", access=Access.ADMIN, handler=void,
        summary="Propose to take it back, or to refuse what is held; nothing happens until it is confirmed",
        body="Reason", answer="Decision", status=201, problems=(400, 404, 409), tags=_TAGS,
    ),
    Operation(
        method="POST", path=_PATH + "/approve", access=Access.ADMIN, handler=approve,
        summary="Propose to credit what is held; nothing happens until it is confirmed", body="Reason",
        answer="Decision", status=201, problems=(400, 404, 409), tags=_TAGS,
    ),
)  # fmt: skip
"""The operations of this module."""
