"""A simulated node: the real connector, ledger, group commit, store and route exchange, on virtual time.

What is not real is what surrounds them: the disk that takes its time, the clock that may be wrong, the process that
can die at any moment. A start does what a node's start does: load, recover, attach, resume.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from hashlib import sha256
from typing import Final, Protocol, final

from interledger.accounts.account import Account, AccountId, Relation
from interledger.accounts.ledger import NO_LIMIT, Ledger
from interledger.accounts.recovery import recover
from interledger.clock import Timestamp
from interledger.connector.forward import Connector, Limits
from interledger.connector.guards import Refused
from interledger.connector.route_exchange import RouteExchange
from interledger.errors import StoreError
from interledger.ilp.address import Address
from interledger.ilp.error_codes import ErrorCode
from interledger.link.base import Link
from interledger.routing.ccp.protocol import Timing
from interledger.routing.exchange import ExchangeTable, Quotes
from interledger.routing.table import Origin, RoutingTable
from interledger.sim.auditor import Auditor, Station
from interledger.sim.books import Rates
from interledger.sim.clocks import NodeClock, SimTimer
from interledger.sim.engine import SimEngine
from interledger.sim.settling import NodeSettling
from interledger.sim.storage import SimStore, Storage
from interledger.sim.world import World
from interledger.store.group_commit import GroupCommit

__all__ = ["Attachment", "Plug", "SimNode"]

HERE: Final = AccountId("/own")
"""Where routes to the node itself lead."""

TIMING: Final = Timing(interval_ms=5_000, expiry_ms=8_000)
"""Of the route exchange: quicker than a node's, because a run lasts two minutes."""

RATE_SOURCE: Final = "feed"


class Plug(Protocol):
    """Makes a node's link to one counterpart, anew for every process."""

    def start(self, node: SimNode) -> Link:
        """A process starts, or the account is opened."""
        ...

    def started(self, node: SimNode) -> None:
        """Its link is attached to the connector."""
        ...

    def stop(self, node: SimNode, *, silently: bool) -> None:
        """The process is gone; `silently`: without the system's word to the other side."""
        ...


@dataclass(slots=True)
class Attachment:
    """One account of a node, with what makes its link and the prefixes that lead to it."""

    peer_id: AccountId
    account: Account
    plug: Plug
    is_local: bool
    routes: tuple[str, ...] = ()
    removed: bool = False
    link: Link | None = field(default=None, repr=False)


class _Receivers:
    """Own receivers by name: `test.n3.wallet.*` is the local account `wallet`."""

    def __init__(self, node: SimNode) -> None:
        self._node = node

    def find(self, destination: str) -> AccountId | Refused:
        name = AccountId(destination.removeprefix(self._node.address + ".").partition(".")[0] + "/local")
        if name in self._node.connector.peers:
            return name
        return Refused(ErrorCode.F02_UNREACHABLE, "nobody of that name here")


