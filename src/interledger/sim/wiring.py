"""Plugs: what makes a node's link anew for every process, with the auditor's ear between link and connector."""

from __future__ import annotations

from collections.abc import Callable
from typing import final

from interledger.accounts.account import Account, AccountId
from interledger.accounts.asset import Asset
from interledger.connector.peer import local_id
from interledger.ilp.address import Address
from interledger.link.base import Link, PacketHandler
from interledger.sim.auditor import Auditor, Port, Station
from interledger.sim.network import NO_FAULTS, Faults, SimLink, SimWire
from interledger.sim.node import Attachment, SimNode
from interledger.sim.world import World

__all__ = ["Ear", "MessagePlug", "attach_end", "end_link", "node_link"]


@final
class Ear:
    """A `Tap` that tells the auditor."""

    def __init__(self, auditor: Auditor, station: Station, port: Port) -> None:
        self._auditor = auditor
        self._station = station
        self.port = port

    def sent(self, request_id: int, octets: bytes) -> None:
        self._auditor.sent(self._station, self.port, request_id, octets)

    def received(self, request_id: int, octets: bytes) -> None:
        self._auditor.received(self._station, self.port, request_id, octets)

    def disturbed(self, fault: str, state: str, condition: bytes) -> None:
        self._auditor.coverage.events[fault] += 1
        if condition:
            self._auditor.mark(self._station, condition, fault, state)


@final
class MessagePlug:
    """One end of a link of messages: it is the same one in every life of the node."""

    def __init__(self, link: SimLink) -> None:
        self.link = link

    def start(self, node: SimNode) -> Link:
        return self.link

    def started(self, node: SimNode) -> None:
        self.link.on_up = lambda: node.link_up(self.link.account)
        node.link_up(self.link.account)

    def stop(self, node: SimNode, *, silently: bool) -> None:
        """The network does not know."""


def node_link(node: SimNode, account_name: str, faults: Faults, peer_id: str, *, local: bool = False) -> SimLink:
    """A node's end of a link of messages."""
    port = Port(account_name, f"{node.address} {peer_id}", local=local)
    ear = Ear(node.auditor, node.station, port)
    return SimLink(node.world, faults, AccountId(peer_id), node.handler, ear, node.busy_ms, node.clock)


def end_link(world: World, faults: Faults, name: str, handler: Callable[[], PacketHandler | None]) -> SimLink:
    """The end of somebody who keeps no books."""
    return SimLink(world, faults, AccountId(name), handler)


def attach_end(node: SimNode, name: str, end: PacketHandler, asset: Asset) -> SimLink:
    """Give a sender or receiver an account of its own at `node`. Returns its end of the link."""
    account = Account(id=AccountId(name), asset=asset, ilp_address=Address(f"{node.address}.{name}"))
    peer_id = local_id(account.id)
    inner = node_link(node, account.ledger_name, NO_FAULTS, peer_id, local=True)
    outer = end_link(node.world, NO_FAULTS, name, lambda: end)
    SimWire(inner, outer)
    node.attach(Attachment(peer_id, account, MessagePlug(inner), is_local=True))
    return outer
