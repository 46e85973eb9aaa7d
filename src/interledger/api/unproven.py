"""`/api/unproven`: what was fulfilled for a peer that does not count it, and what the operator decides about that."""

from __future__ import annotations

import re
from typing import Final

from starlette.responses import Response

from interledger.accounts.books.documents import unproven_document
from interledger.api.auth import Access
from interledger.api.documents import list_document
from interledger.api.ledger import decision_document, read_by
from interledger.api.operations import Call, Operation, json_response
from interledger.errors import InvalidRequestError, NotFoundError

__all__ = ["OPERATIONS"]

_CONDITION: Final = re.compile(r"[0-9a-fA-F]{64}")
_ID: Final = re.compile(r"(?:unp_)?([0-9]{1,19})")


async def list_unproven(call: Call) -> Response:
    now = call.node.books.now()
    return json_response(list_document(unproven_document(item, now) for item in call.node.books.claims.all()))


async def resolve(call: Call) -> Response:
    """The first step: nothing has happened yet. Confirm it as any decision. In place of a claim, the name of an account
    stands for all of its claims."""
    fields = await call.fields()
    owed = fields.choice("outcome", {"owed": True, "lost": False})
    if owed is None:
        raise fields.wrong("outcome", "is owed or lost")
    reason, by = fields.required_text("reason"), read_by(fields)
    fields.close()
    decision = call.node.books.claims.propose_end(_item_ids(call), owed=owed, reason=reason, by=by)
    return json_response(decision_document(decision), 201)


async def set_aside(call: Call) -> Response:
    """The first step. For a peer that exchanges no statements: it says that it does not count a packet that was
    fulfilled for it. The amount is taken out of what it owes, and kept with the fulfillment as proof."""
    fields = await call.fields()
    account = fields.required_text("account")
    condition = fields.required("condition", _condition)
    reason, by = fields.required_text("reason"), read_by(fields)
    fields.close()
    decision = await call.node.books.claims.propose_beginning(account, condition, reason=reason, by=by)
    return json_response(decision_document(decision), 201)


def _condition(text: str) -> bytes:
    if not _CONDITION.fullmatch(text):
        raise InvalidRequestError("is the execution condition of the packet: 64 hexadecimal digits")
    return bytes.fromhex(text)


def _item_ids(call: Call) -> list[int]:
    """The claim in the path, or all of an account's."""
    text: str = call.request.path_params["item"]
    match = _ID.fullmatch(text)
    if match is not None:
        return [int(match[1])]
    found = [item.id for item in call.node.books.claims.all() if item.account.name == f"peer/{text}"]
    if not found:
        raise NotFoundError(f"There is no unproven claim on “{text}”. Claims are called  unp_19")
    return found


OPERATIONS: Final = (
    Operation(
        method="GET", path="/api/unproven", access=Access.ADMIN, handler=list_unproven,
        summary="What was fulfilled for peers that do not count it, oldest first", answer="Unproven[]",
        tags=("unknown",),
    ),
    Operation(
        method="POST", path="/api/unproven", access=Access.ADMIN, handler=set_aside,
        summary="Propose to set a packet aside that a peer does not count; nothing happens until it is confirmed",
        body="ClaimBeginning", answer="Decision", status=201, problems=(400, 404, 409), tags=("unknown",),
    ),
    Operation(
        method="POST", path="/api/unproven/{item}/resolve", access=Access.ADMIN, handler=resolve,
        summary="Propose to call it owed after all, or lost; nothing happens until it is confirmed", body="ClaimEnd",
        answer="Decision", status=201, problems=(400, 404), tags=("unknown",),
    ),
)  # fmt: skip
"""The operations of this module."""
