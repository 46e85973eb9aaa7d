"""The shapes of the books' documents, as JSON Schema. They are part of `schemas.SCHEMAS` in the OpenAPI document."""

from __future__ import annotations

from typing import Final

from interledger.api.schema_kinds import COUNT, MOMENT, NUMBER, TEXT, UNITS, Schema, object_of, or_null, ref
from interledger.application.statement.resolving import Outcome

__all__ = ["LEDGER_SCHEMAS"]

_ASSET: Final = {"asset_code": TEXT, "asset_scale": COUNT}
_BY: Final[Schema] = {"type": "string", "description": "Your name, to be kept beside the token's owner"}
_MOMENT: Final = or_null(MOMENT)


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


_PLACE: Final = object_of({"commit": COUNT, "at": _MOMENT})
_NULLABLE_TEXT: Final = or_null(TEXT)
_NULLABLE_COUNT: Final = or_null(COUNT)
_MEMO: Final = or_null(object_of({"kind": TEXT, "by": _NULLABLE_TEXT, "reason": _NULLABLE_TEXT, "id": _NULLABLE_TEXT}))

_UNKNOWN: Final = {
    "id": TEXT,
    "account": TEXT,
    "ledger_account": TEXT,
    "amount": ref("Money"),
    "condition": TEXT,
    "expires_at": _MOMENT,
    "age_ms": _NULLABLE_COUNT,
    "proof": _NULLABLE_TEXT,
}
_RESOLVED: Final = object_of({**_UNKNOWN, "outcome": {"type": "string", "enum": [one.value for one in Outcome]}})

