"""`ilp demo` without its output: a network is started, a payment is made, every balance is compared, all is stopped.

The books of different nodes know nothing of each other. That they agree afterwards, to the unit, is what is shown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from interledger.accounts.asset import Asset
from interledger.daemon.dev import DevNetwork
from interledger.daemon.settled import Settled, approve_payments, compare_settled
from interledger.daemon.topology import Topology
from interledger.node.payment import Quote, Snapshot

__all__ = ["Balance", "Check", "DemoReport", "Watcher", "run_demo"]

SETTLED_S: Final = 120.0
"""Ledgers take their time; those of a development network a second or two."""


@dataclass(frozen=True, slots=True)
class Balance:
    """What one node has with one account: above zero, the account owes the node. In integer units."""

    node: str
    account: str
    asset: Asset
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison: what was compared, and the difference, which is 0 when all is well."""

    text: str
    difference: int


@dataclass(frozen=True, slots=True)
class DemoReport:
    """Everything there is to tell."""

    quote: Quote
    payment: Snapshot
    balances: list[Balance]
    checks: list[Check]
    settled: list[Settled] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        """Whether the payment arrived and every comparison is exact."""
        return self.payment.state == "delivered" and all(check.difference == 0 for check in self.checks)


class Watcher(Protocol):
    """Who shows what happens while it happens."""

    def started(self, network: DevNetwork) -> None:
        """Every node runs, every link is up."""
        ...

    def quoted(self, quote: Quote) -> None:
        """What the payment will cost."""
        ...

    def progress(self, payment: Snapshot) -> None:
        """How far it is."""
        ...


async def run_demo(
    topology: Topology, directory: Path, send: int, watcher: Watcher, settlement: str | None = None
) -> DemoReport:
    """The first holder pays the last one. `send`: units of the first one's asset. State goes into `directory`.

    `settlement`: the ledger that what is owed is settled on; the report waits until that is done.
    """
    network = DevNetwork(topology, directory, settlement=settlement)
    await network.start()
    try:
        watcher.started(network)
        holders = [node for node in topology.nodes if node.asset is not None]
        source, destination = holders[0].name, holders[-1].name
        before = _positions(network)
        node = network.nodes[source]
        quote = await node.quote(source, network.pointer(destination), send=send)
        watcher.quoted(quote)
        payment = node.pay(source, quote.receiver, send=send, quote=quote)
        async for snapshot in payment.progress:
            watcher.progress(snapshot)
        ended = await payment.done()
        settled = await _settle(network)
        after = _positions(network)
        balances = [
            Balance(name, account, asset, before[name, account, asset], net)
            for (name, account, asset), net in after.items()
        ]
        checks = [*_checks(network, source, destination, ended, balances, settled), *_ledger_checks(settled)]
        return DemoReport(quote, ended, balances, checks, settled)
    finally:
        await network.stop()


async def _settle(network: DevNetwork) -> list[Settled]:
    """Until nothing is under way any more, for a while: what two books and the ledger say then."""
    rows: list[Settled] = []
    with suppress(TimeoutError):
        async with asyncio.timeout(SETTLED_S):
            while rows := await compare_settled(network.document()):
                if all(row.is_quiet for row in rows):
                    break
                if any(row.approvals for row in rows):  # a person's place is taken here
                    await approve_payments(network.document())
                await asyncio.sleep(0.1)
    return rows


def _ledger_checks(rows: list[Settled]) -> Iterator[Check]:
    for row in rows:
        yield Check(f"{row.payer}'s books agree with the ledger", row.given - row.waiting - row.moved)
        yield Check(f"{row.payee}'s books agree with the ledger", row.moved - row.taken)
        yield Check(f"all that {row.payer} settles has left", row.on_its_way)


def _positions(network: DevNetwork) -> dict[tuple[str, str, Asset], int]:
    return {
        (name, str(account.id), account.asset): node.position(account.id).net
        for name, node in network.nodes.items()
        for account in node.accounts()
    }


def _checks(
    network: DevNetwork,
    source: str,
    destination: str,
    payment: Snapshot,
    balances: list[Balance],
    settled: list[Settled],
) -> Iterator[Check]:
    """Both sides of each link; both ends of the payment; every node's trial balance; what is still held."""
    after = {(balance.node, balance.account): balance.after for balance in balances}
    moved = {(balance.node, balance.account): balance.after - balance.before for balance in balances}
    for link in network.topology.links:
        owed = after[link.left, link.right] + after[link.right, link.left]
        # Less than a ledger can pay is left with the engine: out of one book, and not in the other yet.
        owed -= sum(row.unpaid(link.asset) for row in settled if {row.payer, row.payee} == {link.left, link.right})
        yield Check(f"{link.left} and {link.right} agree on what they owe each other", owed)
    yield Check(f"{source} paid what was sent", moved[source, source] - payment.sent)
    yield Check(f"{destination} has what was delivered", -moved[destination, destination] - payment.delivered)
    for name, node in network.nodes.items():
        sums: dict[Asset, int] = {}
        pending = 0
        for account in node.ledger.accounts:
            sums[account.asset] = sums.get(account.asset, 0) + account.net
            pending += account.debits_pending + account.credits_pending
        worst = max(sums.values(), key=abs, default=0)
        yield Check(f"every asset sums to zero in {name}'s books", worst)
        yield Check(f"nothing is held any more at {name}", pending + len(node.ledger.unknown))
