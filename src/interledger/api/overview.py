"""`/api/overview`, `/api/topology`, `/api/accounts/{account}/history`: what the pages of the same names show."""

from __future__ import annotations

from typing import Any, Final

from starlette.responses import Response

from interledger.accounts.asset import Asset, Money
from interledger.api.auth import Access
from interledger.api.documents import account_document, list_document
from interledger.api.facade import NodeFacade
from interledger.api.operations import Call, Operation, json_response
from interledger.codec.timestamp import format_rfc3339
from interledger.node.live.overview import AccountLook, Check, MovesLook, RiskLook, sentence_of
from interledger.node.live.seconds import Flow
from interledger.node.live.worth import WorthTotal

__all__ = [
    "OPERATIONS",
    "counts_document",
    "flow_document",
    "health_document",
    "overview_document",
    "topology_document",
]

ACCOUNTS_SHOWN: Final = 24
"""Of the overview, those with most at stake. The topology has all, its page shows as many."""


async def get_overview(call: Call) -> Response:
    return json_response(overview_document(call.node))


async def get_health(call: Call) -> Response:
    return json_response(health_document(call.node.live.overview.health()))


async def get_risk(call: Call) -> Response:
    return json_response(risk_document(call.node.live.overview.risk()))


async def get_moves(call: Call) -> Response:
    return json_response(moves_document(call.node.live.overview.moves()))


async def get_accounts(call: Call) -> Response:
    return json_response(accounts_document(call.node, call.node.live.overview.accounts()))


async def get_topology(call: Call) -> Response:
    return json_response(topology_document(call.node))


async def get_history(call: Call) -> Response:
    """Since the node started, ever more thinly: 720 points at most. Units of the account's asset."""
    points = call.node.live.seconds.history(call.account.id)
    items = (
        {
            "at": format_rfc3339(point.at),
            "net": str(point.net),
            "pending_in": str(point.pending_in),
            "pending_out": str(point.pending_out),
        }
        for point in points
    )
    return json_response(list_document(items))


def overview_document(node: NodeFacade) -> dict[str, Any]:
    """The first page."""
    status, look = node.status(), node.live.overview
    accounts = look.accounts()
    return {
        "ilp_address": status.address,
        "version": status.version,
        "started_at": format_rfc3339(status.started_at),
        "sentence": sentence_of(str(status.address), accounts),
        **health_document(look.health()),
        **risk_document(look.risk()),
        **moves_document(look.moves()),
        **accounts_document(node, accounts),
        "events_latest": node.live.events.latest_id,
    }


def moves_document(moves: MovesLook) -> dict[str, Any]:
    """What is moving."""
    return {
        "at": format_rfc3339(moves.now),
        **counts_document(moves),
        "seconds": [flow_document(flow) for flow in moves.seconds],
        "minutes": [flow_document(flow) for flow in moves.minutes],
    }


def accounts_document(node: NodeFacade, accounts: list[AccountLook]) -> dict[str, Any]:
    """Those with most at stake, and how many there are."""
    shown = [account_look_document(one, node) for one in accounts[:ACCOUNTS_SHOWN]]
    return {"accounts": shown, "accounts_total": len(accounts)}


def health_document(health: list[Check]) -> dict[str, Any]:
    """`needs`: what is not well, in the same form; empty: everything is."""
    checks = [check._asdict() for check in health]
    return {"health": checks, "needs": [check for check in checks if check["level"] != "ok"]}


def counts_document(look: MovesLook) -> dict[str, Any]:
    """What moves now, and what has moved within a day."""
    day = look.day
    ended = day.fulfilled + day.rejected
    return {
        "now": {
            "packets_per_second": look.packets_per_second,
            "in_flight": look.in_flight,
            "held": worth_document(look.held),
            "next_expiry_ms": look.next_expiry_ms,
        },
        "day": {
            "since": format_rfc3339(look.day_since),
            "packets": day.prepares,
            "fulfilled": day.fulfilled,
            "rejected": day.rejected,
            "fulfilled_permille": None if ended == 0 else day.fulfilled * 1_000 // ended,
            "moved": worth_document(look.day_moved),
        },
        "profit": {"since": format_rfc3339(look.profit_since), "earned": worth_document(look.profit)},
    }


