"""JSON Schemas of what the node tells those who look at it: events, overview, topology, packets."""

from __future__ import annotations

from typing import Final

from interledger.api.schema_kinds import (
    COUNT,
    DECIMAL_TEXT,
    FLAG,
    MOMENT,
    RELATION,
    TEXT,
    UNITS,
    Schema,
    object_of,
    or_null,
    ref,
    ref_or_null,
)
from interledger.node.live.kinds import EVENT_KINDS, Level

__all__ = ["LIVE_SCHEMAS"]

_PER_SECOND: Final = object_of({"in": COUNT, "out": COUNT, "total": COUNT, "rejected": COUNT})
_PERCENT: Final = or_null(COUNT) | {"description": "Whole percent, rounded down; null: there is no limit"}

_OUTCOME: Final[Schema] = {
    "type": "string",
    "enum": ["fulfilled", "rejected", "unknown", "in_flight", "not_seen"],
}
_COMPARED: Final = object_of(
    {
        "limit": TEXT,
        "room": UNITS,
        "needed": UNITS,
        "unit": {"type": "string", "enum": ["source", "target", "ms", "packets"]},
        "account": or_null(TEXT) | {"description": "Whose limit it is"},
        "asset_code": or_null(TEXT),
        "asset_scale": or_null(COUNT),
        "limit_value": or_null(UNITS),
        "posted": or_null(UNITS),
        "in_flight": or_null(UNITS),
    }
)
_STREAM_PACKET: Final = object_of(
    {
        "packet_type": TEXT,
        "sequence": COUNT,
        "prepare_amount": UNITS,
        "frames": {
            "type": "array",
            "items": object_of({"frame": TEXT, "fields": {"type": "object", "additionalProperties": TEXT}}),
        },
    }
)
_PACKETS: Final[dict[str, Schema]] = {
    "Packet": object_of(
        {
            "id": TEXT | {"description": "The first eight digits of the condition"},
            "condition": TEXT,
            "at": MOMENT,
            "outcome": _OUTCOME,
            "code": or_null(TEXT),
            "message": or_null(TEXT),
            "triggered_by": or_null(TEXT),
            "destination": TEXT,
            "incoming": TEXT,
            "amount_in": ref_or_null("Money"),
            "expires_in": or_null(MOMENT),
            "outgoing": or_null(TEXT),
            "amount_out": ref_or_null("Money"),
            "expires_out": or_null(MOMENT),
            "sent_after_us": or_null(COUNT),
            "answered_after_us": or_null(COUNT),
            "payment": or_null(TEXT) | {"description": "Of this node, where it is one of its packets"},
            "journey": {
                "type": "array",
                "items": object_of(
                    {
                        "step": TEXT,
                        "state": {"type": "string", "enum": ["done", "refused", "not_reached"]},
                        "text": TEXT,
                        "compared": {"oneOf": [_COMPARED, {"type": "null"}]},
                    }
                ),
            },
        }
    ),
    "PacketWhole": {
        "allOf": [
            ref("Packet"),
            object_of(
                {
                    "octets": or_null(TEXT) | {"description": "Of the Prepare as it came, in hex"},
                    "data_octets": or_null(COUNT),
                    "stream_needs": or_null(TEXT)
                    | {"description": "The scope that a token needs to see what is inside, where it lacks it"},
                    "stream": {"oneOf": [_STREAM_PACKET, {"type": "null"}]},
                    "stream_reply": {"oneOf": [_STREAM_PACKET, {"type": "null"}]},
                    "newer": or_null(TEXT)
                    | {"description": "Condition of the next packet, of the same payment where it is one of ours"},
                    "older": or_null(TEXT) | {"description": "The packet before it, likewise"},
                }
            ),
        ]
    },
    "PacketPage": object_of(
        {"items": {"type": "array", "items": ref("Packet")}, "next_cursor": or_null(TEXT), "recording": FLAG}
    ),
    "PaymentWhole": {
        "allOf": [
            ref("Payment"),
            object_of(
                {
                    "trace": {
                        "oneOf": [
                            object_of(
                                {
                                    "began_at": MOMENT,
                                    "packets": {"type": "array", "items": ref("TracedPacket")},
                                    "more": COUNT,
                                }
                            ),
                            {"type": "null"},
                        ]
                    },
                    "cost": {
                        "oneOf": [
                            object_of(
                                {
                                    "fee": ref("Money") | {"description": "What was kept on the way, at our rates now"},
                                    "fee_per_million": {"type": "integer", "description": "Of what was sent"},
                                    "market": ref("Ratio") | {"description": "Units for a unit, if nobody kept any"},
                                }
                            ),
                            {"type": "null"},
                        ]
                    },
                }
            ),
        ]
    },
    "IncomingPayment": object_of(
        {
            "id": TEXT,
            "account": TEXT | {"description": "Who was paid"},
            "source": TEXT | {"description": "The account that its packets came from"},
            "received": ref("Money"),
            "packets": COUNT,
            "state": {"type": "string", "enum": ["receiving", "received"]},
            "started_at": MOMENT,
            "last_at": MOMENT,
        }
    ),
    "TracedPacket": object_of(
        {
            "number": COUNT,
            "count": COUNT | {"description": "More than 1: so many like it, one behind the other"},
            "id": TEXT,
            "amount": UNITS,
            "delivered": or_null(UNITS),
            "sent_us": COUNT,
            "answered_us": or_null(COUNT),
            "outcome": {
                "type": "string",
                "enum": ["in_flight", "fulfilled", "rejected", "unknown", "test", "unanswered"],
            },
            "code": or_null(TEXT),
        }
    ),
}

