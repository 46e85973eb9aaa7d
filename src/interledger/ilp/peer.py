"""What all `peer.*` protocols share (RFC 31, RFC 34): one hop, no money, a condition that everybody can fulfill."""

from __future__ import annotations

from typing import Final

__all__ = [
    "EMPTY_CONDITION",
    "HEARTBEAT_DESTINATION",
    "PEER_CONDITION",
    "PEER_FULFILLMENT",
    "PEER_PREFIX",
    "PEER_REQUEST_LIFETIME_MS",
    "SETTLE_DESTINATION",
]

PEER_PREFIX: Final = "peer."

PEER_FULFILLMENT: Final = bytes(32)

PEER_CONDITION: Final = bytes.fromhex("66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925")
"""SHA-256 of 32 zero octets."""

PEER_REQUEST_LIFETIME_MS: Final = 60_000

SETTLE_DESTINATION: Final = "peer.settle"
"""Messages between two peers' settlement engines (RFC 38)."""

EMPTY_CONDITION: Final = bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
"""SHA-256 of no octets: what RFC 38 prints for `peer.settle`, though no fulfillment of 32 octets fits it (D-18)."""

HEARTBEAT_DESTINATION: Final = "peer.heartbeat"
"""Fulfilled by the first 32 octets of its own data (Rafiki)."""
