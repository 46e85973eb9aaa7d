"""One run: a line of nodes with random assets, limits, delays, losses and crashes, all drawn from the seed.

python -m interledger.sim.simulation --seed 7
python -m interledger.sim.simulation --seeds 200
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from interledger.accounts.account import Account, AccountId, Relation
from interledger.accounts.asset import Asset
from interledger.connector.peer import local_id
from interledger.ilp.address import Address
from interledger.link.base import PacketHandler
from interledger.sim.auditor import Auditor, BreachError
from interledger.sim.network import NO_FAULTS, Faults, SimLink
from interledger.sim.node import SimNode
from interledger.sim.payments import StreamEnd, StreamPayment
from interledger.sim.workload import RawReceiver, RawSender
from interledger.sim.world import World

__all__ = ["Report", "simulate"]

RATES: Final = {"USD": "1", "EUR": "1.0854", "MXN": "0.0581", "XAU": "2650.123456789"}
WALLET: Final = AccountId("wallet")
BUSY_MS: Final = 60_000
QUIET_MS: Final = 130_000
"""Longer than the longest expiry: after it every packet has its outcome."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did. `fingerprint` is the hash of every node's journal: equal for equal seeds."""

    seed: int
    nodes: int
    packets: int
    fulfilled: int
    paid: int
    """STREAM payments that delivered everything."""
    crashes: int
    events: int
    counts: dict[str, int]
    fingerprint: str


