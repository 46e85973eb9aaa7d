"""Schemas of the documents about settlements."""

from __future__ import annotations

from typing import Final

from interledger.api.schema_kinds import COUNT, MOMENT, TEXT, UNITS, Schema, object_of, or_null, ref
from interledger.settlement.records import Direction, SettlementState

__all__ = ["SETTLEMENT_SCHEMAS"]

SETTLEMENT_SCHEMAS: Final[dict[str, Schema]] = {
    "Settlement": object_of(
        {
            "id": TEXT,
            "direction": {"type": "string", "enum": [one.value for one in Direction]},
            "account": TEXT,
            "amount": ref("Money"),
            "quantity": object_of({"amount": UNITS, "scale": COUNT}),
            "state": {"type": "string", "enum": [one.value for one in SettlementState]},
            "key": TEXT,
            "engine": or_null(TEXT),
            "cause": or_null(TEXT),
            "made_at": MOMENT,
            "done_at": or_null(MOMENT),
            "attempts_failed": COUNT,
            "error": or_null(TEXT),
            "next_at": or_null(MOMENT),
        }
    ),
    "SettlementTotals": object_of(
        {
            "on_its_way": object_of({"count": COUNT, "oldest_at": or_null(MOMENT), "amount": ref("Worth")}),
            "day": object_of({"since": MOMENT, "count": COUNT, "paid": ref("Worth"), "got": ref("Worth")}),
            "engines": {
                "type": "array",
                "items": object_of(
                    {
                        "url": TEXT,
                        "accounts": {"type": "array", "items": TEXT},
                        "trouble": or_null(TEXT) | {"description": "What it said to a settlement it did not take"},
                    }
                ),
            },
        }
    ),
    "NewSettlement": object_of({"account": TEXT}, {"amount": or_null(UNITS), "by": or_null(TEXT)}),
    "Reason": object_of({"reason": TEXT}, {"by": or_null(TEXT)}),
}
"""By name, for the OpenAPI document."""
