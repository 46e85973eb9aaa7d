"""`/api/rates/history` and `/api/profit/history`: rates and profit over time, since the node started."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from interledger.api.auth import Access
from interledger.api.documents import list_document
from interledger.api.operations import Call, Operation, json_response
from interledger.codec.timestamp import format_rfc3339

__all__ = ["OPERATIONS"]


async def get_rates(call: Call) -> Response:
    """By asset, oldest first; 720 points of each at most. A value holds until the next."""
    items = (
        {"code": code, "points": [{"at": format_rfc3339(point.at), "value": point.value} for point in points]}
        for code, points in call.node.live.market.rates().items()
    )
    return json_response(list_document(items))


async def get_profit(call: Call) -> Response:
    """Oldest first; 720 points at most. What exchange left us holding is worth what it was at each moment."""
    market = call.node.live.market
    unit = market.earned().money.asset
    points = [{"at": format_rfc3339(point.at), "earned": str(point.earned)} for point in market.profit()]
    return json_response({"asset_code": unit.code, "asset_scale": unit.scale, "points": points})


OPERATIONS: Final = (
    Operation(
        method="GET", path="/api/rates/history", access=Access.ADMIN, handler=get_rates,
        summary="Rates over time, since the node started", answer="RateHistory[]", tags=("rates",),
    ),
    Operation(
        method="GET", path="/api/profit/history", access=Access.ADMIN, handler=get_profit,
        summary="What was earned over time, since the node started", answer="ProfitHistory", tags=("ledger",),
    ),
)  # fmt: skip
"""The operations of this module."""