class _Run:
    def __init__(self, seed: int) -> None:
        self.world = World(seed)
        self.auditor = Auditor()
        self.crashes = 0
        dice = self.world.dice
        count = dice.randint(2, 5)
        self.nodes = [self._node(f"test.n{i}") for i in range(count)]
        self.pairs: list[tuple[SimNode, str, SimNode, str]] = []
        for left, right in zip(self.nodes, self.nodes[1:], strict=False):
            self._peer(left, right)
        self.senders = [
            self._sender(self.nodes[0], self.nodes[-1]),
            self._sender(self.nodes[-1], self.nodes[0]),
            self._sender(self.nodes[0], dice.choice(self.nodes)),
        ]
        for node in self.nodes:
            self._receiver(node)
        self.payments = [self._payment() for _ in range(dice.randint(0, 3))]

    def _node(self, address: str) -> SimNode:
        dice = self.world.dice
        spread = Fraction(dice.choice((0, 2, 30)), 1000)
        disk = dice.choice(((0, 0), (1, 4), (5, 60)))
        node = SimNode(self.world, Address(address), RATES, spread, disk)
        self.auditor.watch(node)
        return node

    def _account(self, name: str, node: SimNode, asset: Asset, relation: Relation) -> Account:
        limit = self.world.dice.choice((10_000, 1_000_000, 10**12))
        return Account(
            id=AccountId(name),
            asset=asset,
            ilp_address=Address(f"{node.address}.{name}"),
            relation=relation,
            owes_us_max=limit if relation is not Relation.LOCAL else None,
        )

    def _asset(self) -> Asset:
        return Asset(self.world.dice.choice(list(RATES)), self.world.dice.choice((0, 2, 9)))

    def _peer(self, left: SimNode, right: SimNode) -> None:
        """Two nodes that account with each other in one asset; everything else lies behind the neighbour."""
        dice = self.world.dice
        faults = Faults(
            delay_ms=dice.choice(((1, 5), (10, 60), (1, 2_000))),
            loss=dice.choice((0.0, 0.01, 0.1)),
            duplicate=dice.choice((0.0, 0.05)),
        )
        asset = self._asset()
        ends = []
        index = self.nodes.index(left)
        for node, name, beyond in ((left, "right", self.nodes[index + 1 :]), (right, "left", self.nodes[: index + 1])):
            account = self._account(name, node, asset, Relation.PEER)
            link = self._link(node, account.id, faults)
            node.attach(account.id, account, link, routes=tuple(other.address for other in beyond))
            ends.append(link)
        ends[0].other, ends[1].other = ends[1], ends[0]
        self.pairs.append((left, "peer/right", right, "peer/left"))
        self.pairs.append((right, "peer/left", left, "peer/right"))

    def _link(self, node: SimNode, name: AccountId, faults: Faults) -> SimLink:
        return SimLink(
            self.world,
            faults,
            name,
            node.handler,
            lambda request_id, condition, reply: self.auditor.reply_sent(node, name, request_id, condition, reply),
        )

    def _attach_end(self, node: SimNode, name: str, end: PacketHandler, asset: Asset | None = None) -> SimLink:
        account = self._account(name, node, asset or self._asset(), Relation.LOCAL)
        peer_id = local_id(account.id)
        inner, outer = self._link(node, peer_id, NO_FAULTS), SimLink(self.world, NO_FAULTS, account.id, lambda: end)
        inner.other, outer.other = outer, inner
        node.attach(peer_id, account, inner, is_local=True)
        return outer

    def _sender(self, node: SimNode, target: SimNode) -> RawSender:
        sender = RawSender(self.world, Address(f"{target.address}.{WALLET}.x"), (1, 5_000))
        name = f"sender{self.world.dice.getrandbits(32)}"
        sender.link = self._attach_end(node, name, sender)
        return sender

    def _receiver(self, node: SimNode) -> None:
        receiver = RawReceiver(self.world)
        receiver.link = self._attach_end(node, WALLET, receiver)

    def _payment(self) -> StreamPayment:
        """A STREAM payment between two of the nodes, that begins at some time."""
        dice = self.world.dice
        source, target = dice.choice(self.nodes), dice.choice(self.nodes)
        number = dice.getrandbits(32)
        asset, target_asset = self._asset(), self._asset()
        account_id = AccountId(f"stream{number}")
        end = StreamEnd(self.world, Address(f"{target.address}.{account_id}"))
        self._attach_end(target, account_id, end, target_asset)
        payment = StreamPayment(self.world, dice.randint(1, 1_000_000), asset)
        payment.link = self._attach_end(source, f"payer{number}", payment, asset)
        self.world.after(dice.randint(0, BUSY_MS), lambda: payment.start(end, account_id, target_asset))
        return payment

    def run(self) -> Report:
        dice = self.world.dice
        for sender in self.senders:
            sender.start(dice.randint(5, 60), BUSY_MS)
        for _ in range(dice.choice((0, 0, 1, 3))):
            self.world.after(dice.randint(0, BUSY_MS), lambda: self._kill(dice.choice(self.nodes)))
        self.world.run(BUSY_MS + QUIET_MS)
        self.auditor.final_check(self.pairs)
        for payment in self.payments:
            self.auditor.check_payment(*payment.spent)
        journals = b"".join(node.address.encode() + b"".join(node.journal) for node in self.nodes)
        return Report(
            seed=self.world.seed,
            nodes=len(self.nodes),
            packets=sum(sender.sent for sender in self.senders),
            fulfilled=sum(sender.fulfilled for sender in self.senders),
            paid=sum(payment.ended is not None and payment.ended.failure is None for payment in self.payments),
            crashes=self.crashes,
            events=self.world.events,
            counts=dict(self.auditor.counts),
            fingerprint=hashlib.sha256(journals).hexdigest(),
        )

    def _kill(self, node: SimNode) -> None:
        if node.alive:
            self.crashes += 1
            node.crash()
            self.world.after(self.world.dice.randint(10, 20_000), node.restart)


def simulate(seed: int) -> Report:
    """Run one seed. Raises `BreachError` when an invariant does not hold."""
    return _Run(seed).run()


def main(arguments: list[str] | None = None) -> int:
    """Run one seed, or many; print what happened; 1 when an invariant broke."""
    parser = argparse.ArgumentParser(prog="python -m interledger.sim.simulation", description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, help="one run, with all its figures")
    parser.add_argument("--seeds", type=int, default=200, help="that many runs, from 0")
    options = parser.parse_args(arguments)
    seeds = [options.seed] if options.seed is not None else range(options.seeds)
    total: dict[str, int] = {}
    for seed in seeds:
        try:
            report = simulate(seed)
        except BreachError as breach:
            print(f"seed {seed}: {breach}\nAgain:  make sim SEED={seed}", file=sys.stderr)
            return 1
        for key, value in {
            **report.counts,
            "packets": report.packets,
            "paid": report.paid,
            "crashes": report.crashes,
        }.items():
            total[key] = total.get(key, 0) + value
        if options.seed is not None:
            print(f"seed {seed}: {report.nodes} nodes, {report.events} events, journals {report.fingerprint}")
    print(f"{len(list(seeds))} seeds: " + ", ".join(f"{value} {key}" for key, value in total.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
