"""Both halves of CCP with one peer: what it tells us (`CcpReceiver`), what we tell it (`CcpSender`).

    receiver   asks with a RouteControl when the link comes up; takes updates; asks again after a gap, and when
               nothing was heard for the hold-down time, after which all the peer's routes are gone
    sender     idle until it is asked; then sends what the peer has not acknowledged, at most 50 entries an update, or
               an empty update now and then so that the routes stay alive

Neither knows what the routes are good for (`speaker.py`), a socket, or a clock: `now` comes in, messages go out.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable, Iterator
from itertools import chain, islice
from typing import Final, final

from interledger.clock import Timestamp
from interledger.routing.ccp.log import ForwardingLog, LogEntry
from interledger.routing.ccp.messages import (
    NO_TABLE,
    ROUTES_MAX,
    UPDATE_OCTETS_MAX,
    AnnouncedRoute,
    Mode,
    RouteControl,
    RouteUpdate,
)
from interledger.routing.ccp.policy import LearnedRoute

__all__ = ["Answer", "CcpReceiver", "CcpSender", "Timing"]

ENTRIES_MAX: Final = 50
"""Log entries in one update (CC-11)."""

UPDATE_GAP_MS: Final = 150
"""Between two updates to one peer (CC-11)."""

GAP_ASK_MS: Final = 1_000
"""After a gap we ask again at most so often (D-12)."""

HOLD_DOWN_MAX_MS: Final = 600_000
"""What we believe at most: a peer that is silent for ten minutes is gone, whatever it said."""

REFUSED_AFTER: Final = (1, 10, 60)
"""A peer that refuses to talk of routes is asked again after so many intervals, and then not until its link comes up
again: 30 s (it may have been starting), 5 min, 30 min."""

ROUTES_PER_PEER_MAX: Final = 10_000
"""More than a whole network of today has; ten such peers fill a table of 100,000 (C4)."""


class Timing:
    """The times of the exchange, ms. The defaults are ilp-connector's."""

    __slots__ = ("expiry_ms", "interval_ms", "reply_ms")

    def __init__(self, interval_ms: int = 30_000, expiry_ms: int = 45_000) -> None:
        """`interval_ms`: between two signs of life. `expiry_ms`: how long our routes are good without one."""
        self.interval_ms = interval_ms
        self.expiry_ms = expiry_ms
        self.reply_ms = max(interval_ms // 3, UPDATE_GAP_MS)
        """When an update counts as lost: soon enough for another one before the routes expire."""


class Answer(enum.Enum):
    """How a request to a peer ended."""

    DONE = "done"
    REFUSED = "refused"
    """A final Reject: the peer does not do this."""
    LOST = "lost"
    """No reply, or a Reject for now."""


@final
class CcpReceiver:
    """What one peer announces. `routes` is what it has told us, by prefix: replaced as a whole when it starts anew."""

    def __init__(self, timing: Timing, *, routes_max: int = ROUTES_PER_PEER_MAX) -> None:
        self.table_id = NO_TABLE
        self.epoch = 0
        self.routes: dict[str, LearnedRoute] = {}
        self.speaker = ""
        self.heard_at: Timestamp | None = None
        self.expires_at: Timestamp | None = None
        """When all is forgotten unless something is heard; None while we expect nothing."""
        self.expired = False
        """It was silent for too long, and has not spoken since."""
        self.overflowed = False
        """It has more routes than we take from one peer."""
        self._news: deque[Iterator[str | AnnouncedRoute]] = deque()
        """What was said and is not in `routes` yet: prefixes that are withdrawn, and routes. No more than a peer may
        say in a few seconds (`session.py`)."""
        self._timing = timing
        self._routes_max = routes_max
        self._ask_at: Timestamp | None = None
        self._asked_at = Timestamp(0)
        self._refusals = 0

    # ------------------------------------------------------------------ asking

    def start(self, now: Timestamp) -> None:
        """The link is up: ask."""
        self._refusals = 0
        self.expired = False
        self._ask_at = now

    def stop(self) -> dict[str, LearnedRoute]:
        """The link is down: nothing that was said on it counts any more. Returns the routes that are gone."""
        self._ask_at = self.expires_at = None
        return self._forget()

    def control_to_send(self, now: Timestamp) -> RouteControl | None:
        """The question, when it is time to ask."""
        if self._ask_at is None or now < self._ask_at:
            return None
        self._asked_at = now
        self._ask_at = Timestamp(now + self._timing.interval_ms)  # for a question that is lost
        return RouteControl(Mode.SYNC, self.table_id, self.epoch)

    def receive_answer(self, answer: Answer, now: Timestamp) -> None:
        """How the question ended."""
        if answer is Answer.DONE:
            self._ask_at = None
            self._refusals = 0
            self._expect(self._timing.expiry_ms, now)
        elif answer is Answer.REFUSED:
            waits = REFUSED_AFTER[self._refusals] if self._refusals < len(REFUSED_AFTER) else None
            self._ask_at = None if waits is None else Timestamp(now + waits * self._timing.interval_ms)
            self._refusals += 1

    def knows_ccp(self, now: Timestamp) -> None:
        """The peer asked or told us something, so it speaks CCP: if it refused before, ask again soon."""
        if self._refusals:
            self._refusals = 0
            self._ask_at = Timestamp(max(now, self._asked_at + GAP_ASK_MS))

    # ------------------------------------------------------------------ being told

    def receive_update(self, update: RouteUpdate, now: Timestamp) -> None:
        """Note what it says, for `take_some` to work off.

        What was learned from an older table has to be dropped by the caller before (`starts_anew`).
        """
        self.heard_at = now
        self.expired = False
        self.speaker = update.speaker
        self._expect(min(update.hold_down_ms, HOLD_DOWN_MAX_MS), now)
        if update.from_epoch > self.epoch:  # CC-02
            self._ask_again(now)
        elif update.to_epoch >= self.epoch:  # CC-04
            self.epoch = update.to_epoch
            self._news.append(chain(update.withdrawn_routes, update.new_routes))

    def starts_anew(self, update: RouteUpdate) -> dict[str, LearnedRoute]:
        """CC-03: under another table id nothing that was learned counts. Returns the routes that are gone (D-11)."""
        if update.table_id == self.table_id:
            return {}
        gone = self._forget()
        self.table_id = update.table_id
        return gone

    @property
    def has_news(self) -> bool:
        """Whether `take_some` has something to do."""
        return bool(self._news)

    def take_some(self, count: int, take_in: Callable[[AnnouncedRoute], LearnedRoute | None]) -> list[str]:
        """Work off `count` of the entries that wait. Returns the prefixes of which something else is true now.

        `take_in` judges a route, None: it cannot be one.
        """
        routes, changed = self.routes, []
        while self._news and count > 0:
            for said in islice(self._news[0], count):
                count -= 1
                if isinstance(said, str):
                    prefix, new = said, None
                else:
                    prefix, new = said.prefix, take_in(said)
                old = routes.get(prefix)
                if new is None:
                    if old is not None:
                        del routes[prefix]
                        changed.append(prefix)
                elif old is None and len(routes) >= self._routes_max:
                    self.overflowed = True
                elif old is None or old[:5] != new[:5]:  # everything but since when
                    routes[prefix] = new
                    changed.append(prefix)
            if count > 0:
                self._news.popleft()
        return changed

    # ------------------------------------------------------------------ time

    def timer(self) -> Timestamp | None:
        """When something is due."""
        due = [at for at in (self._ask_at, self.expires_at) if at is not None]
        return min(due, default=None)

    def handle_timer(self, now: Timestamp) -> dict[str, LearnedRoute]:
        """CC-06, D-13: after the hold-down time all routes of the peer go, and it is asked again."""
        if self.expires_at is None or now < self.expires_at:
            return {}
        self.expires_at = None
        self.expired = self.table_id != NO_TABLE
        self._ask_at = now
        return self._forget()

    def _expect(self, hold_down_ms: int, now: Timestamp) -> None:
        # CC-05: it is never shortened by an update that was sent before another one.
        self.expires_at = Timestamp(max(now + hold_down_ms, self.expires_at or 0))

    def _ask_again(self, now: Timestamp) -> None:
        at = Timestamp(max(now, self._asked_at + GAP_ASK_MS))
        if self._ask_at is None or self._ask_at > at:
            self._ask_at = at

    def _forget(self) -> dict[str, LearnedRoute]:
        gone, self.routes = self.routes, {}
        self._news.clear()
        self.table_id, self.epoch, self.overflowed = NO_TABLE, 0, False
        return gone


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
