"""A journal in memory: a ledger whose batches become commits, one second apart."""

from __future__ import annotations

from hashlib import sha256

import pytest

from interledger.accounts.asset import Asset
from interledger.accounts.books.past import Commit, Opening, Past, Posting
from interledger.accounts.ledger import Hold, Ledger, LedgerAccount
from interledger.accounts.snapshot import capture, encode_snapshot
from interledger.clock import Timestamp

USD, EUR = Asset("USD", 9), Asset("EUR", 9)
NOON = 1_795_262_400_000
BILLION = 10**9


class Journal:
    """alice (USD) and bob (EUR) exchange by us; carol (USD) pays a fee."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.commits: list[Commit] = []
        self.openings = [Opening(0, Timestamp(NOON), None)]
        self.alice, self.bob = self.account("peer/alice", USD), self.account("peer/bob", EUR)
        self.carol = self.account("peer/carol", USD)

    def account(self, name: str, asset: Asset) -> LedgerAccount:
        return self.ledger.account(name, asset)

    def hold(self, *legs: tuple[LedgerAccount, LedgerAccount, int], remote: bool = True) -> tuple[Hold, bytes]:
        fulfillment = sha256(len(self.commits).to_bytes(4, "big") + self.ledger.next_id.to_bytes(8, "big")).digest()
        held = self.ledger.hold(legs, sha256(fulfillment).digest(), NOON + 30_000, remote)
        assert isinstance(held, Hold)
        return held, fulfillment

    def exchange(self, usd: int, eur: int) -> Hold:
        """A packet of alice to bob, delivered."""
        held, fulfillment = self.hold(
            (self.alice, self.account("fx/USD/9", USD), usd), (self.account("fx/EUR/9", EUR), self.bob, eur)
        )
        self.ledger.execute(held, fulfillment)
        return held

    def forward(self, amount: int, fee: int) -> Hold:
        """A packet of alice to carol, delivered."""
        held, fulfillment = self.hold(
            (self.alice, self.account("fee/USD/9", USD), fee), (self.alice, self.carol, amount - fee)
        )
        self.ledger.execute(held, fulfillment)
        return held

    def commit(self, *, snapshot: bool = False) -> None:
        batch = self.ledger.take_batch()
        records = b"".join(batch.records) if batch else b""
        at = Timestamp(NOON + 1_000 * (len(self.commits) + 1))
        self.commits.append(Commit(len(self.commits) + 1, at, records))
        if snapshot:
            self.openings.append(Opening(len(self.commits), at, encode_snapshot(capture(self.ledger))))

    def past(self, opening: Opening | None = None) -> tuple[Past, list[Posting]]:
        """Followed to the end from an opening."""
        past = Past(opening or self.openings[0])
        postings = [p for commit in self.commits if commit.seq > past.seq for p in list(past.feed(commit))]
        return past, postings


@pytest.fixture
def journal() -> Journal:
    return Journal()
