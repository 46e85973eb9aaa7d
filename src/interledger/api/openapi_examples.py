"""Examples for the OpenAPI document: of each body one that can be sent, of each answer one that fits its schema.

Bodies are written here by hand. Answers are made from the schemas: a field has the word that fields of its name have,
or else whatever its type allows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from interledger.api.schema_kinds import UNITS
from interledger.api.schemas import SCHEMAS

__all__ = ["body_example", "example_of"]

CONDITION: Final = "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925"
"""Of the fulfillment with 32 zeros."""

_INVITE: Final = "ilpeer1:a-string-that-was-shown-once"
_ASSET: Final = {"asset_code": "USD", "asset_scale": 9}

BODIES: Final[dict[str, Any]] = {
    "AcceptInvite": {"invite": _INVITE, "owes_us_max": "100000000000"},
    "AccountDetails": {
        "username": "alice", **_ASSET, "ilp_over_http_incoming_token": "a-secret-of-alice",
        "routing_relation": "NonRoutingAccount", "min_balance": "-100000000000",
    },
    "AccountPatch": {"limits": {"owes_us_max": "200000000000", "we_owe_max": None}},
    "AccountSettings": {"ilp_over_http_incoming_token": "another-secret", "settle_threshold": 1_000_000},
    "AutoPeeringRequest": {
        "staticIlpAddress": "test.rafiki", "ilpConnectorUrl": "https://rafiki.example/ilp",
        "asset": {"code": "USD", "scale": 2}, "httpToken": "a-secret-for-both", "name": "rafiki",
    },
    "ClaimBeginning": {"account": "bob", "condition": "9f" * 32, "reason": "they heard too late"},
    "ClaimEnd": {"outcome": "lost", "reason": "their books will not count it"},
    "CompatibleEngines": {"USD": "http://127.0.0.1:3000"},
    "CompatiblePayment": {"receiver": "$wallet.example/bob", "source_amount": 1_000_000_000, "slippage": "0.015"},
    "CompatibleRates": {"USD": 1, "EUR": "1.0854"},
    "CompatibleRoutes": {"test.far": "bob"},
    "Correction": {
        "debit": "expense/bank", "credit": "peer/bob", "amount": "1000000000", **_ASSET,
        "reason": "a fee of the bank",
    },
    "NewAccount": {
        "id": "alice", **_ASSET, "limits": {"owes_us_max": "100000000000"},
        "link": {"http_incoming_token": "a-secret-of-alice"},
    },
    "NewAdminToken": {"label": "grafana", "may": ["read"]},
    "NewInvite": {
        **_ASSET, "name": "bob", "relation": "peer", "link": "btp", "limits": {"owes_us_max": "100000000000"},
    },
    "NewPeer": {"url": "https://rafiki.example/auto-peering", "asset_code": "USD", "asset_scale": 2, "name": "rafiki"},
    "NewSettlement": {"account": "bob", "amount": "1000000000"},
    "NewToken": {"use": "http", "label": "spring"},
    "NewWebhook": {"url": "https://shop.example/ilp", "events": ["payment", "limit.near"]},
    "PaymentTerms": {"account": "alice", "receiver": "$wallet.example/bob", "send": "10 USD", "slippage": "0.01"},
    "Ping": {"destination": "test.far", "hops": True},
    "Proof": {"fulfillment": "00" * 32},
    "NewRate[]": {"items": [{"code": "USD", "value": "0.9213"}, {"code": "EUR", "value": "1"}]},
    "Reason": {"reason": "the engine lost its keys"},
    "RedeemRequest": {
        "version": 1, "secret": "of-the-invitation", "nonce": "b2s", "name": "bob", "address": "test.bob",
        "token": "b3k",
    },
    "Resolution": {"outcome": "delivered", "reason": "the peer showed its books"},
    "NewRoute[]": {"items": [{"prefix": "test.far", "account": "bob"}]},
    "/tracing-level": "info,interledger_btp=debug",
    "/routes/static/{prefix}": "bob",
}  # fmt: skip
"""By the name of the schema, as an operation has it; of text, by its path."""

WORDS: Final[dict[str, Any]] = {
    "account": "bob", "address": "test.bob", "ilp_address": "test.hub", "asset_code": "USD", "asset_scale": 9,
    "source_asset_code": "USD", "source_asset_scale": 9, "destination_asset_code": "EUR", "destination_asset_scale": 9,
    "amount": "10000000000", "numerator": "9213", "denominator": "10000", "code": "F02", "condition": CONDITION,
    "destination": "test.far", "detail": "There is no account “bob”.", "from_username": "hub", "to_username": "bob",
    "frame": "STREAM_MONEY", "incoming": "alice", "outgoing": "bob", "invite": _INVITE, "kind": "BTP",
    "label": "spring", "message": "no route to the destination", "name": "bob", "origin": "ilp.toml:31",
    "payment": "pay_7QX4MM2K", "prefix": "test.far", "reason": "the peer showed its books",
    "receiver": "$wallet.example/bob", "status": "Ready", "title": "There is no such thing", "to": "test.far",
    "token": "shown-once", "secret": "whsec_shown-once", "triggered_by": "test.far", "url": "https://shop.example/ilp",
    "http_url": "https://hub.example/accounts/bob/ilp", "btp_url": "wss://hub.example/accounts/bob/ilp/btp",
    "username": "bob", "value": "0.9213", "version": "0.1.0", "source": "static", "path": "/ui/?code=shown-once",
    "shared_secret": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "destination_account": "test.bob.aBc",
    "balance": 10, "balance_exact": "10.500000000", "sentence": "All is well.", "text": "10 USD to bob delivered",
    "octets": "0c82", "proof": "00" * 32, "type": "outgoing_payment.completed",
    "started_at": "2026-11-21T12:00:00.000Z", "state": "delivered", "outcome": "fulfilled", "packets": 21,
}  # fmt: skip
"""What a field of this name has, where its schema allows it."""

IDS: Final = {
    "Payment": "pay_7QX4MM2K", "PaymentWhole": "pay_7QX4MM2K", "Quote": "quo_1f6d2c3b4a596877", "Settlement": "set_4H2",
    "Unknown": "unk_19", "Decision": "dec_1", "Invite": "inv_1", "CreatedInvite": "inv_1", "Webhook": "whk_7aa61d631e",
    "WebhookMade": "whk_7aa61d631e", "Delivery": "dlv_9669d4f2981e55a7", "Token": "3f9a2c41", "TokenMade": "3f9a2c41",
    "AdminToken": "3f9a2c41", "AdminTokenMade": "3f9a2c41", "Packet": CONDITION[:8], "PacketWhole": CONDITION[:8],
}  # fmt: skip
"""What the `id` of a document looks like."""

ABSENT: Final = {"code", "error", "problem", "refusal", "redirected_to", "receipt", "trace"}
"""What is null when all went well."""

MOMENT: Final = "2026-11-21T12:00:00.186Z"


def body_example(name: str, path: str) -> Any:
    """Of the body that the operation at a path calls so."""
    return BODIES[path if name == "text" else name]


def example_of(schema: Mapping[str, Any], name: str = "", of: str = "") -> Any:
    """A value that fits. `name`: of the field; `of`: the schema that it is in."""
    if "$ref" in schema:
        found = schema["$ref"].rpartition("/")[2]
        return example_of(SCHEMAS[found], name, found)
    if "allOf" in schema:
        parts = [example_of(one, name, of) for one in schema["allOf"]]
        return {key: value for part in parts for key, value in part.items()}
    if "oneOf" in schema:
        is_absent = name in ABSENT and {"type": "null"} in schema["oneOf"]
        return None if is_absent else example_of(schema["oneOf"][0], name, of)
    if "enum" in schema:
        return WORDS[name] if WORDS.get(name) in schema["enum"] else schema["enum"][0]
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if kinds[0] == "object":
        return _object(schema, of)
    if kinds[0] == "array":
        return (
            []
            if schema["items"].get("type") == "object" and not schema["items"].get("properties")
            else [example_of(schema["items"], name.removesuffix("s"), of)]
        )
    if name in ABSENT and "null" in kinds:
        return None
    word = IDS.get(of) if name == "id" else WORDS.get(name)
    return word if word is not None and _fits(word, kinds, schema) else _plain(kinds, schema)


def _object(schema: Mapping[str, Any], of: str) -> dict[str, Any]:
    if "additionalProperties" in schema:
        return BODIES.get(of) or {"bob": example_of(schema["additionalProperties"])}
    required = schema.get("required", ())
    return {
        field: example_of(value, field, of)
        for field, value in schema.get("properties", {}).items()
        if field in required
    }


def _fits(word: object, kinds: list[str], schema: Mapping[str, Any]) -> bool:
    if not isinstance(word, str):
        return "integer" in kinds or "number" in kinds
    fits = "pattern" not in schema or re.search(schema["pattern"], word) is not None
    return "string" in kinds and "format" not in schema and fits


def _plain(kinds: list[str], schema: Mapping[str, Any]) -> Any:
    if "null" in kinds and "format" not in schema:
        return None
    if schema.get("format") == "date-time":
        return MOMENT
    if schema.get("format") == "uuid":
        return "9f1d1f5e-6c5c-4d0a-9a55-0d4b1e4ad6f1"
    if schema.get("pattern") == UNITS["pattern"]:
        return "0"
    return {"string": "bob", "integer": 1, "number": 1, "boolean": True}[kinds[0]]
