"""`/api/accounts/{account}/peer-balance`: what the counterpart's books say of the account, beside ours."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from interledger.api.auth import Access
from interledger.api.operations import Call, Operation, json_response

__all__ = ["OPERATIONS"]


async def get_peer_balance(call: Call) -> Response:
    """Asks the peer (peer.balance). What is in flight may explain a difference: each side counts it at another time."""
    account = call.account
    found = await call.node.requests.peer_position(account)
    ours = found.ours
    return json_response(
        {
            "account": account.id,
            "asset_code": account.asset.code,
            "asset_scale": account.asset.scale,
            "owes_us_by_our_books": str(ours.net),
            "owes_us_by_their_books": str(found.theirs),
            "difference": str(ours.net - found.theirs),
            "pending": {"in": str(ours.pending_in), "out": str(ours.pending_out)},
        }
    )


OPERATIONS: Final = (
    Operation(
        method="GET", path="/api/accounts/{account}/peer-balance", access=Access.ADMIN, handler=get_peer_balance,
        summary="What the peer's books say of an account", answer="PeerBalance", problems=(404, 502),
        tags=("accounts",),
    ),
)  # fmt: skip
"""The operations of this module."""
