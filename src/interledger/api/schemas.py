"""The shapes of the API's documents, as JSON Schema, for its OpenAPI document."""

from __future__ import annotations

from typing import Any, Final

from interledger.api.problems import PROBLEM_TYPES, problem_type_url

__all__ = ["SCHEMAS"]

Schema = dict[str, Any]

_TEXT: Final[Schema] = {"type": "string"}
_FLAG: Final[Schema] = {"type": "boolean"}
_COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
_MOMENT: Final[Schema] = {"type": "string", "format": "date-time"}
_UNITS: Final[Schema] = {"type": "string", "pattern": "^-?[0-9]+$", "description": "Integer units of the asset"}
_NUMBER: Final[Schema] = {"type": ["integer", "string"], "description": "An integer, in quotes or not"}
_DECIMAL: Final[Schema] = {"type": ["number", "string"], "description": "A decimal number, in quotes or not; exact"}
_RELATION: Final[Schema] = {"type": "string", "enum": ["parent", "peer", "child", "local"]}


def _or_null(schema: Schema) -> Schema:
    types = schema["type"]
    return schema | {"type": [*types, "null"] if isinstance(types, list) else [types, "null"]}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _ref_or_null(name: str) -> Schema:
    return {"oneOf": [_ref(name), {"type": "null"}]}


def _object(required: dict[str, Schema], optional: dict[str, Schema] | None = None) -> Schema:
    """An object whose `required` fields are always there."""
    schema: Schema = {"type": "object", "properties": required | (optional or {})}
    return schema | {"required": list(required)} if required else schema


def _map(values: Schema, description: str) -> Schema:
    return {"type": "object", "additionalProperties": values, "description": description}


_LIMITS: Final = {
    name: _or_null(_UNITS)
    for name in ("owes_us_max", "we_owe_max", "packet_amount_max", "packets_per_minute", "amount_per_minute")
}
_POSITION: Final = _object({"receivable": _UNITS, "payable": _UNITS, "net": _UNITS})
_SETTLEMENT: Final = {
    "settle_threshold": _or_null(_UNITS),
    "settle_to": _or_null(_UNITS),
    "settlement_engine_url": _or_null(_TEXT),
}
_LINK_IN: Final = {
    f"{kind}_{name}": _or_null(_TEXT)
    for kind in ("http", "btp")
    for name in ("url", "incoming_token", "outgoing_token")
}
_ACCOUNT_CHANGES: Final = {
    "relation": _RELATION,
    "ilp_address": _TEXT,
    "limits": _object({}, _LIMITS),
    "link": _object({}, _LINK_IN),
    "round_trip_time_ms": _COUNT,
    **_SETTLEMENT,
}
_COMPATIBLE_LINK: Final = {
    f"ilp_over_{kind}_{name}": _or_null(_TEXT)
    for kind in ("http", "btp")
    for name in ("url", "incoming_token", "outgoing_token")
}
_COMPATIBLE_RELATION: Final[Schema] = {"type": "string", "enum": ["NonRoutingAccount", "Parent", "Peer", "Child"]}
_COMPATIBLE_LIMITS: Final = {
    "max_packet_amount": _NUMBER,
    "min_balance": _or_null(_NUMBER),
    "routing_relation": _COMPATIBLE_RELATION,
    "round_trip_time": _NUMBER,
    "amount_per_minute_limit": _or_null(_NUMBER),
    "packets_per_minute_limit": _or_null(_NUMBER),
    "settle_threshold": _or_null(_NUMBER),
    "settle_to": _or_null(_NUMBER),
    "settlement_engine_url": _or_null(_TEXT),
}
_ASKED_AMOUNT: Final[Schema] = {
    "oneOf": [
        {"type": "string", "description": "Whole units:  10  or  10.50 USD"},
        _ref("Money"),
        {"type": "null"},
    ]
}

