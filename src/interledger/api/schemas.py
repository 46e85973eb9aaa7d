"""The shapes of the API's documents, as JSON Schema, for its OpenAPI document."""

from __future__ import annotations

from typing import Final

from interledger.accounts.account import BtpVersion, HttpForm
from interledger.accounts.credentials import TokenUse
from interledger.api.link_credentials import CREDENTIAL_FLAGS, CREDENTIAL_SECRETS, CREDENTIAL_TEXTS
from interledger.api.payment_history import PAYMENT_STATES
from interledger.api.problems import PROBLEM_TYPES, problem_type_url
from interledger.api.schema_kinds import (
    COUNT,
    DECIMAL,
    DECIMAL_TEXT,
    FLAG,
    LIMIT_NAMES,
    MOMENT,
    NUMBER,
    POSITION,
    RELATION,
    SCOPES,
    TEXT,
    UNITS,
    Schema,
    map_of,
    object_of,
    or_null,
    ref,
    ref_or_null,
)
from interledger.api.schema_texts import SCHEMA_TEXTS
from interledger.api.schemas_compatible import COMPATIBLE_SCHEMAS
from interledger.api.schemas_ledger import LEDGER_SCHEMAS
from interledger.api.schemas_live import LIVE_SCHEMAS
from interledger.api.schemas_peers import PEER_SCHEMAS
from interledger.api.schemas_routes import LEARNED, ROUTE_SCHEMAS
from interledger.api.schemas_settlements import SETTLEMENT_SCHEMAS
from interledger.api.schemas_webhooks import WEBHOOK_SCHEMAS
from interledger.node.http_links import KINDS

__all__ = ["SCHEMAS"]


_LIMITS: Final = {name: or_null(UNITS) for name in LIMIT_NAMES}
_SETTLEMENT: Final = {
    "settle_threshold": or_null(UNITS),
    "settle_to": or_null(UNITS),
    "settlement_engine_url": or_null(TEXT),
}
_BTP_VERSION: Final[Schema] = {"type": "string", "enum": [version.value for version in BtpVersion]}
_HTTP_FORM: Final[Schema] = {"type": "string", "enum": [form.value for form in HttpForm]}
_ROUTING: Final = {"send_routes": or_null(FLAG), "receive_routes": or_null(FLAG), "ccp_full_updates": FLAG}
_LINK_IN: Final = {
    f"{kind}_{name}": or_null(TEXT) for kind in ("http", "btp") for name in ("url", "incoming_token", "outgoing_token")
} | {"http_form": _HTTP_FORM, "http_callback_url": or_null(TEXT), "btp_version": _BTP_VERSION}
_CREDENTIALS: Final = {
    **{name: or_null(TEXT) for name in CREDENTIAL_TEXTS},
    **dict.fromkeys(CREDENTIAL_FLAGS, FLAG),
    "client_certificates": {"type": "array", "items": TEXT},
}
_ADMIN_TOKEN: Final = {"id": TEXT, "label": TEXT, "may": SCOPES, "created_at": MOMENT}
_TOKEN: Final = {
    "id": TEXT,
    "may": SCOPES,
    "use": {"type": "string", "enum": [use.value for use in TokenUse]},
    "label": TEXT,
    "created_at": or_null(MOMENT),
}
_ACCOUNT_CHANGES: Final = {
    "relation": RELATION,
    "ilp_address": TEXT,
    "limits": object_of({}, _LIMITS),
    "link": object_of({}, _LINK_IN | _CREDENTIALS | {name: or_null(TEXT) for name in CREDENTIAL_SECRETS}),
    **_ROUTING,
    "peer_balance": FLAG,
    "paused": FLAG,
    "round_trip_time_ms": COUNT,
    **_SETTLEMENT,
}
_SHARE: Final = {
    "weight": COUNT | {"description": "Its share of the packets among those of the same prefix and priority"},
    "priority": COUNT | {"description": "0 first; the next number while none of those can take a packet"},
}
_ASKED_AMOUNT: Final[Schema] = {
    "oneOf": [
        {"type": "string", "description": "Whole units:  10  or  10.50 USD"},
        ref("Money"),
        {"type": "null"},
    ]
}

