"""What we tell one peer: nothing until it asks, then what it has not acknowledged, and signs of life."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, final

from interledger.clock import Timestamp
from interledger.routing.ccp.log import ForwardingLog, LogEntry
from interledger.routing.ccp.messages import (
    ROUTES_MAX,
    UPDATE_OCTETS_MAX,
    AnnouncedRoute,
    Mode,
    RouteControl,
    RouteUpdate,
)
from interledger.routing.ccp.protocol import UPDATE_GAP_MS, Answer, Timing

__all__ = ["CcpSender"]

ENTRIES_MAX: Final = 50
"""Log entries in one update (CC-11)."""


@final
class CcpSender:
    """What we tell one peer of `log`. `may_be_told` says which of its entries the peer gets as routes; of all others it
    hears that they are withdrawn, so that it can never keep what is not for it.

    `full`: for a peer that keeps no epoch (the Java connector), everything in one update whenever something changed.
    """

    def __init__(
        self,
        log: ForwardingLog,
        timing: Timing,
        may_be_told: Callable[[LogEntry], bool],
        new_table_id: Callable[[], bytes],
        *,
        full: bool = False,
    ) -> None:
        self.mode = Mode.IDLE
        self.acknowledged = 0
        """The peer has every entry before this epoch."""
        self._log = log
        self._timing = timing
        self._may_be_told = may_be_told
        self._new_table_id = new_table_id
        self._full = full
        self.table_id = new_table_id()
        self._generation = log.generation
        self._is_up = False
        self._sent_to: int | None = None
        """The end of the update that waits for its reply."""
        self._sent_at = Timestamp(0)
        self._not_before = Timestamp(0)
        self._failures = 0

    # ------------------------------------------------------------------ the peer and its link

    def start(self, now: Timestamp) -> None:
        """The link is up. A peer that asked before is told everything again: it may have missed what was under way."""
        self._is_up = True
        self._failures = 0
        self.acknowledged = 0
        self._sent_to = None
        self._not_before = now

    def stop(self) -> None:
        """The link is down."""
        self._is_up = False
        self._sent_to = None

    def receive_control(self, control: RouteControl, now: Timestamp) -> None:
        """The peer says what it has and whether it wants more."""
        self.mode = control.mode
        self._sent_to = None
        self._failures = 0
        self._not_before = Timestamp(max(now, self._sent_at + UPDATE_GAP_MS))
        self.acknowledged = 0
        if control.table_id == self.table_id and self._generation == self._log.generation:
            if control.epoch > self._log.epoch:
                self.table_id = self._new_table_id()  # it has what we never said: begin anew
            else:
                self.acknowledged = control.epoch

    # ------------------------------------------------------------------ telling

    def update_to_send(self, speaker: str, now: Timestamp) -> RouteUpdate | None:
        """The next update, when it is time for one."""
        due = self.timer()
        if due is None or now < due:
            return None
        self._sent_to = None  # no reply came: what it said is said again (CC-12)
        log = self._log
        if self._generation != log.generation or 0 < self.acknowledged < log.floor:
            self._generation = log.generation
            self.table_id, self.acknowledged = self._new_table_id(), 0
        first = 0 if self._full else self.acknowledged
        new, withdrawn, last = self._collect(first)
        self._sent_at = now
        self._sent_to = last
        return RouteUpdate(
            self.table_id, log.epoch, first, last, self._timing.expiry_ms, speaker, tuple(new), tuple(withdrawn)
        )

    def _collect(self, first: int) -> tuple[list[AnnouncedRoute], list[str], int]:
        """New routes and withdrawals from epoch `first` on, as many as fit, and the epoch behind the last of them."""
        new: list[AnnouncedRoute] = []
        withdrawn: list[str] = []
        entries_max = ROUTES_MAX if self._full else ENTRIES_MAX
        octets = 0
        log = self._log
        for count, entry in enumerate(log.entries_from(first)):
            told = entry.export if entry.export is not None and self._may_be_told(entry) else None
            octets += 4 + (len(entry.prefix) if told is None else len(told.route.encode()))
            if count >= entries_max or octets > UPDATE_OCTETS_MAX:
                return new, withdrawn, log.epoch if self._full else entry.epoch
            if told is None:
                withdrawn.append(entry.prefix)
            else:
                new.append(told.route)
        return new, withdrawn, log.epoch

    def receive_answer(self, answer: Answer, now: Timestamp) -> None:
        """How the update that is under way ended."""
        if self._sent_to is None:
            return
        if answer is Answer.DONE:
            self.acknowledged = max(self._sent_to, self.acknowledged)
            self._failures = 0
            self._not_before = Timestamp(self._sent_at + UPDATE_GAP_MS)
        elif answer is Answer.REFUSED:
            self.mode = Mode.IDLE  # for good: it has to ask again (CCP-4)
        else:
            delay = min(UPDATE_GAP_MS << min(self._failures, 16), self._timing.reply_ms)
            self._not_before = Timestamp(now + delay)
            self._failures += 1
        self._sent_to = None

    # ------------------------------------------------------------------ time

    def timer(self) -> Timestamp | None:
        """When the next update is due; None while the peer wants none or cannot be reached."""
        if not self._is_up or self.mode is not Mode.SYNC:
            return None
        if self._sent_to is not None:
            return Timestamp(self._sent_at + self._timing.reply_ms)
        if self.acknowledged != self._log.epoch or self._generation != self._log.generation or self._failures:
            return self._not_before
        return Timestamp(self._sent_at + self._timing.interval_ms)
