"""The body of a webhook: an event, as other programs are told of it, with Rafiki's words where it has some."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["webhook_document", "webhook_type"]


def webhook_type(kind: str, data: Mapping[str, Any]) -> str:
    """What Rafiki calls an event of this kind, where it has a word; else the kind."""
    match kind:
        case "payment.finished":
            return f"outgoing_payment.{'completed' if data.get('state') == 'delivered' else 'failed'}"
        case "payment.received":
            return "incoming_payment.completed"
        case "limit.near" | "limit.reached":
            return "peer.liquidity_low"
    return kind


def webhook_document(event_id: int, kind: str, at: str, text: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """What is sent. `at`: when it happened, RFC 3339; `text`: the event in words; `data`: its own fields."""
    body = {"kind": kind, "text": text, **data}
    return {"id": f"evt_{event_id}", "type": webhook_type(kind, data), "at": at, "data": body}
