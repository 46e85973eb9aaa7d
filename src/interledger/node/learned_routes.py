"""The exchange of routes on a running node: its timer, its settings, and what it tells the rest of the node."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from typing import TYPE_CHECKING, Final, final

from interledger.accounts.account import AccountId
from interledger.connector.route_exchange import RouteExchange
from interledger.routing.ccp.protocol import Timing
from interledger.routing.ccp.session import Session

if TYPE_CHECKING:
    from interledger.node.node import Node

__all__ = ["LearnedRoutes"]

WAIT_MS_MAX: Final = 1_000
"""The clock is looked at this often: it may have been set, or the machine have slept."""


@final
class LearnedRoutes:
    """Runs from `start` to `stop`. `follow` after every change of accounts, routes or address."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._handle: asyncio.Handle | None = None
        self._runs = False
        self._silent: frozenset[AccountId] = frozenset()
        settings = node.settings
        self._exchange = RouteExchange(
            node.connector,
            sha256(b"interledger-py routes " + settings.secret_seed).digest(),
            is_on=settings.route_broadcast,
            timing=Timing(settings.route_broadcast_interval_ms, settings.route_expiry_ms),
            now=node.clock.now,
            random_octets=node.entropy.octets,
            on_alarm=node.alarm,
            wake=self._wake,
        )
        self.link_up = self._exchange.link_up

    def start(self) -> None:
        """Speak from now on."""
        self._runs = True
        self._wake()

    def stop(self) -> None:
        """Say nothing more."""
        self._runs = False
        if self._handle is not None:
            self._handle.cancel()

    def follow(self) -> None:
        """Accounts, links, routes or our address changed: next hops and what peers are told may be others now."""
        self._node.connector.routes_changed()
        self._exchange.follow(self._node.accounts())

    def sessions(self) -> list[Session]:
        """How the exchange with every peer stands."""
        return self._exchange.sessions()

    def told(self, account: str, most: int) -> tuple[int, list[str]]:
        """How many of our routes a peer was told, and the first `most` prefixes of them."""
        return self._exchange.told(AccountId(account), most)

    @property
    def silent(self) -> frozenset[AccountId]:
        """Peers that count as unreachable although their link is up (see `RouteExchange.silent`)."""
        return self._silent

    def _wake(self) -> None:
        """Look at the time anew, in the next turn of the loop: never from within whatever happened."""
        if self._runs:
            self._schedule(0)

    def _schedule(self, wait_ms: int) -> None:
        if self._handle is not None:
            self._handle.cancel()
        loop = asyncio.get_running_loop()
        self._handle = loop.call_later(wait_ms / 1000, self._fire) if wait_ms else loop.call_soon(self._fire)

    def _fire(self) -> None:
        self._handle = None
        now = self._node.clock.now()
        due = self._exchange.timer()
        if due is not None and due <= now:
            self._exchange.handle_timer(now)
            if self._exchange.silent != self._silent:
                self._silent = self._exchange.silent
                self._node.derive_routes()
            due = self._exchange.timer()
        if due is not None and self._runs and self._handle is None:
            self._schedule(min(max(due - now, 0), WAIT_MS_MAX))
