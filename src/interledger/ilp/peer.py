"""What all `peer.*` protocols share (RFC 31, RFC 34): one hop, no money, a condition that everybody can fulfill."""

from __future__ import annotations

from typing import Final

__all__ = ["PEER_CONDITION", "PEER_FULFILLMENT", "PEER_PREFIX", "PEER_REQUEST_LIFETIME_MS"]

PEER_PREFIX: Final = "peer."

PEER_FULFILLMENT: Final = bytes(32)

PEER_CONDITION: Final = bytes.fromhex("66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925")
"""SHA-256 of 32 zero octets."""

PEER_REQUEST_LIFETIME_MS: Final = 60_000
