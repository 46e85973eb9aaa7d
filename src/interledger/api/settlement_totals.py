"""`/api/settlements/totals`: what is on its way, what was settled within a day, and which engines have trouble."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from starlette.responses import Response

from interledger.api.auth import Access
from interledger.api.facade import NodeFacade
from interledger.api.operations import Call, Operation, json_response
from interledger.api.overview import worth_document
from interledger.clock import Timestamp
from interledger.codec.timestamp import format_rfc3339
from interledger.settlement.records import Direction, Settlement, SettlementState

__all__ = ["OPERATIONS", "totals_document"]

DAY_MS: Final = 86_400_000

COUNTED_MAX: Final = 1_000
"""Of the latest: as many as the node has in memory."""

DONE: Final = (SettlementState.SETTLED, SettlementState.CREDITED)


async def get_totals(call: Call) -> Response:
    return json_response(totals_document(call.node, call.node.books.now()))


def totals_document(node: NodeFacade, now: Timestamp) -> dict[str, Any]:
    """Sums at the node's own rates as they are now, of the latest 1,000 settlements."""
    latest = node.settlements.latest(None, COUNTED_MAX)
    sending = [one for one in latest if one.state is SettlementState.SENDING]
    since = Timestamp(now - DAY_MS)
    done = [one for one in latest if one.state in DONE and (one.done_at or 0) >= since]
    return {
        "on_its_way": {
            "count": len(sending),
            "oldest_at": _moment(min((one.made_at for one in sending), default=None)),
            "amount": worth_document(_worth(node, sending)),
        },
        "day": {
            "since": format_rfc3339(since),
            "count": len(done),
            "paid": worth_document(_worth(node, (one for one in done if one.direction is Direction.OUT))),
            "got": worth_document(_worth(node, (one for one in done if one.direction is Direction.IN))),
        },
        "engines": _engines(node, sending),
    }


def _engines(node: NodeFacade, sending: Sequence[Settlement]) -> list[dict[str, Any]]:
    """Those that accounts name, and what the last one said that did not take a settlement."""
    by_url: dict[str, list[str]] = {}
    for account in node.accounts():
        url = account.settlement_engine_url
        if url is None and account.settle_threshold is not None:
            url = node.settlements.engines.defaults.get(account.asset.code)
        if url is not None:
            by_url.setdefault(url, []).append(account.id)
    trouble = {one.engine: one.error for one in sending if one.error}
    return [{"url": url, "accounts": names, "trouble": trouble.get(url)} for url, names in sorted(by_url.items())]


def _worth(node: NodeFacade, settlements: Iterable[Settlement]) -> Any:
    return node.live.overview.worth((one.asset, one.amount) for one in settlements)


def _moment(at: Timestamp | None) -> str | None:
    return None if at is None else format_rfc3339(at)


OPERATIONS: Final = (
    Operation(
        method="GET", path="/api/settlements/totals", access=Access.ADMIN, handler=get_totals,
        summary="What is on its way, what was settled within a day, which engines have trouble",
        answer="SettlementTotals", tags=("settlements",),
    ),
)  # fmt: skip
"""The operations of this module. Before those that take an id at the same place."""
