"""Nodes in a line, in memory, on a virtual clock: what pays, what can be broken, and what has to add up in the end.

The nodes are real: connector, ledger, group commit, store, STREAM at both ends. What is not there is sockets, the HTTP
API and real time. An auditor with books of its own follows every packet and every record.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Final, NamedTuple, final

from interledger.accounts.account import Account, AccountId, Relation
from interledger.accounts.asset import Asset, Money, parse_amount, parse_asset, parse_money
from interledger.errors import InvalidRequestError
from interledger.ilp.address import Address
from interledger.sim.auditor import Auditor, Pair
from interledger.sim.network import Faults, SimLink, SimWire
from interledger.sim.node import Attachment, SimNode
from interledger.sim.payments import StreamEnd, StreamPayment
from interledger.sim.storage import ModelStorage
from interledger.sim.wiring import MessagePlug, attach_end, node_link
from interledger.sim.world import World

__all__ = ["BooksError", "MemoryLink", "MemoryNetwork", "MemoryNode", "Paid"]

WALLET: Final = AccountId("wallet")
STEP_MS: Final = 10
"""How finely a payment's end is seen."""

PAYMENT_MS_MAX: Final = 600_000
"""Of virtual time: a payment that has not ended by then hangs."""

QUIET_MS: Final = 60_000
"""Longer than any packet is held."""


class BooksError(AssertionError):
    """The books of the network do not add up, or a payment never ended: what is wrong, a sentence a line."""


class Paid(NamedTuple):
    """What became of a payment. `complete`: all was sent. `code`: the last ILP error code, or ''."""

    complete: bool
    sent: Money
    delivered: Money
    unknown: Money
    """What may have been delivered beside: a packet of this much was never answered."""
    fulfilled: int
    rejected: int
    took_ms: int
    error: str
    code: str


@final
class MemoryLink:
    """What joins two nodes. Every fault lasts until `mend`."""

    def __init__(self, wire: SimWire) -> None:
        self._wire = wire

    def cut(self) -> None:
        """Nothing passes, and both sides know."""
        self._wire.set_up(is_up=False)

    def swallow(self) -> None:
        """Nothing passes, and nobody is told."""
        self._wire.set_vanishing(vanishing=True)

    def slow(self, delay_ms: int) -> None:
        """Each message takes so long, one way."""
        self._set(Faults(delay_ms=(delay_ms, delay_ms)))

    def lose(self, share: float) -> None:
        """So many of the messages are lost: 0.1 is one in ten."""
        self._set(Faults(delay_ms=self._wire.ends[0].faults.delay_ms, loss=share))

    def mend(self) -> None:
        """No faults any more."""
        self._set(Faults(delay_ms=(1, 1)))
        self._wire.set_vanishing(vanishing=False)
        if any(end.cut for end in self._wire.ends):
            self._wire.set_up(is_up=True)

    def _set(self, faults: Faults) -> None:
        for end in self._wire.ends:
            end.faults = faults


