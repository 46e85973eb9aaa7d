"""The condition of `peer.*` protocols is the one that everybody can fulfill (PC-02)."""

from __future__ import annotations

import hashlib

from interledger.ilp.peer import PEER_CONDITION, PEER_FULFILLMENT, PEER_PREFIX, PEER_REQUEST_LIFETIME_MS


def test_PC_02_condition_and_fulfillment_fit() -> None:
    assert hashlib.sha256(PEER_FULFILLMENT).digest() == PEER_CONDITION
    assert (PEER_PREFIX, PEER_REQUEST_LIFETIME_MS) == ("peer.", 60_000)
