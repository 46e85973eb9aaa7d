"""What a node tells about itself: small values, made when asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, NamedTuple

from interledger.accounts.asset import Asset
from interledger.accounts.ledger import NO_LIMIT, LedgerAccount
from interledger.clock import Timestamp
from interledger.ilp.address import Address

if TYPE_CHECKING:
    from interledger.node.node import Node

__all__ = [
    "AtRisk",
    "Hop",
    "LinkStatus",
    "NodeStatus",
    "NotReady",
    "PeerPosition",
    "PingResult",
    "Position",
    "SpspCredentials",
    "package_version",
    "why_not_ready",
]


@dataclass(frozen=True, slots=True)
class Position:
    """Where an account stands, in its units. `room`: what it may still send us; None when there is no limit."""

    receivable: int
    payable: int
    net: int
    pending_in: int
    pending_out: int
    room: int | None

    @classmethod
    def of(cls, account: LedgerAccount | None) -> Position:
        """The position of a ledger account; of one that was never used, zeros."""
        if account is None:
            return cls(0, 0, 0, 0, 0, None)
        room = None if account.debit_max == NO_LIMIT else max(account.room, 0)
        return cls(
            account.receivable, account.payable, account.net, account.debits_pending, account.credits_pending, room
        )


@dataclass(frozen=True, slots=True)
class LinkStatus:
    """How an account is connected: `kind` is BTP, HTTP, local or none; `since` when that last changed."""

    kind: str
    up: bool
    since: Timestamp | None


@dataclass(frozen=True, slots=True)
class PeerPosition:
    """An account in two books, in units of its asset: above zero, the peer owes us. `ours` is how it stood after."""

    ours: Position
    theirs: int


@dataclass(frozen=True, slots=True)
class PingResult:
    """An answer to a ping: how long it took, and where it was a Reject its code, what it said, and who said it."""

    round_trip_ms: float
    code: str | None = None
    message: str = ""
    triggered_by: str = ""


@dataclass(frozen=True, slots=True)
class Hop:
    """A node on the way to another, how long its answer took, and the code of a Reject where that was the answer."""

    address: str
    round_trip_ms: float
    code: str | None


@dataclass(frozen=True, slots=True)
class SpspCredentials:
    """A fresh address and secret for one payer."""

    destination_account: Address
    shared_secret: bytes


class AtRisk(NamedTuple):
    """What could be lost with one peer now: what it owes us, what is on its way to it, what nobody has proved, and what
    it does not count."""

    account: str
    asset: Asset
    owed: int
    in_flight: int
    unknown: int
    unproven: int


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """The node in one look."""

    address: str
    version: str
    started_at: Timestamp
    accounts: int
    links_up: int
    in_flight: int
    packets: Mapping[str, int]
    unknown: int
    read_only: bool
    alarms: Sequence[str]
    at_risk: Sequence[AtRisk]
    taking_packets: bool

    @classmethod
    def of(cls, node: Node) -> NodeStatus:
        """That of `node`, now."""
        peers = node.connector.peers.values()
        accounts = node.accounts()
        return cls(
            address=node.address,
            version=package_version(),
            started_at=node.started_at,
            accounts=len(accounts),
            links_up=sum(node.links.status(account).up for account in accounts),
            in_flight=sum(len(peer.in_flight) for peer in peers),
            packets=node.connector.totals.with_those(peers),
            unknown=len(node.ledger.unknown),
            read_only=node.read_only,
            alarms=list(node.alarms),
            at_risk=node.books.at_risk(),
            taking_packets=node.intake.is_open,
        )


def package_version() -> str:
    """The version of this program; 0 where it was not installed."""
    try:
        return version("interledger-py")
    except PackageNotFoundError:
        return "0"


class NotReady(NamedTuple):
    """`reason`: starting, stopping, books or clock; `text`: for people. Both may be told to anybody."""

    reason: str
    text: str


def why_not_ready(node: Node) -> NotReady | None:
    """None: packets may come."""
    if not node.ready and not node.started_at:
        return NotReady("starting", "The node is starting: it opens its books")
    if not node.ready:
        return NotReady("stopping", "The node is stopping")
    if node.read_only:
        return NotReady("books", "The node cannot write its books and takes no packets (T03);  ilp status  says why")
    if not node.intake.is_open:
        return NotReady("draining", "The node was told to take no new packets (T03)")
    if node.watchdog.is_pausing:
        text = "The clock of the node's machine was set; it takes no packets (T03) until the clock was steady for 30 s"
        return NotReady("clock", text)
    return None
