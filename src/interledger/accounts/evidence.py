"""A fulfillment that comes when nobody waits for it any more: proof for an unknown amount of the books."""

from __future__ import annotations

from interledger.accounts.ledger import Ledger
from interledger.codec.digest import sha256

__all__ = ["keep_late_fulfillment"]


def keep_late_fulfillment(ledger: Ledger, account_name: str, fulfillment: bytes) -> bool:
    """Keep `fulfillment` with the unknown item of this ledger account that it fits. False when there is none.

    After a restart the ids of what was sent are gone; the condition still says which packet it was. True also for one
    that is kept already.
    """
    condition = sha256(fulfillment).digest()
    for unknown in ledger.unknown.values():
        if unknown.condition == condition and unknown.account.name == account_name:
            if unknown.fulfillment is None:
                ledger.add_evidence(unknown, fulfillment)
            return True
    return False