_SHAPES: Final[dict[str, Schema]] = {
    **PEER_SCHEMAS,
    **ROUTE_SCHEMAS,
    **LEDGER_SCHEMAS,
    **SETTLEMENT_SCHEMAS,
    **COMPATIBLE_SCHEMAS,
    **WEBHOOK_SCHEMAS,
    **LIVE_SCHEMAS,
    "Account": object_of(
        {
            "id": TEXT,
            "relation": RELATION,
            "payment_pointer": or_null(TEXT) | {"description": "Where a holder of this node is paid"},
            "asset_code": TEXT,
            "asset_scale": COUNT,
            "ilp_address": TEXT,
            "position": POSITION,
            "pending": object_of({"in": UNITS, "out": UNITS}),
            "limits": object_of(_LIMITS),
            "room": or_null(UNITS),
            "link": object_of(
                {
                    "kind": {"type": "string", "enum": ["BTP", "BTP/2.0-I", *KINDS.values(), "local", "none"]},
                    "up": FLAG,
                    "since": or_null(MOMENT),
                    **{name: or_null(TEXT) if name.endswith("_url") else FLAG for name in _LINK_IN},
                    "http_form": _HTTP_FORM,
                    "btp_version": _BTP_VERSION,
                    **_CREDENTIALS,
                    **dict.fromkeys(CREDENTIAL_SECRETS, FLAG),
                }
            ),
            **_SETTLEMENT,
            **_ROUTING,
            "peer_balance": FLAG,
            "paused": FLAG | {"description": "True: packets from it are refused (T03), and none is sent to it"},
            "round_trip_time_ms": COUNT,
        }
    ),
    "Token": object_of(_TOKEN),
    "NewToken": object_of({}, {"use": _TOKEN["use"], "label": TEXT, "token": or_null(TEXT), "may": SCOPES}),
    "TokenMade": object_of({**_TOKEN, "token": TEXT}),
    "AdminToken": object_of(_ADMIN_TOKEN),
    "NewAdminToken": object_of({"label": TEXT, "may": SCOPES}, {"token": or_null(TEXT)}),
    "AdminTokenMade": object_of({**_ADMIN_TOKEN, "token": TEXT}),
    "NewAccount": object_of({"id": TEXT, "asset_code": TEXT, "asset_scale": NUMBER}, _ACCOUNT_CHANGES),
    "AccountPatch": object_of({}, _ACCOUNT_CHANGES),
    "PeerBalance": object_of(
        {
            "account": TEXT,
            "asset_code": TEXT,
            "asset_scale": COUNT,
            "owes_us_by_our_books": UNITS,
            "owes_us_by_their_books": UNITS,
            "difference": UNITS,
            "pending": object_of({"in": UNITS, "out": UNITS}),
        }
    ),
    "NewRoute": object_of({"prefix": TEXT, "account": TEXT}, _SHARE),
    "Route": object_of(
        {
            "prefix": TEXT,
            "account": or_null(TEXT),
            "origin": {"type": "string", "enum": ["static", "own", "account", "learned", "default"]},
        },
        {
            **_SHARE,
            **LEARNED,
        },
    ),
    "NewRate": object_of({"code": TEXT, "value": DECIMAL}),
    "Rate": object_of({"code": TEXT, "value": DECIMAL_TEXT, "source": TEXT, "as_of": or_null(MOMENT)}),
    "Money": object_of({"amount": UNITS, "asset_code": TEXT, "asset_scale": COUNT}),
    "Ratio": object_of({"numerator": UNITS, "denominator": UNITS}),
    "PaymentTerms": object_of(
        {"receiver": {"type": "string", "description": "A payment pointer or an SPSP URL"}},
        {
            "account": {"type": "string", "description": "Who pays; with an account's token, that one"},
            "send": _ASKED_AMOUNT,
            "deliver": _ASKED_AMOUNT,
            "slippage": DECIMAL,
            "min_rate": DECIMAL,
            "quote_id": {"type": "string", "description": "Of a quote that this payment takes; in place of an amount"},
        },
    ),
    "Quote": object_of(
        {
            "id": TEXT,
            "account": TEXT,
            "receiver": TEXT,
            "redirected_to": or_null(TEXT),
            "send_max": ref("Money"),
            "deliver_min": ref("Money"),
            "rate": ref("Ratio"),
        }
    ),
    "Payment": object_of(
        {
            "id": TEXT,
            "state": {
                "type": "string",
                "enum": list(PAYMENT_STATES),
            },
            "account": TEXT,
            "receiver": TEXT,
            "redirected_to": or_null(TEXT),
            "sent": ref("Money"),
            "delivered": ref_or_null("Money"),
            "in_flight": ref("Money"),
            "unknown": ref("Money"),
            "deliver_min": ref_or_null("Money"),
            "send_max": ref_or_null("Money"),
            "rate": ref_or_null("Ratio"),
            "packets": object_of({"sent": COUNT, "fulfilled": COUNT, "rejected": COUNT}),
            "waiting": or_null(object_of({"code": TEXT, "triggered_by": TEXT, "retry_ms": COUNT}))
            | {"description": "What holds it up for a moment, and for how long nothing is sent"},
            "error": ref_or_null("Problem"),
            "code": or_null(TEXT),
            "receipt": or_null(TEXT)
            | {"description": "What the receiver signed for a third party (RFC 39), in base64, where one asked for it"},
            "started_at": MOMENT,
            "ended_at": or_null(MOMENT),
            "duration_ms": or_null(COUNT),
        }
    ),
    "Ping": object_of(
        {"destination": TEXT},
        {"timeout_ms": NUMBER, "kind": {"type": "string", "enum": ["echo", "java"]}, "hops": FLAG},
    ),
    "PingResult": object_of(
        {
            "destination": TEXT,
            "round_trip_us": COUNT,
            "code": or_null(TEXT),
            "triggered_by": or_null(TEXT),
            "hops": {
                "type": "array",
                "items": object_of({"address": TEXT, "round_trip_us": COUNT, "code": or_null(TEXT)}),
            },
        }
    ),
    "Status": object_of(
        {
            "ilp_address": TEXT,
            "version": TEXT,
            "ready": FLAG,
            "read_only": FLAG,
            "taking_packets": FLAG,
            "started_at": MOMENT,
            "accounts": COUNT,
            "links_up": COUNT,
            "in_flight": COUNT,
            "packets": map_of(COUNT) | {"description": "Packets since the start, by outcome"},
            "unknown": COUNT,
            "at_risk": {"type": "array", "items": ref("AtRisk")},
            "alarms": {"type": "array", "items": TEXT},
        }
    ),
    "Intake": object_of({"taking_packets": FLAG, "in_flight": COUNT, "stopping": FLAG}),
    "Login": object_of({"code": TEXT, "path": TEXT, "expires_at": MOMENT}),
    "Caller": object_of({"is_admin": FLAG, "account": or_null(TEXT), "token": or_null(TEXT), "may": SCOPES}),
    "Health": object_of({"status": TEXT}),
    "Root": object_of({"status": TEXT}, {"ilp_address": TEXT, "version": TEXT}),
    "Spsp": object_of({"destination_account": TEXT, "shared_secret": TEXT}, {"receipts_enabled": FLAG}),
    "Problem": object_of(
        {
            "type": {"type": "string", "format": "uri", "enum": [problem_type_url(kind) for kind in PROBLEM_TYPES]},
            "title": TEXT,
            "status": {"type": "integer"},
            "detail": TEXT,
        },
        {"field": TEXT, "suggestion": TEXT, "code": TEXT, "error_id": TEXT},
    ),
}

SCHEMAS: Final[dict[str, Schema]] = {
    name: {"description": SCHEMA_TEXTS[name]} | shape for name, shape in _SHAPES.items()
}
"""Name -> JSON Schema (2020-12, as OpenAPI 3.1 takes it)."""
