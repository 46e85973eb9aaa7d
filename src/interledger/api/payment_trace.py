"""The packets of a payment of this node, as its page draws them."""

from __future__ import annotations

from typing import Any, Final

from interledger.api.facade import NodeFacade
from interledger.codec.timestamp import format_rfc3339
from interledger.node.live.traces import TracedPacket

__all__ = ["trace_document"]

ROWS_MAX: Final = 200
"""Above it, packets of one outcome that follow one another become one row."""


def trace_document(node: NodeFacade, payment_id: str, *, ended: bool) -> dict[str, Any]:
    """`{"trace": …}`; null: the payment is of an earlier life of the node, or too long ago."""
    trace = node.live.traces.get(payment_id)
    if trace is None:
        return {"trace": None}
    rows = [_row(packet, ended) for packet in trace.packets]
    if len(rows) > ROWS_MAX:
        rows = _folded(rows)
    return {"trace": {"began_at": format_rfc3339(trace.began_at), "packets": rows, "more": trace.more}}


def _row(packet: TracedPacket, ended: bool) -> dict[str, Any]:
    return {
        "number": packet.number,
        "count": 1,
        "id": packet.condition.hex()[:8],
        "amount": str(packet.amount),
        "delivered": None if packet.delivered is None else str(packet.delivered),
        "sent_us": packet.sent_us,
        "answered_us": packet.answered_us,
        # What says goodbye is not waited for.
        "outcome": "unanswered" if ended and packet.answered_us is None else packet.outcome,
        "code": packet.code,
    }


def _folded(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Runs of the same outcome and code as one row: the sums, from the first sent to the last answered."""
    folded: list[dict[str, Any]] = []
    for row in rows:
        last = folded[-1] if folded else None
        if last is None or (last["outcome"], last["code"]) != (row["outcome"], row["code"]):
            folded.append(dict(row))
            continue
        last["count"] += 1
        for name in ("amount", "delivered"):
            last[name] = _sum(last[name], row[name])
        if row["answered_us"] is not None:
            last["answered_us"] = max(last["answered_us"] or 0, row["answered_us"])
    return folded


def _sum(one: str | None, other: str | None) -> str | None:
    return one if other is None else other if one is None else str(int(one) + int(other))
