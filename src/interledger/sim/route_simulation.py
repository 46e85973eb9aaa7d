"""One run of a network that exchanges routes: its shape, its faults and its liars are drawn from the seed.

python -m interledger.sim.route_simulation --seed 7
python -m interledger.sim.route_simulation --seeds 100

While it runs: nobody ever sends what is for itself or its children to anybody else. When the faults have stopped for
longer than routes live without a word: everybody reaches everybody, and no packet goes round in a circle.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from dataclasses import dataclass
from typing import Final

from interledger.accounts.account import Account, AccountId, Relation
from interledger.ilp.address import Address
from interledger.routing.ccp.protocol import Timing
from interledger.routing.table import Origin
from interledger.sim.auditor import BreachError
from interledger.sim.network import Faults, SimLink
from interledger.sim.route_node import HERE, USD, RouteNode
from interledger.sim.world import World

__all__ = ["RouteReport", "simulate_routes"]

BUSY_MS: Final = 120_000
QUIET_MS: Final = 240_000
"""Some hold-down times: after a loss, the next message is a third of an interval later."""
LOOK_MS: Final = 1_000
SHAPES: Final = ("ring", "tree", "stubs", "mesh")
OTHER_SIDE: Final = {
    Relation.PEER: Relation.PEER,
    Relation.CHILD: Relation.PARENT,
    Relation.PARENT: Relation.CHILD,
}


@dataclass(frozen=True, slots=True)
class RouteReport:
    """What a run did. `fingerprint`: the hash of all tables at its end: equal for equal seeds."""

    seed: int
    shape: str
    nodes: int
    flaps: int
    crashes: int
    lies: int
    learned: int
    """Routes that were learned and are used at the end."""
    events: int
    fingerprint: str


class _Wire:
    """A link between two nodes, both ends."""

    def __init__(self, ends: tuple[tuple[RouteNode, SimLink], tuple[RouteNode, SimLink]]) -> None:
        self.ends = ends

    def set_up(self, *, is_up: bool) -> None:
        for _, link in self.ends:
            link.cut = not is_up
        for node, link in self.ends:
            node.link_changed(link.account, is_up=is_up)


class _Run:
    def __init__(self, seed: int) -> None:
        self.world = World(seed)
        self.flaps = self.crashes = self.lies = 0
        self.nodes: list[RouteNode] = []
        self.wires: list[_Wire] = []
        self.liar: RouteNode | None = None
        dice = self.world.dice
        self.faults = Faults(
            delay_ms=dice.choice(((1, 5), (10, 60), (1, 2_000))),
            loss=dice.choice((0.0, 0.02, 0.15)),
            duplicate=dice.choice((0.0, 0.1)),
        )
        self.shape = dice.choice(SHAPES)
        {"ring": self._ring, "tree": self._tree, "stubs": self._stubs, "mesh": self._mesh}[self.shape]()

    # ------------------------------------------------------------------ shapes

    def _node(self, address: str) -> RouteNode:
        node = RouteNode(self.world, address, Timing())
        self.nodes.append(node)
        return node

    def _join(self, left: RouteNode, right: RouteNode, relation: Relation = Relation.PEER) -> None:
        """`relation`: what `right` is to `left`."""
        ends = []
        for node, other, what in ((left, right, relation), (right, left, OTHER_SIDE[relation])):
            name = AccountId("n" + other.address.rpartition(".")[2])
            account = Account(id=name, asset=USD, ilp_address=other.address, relation=what)
            ends.append((node, account, SimLink(self.world, self.faults, name, node.handler)))
        ends[0][2].other, ends[1][2].other = ends[1][2], ends[0][2]
        for node, account, link in ends:
            node.add(account, link)
        self.wires.append(_Wire(((ends[0][0], ends[0][2]), (ends[1][0], ends[1][2]))))

    def _ring(self, count: int | None = None) -> None:
        nodes = [self._node(f"test.r{i}") for i in range(count or self.world.dice.randint(3, 8))]
        for left, right in zip(nodes, [*nodes[1:], nodes[0]], strict=True):
            self._join(left, right)

    def _tree(self) -> None:
        """Roots that are peers of each other, and children below them, some levels deep."""
        dice = self.world.dice
        self._ring(3)
        for number in range(dice.randint(2, 8)):
            parent = dice.choice(self.nodes)
            self._join(parent, self._node(f"{parent.address}.c{number}"), Relation.CHILD)

    def _stubs(self) -> None:
        """A core, and small networks that have two ways into it."""
        dice = self.world.dice
        self._ring()
        core = list(self.nodes)
        for number in range(dice.randint(1, 4)):
            stub = self._node(f"test.s{number}")
            for neighbour in dice.sample(core, 2):
                self._join(neighbour, stub)

    def _mesh(self) -> None:
        dice = self.world.dice
        nodes = [self._node(f"test.m{i}") for i in range(dice.randint(4, 9))]
        for index, node in enumerate(nodes[1:], 1):
            for other in dice.sample(nodes[:index], min(index, dice.randint(1, 3))):
                self._join(node, other)

    # ------------------------------------------------------------------ faults

    def _flap(self) -> None:
        """A link goes down for a while, or in quick succession."""
        dice = self.world.dice
        wire = dice.choice(self.wires)
        at = 0
        for _ in range(dice.choice((1, 1, 8))):
            self.flaps += 1
            self.world.after(at, lambda: wire.set_up(is_up=False))
            at += dice.choice((50, 500, 20_000))
            self.world.after(at, lambda: wire.set_up(is_up=True))
            at += dice.choice((50, 500, 5_000))

    def _crash(self) -> None:
        dice = self.world.dice
        node = dice.choice(self.nodes)
        if node.alive:
            self.crashes += 1
            node.crash()
            for wire in self._wires_of(node):
                wire.set_up(is_up=False)
            self.world.after(dice.choice((200, 5_000, 60_000)), lambda: self._restart(node))

    def _restart(self, node: RouteNode) -> None:
        node.restart()
        for wire in self._wires_of(node):
            wire.set_up(is_up=all(end.alive for end, _ in wire.ends))

    def _wires_of(self, node: RouteNode) -> list[_Wire]:
        return [wire for wire in self.wires if node in (wire.ends[0][0], wire.ends[1][0])]

    def _lie(self) -> None:
        """One node announces others' addresses, what lies below them, and what is nowhere; later something else."""
        dice = self.world.dice
        if self.liar is None:
            self.liar = dice.choice(self.nodes)
        self.lies += 1
        victims = [node.address for node in self.nodes if node is not self.liar]
        claims: dict[str, AccountId] = {dice.choice(victims): HERE for _ in range(3)}
        claims |= {f"{dice.choice(victims)}.x{dice.randint(0, 9)}": HERE for _ in range(3)}
        claims |= {f"test.junk{dice.randint(0, 999)}": HERE for _ in range(dice.choice((0, 300)))}
        self.liar.claim(claims)

    # ------------------------------------------------------------------ watching

    def _look(self) -> None:
        """23: what is ours or our child's never goes to anybody else."""
        for node in self.nodes:
            if node.alive and node is not self.liar:
                self._check_own(node)
        self.world.after(LOOK_MS, self._look)

    def _check_own(self, node: RouteNode) -> None:
        for destination in (node.address, node.address + ".alice"):
            if self._covered_by_child(node, destination) is None and node.next_hop(destination) != HERE:
                raise BreachError(f"23 {node.address} sends {destination} to {node.next_hop(destination)}")
        for route in node.table.of_origin(Origin.LEARNED):
            child = self._covered_by_child(node, route)
            below_own = route == node.address or route.startswith(node.address + ".")
            if child is not None or below_own:
                raise BreachError(f"23 {node.address} believes {route} of somebody else")

    def _covered_by_child(self, node: RouteNode, prefix: str) -> AccountId | None:
        for account in node.accounts.values():
            address = account.ilp_address
            if account.relation is Relation.CHILD and (prefix == address or prefix.startswith(address + ".")):
                return account.id
        return None

    def _check_reach(self) -> None:
        """When all is quiet: every node reaches every other, over different nodes each time."""
        by_address = {node.address: node for node in self.nodes}
        for source in self.nodes:
            for target in self.nodes:
                self._walk(source, target, by_address)

    def _walk(self, source: RouteNode, target: RouteNode, by_address: dict[Address, RouteNode]) -> None:
        at, seen = source, [source.address]
        while at is not target:
            hop = at.next_hop(target.address)
            if hop is None or hop == HERE:
                raise BreachError(f"{source.address} does not reach {target.address}: {seen} has no way on")
            at = by_address[at.accounts[hop].ilp_address]
            if at.address in seen:
                raise BreachError(f"23 a loop: {[*seen, at.address]} for {target.address}")
            seen.append(at.address)

    # ------------------------------------------------------------------ the run

    def run(self) -> RouteReport:
        dice = self.world.dice
        for fault, most in ((self._flap, 6), (self._crash, 3), (self._lie, dice.choice((0, 4)))):
            for _ in range(dice.randint(0, most)):
                self.world.after(dice.randint(0, BUSY_MS), fault)
        self._look()
        self.world.run(BUSY_MS + QUIET_MS // 4)  # links and nodes are back by then
        if self.liar is not None:
            self.liar.claim()
        self.world.run(QUIET_MS)
        self._check_reach()
        return self._report()

    def _report(self) -> RouteReport:
        tables = [
            repr((node.address, sorted((p, *routes) for p, routes in node.table.of_origin(Origin.LEARNED).items())))
            for node in self.nodes
        ]
        junk = [p for node in self.nodes for p in node.table.of_origin(Origin.LEARNED) if ".junk" in p or ".x" in p]
        if junk:
            raise BreachError(f"routes that nobody announces any more are still used: {junk[:3]}")
        return RouteReport(
            seed=self.world.seed,
            shape=self.shape,
            nodes=len(self.nodes),
            flaps=self.flaps,
            crashes=self.crashes,
            lies=self.lies,
            learned=sum(len(node.table.of_origin(Origin.LEARNED)) for node in self.nodes),
            events=self.world.events,
            fingerprint=hashlib.sha256("\n".join(tables).encode()).hexdigest(),
        )


def simulate_routes(seed: int) -> RouteReport:
    """Run one seed. Raises `BreachError` when something does not hold."""
    return _Run(seed).run()


def main(arguments: list[str] | None = None) -> int:
    """Run one seed, or many; print what happened; 1 when something did not hold."""
    parser = argparse.ArgumentParser(prog="python -m interledger.sim.route_simulation")
    parser.add_argument("--seed", type=int, help="one run")
    parser.add_argument("--seeds", type=int, default=100, help="that many runs, from 0")
    options = parser.parse_args(arguments)
    seeds = [options.seed] if options.seed is not None else range(options.seeds)
    for seed in seeds:
        try:
            report = simulate_routes(seed)
        except BreachError as breach:
            print(f"seed {seed}: {breach}", file=sys.stderr)
            return 1
        print(report)
    return 0


if __name__ == "__main__":
    sys.exit(main())
