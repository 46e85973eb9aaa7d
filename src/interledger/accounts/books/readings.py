"""What can be asked of the past, each as a reader: it is fed the commits after an opening, and then says what it found.

One driver reads the journal of a stopped node in one go, another that of a running node a little at a time.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, Protocol, TypeVar, final

from interledger.accounts.asset import Asset
from interledger.accounts.books.export import Writer
from interledger.accounts.books.past import Commit, Opening, Past
from interledger.accounts.books.profit import Profit, ProfitReport
from interledger.accounts.books.statement import Statement, StatementReport
from interledger.accounts.books.transactions import Transaction, Transactions
from interledger.accounts.entries import LedgerAccount, Unknown
from interledger.accounts.records import GaveUp, Held, Record
from interledger.clock import Timestamp

__all__ = [
    "AccountsReading", "ExportReading", "ItemHistory", "ProfitReading", "Reading", "StatementReading", "UnknownReading",
]  # fmt: skip

Answer_co = TypeVar("Answer_co", covariant=True)


class Reading(Protocol, Generic[Answer_co]):
    """Is fed commits, and then has an answer. Both raise `LedgerError` for books that cannot be followed."""

    def feed(self, commit: Commit) -> None: ...
    def finish(self) -> Answer_co: ...


@final
class AccountsReading:
    """The accounts as they are in the end."""

    def __init__(self, opening: Opening) -> None:
        self._past = Past(opening)

    def feed(self, commit: Commit) -> None:
        for _ in self._past.feed(commit):
            pass

    def finish(self) -> list[LedgerAccount]:
        return self._past.ledger.accounts


@final
class StatementReading:
    """A statement of one account."""

    def __init__(self, opening: Opening, statement: Statement) -> None:
        self._past = Past(opening)
        self._statement = statement
        statement.begin(self._past)

    def feed(self, commit: Commit) -> None:
        for posting in self._past.feed(commit):
            self._statement.feed(posting)

    def finish(self) -> StatementReport:
        return self._statement.finish(self._past)


@final
class ProfitReading:
    """Fees, losses and exchange positions."""

    def __init__(self, opening: Opening, profit: Profit) -> None:
        self._past = Past(opening)
        self._profit = profit

    def feed(self, commit: Commit) -> None:
        for posting in self._past.feed(commit):
            self._profit.feed(posting)

    def finish(self) -> ProfitReport:
        return self._profit.finish(self._past)


@final
class ExportReading:
    """The books as text, which `take` gives out part by part; `finish` gives the last one."""

    def __init__(self, opening: Opening, writer: Writer, transactions: Transactions) -> None:
        self._past = Past(opening)
        self._writer = writer
        self._transactions = transactions
        self._parts = [writer.begin()]
        self._last_at = opening.at

    def feed(self, commit: Commit) -> None:
        for posting in self._past.feed(commit):
            self._add(self._transactions.feed(self._past, posting))

    def take(self) -> str:
        """The text that was made since the last call."""
        text, self._parts = "".join(self._parts), []
        return text

    def finish(self) -> str:
        self._add(self._transactions.end(self._past))
        self._parts.append(self._writer.end(self._past.ledger, self._last_at))
        return self.take()

    def _add(self, made: Iterable[Transaction]) -> None:
        for transaction in made:
            self._last_at = max(self._last_at, transaction.at)
            self._parts.append(self._writer.add(transaction))


class ItemHistory:
    """What the kept journal knows of an unknown item beside what the ledger keeps."""

    __slots__ = ("gave_up_at", "held_at", "incoming")

    def __init__(self) -> None:
        self.held_at: Timestamp | None = None
        self.gave_up_at: Timestamp | None = None
        self.incoming: tuple[str, Asset, int] | None = None
        """Whose packet it was, and what it brought: released, because nobody was shown the fulfillment."""


class _UnknownPast(Past):
    """Remembers where the holds that became unknown came from."""

    def __init__(self, opening: Opening, wanted: Iterable[int]) -> None:
        super().__init__(opening)
        self.items = {item_id: ItemHistory() for item_id in wanted}

    def inspect(self, commit: Commit, number: int, record: Record) -> None:
        if isinstance(record, Held) and record.hold_id in self.items:
            item = self.items[record.hold_id]
            item.held_at = commit.at
            source = self.ledger.accounts[record.legs[0][0]]
            amount = sum(part for debited, _, part in record.legs if debited == source.index)
            item.incoming = (source.name, source.asset, amount)
        elif isinstance(record, GaveUp) and record.hold_id in self.items:
            self.items[record.hold_id].gave_up_at = commit.at


@final
class UnknownReading:
    """When unknown items were held and given up, and for whom."""

    def __init__(self, opening: Opening, items: Iterable[Unknown]) -> None:
        self._past = _UnknownPast(opening, [item.id for item in items])

    def feed(self, commit: Commit) -> None:
        for _ in self._past.feed(commit):
            pass

    def finish(self) -> dict[int, ItemHistory]:
        return self._past.items
