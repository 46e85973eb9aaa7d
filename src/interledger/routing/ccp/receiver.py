"""What one peer announces to us: asked for, noted, taken in a few routes at a time, forgotten when it is silent."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from itertools import chain, islice
from typing import Final, final

from interledger.clock import Timestamp
from interledger.routing.ccp.messages import NO_TABLE, AnnouncedRoute, Mode, RouteControl, RouteUpdate
from interledger.routing.ccp.policy import LearnedRoute
from interledger.routing.ccp.protocol import Answer, Timing

__all__ = ["CcpReceiver"]

GAP_ASK_MS: Final = 1_000
"""After a gap we ask again at most so often (D-12)."""

HOLD_DOWN_MAX_MS: Final = 600_000
"""What we believe at most: a peer that is silent for ten minutes is gone, whatever it said."""

REFUSED_AFTER: Final = (1, 10, 60)
"""A peer that refuses to talk of routes is asked again after so many intervals, and then not until its link comes up
again: 30 s (it may have been starting), 5 min, 30 min."""

ROUTES_PER_PEER_MAX: Final = 10_000
"""More than a whole network of today has; ten such peers fill a table of 100,000 (C4)."""


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
