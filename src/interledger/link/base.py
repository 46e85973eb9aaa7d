"""What a link is, and what it delivers to: the interfaces between the connector and everything that carries packets.

Everything that can answer a Prepare is a link: a peer across the sea, the STREAM receiver of this node, the simulator.
"""

from __future__ import annotations

from typing import NewType, Protocol, runtime_checkable

from interledger.accounts.account import AccountId
from interledger.clock import Timestamp
from interledger.ilp.packet import Prepare, Reject, Reply

__all__ = ["AskingLink", "BoundedLink", "Link", "PacketHandler", "RememberingLink", "RequestId"]

RequestId = NewType("RequestId", int)
"""Correlates a reply with its Prepare, on one link and in one direction. Whoever sends the Prepare chooses it."""


class PacketHandler(Protocol):
    """What a link delivers to: the connector, or one end of a payment. Every method returns at once.

    `account` is the name the link was given when it was attached. `now` is read once per read of a socket.
    """

    def receive_prepare(
        self, account: AccountId, request_id: RequestId, prepare: Prepare, now: Timestamp
    ) -> Reply | None:
        """A Prepare came in. The answer, or None when it will come by `Link.send_reply` with the same id."""
        ...

    def receive_reply(self, account: AccountId, request_id: RequestId, reply: Reply, now: Timestamp) -> None:
        """The peer answered, or the link knows that the peer never got the Prepare (a Reject it made itself)."""
        ...

    def receive_no_reply(self, account: AccountId, request_id: RequestId, reject: Reject, now: Timestamp) -> None:
        """The link gave up on a Prepare that the peer may have got: answer with `reject`, outcome unknown."""
        ...

    def link_lost(self, account: AccountId, now: Timestamp) -> None:
        """The link is down. Nothing is decided by that: a lost peer may still hold a fulfillment until expiry."""
        ...


class Link(Protocol):
    """The authenticated channel to one peer. Every method returns at once; none waits, none raises for a slow peer."""

    def send_prepare(self, request_id: RequestId, prepare: Prepare) -> None:
        """Send a Prepare. When it cannot be sent, the handler gets a Reject for it by `receive_reply`, not an error."""
        ...

    def send_reply(self, request_id: RequestId, reply: Reply) -> None:
        """Answer a Prepare that came in over this link."""
        ...

    def ready(self) -> bool:
        """False: down, or its bounded queue is full. The connector answers T01 or T02 then; it never buffers."""
        ...


@runtime_checkable
class BoundedLink(Link, Protocol):
    """A link that can say why it is not ready."""

    def is_full(self) -> bool:
        """Asked when it is not ready: the peer is there, and as much waits for it as may (T02 rather than T01)."""
        ...


@runtime_checkable
class RememberingLink(Link, Protocol):
    """A link whose peer may repeat a request and gets the same answer, over restarts too."""

    def keep_reply(self, request_id: RequestId, reply: Reply) -> None:
        """`reply` will be sent once the execution of its packet is written: let it be written in the same commit."""
        ...

    def unkeep_reply(self, request_id: RequestId, reply: Reply) -> None:
        """That commit failed, and `reply` must not be heard: until a restart finds what is written, say nothing."""
        ...


@runtime_checkable
class AskingLink(Link, Protocol):
    """A link whose peer gives the same answer when it is asked again, after our restart too."""

    def keep_prepare(self, hold_id: int, request_id: RequestId, prepare: Prepare) -> None:
        """`prepare` will be sent once its hold is written: let it be written in the same commit, so that it can be
        asked again."""
        ...
