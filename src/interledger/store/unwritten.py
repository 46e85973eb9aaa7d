"""What must not be lost when the books cannot be written: fulfillments that are relayed all the same.

The money of such a packet has moved already, so its Fulfill leaves, though no record of it can be kept (the reserve of
the disk was used up too, or the disk is broken). A restart finds its hold without an outcome and makes it an unknown
item. The log is often on another disk, so each fulfillment goes there, as the command that gives the proof back.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable

from interledger.accounts.records import Executed, decode_records

__all__ = ["log_unwritten"]

logger = logging.getLogger("interledger.store")


def log_unwritten(records: Iterable[bytes], withheld: Collection[bytes] = ()) -> None:
    """One line for each packet that was executed by `records`, which could not be written, and relayed all the same.

    Nobody but the peers of the packet can use a fulfillment, and both know it by now. `withheld`: fulfillments that
    nobody was told.
    """
    for octets in records:
        for record in decode_records(octets):
            if isinstance(record, Executed) and record.fulfillment not in withheld:
                logger.error(
                    "relayed, but not written. After a restart:  ilp unknown prove unk_%d %s",
                    record.hold_id,
                    record.fulfillment.hex(),
                )