_HEALTH_LOOK: Final[dict[str, Schema]] = {
    "health": {"type": "array", "items": ref("Check")},
    "needs": {"type": "array", "items": ref("Check"), "description": "What is not well"},
}
_RISK_LOOK: Final[dict[str, Schema]] = {"risk": ref("Risk")}
_MOVES_LOOK: Final[dict[str, Schema]] = {
    "at": MOMENT,
    "now": ref("MovesNow"),
    "day": ref("MovesDay"),
    "profit": ref("ProfitSince"),
    "seconds": {"type": "array", "items": ref("Flow"), "description": "The last 90, oldest first"},
    "minutes": {"type": "array", "items": ref("Flow"), "description": "Of a day at most; idle ones are absent"},
}
_ACCOUNTS_LOOK: Final[dict[str, Schema]] = {
    "accounts": {"type": "array", "items": ref("AccountLook"), "description": "Most at stake first"},
    "accounts_total": COUNT,
}
LIVE_SCHEMAS: Final[dict[str, Schema]] = {
    "Event": object_of(
        {
            "id": COUNT | {"description": "Greater than that of every earlier event, over restarts too"},
            "at": MOMENT,
            "kind": {"type": "string", "enum": list(EVENT_KINDS)},
            "level": {"type": "string", "enum": [level.value for level in Level]},
            "subject": or_null(TEXT) | {"description": "What it is about, as people call it"},
            "text": TEXT | {"description": "For people. Programs read `data`"},
            "data": {"type": "object", "description": "See the reference page of events"},
        }
    ),
    "Worth": object_of(
        {
            "amount": UNITS,
            "asset_code": TEXT,
            "asset_scale": COUNT,
            "unpriced": {"type": "array", "items": TEXT, "description": "Assets without a rate: they are not in it"},
        }
    ),
    "Check": object_of(
        {
            "name": TEXT,
            "level": {"type": "string", "enum": ["ok", "warn", "unknown", "bad"]},
            "text": TEXT,
            "page": TEXT | {"description": "Where to look, below the dashboard"},
        }
    ),
    "Flow": object_of(
        {
            "at": MOMENT,
            "packets": COUNT,
            "fulfilled": COUNT,
            "rejected": COUNT,
            "in_flight": COUNT,
            "moved": {"type": "array", "items": ref("Money")},
        }
    ),
    "AccountLook": {
        "allOf": [
            ref("Account"),
            object_of(
                {
                    "in_flight": COUNT,
                    "packets_per_second": _PER_SECOND,
                    "exposure_percent": _PERCENT,
                    "near_limit": FLAG,
                    "unknown": COUNT,
                    "worth": ref("Money"),
                }
            ),
        ]
    },
    "Risk": object_of(
        {
            **{name: ref("Worth") for name in ("at_risk", "worst", "limits", "owed", "in_flight", "unknown", "we_owe")},
            "percent": _PERCENT,
        }
    ),
    "MovesNow": object_of(
        {"packets_per_second": COUNT, "in_flight": COUNT, "held": ref("Worth"), "next_expiry_ms": or_null(COUNT)}
    ),
    "MovesDay": object_of(
        {
            "since": MOMENT,
            "packets": COUNT,
            "fulfilled": COUNT,
            "rejected": COUNT,
            "fulfilled_permille": or_null(COUNT),
            "moved": ref("Worth"),
        }
    ),
    "ProfitSince": object_of({"since": MOMENT, "earned": ref("Worth")}),
    "HealthLook": object_of(_HEALTH_LOOK),
    "RiskLook": object_of(_RISK_LOOK),
    "MovesLook": object_of(_MOVES_LOOK),
    "AccountsLook": object_of(_ACCOUNTS_LOOK),
    "Overview": object_of(
        {
            "ilp_address": TEXT,
            "version": TEXT,
            "started_at": MOMENT,
            "sentence": TEXT,
            **_HEALTH_LOOK,
            **_RISK_LOOK,
            **_MOVES_LOOK,
            **_ACCOUNTS_LOOK,
            "events_latest": COUNT,
        }
    ),
    "RateHistory": object_of(
        {"code": TEXT, "points": {"type": "array", "items": object_of({"at": MOMENT, "value": DECIMAL_TEXT})}}
    ),
    "ProfitHistory": object_of(
        {
            "asset_code": TEXT,
            "asset_scale": COUNT,
            "points": {"type": "array", "items": object_of({"at": MOMENT, "earned": UNITS})},
        }
    ),
    "Topology": object_of(
        {
            "ilp_address": TEXT,
            "packets_per_second": COUNT,
            "peers": {
                "type": "array",
                "items": object_of(
                    {
                        "account": TEXT,
                        "ilp_address": TEXT,
                        "relation": RELATION,
                        "asset_code": TEXT,
                        "asset_scale": COUNT,
                        "link": object_of({"kind": TEXT, "up": FLAG, "since": or_null(MOMENT)}),
                        "net": UNITS,
                        "direction": {"type": "string", "enum": ["owes_us", "we_owe", "even"]},
                        "share_percent": _PERCENT,
                        "near_limit": FLAG,
                        "in_flight": COUNT,
                        "packets_per_second": _PER_SECOND,
                        "worth": ref("Money"),
                    }
                ),
            },
        }
    ),
    **_PACKETS,
    "PositionPoint": object_of({"at": MOMENT, "net": UNITS, "pending_in": UNITS, "pending_out": UNITS}),
    "Setting": object_of(
        {
            "key": TEXT,
            "value": or_null(TEXT) | {"description": "As it would be written; null for a secret"},
            "is_set": FLAG,
            "default": or_null(TEXT),
            "secret": FLAG,
            "set_by": {"type": "string", "enum": ["flag", "environment", "file", "default"]},
            "origin": or_null(TEXT) | {"description": "`ilp.toml:31`, `ILP_DATA_DIR`, `--data-dir`"},
            "takes_effect": TEXT,
            "help": TEXT,
            "flag": TEXT,
            "environment": TEXT,
        }
    ),
    "EventPage": object_of(
        {
            "items": {"type": "array", "items": ref("Event")},
            "next_cursor": or_null(TEXT)
            | {"description": "For `cursor`, or with `since` for `since`; null: there are no more"},
            "gap": FLAG | {"description": "Events after `since` are gone: they are too old, or the node crashed"},
            "latest": COUNT | {"description": "The id of the latest event; 0: there is none"},
        }
    ),
}