def risk_document(risk: RiskLook) -> dict[str, Any]:
    """Sums in one asset. `percent`: of what peers may owe us at most."""
    limits = risk.limits.money.amount
    document: dict[str, Any] = {name: worth_document(total) for name, total in risk._asdict().items()}
    percent = None if limits == 0 else risk.at_risk.money.amount * 100 // limits
    return {"risk": document | {"percent": percent}}


def worth_document(total: WorthTotal) -> dict[str, Any]:
    """Money; `unpriced`: assets that are not in it because there is no rate for them."""
    return {**total.money.as_json(), "unpriced": list(total.unpriced)}


def flow_document(flow: Flow) -> dict[str, Any]:
    """One second or minute. `moved`: one amount per asset."""
    return {
        "at": format_rfc3339(flow.at),
        "packets": flow.prepares,
        "fulfilled": flow.fulfilled,
        "rejected": flow.rejected,
        "in_flight": flow.in_flight,
        "moved": [Money(amount, asset).as_json() for asset, amount in sorted(flow.moved.items(), key=_by_asset)],
    }


def _by_asset(item: tuple[Asset, int]) -> str:
    return str(item[0])


def account_look_document(look: AccountLook, node: NodeFacade) -> dict[str, Any]:
    """An account as `/api/accounts` has it, and what moves on it."""
    return {
        **account_document(look.account, node),
        "in_flight": look.in_flight,
        "packets_per_second": _per_second(look),
        "exposure_percent": look.exposure_percent,
        "near_limit": look.near,
        "unknown": look.unknown,
        "worth": look.worth.as_json(),
    }


def _per_second(look: AccountLook) -> dict[str, int]:
    """`total`: both ways; `rejected`: of those that came in."""
    came, went = look.packets_in, look.packets_out
    return {"in": came, "out": went, "total": came + went, "rejected": look.packets_rejected}


def topology_document(node: NodeFacade) -> dict[str, Any]:
    """Who is connected. `share_percent` is the width of a link: how much of the limit is in use."""
    accounts = [look for look in node.live.overview.accounts() if look.link.kind != "local"]
    return {
        "ilp_address": node.address,
        "packets_per_second": sum(look.packets_in for look in accounts),
        "peers": [
            {
                "account": look.account.id,
                "ilp_address": look.account.ilp_address,
                "relation": look.account.relation.value,
                "asset_code": look.account.asset.code,
                "asset_scale": look.account.asset.scale,
                "link": {
                    "kind": look.link.kind,
                    "up": look.link.up,
                    "since": None if look.link.since is None else format_rfc3339(look.link.since),
                },
                "net": str(look.position.net),
                "direction": "owes_us" if look.position.net > 0 else "we_owe" if look.position.net < 0 else "even",
                "share_percent": look.exposure_percent,
                "near_limit": look.near,
                "in_flight": look.in_flight,
                "packets_per_second": _per_second(look),
                "worth": look.worth.as_json(),
            }
            for look in accounts
        ],
    }


OPERATIONS: Final = (
    Operation(
        method="GET", path="/api/overview", access=Access.ADMIN, handler=get_overview,
        summary="Is anything wrong, how much could be lost, what is moving", answer="Overview", tags=("live",),
    ),
    *(
        Operation(
            method="GET", path=f"/api/overview/{part}", access=Access.ADMIN, handler=handler,
            summary=f"Of the overview: {text}", answer=f"{part.capitalize()}Look", tags=("live",),
        )
        for part, handler, text in (
            ("health", get_health, "what is well, and what is not"),
            ("risk", get_risk, "how much could be lost"),
            ("moves", get_moves, "what is moving"),
            ("accounts", get_accounts, "the accounts with most at stake"),
        )
    ),
    Operation(
        method="GET", path="/api/topology", access=Access.ADMIN, handler=get_topology,
        summary="Who is connected, and what moves between us", answer="Topology", tags=("live",),
    ),
    Operation(
        method="GET", path="/api/accounts/{account}/history", access=Access.ACCOUNT, handler=get_history,
        summary="Where the account stood since the node started", answer="PositionPoint[]", problems=(404,),
        tags=("accounts",),
    ),
)  # fmt: skip
"""The operations of this module."""
