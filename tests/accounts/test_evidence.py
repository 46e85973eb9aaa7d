"""A fulfillment that comes too late is kept with the amount it proves, and with no other."""

from __future__ import annotations

import hashlib

from interledger.accounts.asset import Asset
from interledger.accounts.evidence import keep_late_fulfillment
from interledger.accounts.ledger import Hold, Ledger

USD = Asset("USD", 9)
PROOF = bytes(range(32))


def test_a_late_fulfillment_is_kept_with_the_item_of_its_peer_and_condition() -> None:
    ledger = Ledger()
    alice, bob = ledger.account("peer/alice", USD), ledger.account("peer/bob", USD)
    hold = ledger.hold(((alice, bob, 5),), hashlib.sha256(PROOF).digest(), 1000, True)
    assert isinstance(hold, Hold)
    unknown = ledger.give_up(hold)
    assert not keep_late_fulfillment(ledger, "peer/bob", bytes(32))
    assert not keep_late_fulfillment(ledger, "peer/alice", PROOF)
    assert unknown.fulfillment is None
    assert keep_late_fulfillment(ledger, "peer/bob", PROOF)
    assert keep_late_fulfillment(ledger, "peer/bob", PROOF)  # its repetition
    assert unknown.fulfillment == PROOF
