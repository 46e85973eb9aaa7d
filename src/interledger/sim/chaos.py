"""The faults of one run: what happens when, drawn from the run's options; and how all of it is mended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from hashlib import sha256
from typing import Final, Protocol, final

from interledger.accounts.account import AccountId
from interledger.clock import Timestamp
from interledger.ilp.address import Address
from interledger.ilp.packet import Prepare
from interledger.link.base import RequestId
from interledger.sim.books import Rates
from interledger.sim.btp_wire import BtpWire
from interledger.sim.node import Attachment, SimNode
from interledger.sim.options import Options
from interledger.sim.workload import fulfillment_of
from interledger.sim.world import World

__all__ = ["RATE_AGE_MS", "Chaos", "Wire"]

HOUR_MS: Final = 3_600_000
DAYS_MS: Final = 72 * HOUR_MS
RATE_AGE_MS: Final = 15_000
MOST: Final = 2**64 - 1
LIMIT_AT_LAST: Final = 10**19
"""When the faults are over, nobody lacks credit."""


class Wire(Protocol):
    """What can be done to a link."""

    def set_up(self, *, is_up: bool) -> None: ...
    def set_vanishing(self, *, vanishing: bool) -> None: ...
    def calm(self) -> None: ...


@final
class Chaos:
    """`start` draws the faults; `end` mends everything. `wires`: (link, its two nodes; None for a villain)."""

    def __init__(
        self, world: World, options: Options, nodes: list[SimNode], wires: list[tuple[Wire, tuple[SimNode, ...]]]
    ) -> None:
        self._world = world
        self._options = options
        self._nodes = nodes
        self._wires = wires
        self._over = False
        self.crashes = 0
        self.restarts = 0

    def start(self, busy_ms: int) -> None:
        """All that will go wrong in the next `busy_ms`."""
        dice, options = self._world.dice, self._options
        deeds: dict[str, Callable[[SimNode], None]] = {
            "kill": lambda node: self._crash(node, "kill"),
            "power": lambda node: self._crash(node, "power"),
            "stall": self._stall,
            "storm": self._storm,
            "clock step": self._step_clock,
            "rate jump": self._jump,
            "rate stale": self._starve,
            "limit change": self._change_limit,
            "peer removed": self._remove_peer,
            "restart": self._restart_in_order,
            "settings change": self._change_settings,
            "disk full": lambda node: self._refuse(node, "disk full"),
            "disk broken": lambda node: self._refuse(node, "disk broken"),
            "hijack": self._hijack,
            "loop": self._loop,
            "intruder": self._intrude,
            "cut": lambda node: self._cut(half_open=False),
            "half-open": lambda node: self._cut(half_open=True),
            "engine away": lambda node: self._take_engine(node, "engine away", self._world.dice.randint(1_000, 40_000)),
            "engine days": lambda node: self._take_engine(node, "engine days", DAYS_MS),
        }
        for name, do in deeds.items():
            for _ in range(options.times(name)):
                self._world.after(dice.randint(500, busy_ms), lambda do=do: self._do(do))  # type: ignore[misc]  # bound
        self._set_clocks_and_disks()
        if options.has("rate stale"):
            for node in self._nodes:
                self._feed(node)

    def _do(self, do: Callable[[SimNode], None]) -> None:
        if not self._over:
            do(self._world.dice.choice(self._nodes))

    def _set_clocks_and_disks(self) -> None:
        dice, options = self._world.dice, self._options
        for node in self._nodes:
            node.clock.steps = options.has("clock step")
            if options.has("skew"):
                most = max(round(options.part("skew")), 1)
                node.clock.offset_ms = dice.randint(-most, most)
                self._world.after(dice.randint(1_000, 20_000), lambda n=node: self._strike(n, "skew"))  # type: ignore[misc]  # bound
            if options.has("slow disk") and dice.random() < 0.6:
                most = round(options.part("slow disk"))
                node.disk_ms = (most // 10, most)
                self._world.after(dice.randint(1_000, 20_000), lambda n=node: self._strike(n, "slow disk"))  # type: ignore[misc]  # bound

    def _strike(self, node: SimNode, fault: str) -> None:
        node.auditor.strike(node.station, fault)

    # ------------------------------------------------------------------ processes

    def _crash(self, node: SimNode, fault: str) -> None:
        if not node.alive:
            return
        self.crashes += 1
        self._strike(node, fault)
        if node.settling is not None and node.settling.waits:
            node.auditor.coverage.events[f"{fault}: settlement on its way"] += 1
        node.crash(power=fault == "power")
        self._world.after(self._world.dice.choice((10, 500, 5_000, 20_000)), lambda: self._revive(node))

    def _revive(self, node: SimNode) -> None:
        if node.alive:
            return
        self.restarts += 1
        if not node.restart():
            self._world.after(2_000, lambda: self._revive(node))
        elif not self._over and self._world.chance(self._options.part("kill in recovery")):
            self._world.after(self._world.dice.randint(0, max(node.disk_ms[1], 1)), lambda: self._crash_again(node))

    def _crash_again(self, node: SimNode) -> None:
        if node.alive and not self._over:
            node.auditor.coverage.events["kill in recovery"] += 1
            for packet in node.station.books.held.values():
                node.auditor.mark(node.station, packet.condition, "kill in recovery", "in flight")
            self.crashes += 1
            node.crash()
            self._world.after(self._world.dice.randint(1, 1_000), lambda: self._revive(node))

    def _restart_in_order(self, node: SimNode) -> None:
        """The operator stops the node when it has written what it decided, and starts it again."""
        if not node.alive or node.broken:
            return
        if node.is_writing:
            self._world.after(5, lambda: self._restart_in_order(node))
            return
        self._strike(node, "restart")
        node.crash()
        self._world.after(self._world.dice.randint(500, 3_000), lambda: self._revive(node))

    def _stall(self, node: SimNode) -> None:
        self._strike(node, "stall")
        node.busy_until = self._world.now() + self._world.dice.choice((200, 2_000, 10_000, 40_000))

    def _step_clock(self, node: SimNode) -> None:
        dice = self._world.dice
        self._strike(node, "clock step")
        step = dice.choice((50, 700, 2_000, 60_000, HOUR_MS)) * dice.choice((-1, 1))
        node.clock.offset_ms += step
        self._world.after(dice.randint(100, 20_000), lambda: self._step_back(node, step))

    def _step_back(self, node: SimNode, step: int) -> None:
        if not self._over:
            node.clock.offset_ms -= step

    # ------------------------------------------------------------------ disks

    def _refuse(self, node: SimNode, kind: str) -> None:
        if not node.alive or node.broken:
            return
        self._strike(node, kind)
        node.storage.refuse(kind)
        self._world.after(self._world.dice.randint(2_000, 40_000), lambda: self._repair(node))

    def _repair(self, node: SimNode) -> None:
        """The operator makes room, or brings another disk, and starts the node again."""
        node.storage.refuse("")
        if node.alive and node.broken:
            node.crash()
            self._world.after(200, lambda: self._revive(node))

    def _take_engine(self, node: SimNode, fault: str, away_ms: int) -> None:
        """One of the node's engines is not there for a while."""
        if node.engines:
            self._strike(node, fault)
            engine = self._world.dice.choice(list(node.engines.values()))
            engine.away_until = max(engine.away_until, self._world.now() + away_ms)

    # ------------------------------------------------------------------ links

    def _cut(self, *, half_open: bool) -> None:
        dice = self._world.dice
        wire, nodes = dice.choice(self._wires)
        for node in nodes:
            self._strike(node, "half-open" if half_open else "cut")
        if half_open:
            wire.set_vanishing(vanishing=True)
        else:
            wire.set_up(is_up=False)
        self._world.after(dice.choice((100, 2_000, 15_000, 50_000)), lambda: self._mend(wire, half_open=half_open))

    def _mend(self, wire: Wire, *, half_open: bool) -> None:
        if half_open:
            wire.set_vanishing(vanishing=False)
        else:
            wire.set_up(is_up=True)

    def _storm(self, node: SimNode) -> None:
        dice, at = self._world.dice, 0
        self._strike(node, "storm")
        mine = [wire for wire, nodes in self._wires if node in nodes]
        for turn in range(20):
            for wire in mine:
                up = turn % 2 == 1
                self._world.after(at, lambda wire=wire, up=up: wire.set_up(is_up=up))  # type: ignore[misc]  # bound
            at += dice.choice((1, 50, 400))

    # ------------------------------------------------------------------ rates

    def _jump(self, node: SimNode) -> None:
        dice = self._world.dice
        self._strike(node, "rate jump")
        factors = (Fraction(1, 50), Fraction(9, 10), Fraction(11, 10), Fraction(50))
        node.set_rates({code: value * dice.choice(factors) for code, value in node.rates.items()})

    def _starve(self, node: SimNode) -> None:
        """The source is silent until the rates are too old."""
        self._strike(node, "rate stale")
        node.fed_until = self._world.now() + self._world.dice.randint(20_000, 40_000)

    def _feed(self, node: SimNode) -> None:
        """Every second: news from the source, or the rates grow old."""
        if self._over:
            return
        books, now = node.station.books, self._world.now()
        if now >= node.fed_until:
            node.set_rates(None)
        elif self._options.has("clock step"):
            pass  # how old they are is then anybody's guess
        elif node.rates_at + RATE_AGE_MS <= node.now() and books.rates[-1].values is not None:
            node.rates_are(Rates(None, node.spread))
        self._world.after(1_000, lambda: self._feed(node))

    # ------------------------------------------------------------------ the operator

    def _peers_of(self, node: SimNode) -> list[Attachment]:
        return [a for a in node.attachments.values() if not a.is_local and not a.removed]

    def _change_limit(self, node: SimNode) -> None:
        dice = self._world.dice
        if node.alive:
            self._strike(node, "limit change")
            attachment = dice.choice(self._peers_of(node) or [next(iter(node.attachments.values()))])
            if not attachment.is_local:
                limit = dice.choice((0, 1_000, 100_000, 10**9))
                node.set_limit(attachment, limit, replace(attachment.account, owes_us_max=limit))

    def _remove_peer(self, node: SimNode) -> None:
        """A node refuses to remove a peer with whom anything is open: then the account is opened anew at once."""
        peers = self._peers_of(node)
        if not node.alive or not peers:
            return
        self._strike(node, "peer removed")
        unused = [attachment for attachment in peers if not node.is_used(attachment)]
        attachment = self._world.dice.choice(unused or peers)
        node.remove(attachment)
        delay_ms = self._world.dice.randint(10, 20_000) if unused else 0
        self._world.after(delay_ms, lambda: node.add_again(attachment))

    def _change_settings(self, node: SimNode) -> None:
        dice, peers = self._world.dice, self._peers_of(node)
        if node.alive and peers:
            self._strike(node, "settings change")
            attachment = dice.choice(peers)
            node.remove(attachment)
            attachment.account = replace(
                attachment.account,
                packet_amount_max=dice.choice((1_000, 10**12)),
                packets_per_minute=dice.choice((None, 30)),
                amount_per_minute=dice.choice((None, 100_000)),
            )
            node.add_again(attachment)

    # ------------------------------------------------------------------ lies about routes

    def _hijack(self, node: SimNode) -> None:
        dice = self._world.dice
        victims = [other.address for other in self._nodes if other is not node]
        self._strike(node, "hijack")
        node.claims = {f"{dice.choice(victims)}{dice.choice(('', '.wallet', '.x'))}": AccountId("/own") for _ in "12"}
        if node.alive:
            node.follow()

    def _loop(self, node: SimNode) -> None:
        """Wrong routes: around, for an address that is nobody's and for one that is somebody's."""
        dice = self._world.dice
        target = dice.choice(self._nodes)
        for one in self._nodes:
            peers = self._peers_of(one)
            if one is not target and peers and dice.random() < 0.7:
                self._strike(one, "loop")
                by = dice.choice(peers).peer_id
                one.wrong_routes = {"test.nowhere": by, f"{target.address}.wallet": by}
                if one.alive:
                    one.follow()

    def _intrude(self, node: SimNode) -> None:
        """A Prepare without a right to an account."""
        world, dice = self._world, self._world.dice
        self._strike(node, "intruder")
        data = dice.randbytes(16)
        condition = sha256(fulfillment_of(data)).digest()
        node.auditor.forbidden.add(condition)
        target = dice.choice(self._nodes)
        prepare = Prepare(1_000, Timestamp(node.now() + 20_000), condition, Address(f"{target.address}.wallet.x"), data)
        wires = [wire for wire, _ in self._wires if isinstance(wire, BtpWire)]
        if wires:
            dice.choice(wires).intrude(prepare)
        elif node.alive:
            node.connector.receive_prepare(AccountId("stranger"), RequestId(world.events), prepare, node.now())

    # ------------------------------------------------------------------ the end of all this

    def end(self) -> None:
        """Everything is as it should be, from now on."""
        self._over = True
        for node in self._nodes:
            for engine in node.engines.values():
                engine.calm()
        for wire, _ in self._wires:
            wire.calm()
        for node in self._nodes:
            node.storage.refuse("")
            node.busy_until = 0
            node.clock.offset_ms = 0
            node.disk_ms = (0, 2)
            node.claims, node.wrong_routes = {}, {}
            node.rate_age_ms = None
            if node.alive and (node.broken or self._options.has("clock step")):
                # What was to happen at a time that the wrong clock called soon is far away by the right one.
                node.crash()
            if not node.alive:
                self._revive(node)
            node.exchange.remove_source("feed")
            node.set_rates(node.rates_at_first)
            for attachment in node.attachments.values():
                if not attachment.is_local:
                    node.add_again(attachment)
                    if not attachment.account.id.startswith("evil"):
                        granted = replace(attachment.account, owes_us_max=LIMIT_AT_LAST)
                        node.set_limit(attachment, LIMIT_AT_LAST, granted)
            node.follow()

    def reopen(self) -> None:
        """When all is quiet: accounts whose settings were changed get their old ones back."""
        for node in self._nodes:
            for attachment in node.attachments.values():
                account = attachment.account
                usual = replace(account, packet_amount_max=MOST, packets_per_minute=None, amount_per_minute=None)
                if account != usual:
                    node.remove(attachment)
                    attachment.account = usual
                    node.add_again(attachment)