@final
class SimNode:
    """Attach accounts with `attach`; `crash` and `restart` keep exactly what the storage keeps."""

    def __init__(
        self,
        world: World,
        auditor: Auditor,
        address: str,
        storage: Storage,
        *,
        rates: Mapping[str, Fraction],
        spread: Fraction,
        disk_ms: tuple[int, int],
        learns: bool = False,
        rate_age_ms: int | None = None,
    ) -> None:
        self.world = world
        self.auditor = auditor
        self.address = Address(address)
        self.storage = storage
        self.clock = NodeClock(world)
        self.station: Station = auditor.station(address, self.clock.now)
        self.exchange = ExchangeTable()
        self.rate_age_ms = rate_age_ms
        """None: the operator has set the rates, and they do not age."""
        self.rates_at = Timestamp(0)
        self.fed_until = 0
        """Until then the source of rates is silent."""
        self.spread = spread
        self.disk_ms = disk_ms
        self.learns = learns
        self.alive = True
        self.life = 0
        self.broken = False
        """The store said that it cannot be written."""
        self.busy_until = 0
        self.claims: dict[str, AccountId] = {}
        """What it announces beside its own address, whether it may or not."""
        self.wrong_routes: dict[str, AccountId] = {}
        self.attachments: dict[AccountId, Attachment] = {}
        self.engines: dict[AccountId, SimEngine] = {}
        self.settling: NodeSettling | None = None
        self.on_alarm: Callable[[str], None] = lambda text: None
        self._writing: Callable[[], None] | None = None
        self._entropy = random.Random(f"{world.seed} {address}")
        self.rates = self.rates_at_first = dict(rates)
        self.set_rates(rates)
        self._start(at_first=True)

    # ------------------------------------------------------------------ a process

    def _start(self, *, at_first: bool = False) -> None:
        self.store = SimStore(self.storage.open())
        self.store.open()
        self.ledger = Ledger()
        settlements = self.store.load(self.ledger).settlements
        if not at_first:
            self.auditor.restarted(self.station, self.store.journal())
            self.station.books.compare_memory(self.counters())
        self.broken = False
        self.started_at = self.world.now()
        life = self.life
        self.commits = GroupCommit(
            *(self.ledger, self.store, self.clock, self._failed),
            inline=True,
            call_soon=lambda do: self.world.soon(lambda: self.if_alive(life, do)),
            writer=lambda write, written: self._write(life, write, written),
        )
        recover(self.ledger)
        self.routes = RoutingTable()
        self.connector = Connector(
            self.address,
            ledger=self.ledger,
            routes=self.routes,
            exchange=self.exchange,
            receivers=_Receivers(self),
            spread=self.spread,
            limits=Limits(),
        )
        if not self.clock.steps:
            self.station.books.rates = self.station.books.rates[-1:]
        self.route_exchange = self._exchange_routes() if self.learns else None
        self.settling = NodeSettling(self, settlements) if self.engines else None
        for attachment in self.attachments.values():
            if not attachment.removed:
                self._attach(attachment)
        self.follow()
        timer = SimTimer(self.world, self.clock, self.connector, self.runs(), self.busy_ms)
        self.connector.deadlines.on_sooner = timer.sooner
        if self.route_exchange is not None:
            self._tick(life)

    def _exchange_routes(self) -> RouteExchange:
        return RouteExchange(
            self.connector,
            sha256(self.address.encode()).digest(),
            is_on=True,
            timing=TIMING,
            now=self.clock.now,
            random_octets=self.world.octets,
            on_alarm=lambda text: self.on_alarm(text),
            wake=lambda: None,
        )

    def _tick(self, life: int) -> None:
        """The route exchange, ten times a second."""
        if self.alive and life == self.life and self.route_exchange is not None:
            due = self.route_exchange.timer()
            if due is not None and due <= self.clock.now():
                silent = self.route_exchange.silent
                self.route_exchange.handle_timer(self.clock.now())
                if self.route_exchange.silent != silent:
                    self.follow()
            self.world.after(100, lambda: self._tick(life))

    def runs(self) -> Callable[[], bool]:
        """Whether the process of now still lives, to be asked later."""
        life = self.life
        return lambda: self.alive and life == self.life

    def if_alive(self, life: int, do: Callable[[], None]) -> None:
        """Do it, if that process still lives."""
        if self.alive and life == self.life:
            do()

    def busy_ms(self) -> int:
        """How long the process still does nothing."""
        return max(self.busy_until - self.world.now(), 0)

    def handler(self) -> Connector | None:
        """Who answers on this node's links, or None while it is dead."""
        return self.connector if self.alive else None

    # ------------------------------------------------------------------ accounts and routes

    def attach(self, attachment: Attachment) -> None:
        """Open an account, now and after every restart."""
        self.attachments[attachment.peer_id] = attachment
        account = attachment.account
        if account.owes_us_max is not None:
            self.station.books.highest[account.ledger_name] = account.owes_us_max
        self._attach(attachment)
        self.follow()

    def _attach(self, attachment: Attachment) -> None:
        account = attachment.account
        link = attachment.link = attachment.plug.start(self)
        first = int.from_bytes(self.world.octets(4), "big")
        peer = self.connector.attach(
            attachment.peer_id, account, link, is_local=attachment.is_local, first_request_id=first
        )
        peer.ledger_account.debit_max = NO_LIMIT if account.owes_us_max is None else account.owes_us_max
        self.station.books.limits[account.ledger_name] = account.owes_us_max
        attachment.plug.started(self)
        if self.settling is not None and attachment.peer_id in self.engines:
            self.settling.follow(account)

    def remove(self, attachment: Attachment) -> None:
        """The operator closes the account's link; what is in flight on it ends by expiry."""
        attachment.removed = True
        self.connector.detach(attachment.peer_id)
        attachment.plug.stop(self, silently=False)
        self.follow()

    def is_used(self, attachment: Attachment) -> bool:
        """Whether there is a balance, or anything open: such an account is not removed."""
        account = self.ledger.find(attachment.account.ledger_name, attachment.account.asset)
        peer = self.connector.peers.get(attachment.peer_id)
        unknown = any(item.account is account for item in self.ledger.unknown.values())
        pending = account is not None and (account.net or account.debits_pending or account.credits_pending)
        settles = self.settling is not None and self.settling.book.sending(attachment.peer_id)
        return bool(pending or unknown or settles or (peer is not None and peer.in_flight))

    def add_again(self, attachment: Attachment) -> None:
        """And opens it again."""
        if attachment.removed:
            attachment.removed = False
            if self.alive:
                self._attach(attachment)
                self.follow()

    def set_limit(self, attachment: Attachment, limit: int, account: Account) -> None:
        """The operator grants more or less credit, at once."""
        attachment.account = account
        books, name = self.station.books, account.ledger_name
        peer = self.connector.peers.get(attachment.peer_id)
        if peer is not None:
            peer.account = account
            peer.ledger_account.debit_max = limit
        books.highest[name] = max(books.highest.get(name, 0), limit)
        books.limits[name] = max(limit, books.limits.get(name) or 0)

        def now_it_counts(error: Exception | None) -> None:
            books.limits[name] = attachment.account.owes_us_max

        self.ledger.call_after_commit(now_it_counts)

    def follow(self) -> None:
        """Derive the routes, and tell the route exchange."""
        self.routes.replace(Origin.OWN, {self.address: HERE, **self.claims})
        live = [a for a in self.attachments.values() if not a.removed]
        if self.route_exchange is None:
            static = {prefix: a.peer_id for a in live for prefix in a.routes}
            self.routes.replace(Origin.STATIC, {**static, **self.wrong_routes})
        else:
            beside = [a.account for a in live if a.account.relation in (Relation.CHILD, Relation.PEER)]
            silent = self.route_exchange.silent
            self.routes.replace(
                Origin.ACCOUNT,
                {a.ilp_address: a.id for a in beside if a.relation is Relation.CHILD or a.id not in silent},
            )
            self.routes.replace(Origin.STATIC, self.wrong_routes)
            parents = [a.peer_id for a in live if a.account.relation is Relation.PARENT]
            self.routes.replace(Origin.DEFAULT, {"": parents[0]} if parents else {})
            self.route_exchange.follow([a.account for a in live if not a.is_local])
        self.connector.routes_changed()

    def link_up(self, peer_id: AccountId) -> None:
        """A link is there again."""
        if self.alive and self.route_exchange is not None and peer_id in self.connector.peers:
            self.route_exchange.link_up(peer_id)

    # ------------------------------------------------------------------ rates

    def set_rates(self, values: Mapping[str, Fraction] | None) -> None:
        """New ones; None: those of before are told again, so that they do not age."""
        self.rates = dict(values or self.rates)
        self.rates_at = self.clock.now()
        source = "static" if self.rate_age_ms is None else RATE_SOURCE
        quotes = Quotes(source, self.rates, None, self.clock.now(), self.rate_age_ms)
        self.exchange.update(quotes, self.clock.now())
        if hasattr(self, "connector"):
            self.connector.rates_changed()
        self.rates_are(Rates(self.rates, self.spread))

    def rates_are(self, rates: Rates) -> None:
        """From now on; what was decided before counts until it is written."""
        books = self.station.books
        books.rates.append(rates)
        if not hasattr(self, "ledger"):
            return

        def forget(error: Exception | None) -> None:
            if rates in books.rates and not self.clock.steps:
                del books.rates[: books.rates.index(rates)]

        self.ledger.call_after_commit(forget)

    # ------------------------------------------------------------------ the disk

    def _write(self, life: int, write: Callable[[], None], written: Callable[[], None]) -> None:
        self._writing = write

        def done() -> None:
            if not self.alive or life != self.life:
                return
            write()
            self._writing = None
            for records in self.store.take_written():
                self.auditor.committed(self.station, records)
            written()

        self.world.after(self.world.dice.randint(*self.disk_ms), done)

    def _failed(self, error: StoreError) -> None:
        self.broken = True
        self.station.broken = True

    # ------------------------------------------------------------------ faults

    def crash(self, *, power: bool = False) -> None:
        """Memory is gone. `power`: the machine too, with what the disk had not yet taken."""
        self.alive = False
        self.life += 1
        write, self._writing = self._writing, None
        self.storage.crash(write, power=power)
        for attachment in self.attachments.values():
            if not attachment.removed:
                attachment.plug.stop(self, silently=power)

    def restart(self) -> bool:
        """Another process. False when the disk does not let it start."""
        self.alive = True
        try:
            self._start()
        except StoreError:
            self.alive = False
            self.life += 1
            self.store.close()
            return False
        return True

    def counters(self) -> list[tuple[str, tuple[int, int, int, int]]]:
        """Of every account in memory: debits, pending, credits, pending."""
        return [
            (a.name, (a.debits_posted, a.debits_pending, a.credits_posted, a.credits_pending))
            for a in self.ledger.accounts
        ]

    @property
    def is_writing(self) -> bool:
        """Whether a commit is under way."""
        return self._writing is not None

    def now(self) -> Timestamp:
        """By its own clock."""
        return self.clock.now()
