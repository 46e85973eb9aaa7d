"""Follows a journal from an opening balance: every posting, in the order in which it was written.

Feed it the commits one by one; whoever drives it decides how many at a time, so that a running node is not held up.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import NamedTuple

from interledger.accounts.books.memo import Memo
from interledger.accounts.claim_records import ClaimClosed, ClaimSetAside
from interledger.accounts.ledger import Ledger, Leg
from interledger.accounts.records import EntryPosted, Executed, Record, Resolved, decode_records
from interledger.accounts.request_records import Answered, PacketAsked, Requested
from interledger.accounts.snapshot import decode_snapshot, restore
from interledger.clock import Timestamp
from interledger.errors import DecodeError, LedgerError

__all__ = ["Commit", "JournalError", "Opening", "Past", "Posting", "PostingKind"]


class Commit(NamedTuple):
    """One row of the journal: the records of a batch, and when they were written."""

    seq: int
    at: Timestamp
    records: bytes


class Opening(NamedTuple):
    """Where the kept journal begins: the ledger after commit `seq`, as a snapshot. None: as a new, empty ledger."""

    seq: int
    at: Timestamp
    state: bytes | None


class PostingKind(enum.StrEnum):
    """What moved the money."""

    PACKET = "packet"
    RESOLUTION = "resolution"
    """An unknown amount was found to be delivered; a claim on a peer ended, that was not proven."""
    ENTRY = "entry"
    """A settlement, a correction: what is outside packets. Its memo says which."""


class Posting(NamedTuple):
    """Legs that were posted by one record. `id`: of the packet's hold, 0 for an entry."""

    seq: int
    number: int
    at: Timestamp
    kind: PostingKind
    legs: tuple[Leg, ...]
    id: int = 0
    condition: bytes = b""
    memo: Memo = Memo("")


class JournalError(LedgerError):
    """A record of the journal cannot be what it says. `seq` and `number` (from 1) name it."""

    def __init__(self, commit: Commit, number: int, text: str) -> None:
        super().__init__(text)
        self.seq = commit.seq
        self.at = commit.at
        self.number = number


class Past:
    """The ledger at one moment of the past, which `feed` moves on."""

    def __init__(self, opening: Opening) -> None:
        """Raises `DecodeError` or `LedgerError` for a snapshot that cannot be."""
        self.ledger = Ledger()
        self.opening = opening
        self.seq = opening.seq
        self.at = opening.at
        self.records = 0
        self.commits = 0
        if opening.state is not None:
            restore(self.ledger, decode_snapshot(opening.state))

    def feed(self, commit: Commit) -> Iterator[Posting]:
        """Apply a commit; what each of its records posted. Raises `JournalError`."""
        number = 0
        try:
            for number, record in enumerate(decode_records(commit.records), 1):
                posting = self._step(commit, number, record)
                if posting is not None:
                    yield posting
        except JournalError:
            raise
        except DecodeError as error:
            raise JournalError(commit, number + 1, str(error)) from None
        except LedgerError as error:
            raise JournalError(commit, number, str(error)) from None
        self.seq, self.at = commit.seq, commit.at
        self.records += number
        self.commits += 1

    def inspect(self, commit: Commit, number: int, record: Record) -> None:
        """Called before a record is applied. Raises `LedgerError` for one that cannot be."""

    def _step(self, commit: Commit, number: int, record: Record) -> Posting | None:
        self.inspect(commit, number, record)
        ledger = self.ledger
        posting: Posting | None = None
        if isinstance(record, Executed):
            hold = ledger.holds.get(record.hold_id)
            if hold is not None:
                posting = Posting(commit.seq, number, commit.at, PostingKind.PACKET, hold.legs, hold.id, hold.condition)
        elif isinstance(record, Resolved) and record.delivered:
            unknown = ledger.unknown.get(record.hold_id)
            if unknown is not None:
                asset = unknown.account.asset
                legs: tuple[Leg, ...] = ((ledger.account(f"loss/{asset}", asset), unknown.account, unknown.amount),)
                memo = Memo.decode(record.memo)
                posting = Posting(
                    commit.seq, number, commit.at, PostingKind.RESOLUTION, legs, unknown.id, unknown.condition, memo
                )
        elif isinstance(record, ClaimClosed):
            claim = ledger.unproven.items.get(record.item_id)
            if claim is not None:
                legs = ledger.unproven.legs_of_end(claim, owed=record.owed)
                memo = Memo.decode(record.memo)
                posting = Posting(
                    commit.seq, number, commit.at, PostingKind.RESOLUTION, legs, claim.id, claim.condition, memo
                )
        elif isinstance(record, Requested | Answered | PacketAsked):
            return None  # what was asked and answered moves nothing by itself
        ledger.apply(record)
        if isinstance(record, ClaimSetAside):
            claim = ledger.unproven.items[record.item_id]
            memo = Memo("unproven", "", f"fulfilled, and not counted by the peer: unp_{claim.id}")
            if record.memo:
                memo = Memo.decode(record.memo)
            posting = Posting(
                commit.seq, number, commit.at, PostingKind.ENTRY, ledger.unproven.legs_of_beginning(claim), claim.id,
                claim.condition, memo,
            )  # fmt: skip
        if isinstance(record, EntryPosted):
            legs = tuple((ledger.accounts[d], ledger.accounts[c], amount) for d, c, amount in record.legs)
            memo = Memo.decode(record.memo)
            posting = Posting(commit.seq, number, commit.at, PostingKind.ENTRY, legs, memo=memo)
        return posting
