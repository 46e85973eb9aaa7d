"""One peer in the exchange of routes: on which terms, how it stands, and the values that go in and out."""

from __future__ import annotations

from typing import Final, NamedTuple, final

from interledger.accounts.account import AccountId, Relation
from interledger.clock import Timestamp
from interledger.ilp.error_codes import ErrorCode
from interledger.ilp.packet import Prepare
from interledger.routing.ccp.receiver import CcpReceiver
from interledger.routing.ccp.sender import CcpSender

__all__ = ["Message", "Objection", "PeerState", "Session", "Terms"]

MESSAGES_PER_SECOND: Final = 10
"""Of one peer, with `MESSAGES_AHEAD` at once: at most one update in 150 ms comes from those we know (C4)."""

MESSAGES_AHEAD: Final = 50


class Terms(NamedTuple):
    """What we exchange with an account."""

    relation: Relation
    sends: bool
    """We tell it our routes."""
    receives: bool
    """We listen to its routes."""
    full_updates: bool = False


class Message(NamedTuple):
    """A packet for a peer. Its reply goes to `receive_reply` with the same `token`."""

    account: AccountId
    token: int
    prepare: Prepare


class Objection(NamedTuple):
    """Why a peer's message is refused."""

    code: ErrorCode
    why: str


class Session(NamedTuple):
    """How the exchange with one peer stands, for people."""

    account: AccountId
    is_up: bool
    speaker: str
    """Its address, as it says; empty before it spoke."""
    routes: int
    """Those that it announces."""
    heard_at: Timestamp | None
    expires_at: Timestamp | None
    sends_updates: bool
    """It asked for our routes."""
    acknowledged: int
    """It has this many of our `epoch` changes."""
    epoch: int
    overflowed: bool


@final
class PeerState:
    """One account's terms and the two halves of the protocol."""

    __slots__ = ("control_token", "is_up", "next_message_at", "receiver", "sender", "terms", "update_token")

    def __init__(self, terms: Terms, receiver: CcpReceiver | None, sender: CcpSender | None) -> None:
        self.terms = terms
        self.receiver = receiver
        self.sender = sender
        self.is_up = False
        self.control_token = self.update_token = 0
        """Of the requests that wait for their replies."""
        self.next_message_at = 0

    def may_speak(self, now: Timestamp) -> bool:
        """Counts a message; False when there are too many."""
        gap = 1_000 // MESSAGES_PER_SECOND
        due = max(self.next_message_at, now)
        if due - now > MESSAGES_AHEAD * gap:
            return False
        self.next_message_at = due + gap
        return True

    @property
    def has_news(self) -> bool:
        """Whether it said something that is not taken in yet."""
        return self.is_up and self.receiver is not None and self.receiver.has_news

    def timer(self) -> Timestamp | None:
        halves = (self.receiver, self.sender) if self.is_up else ()
        return min((at for half in halves if half is not None and (at := half.timer()) is not None), default=None)
