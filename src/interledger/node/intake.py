"""Whether the node takes new packets. Its operator may have it finish those it has and take no more, or stop it.

It is not kept: a node that starts takes packets.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, final

from interledger.clock import Timestamp
from interledger.connector.guards import Refused
from interledger.errors import ConflictError
from interledger.ilp.error_codes import ErrorCode
from interledger.ilp.packet import Prepare
from interledger.node.watchdog import guard_all

if TYPE_CHECKING:
    from interledger.node.node import Node

__all__ = ["Intake"]

CLOSED: Final = Refused(ErrorCode.T03_CONNECTOR_BUSY, "this node takes no new packets now; try again later")


def _refuse(prepare: Prepare, now: Timestamp, dry: bool = False) -> Refused:
    return CLOSED


@final
class Intake:
    """`node.intake`. Payments of the node's own wait as those of others do: they are told T03 and try again."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self.is_open = True
        self.is_stopping = False
        self.stopper: Callable[[], None] | None = None
        """Has the program stop that runs the node, once what is in flight was waited for. None: it cannot be told."""

    def close(self) -> None:
        """Refuse new packets (T03). What is in flight comes to its end."""
        if self.is_open:
            self.is_open = False
            self.apply()
            self._node.live.events.tell("node.draining", "the node takes no new packets", subject=self._node.address)

    def open(self) -> None:
        """Take packets again. Raises `ConflictError` when the node is on its way to stop."""
        if self.is_stopping:
            raise ConflictError("The node is being stopped: it takes packets again once it was started.")
        if not self.is_open:
            self.is_open = True
            guard_all(self._node.connector.peers.values(), _refuse, on=False)
            self._node.live.events.tell("node.resumed", "the node takes packets again", subject=self._node.address)

    def stop(self) -> None:
        """Take no more packets, wait for what is in flight, and end the program. Raises `ConflictError`."""
        if self.stopper is None:
            raise ConflictError(
                "This node cannot be stopped from here: the program that runs it, as  ilp dev up , stops it."
            )
        if not self.is_stopping:
            self.is_stopping = True
            self.close()
            self.stopper()

    def apply(self) -> None:
        """An account was attached, perhaps: it is refused as all others are."""
        if not self.is_open:
            guard_all(self._node.connector.peers.values(), _refuse, on=True)

    @property
    def in_flight(self) -> int:
        """Packets that wait for their answers."""
        return sum(len(peer.in_flight) for peer in self._node.connector.peers.values())
