"""What a node does with the packets that were in flight when it died: the first thing after a replay."""

from __future__ import annotations

import logging

from interledger.accounts.ledger import Ledger, Unknown

__all__ = ["recover"]

logger = logging.getLogger("interledger.node")


def recover(ledger: Ledger) -> tuple[int, list[Unknown]]:
    """Holds that led to ourselves are released; a Prepare that may have left becomes unknown.

    Returns how many were released, and the unknown items. Sends nothing (what a peer may be
    asked again is its link's to say, see `asked.py`), and never drops an unknown.
    """
    released, unknown = 0, []
    for hold in list(ledger.holds.values()):
        if hold.remote:
            unknown.append(ledger.give_up(hold, interrupted=True))
        else:
            ledger.release(hold)
            released += 1
    if released or unknown:
        logger.warning("recovered: %d packets released, %d amounts are unknown", released, len(unknown))
    return released, unknown