LEDGER_SCHEMAS: Final[dict[str, Schema]] = {
    "Backup": object_of({"file": TEXT, "octets": COUNT, "commit": COUNT, "at": _MOMENT}),
    "AtRisk": object_of(
        {"account": TEXT, **_ASSET, "owed": UNITS, "in_flight": UNITS, "unknown": UNITS, "unproven": UNITS}
    ),
    "LedgerAccount": object_of(
        {
            "name": TEXT,
            **_ASSET,
            "class": {"type": "string", "enum": ["asset", "liability", "equity", "income", "expense"]},
            "meaning": TEXT,
            "net": UNITS,
            "debits_posted": UNITS,
            "credits_posted": UNITS,
            "debits_pending": UNITS,
            "credits_pending": UNITS,
        }
    ),
    "LedgerCheck": object_of(
        {
            "sound": {"type": "boolean"},
            "opening": _PLACE,
            "last": _PLACE,
            "commits": COUNT,
            "records": COUNT,
            "snapshots": COUNT,
            "holds": COUNT,
            "unknown": COUNT,
            "unproven": COUNT,
            "trial_balances": _list(object_of({**_ASSET, "posted": UNITS, "pending": UNITS, "accounts": COUNT})),
            "faults": _list(
                object_of({"text": TEXT, "commit": _NULLABLE_COUNT, "record": _NULLABLE_COUNT, "at": _MOMENT})
            ),
        }
    ),
    "Comparison": object_of(
        {
            "account": TEXT,
            **_ASSET,
            "ours": UNITS,
            "theirs": or_null(UNITS),
            "in_flight": UNITS,
            "unknown": UNITS,
            "unexplained": UNITS,
            "problem": _NULLABLE_TEXT,
        }
    ),
    "Reconciliation": object_of(
        {
            "account": TEXT,
            **_ASSET,
            "at": MOMENT,
            "agrees": {"type": "boolean"},
            "problem": _NULLABLE_TEXT,
            "net": UNITS,
            "compared": object_of(
                {
                    "from": _MOMENT,
                    "until": _MOMENT,
                    "packets": COUNT,
                    "questions": COUNT,
                    "complete": {"type": "boolean"},
                }
            ),
            "agreed_until": _MOMENT,
            "difference": {**UNITS, "description": "Ours less theirs: by what the balances differ"},
            "differences": _list(
                object_of(
                    {
                        "direction": {"type": "string", "enum": ["sent", "received"]},
                        "condition": TEXT,
                        "amount": UNITS,
                        "at": MOMENT,
                        "ours": COUNT,
                        "theirs": COUNT,
                        "total": UNITS,
                        "proof": _NULLABLE_TEXT,
                        "meaning": TEXT,
                    }
                )
            ),
            "more": {**COUNT, "description": "Differences that did not fit"},
            "resolved": _list(_RESOLVED),
            "left": _list(_RESOLVED),
        }
    ),
    "Statement": object_of(
        {
            "name": TEXT,
            **_ASSET,
            "kept_from": _MOMENT,
            "opening_net": UNITS,
            "lines": _list(
                object_of(
                    {
                        "at": _MOMENT,
                        "kind": {"type": "string", "enum": ["packet", "resolution", "entry"]},
                        "with": _list(TEXT),
                        "debit": UNITS,
                        "credit": UNITS,
                        "net": UNITS,
                        "packets": COUNT,
                        "memo": _MEMO,
                        "commit": COUNT,
                        "record": COUNT,
                    }
                )
            ),
            "more": {**COUNT, "description": "Lines that did not fit"},
            "debits": UNITS,
            "credits": UNITS,
            "closing_net": UNITS,
            "pending": object_of({"in": UNITS, "out": UNITS}),
            "unknown": _list(ref("Unknown")),
            "unproven": _list(ref("Unproven")),
        }
    ),
    "Profit": object_of(
        {
            "kept_from": _MOMENT,
            "assets": _list(
                object_of(
                    {
                        **_ASSET,
                        "fees": UNITS,
                        "losses": UNITS,
                        "corrections": UNITS,
                        "taken": UNITS,
                        "given": UNITS,
                        "position": UNITS,
                        "position_worth": ref("Worth"),
                    }
                )
            ),
            "pairs": _list(
                object_of({"packets": COUNT, "taken": ref("Money"), "given": ref("Money"), "profit": ref("Worth")})
            ),
            "worth": object_of({name: ref("Worth") for name in ("profit", "moved", "position")})
            | {"description": "At the node's rates as they are now; profit is what pairs and fees came to"},
        }
    ),
    "Unknown": object_of(
        _UNKNOWN,
        {
            "held_at": _MOMENT,
            "gave_up_at": _MOMENT,
            "incoming": or_null(object_of({"account": TEXT, "amount": ref("Money")})),
        },
    ),
    "Unproven": object_of(
        {
            "id": TEXT,
            "account": TEXT,
            "amount": ref("Money"),
            "condition": TEXT,
            "proof": TEXT,
            "since": MOMENT,
            "age_ms": _NULLABLE_COUNT,
        }
    ),
    "ClaimBeginning": object_of(
        {"account": TEXT, "condition": {"type": "string", "pattern": "^[0-9a-fA-F]{64}$"}, "reason": TEXT}, {"by": _BY}
    ),
    "ClaimEnd": object_of({"outcome": {"type": "string", "enum": ["owed", "lost"]}, "reason": TEXT}, {"by": _BY}),
    "Proof": object_of({"fulfillment": {"type": "string", "pattern": "^[0-9a-fA-F]{64}$"}}),
    "Resolution": object_of(
        {"outcome": {"type": "string", "enum": ["delivered", "not-delivered"]}, "reason": TEXT}, {"by": _BY}
    ),
    "Correction": object_of(
        {
            "debit": TEXT,
            "credit": TEXT,
            "amount": NUMBER,
            "asset_code": TEXT,
            "asset_scale": NUMBER,
            "reason": TEXT,
        },
        {"by": _BY},
    ),
    "Decision": object_of(
        {
            "id": TEXT,
            "text": TEXT,
            "memo": _MEMO,
            "effects": _list(object_of({"name": TEXT, **_ASSET, "before": UNITS, "after": UNITS})),
            "made_at": _MOMENT,
            "done_at": {**_MOMENT, "description": "null until it was confirmed"},
        }
    ),
}
"""Name -> JSON Schema."""
