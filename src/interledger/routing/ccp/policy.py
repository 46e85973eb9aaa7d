"""What we believe of a peer's routes, which of them we prefer, and what we tell whom.

All of it is pure: no state, no order of events. So the table that a node ends with does not depend on who spoke first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from hashlib import sha256
from typing import Final, NamedTuple

from interledger.accounts.account import AccountId, Relation
from interledger.clock import Timestamp
from interledger.ilp.address import ADDRESS_LENGTH_MAX, is_address, same_network, scheme_of
from interledger.routing.ccp.log import Export
from interledger.routing.ccp.messages import AnnouncedRoute, RouteProp

__all__ = [
    "PATH_MAX",
    "PRIORITY",
    "LearnedRoute",
    "LocalRoute",
    "ancestors",
    "best_of",
    "export_of",
    "is_covered",
    "may_be_told",
    "receives_by_default",
    "sends_by_default",
    "take_in",
]

PATH_MAX: Final = 64
"""Nodes on a route's path; the diameter of the Internet's routing is about ten (C4)."""

SEGMENTS_MAX: Final = 20
"""Segments of a prefix: each costs an index entry, and no network has so many levels."""

ROUTE_OCTETS_MAX: Final = 4_096
"""Path and props of one route, so that seven fit into the smallest update."""

PRIORITY: Final = {Relation.PARENT: 0, Relation.PEER: 1, Relation.CHILD: 2, Relation.LOCAL: 3}
"""CR-15: who pays us for the traffic comes first."""

is_valid_address = lru_cache(maxsize=4_096)(is_address)
"""The same few nodes stand on all paths."""


class LocalRoute(NamedTuple):
    """A route that we begin: our own address (`account` is None), a child's or peer's address, an operator's route.

    `path`: what is known of the way beyond us, so that whoever is on it does not take the route back from others.
    """

    account: AccountId | None
    relation: Relation
    path: tuple[str, ...] = ()


class LearnedRoute(NamedTuple):
    """What a peer announced, `path` from that peer (`speaker`) on. `since`: when it said so first."""

    prefix: str
    path: tuple[str, ...]
    auth: bytes
    props: tuple[RouteProp, ...]
    speaker: str
    since: Timestamp


def receives_by_default(relation: Relation) -> bool:
    """Whether we listen to routes of such an account. A child may reach nothing but itself."""
    return relation in (Relation.PARENT, Relation.PEER)


def sends_by_default(relation: Relation) -> bool:
    """Whether we tell such an account what we reach. A child sends everything to us anyway."""
    return relation in (Relation.PARENT, Relation.PEER)


# ---------------------------------------------------------------------- import


def take_in(route: AnnouncedRoute, speaker: str, own_address: str, now: Timestamp) -> LearnedRoute | None:
    """The route as we keep it, or None where it cannot be one (CC-08): the default route, another network, no prefix.

    interledger-rs announces itself with an empty path, so the speaker is put in front where it is missing.
    """
    prefix, path, auth, props = route
    if "." not in prefix or not is_valid_address(prefix) or not same_network(scheme_of(prefix), scheme_of(own_address)):
        return None
    if not path or path[0] != speaker:
        path = (speaker, *path)
    if len(path) > PATH_MAX or prefix.count(".") >= SEGMENTS_MAX:
        return None
    octets = 0
    for hop in path:
        if not is_valid_address(hop):
            return None
        octets += len(hop)
    if props:
        octets += sum(len(prop.value) + 4 for prop in props)
    if octets > ROUTE_OCTETS_MAX:
        return None
    return LearnedRoute(prefix, path, auth, props, speaker, now)


def ancestors(prefix: str) -> Iterator[str]:
    """Every shorter prefix that covers `prefix`, the longest first, without the scheme alone."""
    dot = prefix.rfind(".")
    while dot > 0:
        prefix = prefix[:dot]
        dot = prefix.rfind(".")
        if dot > 0:
            yield prefix


def best_of(
    candidates: Mapping[AccountId, tuple[Relation, LearnedRoute]], own_address: str
) -> tuple[AccountId, LearnedRoute] | None:
    """The route to use: by relation, then the shortest path, then the lowest account id (CR-15). CC-07: no loops."""
    best: tuple[AccountId, LearnedRoute] | None = None
    best_rank: tuple[int, int, str] | None = None
    for account, (relation, route) in candidates.items():
        if own_address in route.path:
            continue
        rank = (-PRIORITY[relation], len(route.path), account)
        if best_rank is None or rank < best_rank:
            best, best_rank = (account, route), rank
    return best


# ---------------------------------------------------------------------- export


def export_of(
    prefix: str,
    over: tuple[AccountId | None, Relation],
    path: tuple[str, ...],
    auth: bytes,
    props: tuple[RouteProp, ...],
    own_address: str,
) -> Export | None:
    """What is announced of our route for `prefix`, which leads `over` an account (None: to us).

    None for what is never announced: the default route, another network, and what our own address covers. The auth is
    hashed once more at every node; nobody can verify it yet.
    """
    if "." not in prefix or not same_network(scheme_of(prefix), scheme_of(own_address)):
        return None
    if prefix.startswith(own_address + ".") or len(path) >= PATH_MAX or len(prefix) > ADDRESS_LENGTH_MAX:
        return None
    passed_on = tuple(_passed_on(prop) for prop in props if prop.is_transitive or not prop.is_optional)
    return Export(*over, AnnouncedRoute(prefix, (own_address, *path), sha256(auth).digest(), passed_on))


def _passed_on(prop: RouteProp) -> RouteProp:
    """We know no property, so those that are optional have been passed on by somebody who does not know them."""
    return prop._replace(is_partial=True) if prop.is_optional else prop


def is_covered(
    prefix: str, relation: Relation, export_for: Callable[[str], Export | None], is_known: Callable[[str], bool]
) -> bool:
    """DRAGON: whether a shorter prefix that we announce leads peers to us just as well, so this one can be left out.

    It has to lead over an account that is worth as much to us or more. What leads to ourselves covers only what
    `export_of` leaves out. A peer that compares prefixes as text (interledger-rs, ADDR-1) would be led astray by a
    name that begins like the one left out, so that one is announced then.
    """
    for cover in ancestors(prefix):
        export = export_for(cover)
        if export is None or export.account is None or PRIORITY[export.relation] < PRIORITY[relation]:
            continue
        return not any(is_known(prefix[:end]) for end in range(len(cover) + 2, len(prefix)) if prefix[end] != ".")
    return False


def may_be_told(export: Export, account: AccountId, relation: Relation) -> bool:
    """Whether `account`, our `relation`, is told (CC-09, CC-10): never the one it leads to; a parent, what leads to
    ourselves and our children; a peer, that and what leads to peers; a child, all.

    So no node carries others' money between two of those whom it pays, and every network settles on one set of routes.
    """
    if export.account == account:
        return False
    if relation is Relation.PARENT:
        return PRIORITY[export.relation] >= PRIORITY[Relation.CHILD]
    return relation is Relation.CHILD or export.relation is not Relation.PARENT
