"""One run: a network, its traffic and its faults, all drawn from a seed, in two phases, under an independent auditor.

*Safety*: faults are on, and every step is audited. *Liveness*: all is mended, unknown amounts are resolved by what
really happened; then nothing may be held, the books of all neighbours must agree to the unit, and packets must pass.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Final, final

from interledger.accounts.ledger import Ledger
from interledger.sim.auditor import Auditor, BreachError, Pair, Station
from interledger.sim.books import Packet
from interledger.sim.build import THIEF, WALLET, Network, build_network
from interledger.sim.chaos import Chaos
from interledger.sim.coverage import Coverage
from interledger.sim.node import SimNode
from interledger.sim.options import Options, draw_options
from interledger.sim.settled import settle_down
from interledger.sim.statements import accept_late, check_statements, exchange_statements
from interledger.sim.storage import MakeStorage, ModelStorage
from interledger.sim.world import World

__all__ = ["Report", "simulate"]

BUSY_MS: Final = 40_000
QUIET_MS: Final = 75_000
"""The longest hold, and the longest that a message is on its way, after the faults have stopped."""

ROUTES_MS: Final = 10_000
"""Routes over accounts that were opened anew are learned again, from one node to the next."""

LOOK_MS: Final = 1_000
HOLD_SLACK_MS: Final = 5_000
"""6: grace, timers and the slowest commits, one waiting for another."""
IN_FLIGHT_MAX: Final = 1_000

MAY_EXPOSE: Final = ("network", "link", "process", "disk", "clock")
"""19: groups of faults by which an honest node may have paid and not been paid: it, or its link, failed."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did. `fingerprint`: the hash of every node's journal, equal for equal seeds."""

    options: Options
    nodes: int
    packets: int
    fulfilled: int
    paid: int
    """STREAM payments that delivered everything."""
    crashes: int
    events: int
    virtual_ms: int
    counts: dict[str, int]
    fingerprint: str
    coverage: Coverage = field(compare=False)


