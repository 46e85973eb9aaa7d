"""One counterpart at run time: its account, the link to it, what it may send, and what it owes an answer to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, final

from interledger.accounts.account import Account, AccountId
from interledger.accounts.asset import Asset
from interledger.accounts.ledger import LedgerAccount, Unknown
from interledger.clock import Timestamp
from interledger.connector.crossing import Crossing
from interledger.connector.guards import Guard
from interledger.connector.in_flight import NEVER, InFlight
from interledger.ilp.packet import Reply
from interledger.link.base import AskingLink, BoundedLink, Link, RememberingLink, RequestId

__all__ = ["Peer", "local_id", "outside_of_books"]

GAVE_UP_KEPT: Final = 1_000
"""Request ids we gave up on and would still recognise, per peer: a late Fulfill is then kept as evidence."""


def local_id(account_id: AccountId) -> AccountId:
    """The name under which an account's own sender and receiver on this node are attached, beside its link."""
    return AccountId(account_id + "/local")


def outside_of_books(name: str, asset: Asset) -> LedgerAccount:
    """What stands for the ledger account of a peer that only asks: no entry can name its index."""
    return LedgerAccount(-1, name, asset)


def _never() -> bool:
    return False


def _say_nothing(request_id: RequestId, reply: Reply) -> None:
    """The peer's packet expires, and is unknown to it: whether the record is on the disk is unknown to us."""


@final
class Peer:
    """Mutable, one per attached link. `is_local`: the link ends in this process, so a Prepare on it has not left us."""

    __slots__ = (
        "_limits",
        "account",
        "answered",
        "broken",
        "cancel",
        "crossings",
        "fulfilled",
        "gave_up",
        "guards",
        "id",
        "in_flight",
        "is_full",
        "is_local",
        "keep_prepare",
        "keep_reply",
        "late",
        "ledger_account",
        "link",
        "next_deadline",
        "next_request_id",
        "prepares",
        "ready_at",
        "refused",
        "rejected",
        "unsay",
        "wrong",
    )

    def __init__(
        self,
        peer_id: AccountId,
        account: Account,
        link: Link,
        ledger_account: LedgerAccount,
        guards: tuple[Guard, ...],
        *,
        is_local: bool,
        cancel: Callable[[Any, Any], None],
        first_request_id: int,
    ) -> None:
        self.id = peer_id
        self.account = account
        self.link = link
        self.ledger_account = ledger_account
        self.guards = self._limits = guards
        self.is_local = is_local
        self.cancel = cancel
        """Called with (request id, prepare) when a Prepare to this peer could not be written down and was not sent."""
        self.keep_prepare = link.keep_prepare if isinstance(link, AskingLink) else None
        """Called with (hold id, request id, Prepare) before the commit of its hold; None for most links."""
        self.keep_reply = link.keep_reply if isinstance(link, RememberingLink) else None
        """Called with an answer before the commit that executes its packet; None for most links."""
        self.unsay = link.unkeep_reply if isinstance(link, RememberingLink) else _say_nothing
        """Called with (request id, reply) instead of a Fulfill that could not be written down."""
        self.is_full = link.is_full if isinstance(link, BoundedLink) else _never
        """Why the link is not ready: it is there, and too much waits."""
        self.in_flight: dict[RequestId, InFlight] = {}
        self.next_deadline: int = NEVER
        """Before this, none of them is due."""
        self.gave_up: dict[RequestId, Unknown] = {}
        self.crossings: dict[AccountId, Crossing] = {}
        """How amounts go from this peer to others, until their rates expire."""
        self.next_request_id = RequestId(first_request_id & 0xFFFFFFFF)
        self.ready_at: int = NEVER
        """When the link last said that it is ready."""
        # Counters: plain integers, read by whoever exports them. The first five are of the peer as incoming side.
        self.prepares = 0
        self.answered = 0
        self.fulfilled = 0
        self.rejected = 0
        self.refused = 0
        self.late = 0
        """Replies of this peer that came when nobody waited any more."""
        self.wrong = 0
        """Fulfillments of this peer that did not fit."""
        self.broken = False
        """Too many of them: nothing is sent there for a while."""

    def is_ready(self, now: Timestamp) -> bool:
        """Whether a Prepare can leave on the link. One yes holds for all packets of this millisecond: `send_prepare`
        refuses what does not fit after all."""
        if not self.link.ready():
            return False
        self.ready_at = now
        return True

    def change_limits(self, guards: tuple[Guard, ...]) -> None:
        """Other guards for its limits; those that others put before and behind them stay."""
        at = self.guards.index(self._limits[0]) if self._limits else 0
        self.guards = (*self.guards[:at], *guards, *self.guards[at + len(self._limits) :])
        self._limits = guards

    def take_over(self, left: Peer) -> None:
        """The same counterpart with other settings: it still owes the replies that it owed, under their numbers.

        `left` shares them from now on: what waits for a commit may still be cancelled in its name.
        """
        self.in_flight, self.gave_up = left.in_flight, left.gave_up
        self.next_request_id = left.next_request_id
        self.broken = left.broken
        for flight in self.in_flight.values():
            flight.outgoing = self

    def __repr__(self) -> str:
        return f"<Peer {self.id} {self.account.asset} in_flight={len(self.in_flight)}>"
