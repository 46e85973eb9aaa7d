"""The routing table: longest prefix on segment boundaries (CR-16), by cutting the destination at its dots.

One dict, so a look-up costs the number of segments, whatever the number of routes. A prefix may have several routes:
they are kept in order of preference, and whoever forwards takes the first that can be used.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple, final

from interledger.accounts.account import AccountId
from interledger.clock import Timestamp

__all__ = ["Origin", "Route", "RouteChanges", "RoutingTable"]


class Origin(enum.StrEnum):
    """Who said so. Where two give the same prefix, the earlier one here wins."""

    STATIC = "static"
    OWN = "own"
    ACCOUNT = "account"
    LEARNED = "learned"
    """A peer announced it (CCP)."""
    DEFAULT = "default"


_RANK: Final = {origin: rank for rank, origin in enumerate(Origin)}


class Route(NamedTuple):
    """Packets for addresses at or below `prefix` go to `account`. An empty prefix is the default route.

    Of one prefix and origin, those of the lowest `priority` number share the packets by `weight`; the next number is
    used while none of them can take a packet.

    Of learned routes: `path`, the nodes from the next one to the one where the prefix begins; `speaker`, the address of
    the peer that said so; `since`, when it said so first.
    """

    prefix: str
    account: AccountId
    origin: Origin
    weight: int = 1
    priority: int = 0
    path: tuple[str, ...] = ()
    speaker: str = ""
    since: Timestamp | None = None


PREFIXES_REMEMBERED: Final = 100
"""Of changes since somebody last looked: enough to say which, whatever a peer announces."""


@final
class RouteChanges:
    """How many prefixes came, went, or lead elsewhere since `clear`, and some of them."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._prefixes: dict[str, None] = {}

    def add(self, kind: str, prefix: str) -> None:
        """`kind`: added, removed or changed."""
        self._counts[kind] = self._counts.get(kind, 0) + 1
        if len(self._prefixes) < PREFIXES_REMEMBERED:
            self._prefixes[prefix] = None

    def count(self, kind: str) -> int:
        return self._counts.get(kind, 0)

    def prefixes(self) -> list[str]:
        """In the order in which they changed first."""
        return list(self._prefixes)

    def clear(self) -> None:
        self._counts.clear()
        self._prefixes.clear()


@final
class RoutingTable:
    """All routes of a node."""

    def __init__(self) -> None:
        self.version = 0
        """Counts changes."""
        self.changes = RouteChanges()
        self._by_origin: dict[Origin, dict[str, tuple[Route, ...]]] = {origin: {} for origin in Origin}
        self._routes: dict[str, tuple[Route, ...]] = {}

    def replace(self, origin: Origin, routes: Mapping[str, AccountId]) -> None:
        """Let `routes` (prefix -> account) be all that `origin` says."""
        self.replace_routes(origin, (Route(prefix, account, origin) for prefix, account in routes.items()))

    def replace_routes(self, origin: Origin, routes: Iterable[Route]) -> None:
        """The same, with several routes to a prefix."""
        said: dict[str, list[Route]] = {}
        for route in routes:
            said.setdefault(route.prefix, []).append(route)
        for prefix in self._by_origin[origin].keys() - said.keys():
            self.put(origin, prefix, ())
        for prefix, several in said.items():
            self.put(origin, prefix, several)

    def put(self, origin: Origin, prefix: str, routes: Iterable[Route]) -> None:
        """Let `routes` be all that `origin` says of one prefix; none: it says nothing."""
        said = self._by_origin[origin]
        ordered = tuple(sorted(routes, key=_preference))
        if said.get(prefix, ()) == ordered:
            return
        if ordered:
            said[prefix] = ordered
        else:
            del said[prefix]
        merged = tuple(route for who in Origin for route in self._by_origin[who].get(prefix, ()))
        was_there = prefix in self._routes
        if merged:
            self._routes[prefix] = merged
        else:
            del self._routes[prefix]
        self.version += 1
        self.changes.add("removed" if not merged else "changed" if was_there else "added", prefix)

    def of_origin(self, origin: Origin) -> dict[str, tuple[Route, ...]]:
        """What `origin` says: prefix -> routes, the preferred one first."""
        return dict(self._by_origin[origin])

    def find(self, destination: str) -> Route | None:
        """The preferred route with the longest prefix of `destination`, or None."""
        routes = self._routes
        prefix = destination
        while True:
            found = routes.get(prefix)
            if found is not None:
                return found[0]
            if prefix == "":
                return None
            prefix = prefix[: max(prefix.rfind("."), 0)]

    def candidates(self, destination: str) -> Iterator[tuple[Route, ...]]:
        """All routes for `destination`: those of the longest prefix first; of one prefix, the preferred one first."""
        routes = self._routes
        prefix = destination
        while True:
            found = routes.get(prefix)
            if found is not None:
                yield found
            if prefix == "":
                return
            prefix = prefix[: max(prefix.rfind("."), 0)]

    def __iter__(self) -> Iterator[Route]:
        """By prefix; of one prefix, the preferred one first."""
        for _, routes in sorted(self._routes.items()):
            yield from routes

    def __len__(self) -> int:
        return sum(len(routes) for routes in self._routes.values())


def _preference(route: Route) -> tuple[int, int, str]:
    return _RANK[route.origin], route.priority, route.account
