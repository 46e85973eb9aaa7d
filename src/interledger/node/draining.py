"""Before the links of an account are made anew: no new packets there, and time for those under way.

A packet whose link is closed under it is in doubt on both sides. So the old link stays until what it carries is
answered. Packets live thirty seconds at most, and one that is not answered by then is unknown, as anywhere else.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from interledger.accounts.account import AccountId
from interledger.clock import Timestamp
from interledger.connector.guards import Refused
from interledger.connector.in_flight import InFlight
from interledger.connector.peer import Peer
from interledger.ilp.error_codes import ErrorCode
from interledger.ilp.packet import Prepare
from interledger.node.watchdog import guard_all

if TYPE_CHECKING:
    from interledger.node.node import Node

__all__ = ["drained"]

LOOK_S: Final = 0.02
"""How often is looked whether all are answered: a round trip across a city."""

CHANGING: Final = Refused(ErrorCode.T03_CONNECTOR_BUSY, "this link is about to change; try again in a moment")


def _refuse(prepare: Prepare, now: Timestamp, dry: bool = False) -> Refused:
    return CHANGING


@asynccontextmanager
async def drained(node: Node, account_id: AccountId) -> AsyncIterator[None]:
    """Within it nothing is in flight on the links of this account, and nothing new gets there.

    A link that is down is not waited for: nobody answers on it. What stays undone when the caller is cancelled is
    undone: the links are as they were.
    """
    peers = [peer for peer in node.connector.peers.values() if peer.account.id == account_id and not peer.is_local]
    if not any(peer.link.ready() for peer in peers):
        yield
        return
    guard_all(peers, _refuse, on=True)
    _take_next_hops(node, peers, away=True)
    try:
        left = list(_flights(node, peers))
        while left:
            await asyncio.sleep(LOOK_S)
            left = [(one, flight) for one, flight in left if one.in_flight.get(flight.onward_id) is flight]
        await node.commit()  # with it the last replies go out
        _take_next_hops(node, peers, away=False)
        yield
    finally:
        guard_all(peers, _refuse, on=False)
        _take_next_hops(node, peers, away=False)


def _take_next_hops(node: Node, peers: list[Peer], *, away: bool) -> None:
    """Send nothing there for now: by another way where there is one. The watchdog puts back what it had taken away."""
    for peer in peers:
        peer.broken = away
    node.connector.routes_changed()


def _flights(node: Node, peers: list[Peer]) -> Iterator[tuple[Peer, InFlight]]:
    """What one of these sent, or has to answer; and with whom it lies now."""
    for peer in node.connector.peers.values():
        for flight in peer.in_flight.values():
            if peer in peers or flight.incoming in peers:
                yield peer, flight
