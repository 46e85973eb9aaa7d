"""Postings as an accountant's transactions: packets put together by time, everything else one by one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, final

from interledger.accounts.asset import Asset
from interledger.accounts.books.memo import Memo
from interledger.accounts.books.past import Past, Posting, PostingKind
from interledger.accounts.books.statement import By
from interledger.accounts.ledger import Ledger
from interledger.clock import Timestamp

__all__ = ["Balance", "Transaction", "Transactions", "closing_balances"]


class Balance(NamedTuple):
    """An account in one asset, and an amount in its units: above zero a debit."""

    name: str
    asset: Asset
    amount: int


class Transaction(NamedTuple):
    """Amounts that sum to zero in each asset. `kind`: opening, packet, resolution or entry; `seq`, `number`: its record
    in the journal, of packets that of the first."""

    at: Timestamp
    kind: str
    balances: tuple[Balance, ...]
    packets: int = 0
    memo: Memo = Memo("")
    seq: int = 0
    number: int = 0


@final
class Transactions:
    """Feed it every posting after an opening; each call gives the transactions that are complete. `end` gives the rest.

    Packets between `start` and `end` (ms UTC) only; what is older is part of the opening balance.
    """

    def __init__(self, *, by: By = By.DAY, start: int | None = None, end: int | None = None) -> None:
        self._by = by
        self._start = start or 0
        self._end = end
        self._opened = False
        self._bucket = 0
        self._packets = 0
        self._where = (0, 0)
        self._sums: dict[tuple[str, Asset], int] = {}

    def feed(self, past: Past, posting: Posting) -> Iterator[Transaction]:
        """Add a posting, which `past` has just applied."""
        if posting.at < self._start or (self._end is not None and posting.at >= self._end):
            return
        if not self._opened:
            yield from self._open(past, posting)
        if posting.kind is not PostingKind.PACKET:
            yield from self._flush()
            sums: dict[tuple[str, Asset], int] = {}
            _add(sums, posting)
            yield Transaction(
                posting.at, posting.kind.value, _balances(sums), 0, posting.memo, posting.seq, posting.number
            )
            return
        bucket = self._by.bucket(posting.at)
        if self._packets and (self._by is By.PACKET or bucket != self._bucket):
            yield from self._flush()
        if not self._packets:
            self._bucket, self._where = bucket, (posting.seq, posting.number)
        self._packets += 1
        _add(self._sums, posting)

    def end(self, past: Past) -> Iterator[Transaction]:
        """No more postings come."""
        if not self._opened:
            yield from self._open(past, None)
        yield from self._flush()

    def _open(self, past: Past, first: Posting | None) -> Iterator[Transaction]:
        """The balances before the first posting."""
        self._opened = True
        sums = {(account.name, account.asset): account.net for account in past.ledger.accounts}
        if first is not None:
            for debited, credited, amount in first.legs:
                sums[debited.name, debited.asset] -= amount
                sums[credited.name, credited.asset] += amount
        balances = _balances(sums)
        if balances:
            at = past.at if first is None else Timestamp(self._by.bucket(first.at))
            yield Transaction(Timestamp(self._start or min(past.opening.at or at, at)), "opening", balances)

    def _flush(self) -> Iterator[Transaction]:
        if self._packets:
            seq, number = self._where
            yield Transaction(
                Timestamp(self._bucket), "packet", _balances(self._sums), self._packets, seq=seq, number=number
            )
        self._packets = 0
        self._sums = {}


def closing_balances(ledger: Ledger) -> tuple[Balance, ...]:
    """Every account as it stands."""
    return tuple(Balance(account.name, account.asset, account.net) for account in ledger.accounts)


def _add(sums: dict[tuple[str, Asset], int], posting: Posting) -> None:
    for debited, credited, amount in posting.legs:
        for account, signed in ((debited, amount), (credited, -amount)):
            key = (account.name, account.asset)
            sums[key] = sums.get(key, 0) + signed


def _balances(sums: dict[tuple[str, Asset], int]) -> tuple[Balance, ...]:
    return tuple(Balance(name, asset, amount) for (name, asset), amount in sums.items() if amount)
