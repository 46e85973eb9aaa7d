"""A simulated node that exchanges routes: the real connector, routing table and route exchange, on virtual time."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Final, final

from interledger.accounts.account import Account, AccountId, Relation
from interledger.accounts.asset import Asset
from interledger.accounts.ledger import Ledger
from interledger.clock import Timestamp
from interledger.connector.forward import Connector
from interledger.connector.guards import Refused
from interledger.connector.route_exchange import RouteExchange
from interledger.ilp.address import Address
from interledger.ilp.error_codes import ErrorCode
from interledger.routing.ccp.protocol import Timing
from interledger.routing.exchange import ExchangeTable
from interledger.routing.table import Origin, RoutingTable
from interledger.sim.network import SimLink
from interledger.sim.world import World

__all__ = ["HERE", "RouteNode"]

HERE: Final = AccountId("/own")
"""Where routes to the node itself lead."""

USD: Final = Asset("USD", 9)

TICK_MS: Final = 5_000


class _Nobody:
    def find(self, destination: str) -> AccountId | Refused:
        return Refused(ErrorCode.F02_UNREACHABLE, "nobody of that name here")


@final
class RouteNode:
    """`join` two of them; `crash` and `restart` lose everything but the accounts and what is announced."""

    def __init__(self, world: World, address: str, timing: Timing) -> None:
        self.world = world
        self.address = Address(address)
        self.timing = timing
        self.accounts: dict[AccountId, Account] = {}
        self.links: dict[AccountId, SimLink] = {}
        self.claims: dict[str, AccountId] = {}
        """What it announces beside its own address, whether it may or not."""
        self.alarms: list[str] = []
        self.alive = True
        self.life = 0
        self._wake_at: int | None = None
        self._start()

    def _start(self) -> None:
        self.table = RoutingTable()
        self.connector = Connector(
            self.address, ledger=Ledger(), routes=self.table, exchange=ExchangeTable(), receivers=_Nobody()
        )
        self._wake_at = None
        self.exchange = RouteExchange(
            self.connector,
            sha256(self.address.encode()).digest(),
            is_on=True,
            timing=self.timing,
            now=self.world.now,
            random_octets=self.world.octets,
            on_alarm=self.alarms.append,
            wake=self._wake,
        )
        for account in self.accounts.values():
            self._attach(account)
        self.follow()
        self._tick(self.life)

    # ------------------------------------------------------------------ accounts

    def add(self, account: Account, link: SimLink) -> None:
        """Attach an account, now and after every restart."""
        self.accounts[account.id] = account
        self.links[account.id] = link
        self._attach(account)
        self.follow()

    def _attach(self, account: Account) -> None:
        first = int.from_bytes(self.world.octets(4), "big")
        self.connector.attach(account.id, account, self.links[account.id], is_local=False, first_request_id=first)

    def claim(self, prefixes: Mapping[str, AccountId] | None = None) -> None:
        """Announce these too."""
        self.claims = dict(prefixes or {})
        self.follow()

    def follow(self) -> None:
        """Derive the routes as a node does, and tell the exchange."""
        self.table.replace(Origin.OWN, {self.address: HERE, **self.claims})
        beside = [a for a in self.accounts.values() if a.relation in (Relation.CHILD, Relation.PEER)]
        silent = self.exchange.silent
        self.table.replace(
            Origin.ACCOUNT, {a.ilp_address: a.id for a in beside if a.relation is Relation.CHILD or a.id not in silent}
        )
        parents = [a.id for a in self.accounts.values() if a.relation is Relation.PARENT]
        self.table.replace(Origin.DEFAULT, {"": parents[0]} if parents else {})
        self.exchange.follow(self.accounts.values())

    def next_hop(self, destination: str) -> AccountId | None:
        """Over which account a packet would leave now: of the longest prefix, the first whose link is up."""
        for routes in self.table.candidates(destination):
            for route in routes:
                if route.account == HERE or self.links[route.account].ready():
                    return route.account
        return None

    # ------------------------------------------------------------------ links

    def link_changed(self, account: AccountId, *, is_up: bool) -> None:
        """The node notices, if it lives, that a link went down or came up."""
        if not self.alive:
            return
        if is_up:
            self.exchange.link_up(account)
        else:
            self.connector.link_lost(account, self.world.now())

    def handler(self) -> Connector | None:
        """Who answers on this node's links, or None while it is dead."""
        return self.connector if self.alive else None

    # ------------------------------------------------------------------ time

    def _wake(self) -> None:
        self._schedule(self.world.now())

    def _schedule(self, at: int) -> None:
        if self._wake_at is None or at < self._wake_at:
            self._wake_at = at
            life = self.life
            self.world.after(max(at - self.world.now(), 0), lambda: self._run(life, at))

    def _run(self, life: int, at: int) -> None:
        if not self.alive or life != self.life or at != self._wake_at:
            return
        self._wake_at = None
        now = self.world.now()
        due = self.exchange.timer()
        if due is not None and due <= now:
            silent = self.exchange.silent
            self.exchange.handle_timer(now)
            if self.exchange.silent != silent:
                self.follow()
            due = self.exchange.timer()
        if due is not None:
            self._schedule(due)

    def _tick(self, life: int) -> None:
        if self.alive and life == self.life:
            self.connector.handle_timer(Timestamp(self.world.now()))
            self.world.after(TICK_MS, lambda: self._tick(life))

    # ------------------------------------------------------------------ faults

    def crash(self) -> None:
        """All that was learned is lost."""
        self.alive = False
        self.life += 1

    def restart(self) -> None:
        """Begin anew, with another table id."""
        self.alive = True
        self._start()