@final
class MemoryNode:
    """One node, with a wallet in its asset."""

    def __init__(self, network: MemoryNetwork, name: str, asset: Asset, node: SimNode) -> None:
        self.name = name
        self.asset = asset
        self.node = node
        self._network = network
        self._end = StreamEnd(node.world, Address(f"{node.address}.{WALLET}"))
        attach_end(node, WALLET, self._end, asset)
        self._payments = 0

    def __repr__(self) -> str:
        return f"<MemoryNode {self.node.address} {self.asset}>"

    def pay(self, to: MemoryNode, amount: str) -> Paid:
        """Send `amount` (`10 USD`) to the wallet of another node, and let time pass until the payment has ended.

        Raises `InvalidRequestError` for an amount that is not in this node's asset, `BooksError` if it never ends.
        """
        number, code = parse_money(amount)
        if code != self.asset.code:
            raise InvalidRequestError(f"{self.name} pays in {self.asset.code}, not in {code}")
        self._payments += 1
        payment = StreamPayment(self.node.world, parse_amount(number, self.asset.scale), self.asset, self.node.now)
        payment.link = attach_end(self.node, f"payment{self._payments}", payment, self.asset)
        return self._network.run_payment(payment, self, to)

    def receive_for(self, payment: StreamPayment) -> None:
        """Let `payment` begin: it gets an address and a secret of this node's wallet."""
        payment.start(self._end, WALLET, self.asset)

    @property
    def received(self) -> Money:
        """All that came to the wallet."""
        line = self.node.ledger.find(f"local/{WALLET}", self.asset)
        return Money(0 if line is None else line.payable, self.asset)

    def owed_by(self, other: MemoryNode) -> Money:
        """What a neighbour owes this node; below zero: what this node owes it."""
        account = self.node.attachments[AccountId(other.name)].account
        line = self.node.ledger.find(account.ledger_name, account.asset)
        return Money(0 if line is None else line.net, account.asset)

    @property
    def unknown(self) -> int:
        """How many amounts this node sent on and never heard of again."""
        return len(self.node.ledger.unknown)

    def crash(self, *, power: bool = False) -> None:
        """Its process dies at once. `power`: its machine loses power."""
        self.node.crash(power=power)

    def restart(self) -> None:
        """It starts again on what its disk has. Raises `BooksError` when that does not let it."""
        if not self.node.restart():
            raise BooksError(f"{self.name} does not start on its books")

    def set_rates(self, rates: Mapping[str, str]) -> None:
        """What one whole unit of each asset is worth from now on, in a base that is the same for all."""
        self.node.set_rates({code: Fraction(value) for code, value in rates.items()})


