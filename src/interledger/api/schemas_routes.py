"""The shapes of documents about routes, as JSON Schema."""

from __future__ import annotations

from typing import Final

from interledger.api.schema_kinds import COUNT, FLAG, MOMENT, TEXT, Schema, object_of, or_null, ref_or_null

__all__ = ["LEARNED", "ROUTE_SCHEMAS"]

LEARNED: Final[dict[str, Schema]] = {
    "path": {"type": ["array", "null"], "items": TEXT, "description": "Nodes from the next to where it begins"},
    "speaker": or_null(TEXT) | {"description": "The address of the peer that announced it"},
    "since": or_null(MOMENT) | {"description": "When it did so first"},
}
"""What a route has that a peer announced, and null for all others."""

ROUTE_SCHEMAS: Final[dict[str, Schema]] = {
    "RouteSession": object_of(
        {
            "account": TEXT,
            "up": FLAG,
            "asked_for_ours": FLAG,
            "told": COUNT | {"description": "Routes of ours that it has"},
            "told_prefixes": {"type": "array", "items": TEXT, "description": "The first 100 of them"},
            "acknowledged": COUNT,
            "epoch": COUNT | {"description": "Changes of our table so far"},
            "heard": COUNT | {"description": "Routes that it announces"},
            "speaker": or_null(TEXT),
            "heard_at": or_null(MOMENT),
            "expires_at": or_null(MOMENT),
            "overflowed": FLAG | {"description": "It announces more than one peer may"},
        }
    ),
    "RouteExplanation": object_of(
        {
            "destination": TEXT,
            "account": or_null(TEXT),
            "amount": ref_or_null("Money"),
            "outcome": {"type": "string", "enum": ["forwarded", "refused", "answered"]},
            "next": {
                "oneOf": [
                    object_of(
                        {
                            "account": TEXT,
                            "amount": ref_or_null("Money"),
                            "less_ms": COUNT | {"description": "How much earlier the onward packet expires"},
                            "room": ref_or_null("Money"),
                        }
                    ),
                    {"type": "null"},
                ]
            },
            "refusal": {
                "oneOf": [
                    object_of(
                        {
                            "step": TEXT,
                            "code": TEXT,
                            "name": TEXT,
                            "message": TEXT,
                            "triggered_by": TEXT,
                            "amount_max": ref_or_null("Money") | {"description": "The most that would pass (F08)"},
                        }
                    ),
                    {"type": "null"},
                ]
            },
            "room": ref_or_null("Money"),
            "candidates": {
                "type": "array",
                "items": object_of(
                    {
                        "prefix": TEXT,
                        "account": or_null(TEXT),
                        "origin": TEXT,
                        "weight": COUNT,
                        "priority": COUNT,
                        **LEARNED,
                        "up": FLAG,
                        "chosen": FLAG,
                        "why_not": or_null(TEXT),
                    }
                ),
            },
            "nearest": {"type": "array", "items": TEXT},
        }
    ),
}
"""Name -> JSON Schema."""
