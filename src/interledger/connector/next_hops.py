"""Which peer a packet goes to next: the preferred route that can take it, and who shares or stands in.

The journey (`forward.py`) remembers the next hop of a destination that has a single one, and asks here for all else: a
destination that is new, one whose packets are shared, one whose next hop cannot take a packet now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from math import gcd
from typing import Final, TypeVar, final

from interledger.accounts.account import AccountId
from interledger.connector import refusals
from interledger.connector.guards import Refused
from interledger.connector.peer import Peer
from interledger.connector.services import OwnReceivers
from interledger.ilp.address import is_prefix_of, same_network, scheme_of
from interledger.routing.table import Origin, Route, RoutingTable

__all__ = ["CACHED_DESTINATIONS", "NextHops", "Turns", "groups_of", "order_of_turns"]

CACHED_DESTINATIONS: Final = 65_536
"""Destinations whose next hop is remembered; emptied at this many and whenever routes change."""

_T = TypeVar("_T")

TurnKey = tuple[str, Origin, int]
"""Prefix, origin and priority of routes that share packets."""


@final
class NextHops:
    """`remembered`: destination -> its only next hop. `takes`: whether a peer can be sent a packet now."""

    def __init__(
        self,
        routes: RoutingTable,
        peers: Mapping[AccountId, Peer],
        receivers: OwnReceivers,
        takes: Callable[[Peer], bool],
    ) -> None:
        self.remembered: dict[str, Peer] = {}
        self._shared: dict[str, Turns] = {}
        self._turns: dict[TurnKey, Turns] = {}
        self._begin_at: Mapping[TurnKey, int] = {}
        self._routes = routes
        self._peers = peers
        self._receivers = receivers
        self._takes = takes

    def forget(self) -> None:
        """Routes or peers are not what they were. Whose turn it is where packets are shared begins anew."""
        self.remembered.clear()
        self._shared.clear()
        self._turns.clear()

    def positions(self) -> dict[TurnKey, int]:
        """Whose turn it is now, wherever packets are shared."""
        return {key: turns.position for key, turns in self._turns.items()}

    def begin_at(self, positions: Mapping[TurnKey, int]) -> None:
        """Let turns that are not made yet begin there: for whoever tells beforehand what would be."""
        self._begin_at = positions

    def find(self, destination: str, incoming: Peer | None, own_address: str) -> Peer | Refused:
        """The peer to send to, which can take a packet; or what to refuse with: F02, T01, T02.

        `incoming`: who brought the packet and does not get it back; None for what may go there too.
        """
        turns = self._shared.get(destination)
        if turns is not None:
            peer = turns.take(incoming, self._takes)
            if peer is not None:
                return peer
        if not same_network(scheme_of(destination), scheme_of(own_address)):
            return refusals.OTHER_NETWORK
        return self._choose(destination, incoming, own_address)

    def _choose(self, destination: str, incoming: Peer | None, own_address: str) -> Peer | Refused:
        cannot: Refused | None = None
        for routes in self._routes.candidates(destination):
            for group in groups_of(routes):
                if group[0].origin is Origin.OWN:
                    return self._receiver(destination)
                found = self._of_group(destination, group, incoming, remember=cannot is None)
                if isinstance(found, Peer):
                    return found
                if found is refusals.LEADS_BACK:
                    return cannot or found
                cannot = cannot or found
            # What lies below our own address is reached through us and nobody else: a way round would come back.
            if cannot is not None and is_prefix_of(own_address, routes[0].prefix):
                return cannot
        return cannot or refusals.NO_ROUTE

    def _of_group(
        self, destination: str, group: Sequence[Route], incoming: Peer | None, *, remember: bool
    ) -> Peer | Refused:
        peers = [self._peers.get(route.account) for route in group]
        usable = [peer for peer in peers if peer is not None and self._takes(peer)]
        if not usable:
            is_there = any(peer is not None and (peer.link.ready() or peer.is_full()) for peer in peers)
            return refusals.PEER_BUSY if is_there else refusals.PEER_DOWN
        if incoming in usable:
            usable.remove(incoming)
            if not usable:
                return refusals.LEADS_BACK
        if len(group) == 1:
            if remember:
                _keep(self.remembered, destination, usable[0])
            return usable[0]
        turns = self._turns_of(group)
        if remember:
            _keep(self._shared, destination, turns)
        return turns.take(incoming, self._takes) or refusals.PEER_DOWN

    def _turns_of(self, group: Sequence[Route]) -> Turns:
        key = group[0].prefix, group[0].origin, group[0].priority
        turns = self._turns.get(key)
        if turns is None:
            there = [(peer, route.weight) for route in group if (peer := self._peers.get(route.account)) is not None]
            begin_at = self._begin_at.get(key, 0)
            turns = self._turns[key] = Turns([peer for peer, _ in there], [weight for _, weight in there], begin_at)
        return turns

    def _receiver(self, destination: str) -> Peer | Refused:
        receiver = self._receivers.find(destination)
        if isinstance(receiver, Refused):
            return receiver
        peer = self._peers.get(receiver)
        if peer is None:
            return refusals.PEER_DOWN
        _keep(self.remembered, destination, peer)
        return peer


@final
class Turns:
    """Peers that share packets, in an order that is fixed: no dice, so a packet's way can be told beforehand."""

    def __init__(self, peers: Sequence[Peer], weights: Sequence[int], position: int = 0) -> None:
        self._order = [peers[index] for index in order_of_turns(weights)]
        self.position = position % max(len(self._order), 1)

    def take(self, incoming: Peer | None, takes: Callable[[Peer], bool]) -> Peer | None:
        """The next one that can take a packet and did not bring it; None when nobody can."""
        order = self._order
        for _ in order:
            peer = order[self.position]
            self.position = (self.position + 1) % len(order)
            if peer is not incoming and takes(peer):
                return peer
        return None


def order_of_turns(weights: Sequence[int]) -> list[int]:
    """Indexes, each as often as its weight says, spread evenly: 3 and 1 -> 0 0 1 0 (smooth weighted round robin)."""
    common = gcd(*weights)
    shares = [weight // common for weight in weights]
    total = sum(shares)
    credit = [0] * len(shares)
    order = []
    for _ in range(total):
        credit = [have + share for have, share in zip(credit, shares, strict=True)]
        chosen = max(range(len(shares)), key=lambda index: (credit[index], -index))
        credit[chosen] -= total
        order.append(chosen)
    return order


def groups_of(routes: Sequence[Route]) -> Iterator[tuple[Route, ...]]:
    """Routes of one prefix, by preference: those that share packets together."""
    for _, group in groupby(routes, key=lambda route: (route.origin, route.priority)):
        yield tuple(group)


def _keep(cache: dict[str, _T], destination: str, value: _T) -> None:
    if len(cache) >= CACHED_DESTINATIONS:
        cache.clear()
    cache[destination] = value
