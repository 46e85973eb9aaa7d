"""Builds the network of one run: nodes, links, senders, receivers, payments, villains."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final, final

from interledger.accounts.account import Account, AccountId, Relation
from interledger.accounts.asset import Asset
from interledger.ilp.address import Address
from interledger.link.base import PacketHandler
from interledger.sim.auditor import Auditor, Pair
from interledger.sim.btp_wire import BtpPlug, BtpWire
from interledger.sim.chaos import RATE_AGE_MS, Wire
from interledger.sim.engine import Chain, SimEngine
from interledger.sim.network import Faults, SimLink, SimWire
from interledger.sim.node import Attachment, SimNode
from interledger.sim.options import Options
from interledger.sim.payments import StreamEnd, StreamPayment
from interledger.sim.settlement_audit import Side
from interledger.sim.settling import add_engine
from interledger.sim.storage import MakeStorage
from interledger.sim.topology import Edge, Shape, make_shape, ways_from
from interledger.sim.villain import Villain
from interledger.sim.wiring import MessagePlug, attach_end, end_link, node_link
from interledger.sim.workload import RawReceiver, RawSender
from interledger.sim.world import World

__all__ = ["THIEF", "WALLET", "Network", "build_network"]

RATES: Final = {
    "USD": Fraction(1),
    "EUR": Fraction("1.0854"),
    "MXN": Fraction("0.0581"),
    "XAU": Fraction("2650.123456789"),
}
WALLET: Final = AccountId("wallet")
THIEF: Final = 1
"""The number of the node that keeps too much, in runs with “steal”."""
STREAMS_MAX: Final = 2
LARGE: Final = 1_000_000
"""Dollars: some ounces of gold, some millions of pesos."""


@dataclass
class Network:
    """All that a run consists of."""

    options: Options
    world: World
    auditor: Auditor
    shape: Shape
    nodes: list[SimNode] = field(default_factory=list)
    wires: list[tuple[Wire, tuple[SimNode, ...]]] = field(default_factory=list)
    senders: list[RawSender] = field(default_factory=list)
    receivers: list[RawReceiver] = field(default_factory=list)
    payments: list[StreamPayment] = field(default_factory=list)
    ends: list[tuple[StreamEnd, SimNode, str]] = field(default_factory=list)
    villains: list[Villain] = field(default_factory=list)
    engines: list[tuple[SimEngine, SimNode, AccountId]] = field(default_factory=list)


def build_network(options: Options, make_storage: MakeStorage, world: World, busy_ms: int) -> Network:
    """Everything, and when each payment begins."""
    return _Builder(options, make_storage, world, busy_ms).build()


@final
class _Builder:
    def __init__(self, options: Options, make_storage: MakeStorage, world: World, busy_ms: int) -> None:
        self._make_storage = make_storage
        self._busy_ms = busy_ms
        self._dice = world.dice
        shape = make_shape(options.topology, world.dice)
        self._net = Network(options, world, Auditor(), shape)
        codes = world.dice.sample(list(RATES), options.assets)
        self._assets = [Asset(code, world.dice.choice((0, 2, 9))) for code in codes]

    def build(self) -> Network:
        net, options = self._net, self._net.options
        for address in net.shape.nodes:
            net.nodes.append(self._node(address))
        by_address = {node.address: node for node in net.nodes}
        for edge in net.shape.edges:
            self._join(edge, by_address[Address(edge.left)], by_address[Address(edge.right)])
        if options.has_group("adversary"):
            self._add_villains()
        for node in net.nodes:
            self._receiver(node)
        for _ in range(3):
            self._sender()
        for _ in range(self._dice.randint(0, STREAMS_MAX)):
            self._payment()
        return net

    # ------------------------------------------------------------------ nodes and links

    def _node(self, address: str) -> SimNode:
        dice, options = self._dice, self._net.options
        spread = Fraction(dice.choice((0, 2, 30)), 1000)
        number = len(self._net.nodes)
        if options.has("steal") and number == THIEF:
            spread = Fraction(round(options.part("steal") * 1000), 1000)
        return SimNode(
            self._net.world,
            self._net.auditor,
            address,
            self._make_storage(dice),
            rates={asset.code: RATES[asset.code] for asset in self._assets},
            spread=spread,
            disk_ms=dice.choice(((0, 0), (1, 4), (5, 60))),
            learns=options.learned,
            rate_age_ms=RATE_AGE_MS if options.has("rate stale") else None,
        )

    def _join(self, edge: Edge, left: SimNode, right: SimNode) -> None:
        """Two nodes that account with each other in one asset; the first of ways lead over the neighbour."""
        dice, net = self._dice, self._net
        asset = dice.choice(self._assets)
        names = [AccountId("to_" + other.address.rpartition(".")[2]) for other in (right, left)]
        relations = (Relation.CHILD, Relation.PARENT) if edge.is_child else (Relation.PEER, Relation.PEER)
        terms = self._engines(left, right, names, asset) if net.options.settles else ({}, {})
        sides = ((left, right, names[0], relations[0]), (right, left, names[1], relations[1]))
        plugs = self._plugs(left, right, names)
        for (node, other, name, relation), plug, settled in zip(sides, plugs, terms, strict=True):
            account = Account(
                id=name,
                asset=asset,
                ilp_address=other.address,
                relation=relation,
                owes_us_max=dice.choice((10_000, 1_000_000, 10**12)),
                **settled,
            )
            ways = ways_from(net.shape, node.address)
            routes = tuple(to for to, by in ways.items() if by == other.address)
            node.attach(Attachment(name, account, plug, is_local=False, routes=routes))
        net.auditor.pairs.append(Pair(left.station, f"peer/{names[0]}", right.station, f"peer/{names[1]}"))

    def _engines(
        self, left: SimNode, right: SimNode, names: list[AccountId], asset: Asset
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """An engine each, on one ledger; when each of them settles. By dice of their own."""
        net, chain = self._net, Chain()
        dice = random.Random(f"engines {net.world.seed} {left.address} {right.address}")
        scale = dice.choice((0, 2, asset.scale, asset.scale + 3, 18))
        found = []
        for node, name in zip((left, right), names, strict=True):
            threshold = dice.choice((1, 500, 5_000, 50_000))
            cap = dice.choice((1_000, 10**9)) if net.options.has("engine lies") else None
            side = Side(net.auditor, node.station, name, asset.scale, cap)
            engine = SimEngine(net.world, dice, chain, f"{node.address} {name}", scale, net.options, side)
            net.engines.append((engine, node, name))
            add_engine(node, name, engine)
            found.append({
                "settlement_engine_url": "http://engine",
                "settle_threshold": threshold,
                "settle_to": dice.choice((None, threshold // 2, -threshold)),
                "settle_in_max": cap,
            })  # fmt: skip
        return found[0], found[1]

    def _plugs(self, left: SimNode, right: SimNode, names: list[AccountId]) -> list[MessagePlug | BtpPlug]:
        options, net, dice = self._net.options, self._net, self._dice
        accounts = [f"peer/{name}" for name in names]
        if options.wire != "messages":
            repeats = options.wire == "btp/2.0-i"
            ends = [
                BtpPlug(node, name, account, repeats=repeats)
                for node, name, account in zip((left, right), names, accounts, strict=True)
            ]
            wire = BtpWire(net.world, ends[0], ends[1], dice.choice(((1, 5), (10, 60))))
            net.wires.append((wire, (left, right)))
            return list(ends)
        faults = self._faults()
        links = [
            node_link(node, account, faults, name)
            for node, name, account in zip((left, right), names, accounts, strict=True)
        ]
        net.wires.append((SimWire(*links), (left, right)))
        return [MessagePlug(link) for link in links]

    def _faults(self) -> Faults:
        options = self._net.options
        return Faults(
            delay_ms=self._dice.choice(((1, 5), (10, 60))),
            loss=options.part("drop"),
            duplicate=options.part("duplicate"),
            tail=options.part("delay"),
            reorder=options.part("reorder"),
        )

    # ------------------------------------------------------------------ ends

    def _attach_end(self, node: SimNode, name: str, end: PacketHandler, asset: Asset) -> SimLink:
        return attach_end(node, name, end, asset)

    def _receiver(self, node: SimNode) -> None:
        receiver = RawReceiver(self._net.world)
        receiver.link = self._attach_end(node, WALLET, receiver, self._dice.choice(self._assets))
        self._net.receivers.append(receiver)

    def _sender(self) -> None:
        """It sends from one node, to all others and to the villains."""
        net, dice = self._net, self._dice
        node = dice.choice(net.nodes)
        others = [f"{other.address}.{WALLET}.x" for other in net.nodes if other is not node]
        others += [f"{villain.address}.x" for villain in net.villains] * 2
        if net.options.has("loop"):
            others += ["test.nowhere.x"]
        asset = dice.choice(self._assets)
        large = int(LARGE * 10**asset.scale / RATES[asset.code])
        sender = RawSender(net.world, others, (1, 5_000), node.now, large)
        name = f"sender{len(net.senders)}"
        sender.link = self._attach_end(node, name, sender, asset)
        net.senders.append(sender)

    def _payment(self) -> None:
        """A STREAM payment between two of the nodes, that begins at some time."""
        net, dice = self._net, self._dice
        source, target = dice.sample(net.nodes, 2)
        number = len(net.payments)
        asset, target_asset = dice.choice(self._assets), dice.choice(self._assets)
        account_id = AccountId(f"stream{number}")
        end = StreamEnd(net.world, Address(f"{target.address}.{account_id}"), net.auditor.canaries)
        self._attach_end(target, account_id, end, target_asset)
        payment = StreamPayment(net.world, dice.randint(1, 200_000), asset, source.now)
        payment.link = self._attach_end(source, f"payer{number}", payment, asset)
        net.world.after(dice.randint(0, self._busy_ms), lambda: payment.start(end, account_id, target_asset))
        net.payments.append(payment)
        net.ends.append((end, target, f"local/{account_id}"))

    # ------------------------------------------------------------------ villains

    def _add_villains(self) -> None:
        net = self._net
        villains = [self._villain(number) for number in range(2)]
        villains[0].accomplice, villains[1].accomplice = villains[1], villains[0]
        net.villains = villains
        for villain in villains:
            self._lead_to(villain)

    def _villain(self, number: int) -> Villain:
        """A peer of some node, over a good link."""
        net, dice = self._net, self._dice
        node = dice.choice(net.nodes)
        name = AccountId(f"evil{number}")
        limit = dice.choice((1_000, 50_000, 10**6))
        villain = Villain(net.world, node, name, limit, net.options)
        account = Account(
            id=name,
            asset=dice.choice(self._assets),
            ilp_address=Address(villain.address),
            relation=Relation.PEER,
            owes_us_max=limit,
            send_routes=False,
            receive_routes=False,
        )
        faults = Faults(delay_ms=(1, 30))
        inner = node_link(node, account.ledger_name, faults, name)
        outer = end_link(net.world, faults, name, lambda: villain)
        net.wires.append((SimWire(inner, outer), (node,)))
        villain.link = outer
        node.attach(Attachment(name, account, MessagePlug(inner), is_local=False, routes=(villain.address,)))
        return villain

    def _lead_to(self, villain: Villain) -> None:
        """The other nodes know the way to it, where the operator sets routes."""
        for node in self._net.nodes:
            by = ways_from(self._net.shape, node.address).get(villain.node.address)
            if by is not None:
                name = AccountId("to_" + by.rpartition(".")[2])
                attachment = node.attachments[name]
                attachment.routes = (*attachment.routes, villain.address)
                node.follow()
