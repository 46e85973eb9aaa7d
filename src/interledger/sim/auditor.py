"""Checks the money with a model of its own, from what nodes write down and what they say to each other.

Numbers are the invariants of `docs/explanation/money.md`. A breach stops the run with the seed and the packet.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from hashlib import sha256
from typing import final

from interledger.accounts.asset import Asset
from interledger.accounts.ledger import Ledger
from interledger.accounts.records import Executed, GaveUp, Held, Released, decode_records
from interledger.ilp.packet import Fulfill, Reply
from interledger.link.base import RequestId
from interledger.sim.node import SimNode

__all__ = ["Auditor", "BreachError"]


class BreachError(AssertionError):
    """An invariant does not hold."""


@dataclass(slots=True)
class _Book:
    """What one node has written: the outcome of each packet, by condition, and the fulfillments it knows."""

    conditions: dict[int, bytes] = field(default_factory=dict)
    outcomes: dict[bytes, str] = field(default_factory=dict)
    fulfillments: set[bytes] = field(default_factory=set)


@final
class Auditor:
    """Watches nodes (`watch`) and the replies on their links (`reply_sent`); `final_check` when all is quiet."""

    def __init__(self) -> None:
        self._books: dict[str, _Book] = {}
        self._nodes: dict[str, SimNode] = {}
        self._answered: set[tuple[object, ...]] = set()
        self.counts = {"held": 0, "executed": 0, "released": 0, "unknown": 0, "fulfills": 0, "rejects": 0}

    def watch(self, node: SimNode) -> None:
        """Follow what `node` writes."""
        book = self._books[node.address] = _Book()
        self._nodes[node.address] = node
        node.on_commit = lambda records: self._committed(node, book, records)

    def _committed(self, node: SimNode, book: _Book, records: bytes) -> None:
        for record in decode_records(records):
            if isinstance(record, Held):
                self._held(node, book, record)
            elif isinstance(record, Executed):
                self._outcome(book, record.hold_id, "executed")
                condition = book.conditions[record.hold_id]
                if sha256(record.fulfillment).digest() != condition:
                    raise BreachError(f"10 {node.address} executed a packet without its fulfillment")
                book.fulfillments.add(condition)
            elif isinstance(record, Released):
                self._outcome(book, record.hold_id, "released")
            elif isinstance(record, GaveUp):
                self._outcome(book, record.hold_id, "unknown")
        self._check_ledger(node.address, node.ledger)

    def _held(self, node: SimNode, book: _Book, record: Held) -> None:
        self.counts["held"] += 1
        book.conditions[record.hold_id] = record.condition
        book.outcomes[record.condition] = "held"
        source, (_, target, outgoing) = record.legs[0][0], record.legs[-1]
        incoming = sum(amount for debited, _, amount in record.legs if debited == source)
        assets = node.ledger.accounts[source].asset, node.ledger.accounts[target].asset
        if outgoing > self._fair(node, incoming, *assets):
            raise BreachError(f"12 {node.address} forwarded {outgoing} {assets[1]} for {incoming} {assets[0]}")

    def _fair(self, node: SimNode, amount: int, source: Asset, target: Asset) -> int:
        """What `amount` is worth at the node's rate and spread, rounded down: computed apart from the node."""
        rate = Fraction(10**target.scale, 10**source.scale)
        if source.code != target.code:
            rate *= Fraction(node.rates[source.code]) / Fraction(node.rates[target.code]) * (1 - node.spread)
        return int(amount * rate)

    def _outcome(self, book: _Book, hold_id: int, outcome: str) -> None:
        condition = book.conditions[hold_id]
        if book.outcomes[condition] != "held":
            raise BreachError(f"a packet had two outcomes: {book.outcomes[condition]}, then {outcome}")
        book.outcomes[condition] = outcome
        self.counts[outcome] += 1

    def _check_ledger(self, address: str, ledger: Ledger) -> None:
        faults = ledger.check()
        if faults:
            raise BreachError(f"1, 2 at {address}: {faults}")
        for account in ledger.accounts:
            if account.debits_pending and account.room < 0:
                raise BreachError(f"3 {address} {account.name} is held beyond its limit")

    def reply_sent(
        self, node: SimNode, link: str, request_id: RequestId, condition: bytes | None, reply: Reply
    ) -> None:
        """A node answered over one of its links; `condition` is that of the request it got there."""
        if condition is None:
            raise BreachError(f"13 {node.address} answered a request on {link} that it never got")
        key = (node.address, node.life, link, request_id)
        if key in self._answered:
            raise BreachError(f"13 {node.address} answered a request on {link} twice")
        self._answered.add(key)
        book = self._books[node.address]
        if isinstance(reply, Fulfill):
            self.counts["fulfills"] += 1
            if condition in book.outcomes and condition not in book.fulfillments:
                raise BreachError(f"7 {node.address} relayed a Fulfill before its fulfillment was written")
        else:
            self.counts["rejects"] += 1
            if condition in book.fulfillments:
                raise BreachError(f"8 {node.address} had the fulfillment and rejected upstream")

    def check_payment(self, sent: int, maybe_sent: int, limit: int) -> None:
        """20: a sender never spends more than it was allowed, counting what may have been delivered."""
        if sent + maybe_sent > limit:
            raise BreachError(f"20 a payment sent {sent}, maybe {maybe_sent} more, of {limit}")

    def final_check(self, pairs: list[tuple[SimNode, str, SimNode, str]]) -> None:
        """When all is quiet. `pairs`: (node, its account for the other, the other, its account for the first)."""
        for node in self._nodes.values():
            self._check_ledger(node.address, node.ledger)
            if node.ledger.holds:
                raise BreachError(f"6 {node.address} still holds {len(node.ledger.holds)} packets")
        for upstream, upstream_account, downstream, downstream_account in pairs:
            self._check_pair(self._books[upstream.address], self._books[downstream.address], upstream, downstream)
            self._check_sum(upstream, upstream_account, downstream, downstream_account)

    def _check_pair(self, up: _Book, down: _Book, upstream: SimNode, downstream: SimNode) -> None:
        for condition, outcome in up.outcomes.items():
            other = down.outcomes.get(condition)
            if {outcome, other} == {"executed", "released"}:
                raise BreachError(f"17 {upstream.address} says {outcome}, {downstream.address} {other}")

    def _check_sum(self, a: SimNode, a_account: str, b: SimNode, b_account: str) -> None:
        """18: what a says b owes it and what b says a owes it differ by nothing but unknown amounts."""
        books = ((a, a_account), (b, b_account))
        nets, unknown = [], []
        for node, name in books:
            accounts = [account for account in node.ledger.accounts if account.name == name]
            nets.append(sum(account.net for account in accounts))
            unknown.append(sum(u.amount for u in node.ledger.unknown.values() if u.account in accounts))
        # Whoever sent onward and never heard has posted less than it may owe: by no more than its unknown amounts.
        difference = nets[0] + nets[1]
        if not 0 <= difference <= sum(unknown):
            raise BreachError(f"18 {a.address} and {b.address} differ by {difference}, unknown {unknown}")