@final
class MemoryNetwork:
    """Call it to make its nodes; once."""

    def __init__(self, seed: int = 1) -> None:
        """The same seed gives the same run, to the last octet."""
        self.world = World(seed)
        self.auditor = Auditor()
        self.nodes: list[MemoryNode] = []
        self._wires: dict[frozenset[str], SimWire] = {}

    def __call__(
        self,
        *assets: str,
        rates: Mapping[str, str] | None = None,
        spread: str = "0",
        credit: str | None = None,
        delay_ms: int = 5,
    ) -> list[MemoryNode]:
        """A line of nodes, one for each asset (`USD/9`; `USD` means `USD/9`), each with a wallet in it.

        Neighbours account in the asset of the left one, so the right one exchanges. `rates`: what one whole unit is
        worth; without them everything is worth the same. `spread`: what each node keeps of an exchange. `credit`: how
        much a neighbour may owe, in spoken units; without it there is no limit. `delay_ms`: how long a message takes.
        """
        parsed = [parse_asset(text if "/" in text else f"{text}/9") for text in assets]
        if self.nodes or not parsed:
            raise InvalidRequestError("A network is made once, of at least one asset")
        values = {asset.code: Fraction((rates or {}).get(asset.code, "1")) for asset in parsed}
        for number, asset in enumerate(parsed):
            name = f"node{number}"
            node = SimNode(
                self.world,
                self.auditor,
                f"test.{name}",
                ModelStorage(self.world.dice),
                rates=values,
                spread=Fraction(spread),
                disk_ms=(0, 0),
            )
            self.nodes.append(MemoryNode(self, name, asset, node))
        for left, right in itertools.pairwise(range(len(self.nodes))):
            self._join(left, right, credit, delay_ms)
        return list(self.nodes)

    def _join(self, left: int, right: int, credit: str | None, delay_ms: int) -> None:
        one, other = self.nodes[left], self.nodes[right]
        limit = None if credit is None else parse_amount(credit, one.asset.scale)
        links: list[SimLink] = []
        # Who is beyond, seen from each of the two.
        for here, there, beyond in ((one, other, self.nodes[right:]), (other, one, self.nodes[: left + 1])):
            account = Account(
                id=AccountId(there.name),
                asset=one.asset,
                ilp_address=there.node.address,
                relation=Relation.PEER,
                owes_us_max=limit,
            )
            faults = Faults(delay_ms=(delay_ms, delay_ms))
            link = node_link(here.node, account.ledger_name, faults, account.id)
            links.append(link)
            routes = tuple(node.node.address for node in beyond)
            here.node.attach(Attachment(account.id, account, MessagePlug(link), is_local=False, routes=routes))
        self._wires[frozenset((one.name, other.name))] = SimWire(*links)
        self.auditor.pairs.append(Pair(one.node.station, f"peer/{other.name}", other.node.station, f"peer/{one.name}"))

    def link(self, one: MemoryNode, other: MemoryNode) -> MemoryLink:
        """What joins two neighbours. Raises `InvalidRequestError` when they are none."""
        wire = self._wires.get(frozenset((one.name, other.name)))
        if wire is None:
            raise InvalidRequestError(f"{one.name} and {other.name} are not neighbours")
        return MemoryLink(wire)

    # ------------------------------------------------------------------ time

    def now_ms(self) -> int:
        """Virtual time, ms UTC."""
        return self.world.now()

    def run(self, ms: int) -> None:
        """Let so much time pass."""
        self.world.run(ms)
        self._raise_breach()

    def after(self, ms: int, do: Callable[[], None]) -> None:
        """Let `do` happen so much later, in the middle of whatever goes on then."""
        self.world.after(ms, do)

    def run_payment(self, payment: StreamPayment, payer: MemoryNode, payee: MemoryNode) -> Paid:
        """Let it happen. Raises `BooksError` if it never ends."""
        began = self.now_ms()
        payee.receive_for(payment)
        while payment.ended is None and payment.failed is None:
            if self.now_ms() - began > PAYMENT_MS_MAX:
                raise BooksError(f"a payment of {payer.name} has not ended after ten minutes")
            self.run(STEP_MS)
        outcome = payment.ended or payment.failed
        progress = payment.progress
        if outcome is None or progress is None:
            raise BooksError("a payment ended without an outcome")
        return Paid(
            complete=outcome.failure is None,
            sent=Money(progress.sent, payer.asset),
            delivered=Money(progress.delivered, payee.asset),
            unknown=Money(progress.unknown, payer.asset),
            fulfilled=progress.packets_fulfilled,
            rejected=progress.packets_rejected,
            took_ms=self.now_ms() - began,
            error="" if outcome.failure is None else outcome.failure.value,
            code=outcome.code,
        )

    # ------------------------------------------------------------------ books

    def check(self) -> None:
        """Mend all links, wait until nothing is on its way, and judge all books. Raises `BooksError`.

        Each node's books have to add up, and each two neighbours have to say the same of each other, less what is
        known to be unknown. Nodes that are dead are not asked.
        """
        for wire in self._wires.values():
            MemoryLink(wire).mend()
        self.run(QUIET_MS)
        faults = [f"{one.name}: {fault}" for one in self.nodes if one.node.alive for fault in one.node.ledger.check()]
        for left, right in itertools.pairwise(self.nodes):
            if left.node.alive and right.node.alive:
                faults += self._compare(left, right)
        if faults:
            raise BooksError("\n".join(faults))

    def _compare(self, left: MemoryNode, right: MemoryNode) -> list[str]:
        says, answers = left.owed_by(right), right.owed_by(left)
        apart = abs(says.amount + answers.amount)
        open_ = sum(
            item.amount
            for here, there in ((left, right), (right, left))
            for item in here.node.ledger.unknown.values()
            if item.account.name == f"peer/{there.name}"
        )
        if apart <= open_:
            return []
        words = f"{left.name} says that {right.name} owes it {says}, {right.name} that {left.name} owes it {answers}"
        return [f"{words}; {open_} units of that are known to be unknown"]

    def _raise_breach(self) -> None:
        if self.auditor.first is not None:
            raise BooksError(str(self.auditor.first))
