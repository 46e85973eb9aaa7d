"""The routing table: longest prefix on segment boundaries (CR-16), by cutting the destination at its dots.

One dict, so a look-up costs the number of segments, whatever the number of routes.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from typing import NamedTuple, final

from interledger.accounts.account import AccountId

__all__ = ["Origin", "Route", "RoutingTable"]


class Origin(enum.StrEnum):
    """Who said so. Where two give the same prefix, the earlier one here wins."""

    STATIC = "static"
    OWN = "own"
    ACCOUNT = "account"
    DEFAULT = "default"


class Route(NamedTuple):
    """Packets for addresses at or below `prefix` go to `account`. An empty prefix is the default route."""

    prefix: str
    account: AccountId
    origin: Origin


@final
class RoutingTable:
    """All routes of a node. Change it by giving all routes of one origin anew."""

    def __init__(self) -> None:
        self._by_origin: dict[Origin, dict[str, AccountId]] = {origin: {} for origin in Origin}
        self._routes: dict[str, Route] = {}

    def replace(self, origin: Origin, routes: Mapping[str, AccountId]) -> None:
        """Let `routes` (prefix -> account) be all that `origin` says."""
        self._by_origin[origin] = dict(routes)
        merged: dict[str, Route] = {}
        for who in reversed(Origin):
            merged.update((prefix, Route(prefix, account, who)) for prefix, account in self._by_origin[who].items())
        self._routes = merged

    def of_origin(self, origin: Origin) -> dict[str, AccountId]:
        """What `origin` says: prefix -> account."""
        return dict(self._by_origin[origin])

    def find(self, destination: str) -> Route | None:
        """The route with the longest prefix of `destination`, or None."""
        routes = self._routes
        prefix = destination
        while True:
            route = routes.get(prefix)
            if route is not None:
                return route
            dot = prefix.rfind(".")
            if dot < 0:
                return routes.get("")
            prefix = prefix[:dot]

    def __iter__(self) -> Iterator[Route]:
        return iter(sorted(self._routes.values()))

    def __len__(self) -> int:
        return len(self._routes)
