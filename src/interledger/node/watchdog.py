"""Looks once a second whether the node can rely on its clock, its event loop and its peers' fulfillments.

A clock that was set tells a wrong time for every expiry; a loop that stands still lets packets expire; a peer whose
fulfillments do not fit their conditions is broken. All three are compared here, beside the path of packets.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, final

from interledger.clock import Timestamp, stopwatch_us
from interledger.connector.guards import Guard, Refused
from interledger.connector.peer import Peer
from interledger.ilp.error_codes import ErrorCode
from interledger.ilp.packet import Prepare

if TYPE_CHECKING:
    from interledger.node.node import Node

__all__ = ["Watchdog", "guard_all", "refuse_new"]

logger = logging.getLogger("interledger.node")

LOOK_MS: Final = 1_000

DRIFT_TOLD_MS: Final = 1_000
"""The clock ran so much ahead of, or behind, the machine's count of time, within a minute: somebody set it."""

DRIFT_MAX_MS: Final = 5_000
"""Beyond, no new Prepare is taken until the clock has run evenly for `STEADY_MS`: their expiries mean nothing."""

STEADY_MS: Final = 30_000

WINDOW_MS: Final = 60_000
"""A clock that is kept right by small steps does not drift by a second in this time."""

LAG_TOLD_MS: Final = 1_000
"""The loop was late by so much: whatever it did then should be done elsewhere. The log says so."""

LAG_ALARM_MS: Final = 5_000

WRONG_MAX: Final = 10
"""Fulfillments in a minute that do not fit. One may be a mistake; a peer that means well never sends so many."""

BROKEN_MS: Final = 60_000
"""So long no packet is sent to such a peer, and then it is tried again."""

CLOCK_SET: Final = Refused(
    ErrorCode.T03_CONNECTOR_BUSY, "this node's clock was set; it takes packets when it is steady"
)


STOPPING: Final = Refused(ErrorCode.T03_CONNECTOR_BUSY, "this node is being stopped; try again in a moment")


def _refuse(prepare: Prepare, now: Timestamp, dry: bool = False) -> Refused:
    return CLOCK_SET


def _refuse_stopping(prepare: Prepare, now: Timestamp, dry: bool = False) -> Refused:
    return STOPPING


def guard_all(peers: Iterable[Peer], guard: Guard, *, on: bool) -> None:
    """Have `guard` asked first for every peer that is attached, or not any more. Those that come later: call again."""
    for peer in peers:
        others = tuple(each for each in peer.guards if each is not guard)
        peer.guards = (guard, *others) if on else others


def refuse_new(peers: Iterable[Peer]) -> None:
    """The node is about to stop: it takes no new packets (T03), so that those it has come to an end."""
    guard_all(peers, _refuse_stopping, on=True)


@final
class Watchdog:
    """`run` looks; `look` is one look."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self.worst_lag_ms = 0
        """By how much the loop was late at most, since the start."""
        self._looked_ms: int | None = None
        self._base: tuple[int, int] = (0, 0)
        """A moment by the clock and by the count of time, to compare later ones with."""
        self._steady_at: int | None = None
        """When new Prepares are taken again, by the count of time; None: they are."""
        self._wrong: dict[str, tuple[int, int]] = {}
        """Of each peer: the beginning of its minute, and how many did not fit before it."""
        self._broken: dict[str, int] = {}
        """Peers that nothing is sent to, and until when."""

    @property
    def is_pausing(self) -> bool:
        """New Prepares are refused, because the clock was set."""
        return self._steady_at is not None

    async def run(self) -> None:
        """For as long as the node works."""
        while True:
            self.look(self._node.clock.now(), stopwatch_us() // 1_000)
            await asyncio.sleep(LOOK_MS / 1_000)

    def look(self, now: int, counted_ms: int) -> None:
        """`now` by the clock; `counted_ms` by the machine's count of time, which nobody can set."""
        if self._looked_ms is None:
            self._base = (now, counted_ms)
        else:
            self._look_at_lag(counted_ms - self._looked_ms - LOOK_MS)
            self._look_at_clock(now, counted_ms)
        self._looked_ms = counted_ms
        self._look_at_peers(counted_ms)
        self._node.intake.apply()

    # ------------------------------------------------------------------ K10

    def _look_at_lag(self, lag_ms: int) -> None:
        self.worst_lag_ms = max(self.worst_lag_ms, lag_ms)
        if lag_ms > LAG_ALARM_MS:
            self._node.alarm(f"this node stood still for {lag_ms} ms: is the machine overloaded, or was it asleep?")
        elif lag_ms > LAG_TOLD_MS:
            logger.warning("the event loop was blocked for %d ms", lag_ms)

    # ------------------------------------------------------------------ J7

    def _look_at_clock(self, now: int, counted_ms: int) -> None:
        drift = (now - self._base[0]) - (counted_ms - self._base[1])
        if abs(drift) > DRIFT_TOLD_MS:
            ahead = "ahead" if drift > 0 else "back"
            text = f"the clock of this machine went {ahead} by {abs(drift)} ms"
            if abs(drift) > DRIFT_MAX_MS:
                self._steady_at = counted_ms + STEADY_MS
                text += f"; new packets are refused (T03) until it was steady for {STEADY_MS // 1000} s"
            self._node.alarm(text)
        if abs(drift) > DRIFT_TOLD_MS or counted_ms - self._base[1] >= WINDOW_MS:
            self._base = (now, counted_ms)
        if self._steady_at is not None:
            self._pause(paused=counted_ms < self._steady_at)
            if counted_ms >= self._steady_at:
                self._steady_at = None
                logger.info("the clock is steady, packets are taken again")

    def _pause(self, *, paused: bool) -> None:
        guard_all(self._node.connector.peers.values(), _refuse, on=paused)

    # ------------------------------------------------------------------ A8

    def _look_at_peers(self, counted_ms: int) -> None:
        connector = self._node.connector
        for peer in list(connector.peers.values()):
            until = self._broken.get(peer.id)
            if until is not None:
                over = counted_ms >= until
                if over:
                    del self._broken[peer.id]
                    self._wrong.pop(peer.id, None)
                broken = not over or peer.account.paused
                if peer.broken is not broken:  # attached anew, or its time is over
                    peer.broken = broken
                    connector.routes_changed()
                continue
            since, before = self._wrong.setdefault(peer.id, (counted_ms, peer.wrong))
            wrong = peer.wrong - before
            if wrong >= WRONG_MAX:
                self._broken[peer.id] = counted_ms + BROKEN_MS
                peer.broken = True
                connector.routes_changed()
                self._node.alarm(
                    f"{peer.id} answered {wrong} packets with fulfillments that do not fit; nothing is sent there for"
                    f" {BROKEN_MS // 1000} s"
                )
            elif wrong < 0 or counted_ms - since >= WINDOW_MS:
                self._wrong[peer.id] = (counted_ms, peer.wrong)
        for gone in self._wrong.keys() - connector.peers.keys():
            del self._wrong[gone]
