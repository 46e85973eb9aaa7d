"""The shapes of interledger-rs's documents, as JSON Schema."""

from __future__ import annotations

from typing import Final

from interledger.api.schema_kinds import (
    COUNT,
    DECIMAL,
    FLAG,
    MOMENT,
    NUMBER,
    POSITION,
    TEXT,
    Schema,
    map_of,
    object_of,
    or_null,
)

__all__ = ["COMPATIBLE_SCHEMAS"]

_COMPATIBLE_LINK: Final = {
    f"ilp_over_{kind}_{name}": or_null(TEXT)
    for kind in ("http", "btp")
    for name in ("url", "incoming_token", "outgoing_token")
}
_COMPATIBLE_RELATION: Final[Schema] = {"type": "string", "enum": ["NonRoutingAccount", "Parent", "Peer", "Child"]}
_COMPATIBLE_LIMITS: Final = {
    "max_packet_amount": NUMBER,
    "min_balance": or_null(NUMBER),
    "routing_relation": _COMPATIBLE_RELATION,
    "round_trip_time": NUMBER,
    "amount_per_minute_limit": or_null(NUMBER),
    "packets_per_minute_limit": or_null(NUMBER),
    "settle_threshold": or_null(NUMBER),
    "settle_to": or_null(NUMBER),
    "settlement_engine_url": or_null(TEXT),
}
COMPATIBLE_SCHEMAS: Final[dict[str, Schema]] = {
    "AccountDetails": object_of(
        {"username": TEXT, "asset_code": TEXT, "asset_scale": NUMBER},
        {"ilp_address": TEXT, **_COMPATIBLE_LIMITS, **_COMPATIBLE_LINK},
    ),
    "AccountSettings": object_of(
        {}, {**_COMPATIBLE_LINK, "settle_threshold": or_null(NUMBER), "settle_to": or_null(NUMBER)}
    ),
    "CompatibleAccount": object_of(
        {
            "id": {"type": "string", "format": "uuid"},
            "username": TEXT,
            "ilp_address": TEXT,
            "asset_code": TEXT,
            "asset_scale": COUNT,
            **_COMPATIBLE_LIMITS,
            **_COMPATIBLE_LINK,
        }
    ),
    "CompatibleBalance": object_of(
        {
            "balance": {"type": "number"},
            "asset_code": TEXT,
            "asset_scale": COUNT,
            "balance_exact": TEXT,
            "position": POSITION,
        }
    ),
    "CompatibleEngines": map_of(TEXT),
    "IncomingPacket": object_of(
        {
            "to_username": TEXT,
            "from_username": TEXT | {"description": "The account that the packet came from"},
            "destination": TEXT,
            "amount": COUNT,
            "timestamp": MOMENT,
            "sequence": COUNT,
            "connection_closed": FLAG | {"description": "The payer sends no more; the amount is 0 then"},
        }
    ),
    "CompatibleRoutes": map_of(TEXT),
    "CompatibleRates": map_of(DECIMAL),
    "CompatiblePayment": object_of({"receiver": TEXT, "source_amount": NUMBER}, {"slippage": DECIMAL}),
    "StreamDelivery": object_of(
        {
            "from": TEXT,
            "to": TEXT,
            "source_asset_scale": COUNT,
            "source_asset_code": TEXT,
            "source_amount": COUNT,
            "sent_amount": COUNT,
            "in_flight_amount": COUNT,
            "delivered_amount": COUNT,
            "destination_asset_scale": or_null(COUNT),
            "destination_asset_code": or_null(TEXT),
        }
    ),
}
"""Name -> JSON Schema."""
