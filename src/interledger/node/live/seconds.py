"""What moved in each of the last seconds and minutes, and where each account stood: by differences, once a beat.

No packet is counted here: every beat reads the counters that peers and the ledger have anyway. All of it is of this run
of the node.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple, final

from interledger.accounts.account import AccountId
from interledger.accounts.asset import Asset
from interledger.clock import Timestamp
from interledger.node.live.history import History
from interledger.node.live.worth import Worth

if TYPE_CHECKING:
    from interledger.node.node import Node

__all__ = ["MINUTES_KEPT", "SECONDS_KEPT", "Flow", "PositionPoint", "Seconds"]

SECONDS_KEPT: Final = 120
"""Squares of the ribbon: a page shows 60 to 90 of them."""

MINUTES_KEPT: Final = 1_440
"""A day: what "today" sums up, and what the chart of throughput shows."""

SECOND_MS: Final = 1_000
MINUTE_MS: Final = 60_000


class Flow(NamedTuple):
    """What happened from `at` on, for one second or one minute. `moved`: per asset, what peers brought."""

    at: Timestamp
    prepares: int = 0
    fulfilled: int = 0
    rejected: int = 0
    in_flight: int = 0
    moved: dict[Asset, int] = {}  # noqa: RUF012  # never changed: a new one is made for every sum

    def plus(self, other: Flow) -> Flow:
        """Both; what is in flight is that of the later one."""
        moved = dict(self.moved)
        for asset, amount in other.moved.items():
            moved[asset] = moved.get(asset, 0) + amount
        return Flow(
            self.at,
            self.prepares + other.prepares,
            self.fulfilled + other.fulfilled,
            self.rejected + other.rejected,
            other.in_flight,
            moved,
        )


class PositionPoint(NamedTuple):
    """Where an account stood. Above zero it owes us."""

    at: Timestamp
    net: int
    pending_in: int
    pending_out: int


@final
class Seconds:
    """`beat` once a second while something moves or somebody looks."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self.worth = Worth(node)
        self.seconds: deque[Flow] = deque(maxlen=SECONDS_KEPT)
        self.minutes: deque[Flow] = deque(maxlen=MINUTES_KEPT)
        self.rates: dict[AccountId, tuple[int, int, int]] = {}
        """Account -> packets from it and to it in the last second, and how many of its own were rejected."""
        self._at = Timestamp(0)
        self._totals: dict[str, int] = {}
        self._packets: dict[AccountId, tuple[AccountId, int, int, int]] = {}
        self._moved: dict[Asset, int] = {}
        self._histories: dict[AccountId, History[PositionPoint]] = {}

    def start(self, now: Timestamp) -> None:
        """What was before does not count."""
        self._at, self._totals = now, self._count_totals()
        self._moved, self._packets = self._count_moved(), self._count_packets()

    def beat(self, now: Timestamp) -> None:
        """A second is over; several may be, in which nothing moved."""
        before, self._totals = self._totals, self._count_totals()
        diff = {name: count - before.get(name, 0) for name, count in self._totals.items()}
        moved, self._moved = self._moved, self._count_moved()
        brought = {asset: amount - moved.get(asset, 0) for asset, amount in self._moved.items()}
        flow = Flow(
            Timestamp((now - 1) // SECOND_MS * SECOND_MS),
            diff["prepares"],
            diff["fulfilled"] + diff["answered"],
            diff["rejected"] + diff["refused"],
            sum(len(peer.in_flight) for peer in self._node.connector.peers.values()),
            {asset: amount for asset, amount in brought.items() if amount > 0},
        )
        if not self.seconds or flow.at > self.seconds[-1].at:
            self.seconds.append(flow)
        else:
            self.seconds[-1] = self.seconds[-1].plus(flow)
        self._add_to_minute(flow)
        self._count_rates()
        self._at = now
        self._note_positions(now)

    def last(self, now: Timestamp, count: int) -> list[Flow]:
        """The last `count` whole seconds, oldest first; those in which nothing was looked at are empty."""
        by_second = {flow.at: flow for flow in self.seconds}
        newest = (now // SECOND_MS - 1) * SECOND_MS
        times = (Timestamp(newest - back * SECOND_MS) for back in range(count - 1, -1, -1))
        return [by_second.get(at) or Flow(at) for at in times]

    def day(self, now: Timestamp) -> Flow:
        """The last 24 hours, or since the node started."""
        total = Flow(now)
        for minute in self.minutes:
            if minute.at > now - MINUTES_KEPT * MINUTE_MS:
                total = total.plus(minute)
        return total

    def is_fresh(self, now: Timestamp) -> bool:
        """Whether `rates` are of the last two seconds: an idle node has no beat."""
        return now - self._at <= 2 * SECOND_MS

    def packets_per_second(self, account_id: AccountId, now: Timestamp) -> tuple[int, int, int]:
        """From the account and to it, in the last second, and how many from it were rejected."""
        return self.rates.get(account_id, (0, 0, 0)) if self.is_fresh(now) else (0, 0, 0)

    def history(self, account_id: AccountId) -> list[PositionPoint]:
        """Where the account stood, oldest first."""
        found = self._histories.get(account_id)
        return [] if found is None else list(found.points)

    # ------------------------------------------------------------------ counters

    def _add_to_minute(self, flow: Flow) -> None:
        at = Timestamp(flow.at // MINUTE_MS * MINUTE_MS)
        if self.minutes and self.minutes[-1].at == at:
            self.minutes[-1] = self.minutes[-1].plus(flow)
        else:
            self.minutes.append(flow._replace(at=at))

    def _count_totals(self) -> dict[str, int]:
        return self._node.connector.totals.with_those(self._node.connector.peers.values())

    def _count_rates(self) -> None:
        """Per account, over its links. Ids of requests go up by one per packet and begin anywhere."""
        before, self._packets = self._packets, self._count_packets()
        rates: dict[AccountId, tuple[int, int, int]] = {}
        for peer_id, (account_id, prepares, next_id, rejected) in self._packets.items():
            _, old_prepares, old_next_id, old_rejected = before.get(peer_id, (account_id, 0, next_id, 0))
            came, went, refused = rates.get(account_id, (0, 0, 0))
            sent = (next_id - old_next_id) & 0xFFFFFFFF
            rates[account_id] = came + prepares - old_prepares, went + sent, refused + rejected - old_rejected
        self.rates = rates

    def _count_packets(self) -> dict[AccountId, tuple[AccountId, int, int, int]]:
        return {
            peer.id: (peer.account.id, peer.prepares, peer.next_request_id, peer.rejected + peer.refused)
            for peer in self._node.connector.peers.values()
        }

    def _count_moved(self) -> dict[Asset, int]:
        """What accounts brought, without what settlements moved."""
        found: dict[Asset, int] = {}
        for line in self._node.ledger.accounts:
            kind, _, name = line.name.partition("/")
            if kind in ("peer", "local"):
                sign = 1 if "/" not in name else -1 if name.endswith("/transit") else 0
                amount = line.debits_posted if sign == 1 else line.credits_posted
                found[line.asset] = found.get(line.asset, 0) + sign * amount
        return found

    def _note_positions(self, now: Timestamp) -> None:
        accounts = self._node.accounts()
        for account in accounts:
            line = self._node.ledger.find(account.ledger_name, account.asset)
            if line is not None:
                point = PositionPoint(now, line.net, line.debits_pending, line.credits_pending)
                self._histories.setdefault(account.id, History()).add(point)
        if len(self._histories) > len(accounts):
            there = {account.id for account in accounts}
            self._histories = {name: one for name, one in self._histories.items() if name in there}
