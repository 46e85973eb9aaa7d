"""A statement of one ledger account: what was posted to it, with whom, and the balance after each line."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Final, NamedTuple, final

from interledger.accounts.asset import Asset
from interledger.accounts.books.memo import Memo
from interledger.accounts.books.past import Past, Posting, PostingKind
from interledger.accounts.entries import LedgerAccount, Unknown
from interledger.accounts.unproven import Unproven
from interledger.clock import Timestamp
from interledger.errors import InvalidRequestError, NotFoundError

__all__ = ["LINES_MAX", "By", "Statement", "StatementLine", "StatementReport", "find_accounts"]

LINES_MAX: Final = 10_000
"""Lines of a statement: more is read by a program, from an export."""

_EVER: Final = Timestamp(1 << 62)


class By(enum.StrEnum):
    """How packets are put together. Everything else has a line of its own."""

    PACKET = "packet"
    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"

    def bucket(self, at: int) -> int:
        """The moment (ms UTC) at which the time that `at` belongs to begins."""
        length = {By.PACKET: 1, By.MINUTE: 60_000, By.HOUR: 3_600_000, By.DAY: 86_400_000}[self]
        return at - at % length


class StatementLine(NamedTuple):
    """One line. `net`: the balance after it, above zero when the counterpart owes us. `packets`: how many are in it."""

    at: Timestamp
    kind: PostingKind
    others: tuple[str, ...]
    debit: int
    credit: int
    net: int
    packets: int
    id: int
    memo: Memo
    seq: int
    number: int


class StatementReport(NamedTuple):
    """The statement, whole. `more`: lines that did not fit; ask for less time, or put packets together."""

    name: str
    asset: Asset
    kept_from: Timestamp
    opening_net: int
    lines: Sequence[StatementLine]
    more: int
    closing_net: int
    debits: int
    credits: int
    pending_in: int
    pending_out: int
    unknown: Sequence[Unknown]
    unproven: Sequence[Unproven]


@final
class Statement:
    """Of one account in one asset. Feed it every posting after the opening of `past`, then `finish`."""

    def __init__(
        self,
        name: str,
        asset: Asset,
        *,
        start: int | None = None,
        end: int | None = None,
        by: By = By.PACKET,
        lines_max: int = LINES_MAX,
    ) -> None:
        """`start` and `end` in ms UTC; `end` is not included."""
        self._key = (name, asset)
        self._start = start or 0
        self._end = _EVER if end is None else end
        self._by = by
        self._lines_max = lines_max
        self._lines: list[StatementLine] = []
        self._more = 0
        self._bucket: tuple[int, int, int] | None = None
        self._group: dict[tuple[str, ...], list[int]] = {}
        self._net = self._opening_net = self._closing_net = 0
        self._debits = self._credits = 0

    def begin(self, past: Past) -> None:
        """Take the balance of the opening."""
        account = past.ledger.find(*self._key)
        self._net = self._opening_net = self._closing_net = 0 if account is None else account.net

    def feed(self, posting: Posting) -> None:
        """Add what touches the account."""
        debit = credit = 0
        others: list[str] = []
        for debited, credited, amount in reversed(posting.legs):
            if self._is(debited):
                debit += amount
                others.append(credited.name)
            if self._is(credited):
                credit += amount
                others.append(debited.name)
        if not others:
            return
        if posting.at < self._start:
            self._net += debit - credit
            self._opening_net = self._closing_net = self._net
            return
        if posting.at >= self._end:
            return
        self._debits += debit
        self._credits += credit
        self._closing_net += debit - credit
        if posting.kind is PostingKind.PACKET and self._by is not By.PACKET:
            self._add_to_group(posting, tuple(others), debit, credit)
            return
        self._flush()
        packets = int(posting.kind is PostingKind.PACKET)
        self._add_line(
            posting.at, posting.kind, tuple(others), (debit, credit), packets, posting.id, posting.memo,
            (posting.seq, posting.number),
        )  # fmt: skip

    def finish(self, past: Past) -> StatementReport:
        """All postings were fed; `past` is where they lead. Raises `NotFoundError` when there is no such account."""
        self._flush()
        account = past.ledger.find(*self._key)
        if account is None:
            raise NotFoundError(f"There is no account “{self._key[0]}” in {self._key[1]} in the books.")
        return StatementReport(
            name=account.name,
            asset=account.asset,
            kept_from=past.opening.at,
            opening_net=self._opening_net,
            lines=self._lines,
            more=self._more,
            closing_net=self._closing_net,
            debits=self._debits,
            credits=self._credits,
            pending_in=account.debits_pending,
            pending_out=account.credits_pending,
            unknown=[unknown for unknown in past.ledger.unknown.values() if unknown.account is account],
            unproven=[claim for claim in past.ledger.unproven.items.values() if claim.account is account],
        )

    def _is(self, account: LedgerAccount) -> bool:
        return (account.name, account.asset) == self._key

    def _add_to_group(self, posting: Posting, others: tuple[str, ...], debit: int, credit: int) -> None:
        bucket = self._by.bucket(posting.at)
        if self._bucket is None or self._bucket[0] != bucket:
            self._flush()
            self._bucket = (bucket, posting.seq, posting.number)
        group = self._group.setdefault(others, [0, 0, 0])
        group[0] += debit
        group[1] += credit
        group[2] += 1

    def _flush(self) -> None:
        if self._bucket is None:
            return
        bucket, seq, number = self._bucket
        for others, (debit, credit, packets) in self._group.items():
            self._add_line(
                Timestamp(bucket), PostingKind.PACKET, others, (debit, credit), packets, 0, Memo(""), (seq, number)
            )
        self._bucket = None
        self._group.clear()

    def _add_line(
        self,
        at: Timestamp,
        kind: PostingKind,
        others: tuple[str, ...],
        amounts: tuple[int, int],
        packets: int,
        item_id: int,
        memo: Memo,
        where: tuple[int, int],
    ) -> None:
        self._net += amounts[0] - amounts[1]
        if len(self._lines) >= self._lines_max:
            self._more += 1
            return
        self._lines.append(StatementLine(at, kind, others, *amounts, self._net, packets, item_id, memo, *where))


def find_accounts(accounts: Sequence[LedgerAccount], text: str, asset: Asset | None = None) -> LedgerAccount:
    """The ledger account that a person means: its full name, or that of a peer or holder alone.

    Raises `NotFoundError`, or `InvalidRequestError` when the name is used in several assets and none was said.
    """
    for name in (text, f"peer/{text}", f"local/{text}"):
        found = [a for a in accounts if a.name == name and (asset is None or a.asset == asset)]
        if len(found) > 1:
            assets = " or ".join(str(account.asset) for account in found)
            raise InvalidRequestError(f"“{text}” is kept in {assets}: say which", "asset")
        if found:
            return found[0]
    raise NotFoundError(f"There is no account “{text}” in the books.")
