"""Things that go wrong, on purpose: links that are slow, lossy or cut, nodes that are killed, rates that jump.

A development network only: a node by itself has neither these methods nor the paths that call them (`breaking_calls`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, final

from interledger.connector.peer import Peer
from interledger.daemon.topology import DevLink
from interledger.daemon.troubled_link import NO_TROUBLE, Trouble, TroubledLink
from interledger.errors import ConflictError, InvalidRequestError, NotFoundError
from interledger.node.node import Node

if TYPE_CHECKING:
    from interledger.daemon.dev import DevNetwork

__all__ = ["JUMP_PERCENT_MAX", "JUMP_PERCENT_MIN", "Breaking"]

JUMP_PERCENT_MIN: Final = -90
JUMP_PERCENT_MAX: Final = 900
"""A tenth to ten times: what a market does at its worst."""

RATE_PLACES: Final = 12


@final
class Breaking:
    """What is broken in a network. Nothing of it is kept: a network that starts is whole."""

    def __init__(self, network: DevNetwork) -> None:
        self._network = network
        self._troubles: dict[tuple[str, str], Trouble] = {}
        self._jumps: dict[str, int] = {}

    @property
    def nodes(self) -> Mapping[str, Node]:
        """Those that run, by name."""
        return self._network.nodes

    def document(self) -> dict[str, Any]:
        """Nodes, links and rates, and what is wrong with each."""
        topology, running = self._network.topology, self._network.nodes
        return {
            "nodes": [{"name": spec.name, "running": spec.name in running} for spec in topology.nodes],
            "links": [
                {
                    "left": link.left,
                    "right": link.right,
                    "kind": link.kind,
                    "asset_code": link.asset.code,
                    **self._troubles.get((link.left, link.right), NO_TROUBLE)._asdict(),
                }
                for link in topology.links
            ],
            "rates": [
                {"code": code, "value": self._rates()[code], "jump_percent": self._jumps.get(code, 0)}
                for code in sorted({link.asset.code for link in topology.links})
                if code in topology.values
            ],
        }

    def trouble(self, left: str, right: str, trouble: Trouble) -> None:
        """From now on the link between two nodes is so, both ways. Raises `NotFoundError`."""
        link = self._link(left, right)
        if trouble == NO_TROUBLE:
            self._troubles.pop((link.left, link.right), None)
        else:
            self._troubles[link.left, link.right] = trouble
        for name, other in ((link.left, link.right), (link.right, link.left)):
            if name in self._network.nodes:
                _apply(self._network.nodes[name], other, trouble)

    async def kill(self, name: str) -> None:
        """The node is gone from one moment to the next: what it would still say is not heard.

        Raises `NotFoundError`, `ConflictError` for a node that does not run.
        """
        self._spec(name)
        if name not in self._network.nodes:
            raise ConflictError(f"{name} does not run")
        for other in self._network.topology.neighbours(name):
            _apply(self._network.nodes[name], other, Trouble(cut=True))
        await self._network.stop_node(name)

    async def start(self, *names: str) -> None:
        """Killed nodes run again, with the books they had. Raises `NotFoundError`, `ConflictError`."""
        for name in names:
            self._spec(name)
            if name in self._network.nodes:
                raise ConflictError(f"{name} runs")
        await self._network.start_nodes(names)
        for name in names:
            await self._network.nodes[name].set_rates(self._rates())
        for (left, right), trouble in list(self._troubles.items()):
            if left in names or right in names:
                self.trouble(left, right, trouble)

    async def jump(self, code: str, percent: int) -> None:
        """What one unit is worth is that much more or less than usual, at every node. Raises `NotFoundError`."""
        if code not in self._network.topology.values:
            raise NotFoundError(f"this network has no rate of {code}")
        if not JUMP_PERCENT_MIN <= percent <= JUMP_PERCENT_MAX:
            raise InvalidRequestError(f"a rate jumps by {JUMP_PERCENT_MIN} to {JUMP_PERCENT_MAX} percent")
        self._jumps[code] = percent
        if not percent:
            del self._jumps[code]
        for node in list(self._network.nodes.values()):
            await node.set_rates(self._rates())

    async def mend(self) -> None:
        """Everything is put back."""
        for left, right in list(self._troubles):
            self.trouble(left, right, NO_TROUBLE)
        self._jumps.clear()
        await self.start(*(spec.name for spec in self._network.topology.nodes if spec.name not in self._network.nodes))
        for node in list(self._network.nodes.values()):
            await node.set_rates(self._rates())

    def _rates(self) -> dict[str, str]:
        usual: Mapping[str, str] = self._network.topology.values
        return {code: _jumped(value, self._jumps.get(code, 0)) for code, value in usual.items()}

    def _spec(self, name: str) -> None:
        if not any(spec.name == name for spec in self._network.topology.nodes):
            raise NotFoundError(f"this network has no node {name}")

    def _link(self, left: str, right: str) -> DevLink:
        for link in self._network.topology.links:
            if {link.left, link.right} == {left, right}:
                return link
        raise NotFoundError(f"this network has no link between {left} and {right}")


def _apply(node: Node, other: str, trouble: Trouble) -> None:
    """To whatever leads from the node to the other one."""
    now = node.clock.now()
    for peer in _peers(node, other):
        link = peer.link
        if not isinstance(link, TroubledLink):
            link = TroubledLink(link, node.connector, peer.id, node.clock, node.entropy)
            peer.link = link
        was, link.trouble = link.trouble, trouble
        if trouble.cut and not was.cut:
            link.close()
            node.links.held_down.add(peer.account.id)
            node.connector.link_lost(peer.id, now)
        elif was.cut and not trouble.cut:
            node.links.let_up(peer.account.id, now)


def _peers(node: Node, other: str) -> Iterator[Peer]:
    return (peer for peer in list(node.connector.peers.values()) if peer.account.id == other and not peer.is_local)


def _jumped(value: str, percent: int) -> str:
    """`0.9213` and 10 -> `1.01343`: exact, or cut to `RATE_PLACES`."""
    if not percent:
        return value
    exact = Fraction(value) * (100 + percent) / 100 * 10**RATE_PLACES
    units = exact.numerator // exact.denominator
    digits = str(max(units, 1)).rjust(RATE_PLACES + 1, "0")
    return f"{digits[:-RATE_PLACES]}.{digits[-RATE_PLACES:]}".rstrip("0").rstrip(".")
