"""From octets back to books: a snapshot, and the commits after it, each of which says what it has to come to."""

from __future__ import annotations

from collections.abc import Sequence

from interledger.accounts.ledger import Ledger
from interledger.accounts.records import decode_records
from interledger.accounts.snapshot import decode_snapshot, restore
from interledger.errors import DecodeError, LedgerError, StoreError

__all__ = ["replay"]

Commit = tuple[int, bytes]
"""(sequence number, records)."""


def replay(ledger: Ledger, snapshot: bytes | None, commits: Sequence[Commit]) -> int:
    """Fill the empty `ledger` and check it. Returns how many records were read.

    Raises `StoreError` when something cannot be read, does not fit what came before, or adds up to other counters than
    its commit says.
    """
    count = 0
    try:
        if snapshot is not None:
            restore(ledger, decode_snapshot(snapshot))
    except (DecodeError, LedgerError) as error:
        raise StoreError(f"the snapshot of the books is damaged: {error}") from None
    for seq, records in commits:
        before = count
        try:
            for record in decode_records(records):
                ledger.apply(record)
                count += 1
        except (DecodeError, LedgerError) as error:
            raise StoreError(f"commit {seq} of the journal, record {count - before + 1}: {error}") from None
    try:
        ledger.end_replay()
    except LedgerError as error:
        raise StoreError(str(error)) from None
    faults = ledger.check()
    if faults:
        raise StoreError("the books are not sound: " + "; ".join(faults))
    return count