@final
class _Run:
    def __init__(self, options: Options, make_storage: MakeStorage) -> None:
        self.options = options
        self.world = World(options.seed)
        self.net: Network = build_network(options, make_storage, self.world, BUSY_MS)
        self.auditor: Auditor = self.net.auditor
        self.chaos = Chaos(self.world, options, self.net.nodes, self.net.wires)
        self.by_station = {node.station.name: node for node in self.net.nodes}

    def run(self) -> Report:
        self._work()
        self._pass(BUSY_MS)
        self.chaos.end()
        for villain in self.net.villains:
            villain.reformed = True
        for receiver in self.net.receivers:
            receiver.tested = True
        self._pass(QUIET_MS)
        self._let_write()
        self._check_quiet()
        self._check_ends()
        self.chaos.reopen()
        faultless = not self.options.has_group(*MAY_EXPOSE) and not self.options.has(
            "restart", "peer removed", "settings change"
        )
        self.auditor.check_hops(faultless=faultless)
        self._reconcile()
        self._pass(ROUTES_MS if self.options.learned else 1_000)
        settle_down(self.net.engines, self._pass)
        self.auditor.check_sums()
        self._check_throughput()
        self._mark_theft()
        self.auditor.count_marks()
        return self._report()

    def close(self) -> None:
        """Let go of the disks: what is closed later, by chance, would be closed on another run's."""
        for node in self.net.nodes:
            node.store.close()
        for engine, _, _ in self.net.engines:
            engine.close()

    def _pass(self, time_ms: int) -> None:
        """Let time pass. A breach inside of a node may have been caught there: it is raised here."""
        auditor = self.auditor
        self.world.run(time_ms, lambda: auditor.first is not None)
        if auditor.first is not None:
            raise auditor.first

    def _let_write(self) -> None:
        """An engine may have had something to say just now."""
        while any(node.is_writing for node in self.net.nodes):
            self._pass(1)

    # ------------------------------------------------------------------ safety

    def _work(self) -> None:
        dice, net = self.world.dice, self.net
        share = self.options.packets // len(net.senders)
        for sender in net.senders:
            sender.start(share, BUSY_MS)
        destinations = [f"{node.address}.{WALLET}.x" for node in net.nodes]
        for villain in net.villains:
            villain.start(dice.randint(3, 20), [*destinations, *(v.address + ".x" for v in net.villains)], BUSY_MS)
        self.chaos.start(BUSY_MS)
        self.world.after(LOOK_MS, self._look)

    def _look(self) -> None:
        """Every second: nothing is older than it may be, and nothing grows without a bound."""
        for node in self.net.nodes:
            if not node.alive:
                continue
            slack_ms = HOLD_SLACK_MS + 2 * node.disk_ms[1]
            is_steady = not self.options.has_group("clock") and not self.options.has("stall") and not node.broken
            if is_steady and self.world.now() > node.started_at + slack_ms:
                node.station.books.check_age(node.now(), slack_ms)
            for peer in node.connector.peers.values():
                if len(peer.in_flight) > IN_FLIGHT_MAX or len(peer.gave_up) > IN_FLIGHT_MAX:
                    raise BreachError(f"24 {node.address} has {len(peer.in_flight)} packets in flight to {peer.id}")
        if self.world.now() < self._ends_at:
            self.world.after(LOOK_MS, self._look)

    @property
    def _ends_at(self) -> int:
        return self.world.began + BUSY_MS

    # ------------------------------------------------------------------ liveness

    def _check_quiet(self) -> None:
        self.auditor.check_quiet()
        for node in self.net.nodes:
            if node.ledger.holds or node.ledger.batch.effects_waiting or node.is_writing:
                raise BreachError(f"28 {node.address} has not come to rest: {len(node.ledger.holds)} holds")
            waiting = sum(len(peer.in_flight) for peer in node.connector.peers.values() if peer.account.id[:1] != "/")
            if waiting and not self.options.learned:
                raise BreachError(f"28 {node.address} still waits for {waiting} answers")
            node.station.books.compare_memory(node.counters())
            faults = node.ledger.check()
            if faults:
                raise BreachError(f"1, 2 at {node.address}: {faults}")

    def _check_ends(self) -> None:
        for payment in self.net.payments:
            self.auditor.check_payment(*payment.spent)
            self.auditor.check_rate(*payment.brought)
        exact = not self.options.has_group("process", "disk", "clock") and not self.options.has("restart")
        for end, node, account in self.net.ends:
            self.auditor.check_received(node.station, account, end.counted, exact=exact)
        self.auditor.check_colluders([(v.node.station, f"peer/{v.account_id}") for v in self.net.villains])

    def _reconcile(self) -> None:
        """Neighbours exchange statements. Operators do by hand what those cannot: of what a broken disk never wrote
        there is no evidence but the log, and villains say nothing."""
        nodes, pairs = self.by_station, self.auditor.pairs
        late_room = 0 if self.options.seed % 2 else None
        for _ in range(2):  # what is too late for one, or not so, is known to the other when both have asked
            exchange_statements(nodes, pairs, late_room)
            self._pass(1_000)
        if late_room == 0:
            check_statements(nodes, pairs, late_room)
            self._check_agreed()
            accept_late(nodes)
            self._pass(1_000)
            exchange_statements(nodes, pairs, late_room)
            self._pass(1_000)
        check_statements(nodes, pairs, None)
        for pair in self.auditor.pairs:
            for up, sent, down, got in self.auditor.hops(pair):
                surplus = self._resolve(up, sent, down, got)
                if down.unwritten and surplus > 0:
                    self._correct(sent[0].amount_out * surplus, down, pair)
        self._pass(1_000)
        exchange_statements(nodes, pairs, late_room)  # a claim ends when the other counts it
        for villain in self.net.villains:
            for packet in list(villain.node.station.books.unknown.values()):
                if packet.outgoing == f"peer/{villain.account_id}":
                    delivered = bool(packet.fulfillment)
                    self._resolve_one(self.by_station[villain.node.station.name].ledger, packet, delivered=delivered)

    def _check_agreed(self) -> None:
        """18: with what one holds to be late and the other cannot prove set aside, what both count is equal."""
        for left, right_at_left, right, left_at_right in self.auditor.pairs:
            open_ones = left.books.unknown_of(right_at_left, proven=False) + right.books.unknown_of(
                left_at_right, proven=False
            )
            if open_ones or left.unwritten or right.unwritten:
                continue
            difference = left.books.net_of_packets(right_at_left) + right.books.net_of_packets(left_at_right)
            if difference:
                raise BreachError(f"18 {left.name} and {right.name} differ by {difference} beside what they set aside")

    def _resolve(self, up: Station, sent: list[Packet], down: Station, got: list[Packet]) -> int:
        """How many more were delivered by the books of `up` than `down` has written, in the end."""
        ledger = self.by_station[up.name].ledger
        surplus = sum(p.outcome == "executed" or p.resolved == "delivered" for p in sent)
        surplus -= sum(p.outcome == "executed" for p in got)
        for packet in sent:
            if packet.outcome == "unknown" and not packet.resolved:
                # A proof is one, also where the disk of whoever gave it was broken.
                delivered = surplus < 0 or bool(packet.fulfillment and down.unwritten)
                surplus += delivered
                self._resolve_one(ledger, packet, delivered=delivered)
        return surplus

    def _resolve_one(self, ledger: Ledger, packet: Packet, *, delivered: bool) -> None:
        item = ledger.unknown.get(packet.number)
        if item is None:
            raise BreachError(f"5 packet {packet.number} is unknown in the journal and not in memory")
        if item.fulfillment is not None and not delivered:
            raise BreachError(f"17 packet {packet.number} is proved to be delivered, and nobody got it")
        ledger.resolve(item, delivered=delivered, memo="what the other side's books say")

    def _correct(self, amount: int, down: Station, pair: Pair) -> None:
        node: SimNode = self.by_station[down.name]
        name = pair.left_at_right if down is pair.right else pair.right_at_left
        account = next(a for a in node.ledger.accounts if a.name == name)
        other = node.ledger.account(f"correction/{account.asset}", account.asset)
        node.ledger.post(((account, other, amount),), "fulfilled while the disk was broken: the log has the proof")

    def _check_throughput(self) -> None:
        """28: packets pass again, between any two nodes."""
        dice = self.world.dice
        senders = [(sender, sender.fulfilled) for sender in self.net.senders]
        for sender, _ in senders:
            target = dice.choice([to for to in sender.destinations if to.endswith(f".{WALLET}.x")])
            sender.send(target, sender.large)
        self._pass(10_000)
        for sender, before in senders:
            if sender.fulfilled != before + 1:
                raise BreachError(f"28 a packet does not pass after the faults: {sender.last_reject or 'no answer'}")

    def _mark_theft(self) -> None:
        """Whatever went through the node that keeps more than is usual."""
        if self.options.has("steal"):
            thief = self.net.nodes[THIEF].station
            for packet in thief.books.packets.values():
                self.auditor.coverage.events["steal"] += 1
                self.auditor.mark(thief, packet.condition, "steal", "in flight")

    def _report(self) -> Report:
        books = [node.station.books for node in self.net.nodes]
        journals = b"".join(one.name.encode() + b"".join(one.commits) for one in books)
        counts = dict(self.auditor.counts)
        for one in books:
            for name, count in one.counts.items():
                counts[name] = counts.get(name, 0) + count
        return Report(
            options=self.options,
            nodes=len(books),
            packets=sum(sender.sent for sender in self.net.senders) + sum(v.sent for v in self.net.villains),
            fulfilled=sum(sender.fulfilled for sender in self.net.senders),
            paid=sum(payment.ended is not None and payment.ended.failure is None for payment in self.net.payments),
            crashes=self.chaos.crashes,
            events=self.world.events,
            virtual_ms=self.world.now() - self.world.began,
            counts=counts,
            fingerprint=hashlib.sha256(journals).hexdigest(),
            coverage=self.auditor.coverage,
        )


def simulate(seed: int, sqlite: MakeStorage | None = None, options: Options | None = None) -> Report:
    """Run one seed. Raises `BreachError` when an invariant does not hold.

    `sqlite` makes the disks of the runs whose books are in SQLite (`tools.torture.sim_storage`); without it they are in
    memory as those of the others. `options`: other ones than the seed's.
    """
    chosen = options or draw_options(seed)
    make: MakeStorage = sqlite if chosen.sqlite and sqlite is not None else ModelStorage
    run = _Run(chosen, make)
    try:
        return run.run()
    finally:
        run.close()