SCHEMAS: Final[dict[str, Schema]] = {
    "Account": _object(
        {
            "id": _TEXT,
            "relation": _RELATION,
            "asset_code": _TEXT,
            "asset_scale": _COUNT,
            "ilp_address": _TEXT,
            "position": _POSITION,
            "pending": _object({"in": _UNITS, "out": _UNITS}),
            "limits": _object(_LIMITS),
            "room": _or_null(_UNITS),
            "link": _object(
                {
                    "kind": {"type": "string", "enum": ["BTP", "HTTP", "local", "none"]},
                    "up": _FLAG,
                    "since": _or_null(_MOMENT),
                    **{name: _or_null(_TEXT) if name.endswith("_url") else _FLAG for name in _LINK_IN},
                }
            ),
            **_SETTLEMENT,
            "round_trip_time_ms": _COUNT,
        }
    ),
    "NewAccount": _object({"id": _TEXT, "asset_code": _TEXT, "asset_scale": _NUMBER}, _ACCOUNT_CHANGES),
    "AccountPatch": _object({}, _ACCOUNT_CHANGES),
    "Route": _object(
        {
            "prefix": _TEXT,
            "account": _or_null(_TEXT),
            "origin": {"type": "string", "enum": ["static", "own", "account", "default"]},
        },
        {
            "weight": _COUNT | {"description": "Its share of the packets among those of the same prefix and priority"},
            "priority": _COUNT | {"description": "0 first; the next number while none of those can take a packet"},
        },
    ),
    "Rate": _object({"code": _TEXT, "value": _DECIMAL, "source": _TEXT, "as_of": _or_null(_MOMENT)}),
    "Money": _object({"amount": _UNITS, "asset_code": _TEXT, "asset_scale": _COUNT}),
    "Ratio": _object({"numerator": _UNITS, "denominator": _UNITS}),
    "PaymentTerms": _object(
        {"receiver": {"type": "string", "description": "A payment pointer or an SPSP URL"}},
        {
            "account": {"type": "string", "description": "Who pays; with an account's token, that one"},
            "send": _ASKED_AMOUNT,
            "deliver": _ASKED_AMOUNT,
            "slippage": _DECIMAL,
            "min_rate": _DECIMAL,
            "quote_id": {"type": "string", "description": "Of a quote that this payment takes; in place of an amount"},
        },
    ),
    "Quote": _object(
        {
            "id": _TEXT,
            "account": _TEXT,
            "receiver": _TEXT,
            "send_max": _ref("Money"),
            "deliver_min": _ref("Money"),
            "rate": _ref("Ratio"),
        }
    ),
    "Payment": _object(
        {
            "id": _TEXT,
            "state": {
                "type": "string",
                "enum": ["quoting", "sending", "delivered", "partial", "failed", "unknown", "cancelled"],
            },
            "account": _TEXT,
            "receiver": _TEXT,
            "sent": _ref("Money"),
            "delivered": _ref_or_null("Money"),
            "in_flight": _ref("Money"),
            "unknown": _ref("Money"),
            "deliver_min": _ref_or_null("Money"),
            "send_max": _ref_or_null("Money"),
            "rate": _ref_or_null("Ratio"),
            "packets": _object({"sent": _COUNT, "fulfilled": _COUNT, "rejected": _COUNT}),
            "error": _ref_or_null("Problem"),
            "code": _or_null(_TEXT),
            "started_at": _MOMENT,
            "ended_at": _or_null(_MOMENT),
            "duration_ms": _or_null(_COUNT),
        }
    ),
    "Ping": _object({"destination": _TEXT}, {"timeout_ms": _NUMBER}),
    "PingResult": _object({"destination": _TEXT, "round_trip_us": _COUNT, "code": _or_null(_TEXT)}),
    "Status": _object(
        {
            "ilp_address": _TEXT,
            "version": _TEXT,
            "ready": _FLAG,
            "read_only": _FLAG,
            "started_at": _MOMENT,
            "accounts": _COUNT,
            "links_up": _COUNT,
            "in_flight": _COUNT,
            "packets": _map(_COUNT, "Packets since the start, by outcome"),
            "unknown": _COUNT,
            "alarms": {"type": "array", "items": _TEXT},
        }
    ),
    "Caller": _object({"is_admin": _FLAG, "account": _or_null(_TEXT)}),
    "Health": _object({"status": _TEXT}),
    "Root": _object({"status": _TEXT}, {"ilp_address": _TEXT, "version": _TEXT}),
    "Spsp": _object({"destination_account": _TEXT, "shared_secret": _TEXT}, {"receipts_enabled": _FLAG}),
    "Problem": _object(
        {
            "type": {"type": "string", "format": "uri", "enum": [problem_type_url(kind) for kind in PROBLEM_TYPES]},
            "title": _TEXT,
            "status": {"type": "integer"},
            "detail": _TEXT,
        },
        {"field": _TEXT, "suggestion": _TEXT, "code": _TEXT, "error_id": _TEXT},
    ),
    "AccountDetails": _object(
        {"username": _TEXT, "asset_code": _TEXT, "asset_scale": _NUMBER},
        {"ilp_address": _TEXT, **_COMPATIBLE_LIMITS, **_COMPATIBLE_LINK},
    ),
    "AccountSettings": _object(
        {}, {**_COMPATIBLE_LINK, "settle_threshold": _or_null(_NUMBER), "settle_to": _or_null(_NUMBER)}
    ),
    "CompatibleAccount": _object(
        {
            "id": {"type": "string", "format": "uuid"},
            "username": _TEXT,
            "ilp_address": _TEXT,
            "asset_code": _TEXT,
            "asset_scale": _COUNT,
            **_COMPATIBLE_LIMITS,
            **_COMPATIBLE_LINK,
        }
    ),
    "CompatibleBalance": _object(
        {
            "balance": {"type": "number"},
            "asset_code": _TEXT,
            "asset_scale": _COUNT,
            "balance_exact": _TEXT,
            "position": _POSITION,
        }
    ),
    "CompatibleRoutes": _map(_TEXT, "Prefix to account"),
    "CompatibleRates": _map(_DECIMAL, "Asset code to the value of one whole unit in a common base"),
    "CompatiblePayment": _object({"receiver": _TEXT, "source_amount": _NUMBER}, {"slippage": _DECIMAL}),
    "StreamDelivery": _object(
        {
            "from": _TEXT,
            "to": _TEXT,
            "source_asset_scale": _COUNT,
            "source_asset_code": _TEXT,
            "source_amount": _COUNT,
            "sent_amount": _COUNT,
            "in_flight_amount": _COUNT,
            "delivered_amount": _COUNT,
            "destination_asset_scale": _or_null(_COUNT),
            "destination_asset_code": _or_null(_TEXT),
        }
    ),
}
"""Name -> JSON Schema (2020-12, as OpenAPI 3.1 takes it)."""
