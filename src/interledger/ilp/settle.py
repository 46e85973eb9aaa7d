"""peer.settle: the packet that carries a message of one settlement engine to the peer's (RFC 38)."""

from __future__ import annotations

from interledger.clock import Timestamp
from interledger.ilp.address import Address
from interledger.ilp.packet import Prepare
from interledger.ilp.peer import PEER_CONDITION, PEER_REQUEST_LIFETIME_MS, SETTLE_DESTINATION

__all__ = ["settle_request"]


def settle_request(message: bytes, now: Timestamp) -> Prepare:
    """The message as a packet without money. Its condition is the one that zeros fulfill, not the RFC's misprint."""
    destination = Address(SETTLE_DESTINATION)
    return Prepare(0, Timestamp(now + PEER_REQUEST_LIFETIME_MS), PEER_CONDITION, destination, message)
