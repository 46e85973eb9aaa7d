"""The shapes of the documents of `/api/peers` and `/auto-peering`, as JSON Schema."""

from __future__ import annotations

from typing import Any, Final

from interledger.api.schema_kinds import COUNT, FLAG, MOMENT, NUMBER, TEXT, UNITS, object_of, or_null, ref

__all__ = ["PEER_SCHEMAS"]

_LIMITS: Final = {name: or_null(UNITS) for name in ("owes_us_max", "we_owe_max", "packet_amount_max")}
_LIMITS_IN: Final = {name: or_null(NUMBER) for name in _LIMITS}
_RELATION: Final[dict[str, Any]] = {"type": "string", "enum": ["child", "peer"]}
_LINK: Final[dict[str, Any]] = {"type": "string", "enum": ["btp", "http"]}
_INVITE: Final = {
    "id": TEXT,
    "state": {"type": "string", "enum": ["open", "spent", "revoked", "expired"]},
    "name": or_null(TEXT),
    "asset_code": TEXT,
    "asset_scale": COUNT,
    "relation": _RELATION,
    "link": _LINK,
    "limits": object_of(_LIMITS),
    "created_at": MOMENT,
    "expires_at": MOMENT,
    "ended_at": or_null(MOMENT),
    "account": or_null(TEXT),
}
_ASSET_IN: Final = {"asset_code": TEXT, "asset_scale": NUMBER}
_INVITE_TEXT: Final = {"type": "string", "description": "The string that begins with  ilpeer1:  A secret."}

PEER_SCHEMAS: Final[dict[str, dict[str, Any]]] = {
    "Invite": object_of(_INVITE),
    "CreatedInvite": object_of({**_INVITE, "invite": _INVITE_TEXT, "fingerprint": TEXT, "url": TEXT}),
    "NewInvite": object_of(
        _ASSET_IN,
        {
            "name": or_null(TEXT),
            "relation": _RELATION,
            "link": _LINK,
            "limits": object_of({}, _LIMITS_IN),
            "expires_in_ms": NUMBER,
        },
    ),
    "AcceptInvite": object_of(
        {"invite": _INVITE_TEXT},
        {"name": or_null(TEXT), "owes_us_max": or_null(NUMBER), "we_owe_max": or_null(NUMBER)},
    ),
    "NewPeer": object_of(
        {"url": TEXT, **_ASSET_IN},
        {"name": or_null(TEXT), "token": or_null(TEXT), "limits": object_of({}, _LIMITS_IN)},
    ),
    "AddedPeer": object_of({"id": TEXT, "account": ref("Account"), "check": ref("PeerCheck")}),
    "PeerCheck": object_of(
        {
            "account": TEXT,
            "good": FLAG,
            "items": {
                "type": "array",
                "items": object_of(
                    {
                        "name": TEXT,
                        "verdict": {"type": "string", "enum": ["ok", "warning", "failed", "skipped"]},
                        "detail": TEXT,
                    }
                ),
            },
        }
    ),
    "RedeemRequest": object_of(
        {"version": COUNT, "secret": TEXT, "nonce": TEXT, "name": TEXT, "address": TEXT, "token": TEXT},
        {"http_url": or_null(TEXT)},
    ),
    "RedeemAnswer": object_of(
        {
            "version": COUNT,
            "account": TEXT,
            "address": TEXT,
            "child_address": or_null(TEXT),
            "asset": TEXT,
            "token": TEXT,
            "http_url": TEXT,
            "btp_url": TEXT,
        }
    ),
    "PeerEcho": object_of(
        {
            "now": {"type": "string", "description": "Milliseconds since 1970, UTC"},
            "address": TEXT,
            "asset": TEXT,
            **_LIMITS,
            "round_trip_us": or_null(COUNT),
            "code": or_null(TEXT),
        }
    ),
    "AutoPeeringRequest": object_of(
        {
            "staticIlpAddress": TEXT,
            "ilpConnectorUrl": TEXT,
            "asset": object_of({"code": TEXT, "scale": COUNT}),
            "httpToken": TEXT,
        },
        {"maxPacketAmount": or_null(COUNT), "name": or_null(TEXT)},
    ),
    "AutoPeeringAnswer": object_of(
        {"staticIlpAddress": TEXT, "ilpConnectorUrl": TEXT, "httpToken": TEXT, "name": or_null(TEXT), "tenantId": TEXT}
    ),
}
"""Name -> JSON Schema."""
