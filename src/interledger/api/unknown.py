"""`/api/unknown`: amounts whose delivery nobody has proved, and what the operator decides about them."""

from __future__ import annotations

import re
from typing import Final

from starlette.responses import Response

from interledger.accounts.books.documents import unknown_document
from interledger.api.auth import Access
from interledger.api.documents import list_document
from interledger.api.ledger import decision_document, read_by
from interledger.api.operations import Call, Operation, json_response
from interledger.errors import InvalidRequestError, NotFoundError

__all__ = ["OPERATIONS"]

_ID: Final = re.compile(r"(?:unk_)?([0-9]{1,19})")
_HEX: Final = re.compile(r"[0-9a-fA-F]{64}")


async def list_unknown(call: Call) -> Response:
    now = call.node.books.now()
    return json_response(list_document(unknown_document(item, now) for item in call.node.books.unknown()))


async def get_unknown(call: Call) -> Response:
    item = call.node.books.unknown_item(_item_id(call))
    return json_response(unknown_document(item, call.node.books.now(), await call.node.books.unknown_history(item)))


async def prove(call: Call) -> Response:
    """The fulfillment of an item's condition, wherever it came from, is proof that it was delivered."""
    fields = await call.fields()
    fulfillment = fields.required("fulfillment", _fulfillment)
    fields.close()
    return json_response(
        unknown_document(await call.node.books.prove(_item_id(call), fulfillment), call.node.books.now())
    )


async def resolve(call: Call) -> Response:
    """The first step: nothing has happened yet. Confirm it as any decision. In place of an item, the name of an account
    stands for all of its items."""
    fields = await call.fields()
    delivered = fields.choice("outcome", {"delivered": True, "not-delivered": False})
    if delivered is None:
        raise fields.wrong("outcome", "is delivered or not-delivered")
    reason, by = fields.required_text("reason"), read_by(fields)
    fields.close()
    decision = call.node.books.propose_resolution(_item_ids(call), delivered=delivered, reason=reason, by=by)
    return json_response(decision_document(decision), 201)


def _item_ids(call: Call) -> list[int]:
    """The item in the path, or all of an account's."""
    text: str = call.request.path_params["item"]
    if _ID.fullmatch(text) is not None:
        return [_item_id(call)]
    names = (f"peer/{text}", f"local/{text}")
    found = [item.id for item in call.node.books.unknown() if item.account.name in names]
    if not found:
        raise NotFoundError(f"There is no unknown item of “{text}”.")
    return found


def _item_id(call: Call) -> int:
    text: str = call.request.path_params["item"]
    match = _ID.fullmatch(text)
    if match is None:
        raise NotFoundError("Unknown items are called  unk_19")
    return int(match[1])


def _fulfillment(text: str) -> bytes:
    if _HEX.fullmatch(text) is None:
        raise InvalidRequestError("a fulfillment is 32 octets in hex: 64 digits")
    return bytes.fromhex(text)


_PATH: Final = "/api/unknown/{item}"

OPERATIONS: Final = (
    Operation(
        method="GET", path="/api/unknown", access=Access.ADMIN, handler=list_unknown,
        summary="Amounts whose delivery nobody has proved, oldest first", answer="Unknown[]", tags=("unknown",),
    ),
    Operation(
        method="GET", path=_PATH, access=Access.ADMIN, handler=get_unknown,
        summary="One of them, and where it came from", answer="Unknown", problems=(404, 503), tags=("unknown",),
    ),
    Operation(
        method="POST", path=_PATH + "/proof", access=Access.ADMIN, handler=prove,
        summary="Keep its fulfillment as proof of delivery", body="Proof", answer="Unknown", problems=(400, 404, 503),
        tags=("unknown",),
    ),
    Operation(
        method="POST", path=_PATH + "/resolve", access=Access.ADMIN, handler=resolve,
        summary="Propose to call it delivered or not; nothing happens until it is confirmed", body="Resolution",
        answer="Decision", status=201, problems=(400, 404, 409), tags=("unknown",),
    ),
)  # fmt: skip
"""The operations of this module."""
