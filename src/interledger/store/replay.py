"""From octets back to books: a snapshot, the commits after it, and the stored balances they have to agree with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from interledger.accounts.entries import LedgerAccount
from interledger.accounts.ledger import Ledger
from interledger.accounts.records import Record, decode_records
from interledger.accounts.snapshot import decode_snapshot, restore
from interledger.errors import DecodeError, LedgerError, StoreError

__all__ = ["StoredBalance", "replay"]

Commit = tuple[int, bytes]
"""(sequence number, records)."""


class StoredBalance(NamedTuple):
    """The posted counters that the store keeps beside the journal, by the index of the account."""

    name: str
    debits_posted: int
    credits_posted: int


def replay(
    ledger: Ledger, snapshot: bytes | None, commits: Sequence[Commit], balances: Mapping[int, StoredBalance]
) -> int:
    """Fill the empty `ledger` and check it. Returns how many records were read.

    Raises `StoreError` when something cannot be read, does not fit what came before, or contradicts the balances.
    """
    count = _run(ledger, snapshot, commits)
    for index in range(max(len(ledger.accounts), len(balances))):
        account = ledger.accounts[index] if index < len(ledger.accounts) else None
        stored = balances.get(index)
        if not _agree(account, stored):
            raise StoreError(_difference(index, account, stored, snapshot, commits))
    faults = ledger.check()
    if faults:
        raise StoreError("the books are not sound: " + "; ".join(faults))
    return count


def _run(
    ledger: Ledger,
    snapshot: bytes | None,
    commits: Sequence[Commit],
    after_each: Callable[[int, int, Record], None] = lambda seq, number, record: None,
) -> int:
    count = 0
    try:
        if snapshot is not None:
            restore(ledger, decode_snapshot(snapshot))
    except (DecodeError, LedgerError) as error:
        raise StoreError(f"the snapshot of the books is damaged: {error}") from None
    for seq, records in commits:
        number = 0
        try:
            for number, record in enumerate(decode_records(records), 1):
                ledger.apply(record)
                after_each(seq, number, record)
        except (DecodeError, LedgerError) as error:
            raise StoreError(f"commit {seq} of the journal, near record {number}: {error}") from None
        count += number
    try:
        ledger.end_replay()
    except LedgerError as error:
        raise StoreError(str(error)) from None
    return count


def _agree(account: LedgerAccount | None, stored: StoredBalance | None) -> bool:
    if account is None or stored is None:
        return False
    return (account.name, account.debits_posted, account.credits_posted) == stored


def _difference(
    index: int,
    account: LedgerAccount | None,
    stored: StoredBalance | None,
    snapshot: bytes | None,
    commits: Sequence[Commit],
) -> str:
    if account is None:
        return f"the stored balance {index} ({stored and stored.name}) is of an account that the journal never opened"
    says = f"{account.debits_posted} debits and {account.credits_posted} credits"
    if stored is None:
        return f"{account.name} ({account.asset}) has no stored balance; the journal says {says}"
    return (
        f"{account.name} ({account.asset}): stored are {stored.debits_posted} debits and {stored.credits_posted} "
        f"credits as {stored.name}, the journal says {says}; {_first_record(index, snapshot, commits)}"
    )


def _first_record(index: int, snapshot: bytes | None, commits: Sequence[Commit]) -> str:
    """Where to begin to look: the first record after the snapshot that changed the account's posted counters."""
    ledger = Ledger()
    found: list[str] = []
    before: tuple[int, int] | None = None

    def look(seq: int, number: int, record: Record) -> None:
        nonlocal before
        if index >= len(ledger.accounts):
            return
        account = ledger.accounts[index]
        now = (account.debits_posted, account.credits_posted)
        if now != (before or (0, 0)) and before is not None and not found:
            found.append(f"the first record that changes it is number {number} of commit {seq} ({record!r})")
        before = now

    if snapshot is not None:
        states = decode_snapshot(snapshot).accounts
        if index < len(states):
            before = (states[index].debits_posted, states[index].credits_posted)
    _run(ledger, snapshot, commits, look)
    return found[0] if found else "no record since the last snapshot changes it"
