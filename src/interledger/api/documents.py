"""The JSON documents of our own API: what a node's values look like to the outside.

An amount is `{"amount": "412750000000", "asset_code": "EUR", "asset_scale": 9}`, the integer as text, or plain text of
integer units where the document itself says the asset. Moments are RFC 3339 in UTC. Keys are snake_case.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import quote as encode_path
from urllib.parse import urlsplit

from interledger.accounts.account import Account, Relation
from interledger.accounts.asset import Asset, Money
from interledger.api.facade import NodeFacade, ProgressView, QuoteView, StatusView
from interledger.api.link_credentials import credentials_document
from interledger.api.payment_views import WaitingView
from interledger.api.problems import Problem, problem_document
from interledger.clock import Timestamp
from interledger.codec.oer import UINT64_MAX
from interledger.codec.timestamp import format_rfc3339

__all__ = [
    "FINAL_STATES",
    "account_document",
    "list_document",
    "payment_document",
    "payment_problem",
    "quote_document",
    "status_document",
]

FINAL_STATES: Final = frozenset({"delivered", "partial", "failed", "unknown", "cancelled"})
"""The states in which a payment has ended."""

_PROBLEM_OF_STATE: Final = {
    "partial": "payment-partial",
    "failed": "payment-failed",
    "unknown": "payment-unknown",
    "cancelled": "payment-cancelled",
}


def list_document(items: Iterable[Any], next_cursor: str | None = None) -> dict[str, Any]:
    """A list, as every list looks. `next_cursor`: where the next page begins, None on the last."""
    return {"items": list(items), "next_cursor": next_cursor}


def account_document(account: Account, node: NodeFacade) -> dict[str, Any]:
    """An account, where it stands, and how it is connected. Never a token, only whether there is one."""
    position = node.position(account.id)
    status = node.link_status(account.id)
    packet_amount_max = None if account.packet_amount_max == UINT64_MAX else account.packet_amount_max
    return {
        "id": account.id,
        "relation": account.relation.value,
        "payment_pointer": _pointer(account, node) if account.relation is Relation.LOCAL else None,
        "asset_code": account.asset.code,
        "asset_scale": account.asset.scale,
        "ilp_address": account.ilp_address,
        "position": {
            "receivable": str(position.receivable),
            "payable": str(position.payable),
            "net": str(position.net),
        },
        "pending": {"in": str(position.pending_in), "out": str(position.pending_out)},
        "limits": {
            "owes_us_max": _units(account.owes_us_max),
            "we_owe_max": _units(account.we_owe_max),
            "late_claims_max": _units(account.late_claims_max),
            "settle_in_max": _units(account.settle_in_max),
            "packet_amount_max": _units(packet_amount_max),
            "packets_per_minute": _units(account.packets_per_minute),
            "amount_per_minute": _units(account.amount_per_minute),
        },
        "room": _units(position.room),
        "link": {
            "kind": status.kind,
            "up": status.up,
            "since": _moment(status.since),
            "http_url": account.link.http_url,
            "http_form": account.link.http_form.value,
            "http_callback_url": account.link.http_callback_url,
            "http_incoming_token": account.link.http_incoming_token_digest is not None,
            "http_outgoing_token": account.link.http_outgoing_token is not None,
            "btp_url": account.link.btp_url,
            "btp_version": account.link.btp_version.value,
            "btp_incoming_token": account.link.btp_incoming_token_digest is not None,
            "btp_outgoing_token": account.link.btp_outgoing_token is not None,
            **credentials_document(account.link),
        },
        "settle_threshold": _units(account.settle_threshold),
        "settle_to": _units(account.settle_to),
        "settlement_engine_url": account.settlement_engine_url,
        "send_routes": account.send_routes,
        "receive_routes": account.receive_routes,
        "ccp_full_updates": account.ccp_full_updates,
        "peer_balance": account.peer_balance,
        "paused": account.paused,
        "round_trip_time_ms": account.round_trip_time_ms,
    }


def _pointer(account: Account, node: NodeFacade) -> str:
    """Where a holder is paid: under the name by which others reach the node, else under that on its own machine."""
    public = urlsplit(node.settings.public_url or "")
    if public.netloc:
        return f"${public.netloc}{public.path.rstrip('/')}/{encode_path(account.id)}"
    host = node.settings.http_bind_address.rpartition(":")[0]
    return f"${'localhost' if host in _HERE else host}:{node.port}/{encode_path(account.id)}"


_HERE: Final = ("127.0.0.1", "0.0.0.0", "[::1]", "[::]", "::1", "::")  # recognised, not bound


def quote_document(quote: QuoteView, account_id: str, quote_id: str) -> dict[str, Any]:
    """What a payment would cost. `id` may be given to `POST /api/payments` for some minutes."""
    return {
        "id": quote_id,
        "account": account_id,
        "receiver": quote.receiver,
        "redirected_to": quote.redirected_to,
        "send_max": _money(quote.send_max, quote.source_asset),
        "deliver_min": _money(quote.deliver_min, quote.destination_asset),
        "rate": {"numerator": str(quote.rate.numerator), "denominator": str(quote.rate.denominator)},
    }


def payment_document(payment: ProgressView) -> dict[str, Any]:
    """A payment at one moment."""
    source, destination = payment.source_asset, payment.destination_asset
    has_rate = payment.sent > 0 and payment.delivered > 0
    problem = payment_problem(payment)
    return {
        "id": payment.id,
        "state": str(payment.state),
        "account": payment.account,
        "receiver": payment.receiver,
        "redirected_to": payment.redirected_to,
        "sent": _money(payment.sent, source),
        "delivered": _money(payment.delivered, destination),
        "in_flight": _money(payment.in_flight, source),
        "unknown": _money(payment.unknown, source),
        "deliver_min": _money(payment.deliver_min, destination),
        "send_max": _money(payment.send_max, source),
        "rate": {"numerator": str(payment.delivered), "denominator": str(payment.sent)} if has_rate else None,
        "packets": {"sent": payment.packets, "fulfilled": payment.fulfilled, "rejected": payment.rejected},
        "waiting": None if payment.waiting is None else _waiting(payment.waiting),
        "error": None if problem is None else problem_document(problem),
        "code": payment.code,
        "receipt": payment.receipt,
        "started_at": _moment(payment.started_at),
        "ended_at": _moment(payment.ended_at),
        "duration_ms": None if payment.ended_at is None else payment.ended_at - payment.started_at,
    }


def _waiting(waiting: WaitingView) -> dict[str, Any]:
    return {"code": waiting.code, "triggered_by": waiting.triggered_by, "retry_ms": waiting.retry_ms}


def payment_problem(payment: ProgressView, /, **more: Any) -> Problem | None:
    """Why a payment ended without delivering all; None while it runs and when it did."""
    kind = _PROBLEM_OF_STATE.get(str(payment.state))
    if kind is None:
        return None
    detail = payment.error or {
        "payment-cancelled": "It was stopped before all was sent",
        "payment-unknown": "Some packets were never answered: they may have arrived",
    }.get(kind, "The network did not deliver it")
    return Problem(kind, detail, code=payment.code, **more)


def status_document(status: StatusView, *, ready: bool) -> dict[str, Any]:
    """The node in one look."""
    return {
        "ilp_address": status.address,
        "version": status.version,
        "ready": ready,
        "read_only": status.read_only,
        "taking_packets": status.taking_packets,
        "started_at": _moment(status.started_at),
        "accounts": status.accounts,
        "links_up": status.links_up,
        "in_flight": status.in_flight,
        "packets": dict(status.packets),
        "unknown": status.unknown,
        "at_risk": [
            {
                "account": risk.account,
                "asset_code": risk.asset.code,
                "asset_scale": risk.asset.scale,
                "owed": str(risk.owed),
                "in_flight": str(risk.in_flight),
                "unknown": str(risk.unknown),
                "unproven": str(risk.unproven),
            }
            for risk in status.at_risk
        ],
        "alarms": list(status.alarms),
    }


def _units(amount: int | None) -> str | None:
    return None if amount is None else str(amount)


def _moment(at: Timestamp | None) -> str | None:
    return None if at is None else format_rfc3339(at)


def _money(amount: int | None, asset: Asset | None) -> dict[str, object] | None:
    return None if amount is None or asset is None else Money(amount, asset).as_json()
