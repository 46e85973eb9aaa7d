"""The feed of events: what happened at this node that a person or a program may want to hear of.

Ids only grow, over restarts too. The latest `EVENTS_KEPT` are kept, and written to the store within a second; after a
crash the events of that last second are gone, and whoever asks for what came after one of them is told that there is a
gap. Nothing rests on events: books and settlements have records of their own.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Collection, Mapping
from itertools import dropwhile, islice, takewhile
from typing import Any, Final, NamedTuple, final

from interledger.clock import Clock, Timestamp
from interledger.node.live.channel import Channel
from interledger.node.live.kinds import EVENT_KINDS, Level
from interledger.store.base import Store

__all__ = ["EVENTS_KEPT", "PER_SECOND_MAX", "Event", "EventFeed", "EventPage"]

EVENTS_KEPT: Final = 4_096
"""A few days of a node of twenty peers; some 300 octets each, all read at a start."""

BLOCK: Final = 64
"""Events of one document of the store: what is written again when one more comes is bounded by it."""

FACT: Final = "events/"
RESERVED_FACT: Final = "events"
RESERVED: Final = 1_024
"""Ids that are taken from the store at once: after a crash the next ones begin behind them, so none is given twice."""

WRITE_AFTER_S: Final = 1.0
"""Events of a second are one write."""

PER_SECOND_MAX: Final = 100
"""A link that comes and goes all the time must not push everything else out of the ring."""


class Event(NamedTuple):
    """One thing that happened. `subject`: the name of what it is about, as people call it; `data`: see `kinds`."""

    id: int
    at: Timestamp
    kind: str
    level: str
    subject: str | None
    text: str
    data: Mapping[str, Any]

    @property
    def topic(self) -> str:
        """The part of the kind before the dot."""
        return self.kind.partition(".")[0]


class EventPage(NamedTuple):
    """Events in order, and whether some in between are gone for good. `more`: there are others in this direction."""

    events: list[Event]
    gap: bool
    more: bool


@final
class EventFeed:
    """`tell` from anywhere in the node's thread; read by pages or by `subscribe`."""

    def __init__(self, clock: Clock, facts: Mapping[str, Any]) -> None:
        self._clock = clock
        self._store: Store | None = None
        self._events: deque[Event] = deque()
        self._readers: dict[Channel[Event], frozenset[str] | None] = {}
        self._dirty: dict[int, None] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._second = 0
        self._told = 0
        self._dropped = 0
        self._load(facts)
        self._next_id = max(self._reserved, self.latest_id + 1, 1)
        self._born = self._next_id if self._next_id > self.latest_id + 1 else 0
        """Where this life's ids begin, when ids before it were taken and may have been given; 0: none were."""

    def _load(self, facts: Mapping[str, Any]) -> None:
        reserved = facts.get(RESERVED_FACT)
        self._reserved = reserved if isinstance(reserved, int) else 0
        blocks = [(int(name.removeprefix(FACT)), rows) for name, rows in facts.items() if name.startswith(FACT)]
        for _, rows in sorted(blocks):
            self._events.extend(Event(*row) for row in rows)

    def use(self, store: Store) -> None:
        """Write there from now on."""
        self._store = store
        self._reserve()
        if self._dirty:
            self._write_soon()

    # ------------------------------------------------------------------ telling

    def tell(
        self, kind: str, text: str, *, subject: str | None = None, level: Level | None = None, **data: Any
    ) -> Event | None:
        """Something happened. `kind` is in `EVENT_KINDS`. None when too much happened in this second."""
        now = self._clock.now()
        second = now // 1000
        if second != self._second:
            self._second, self._told = second, 0
            self._tell_of_dropped(now)
        self._told += 1
        if self._told > PER_SECOND_MAX:
            self._dropped += 1
            self._write_soon()
            return None
        return self._add(now, kind, level or EVENT_KINDS[kind].level, subject, text, data)

    def _tell_of_dropped(self, now: Timestamp) -> None:
        if self._dropped:
            count, self._dropped = self._dropped, 0
            text = f"{count} more things happened at once; they have no record of their own"
            self._add(now, "events.dropped", Level.WARN, None, text, {"count": count})

    def _add(
        self, now: Timestamp, kind: str, level: Level, subject: str | None, text: str, data: Mapping[str, Any]
    ) -> Event:
        event = Event(self._next_id, now, kind, level.value, subject, text, data)
        self._next_id += 1
        self._events.append(event)
        self._dirty[event.id // BLOCK] = None
        if len(self._events) > EVENTS_KEPT:
            oldest = self._events.popleft().id // BLOCK
            if self._events[0].id // BLOCK != oldest:
                self._dirty[oldest] = None
        for channel, kinds in list(self._readers.items()):
            if kinds is None or kind in kinds:
                channel.put(event)
        self._write_soon()
        return event

    # ------------------------------------------------------------------ reading

    @property
    def latest_id(self) -> int:
        """Of the latest event; 0 before the first."""
        return self._events[-1].id if self._events else 0

    def after(self, since: int, kinds: Collection[str] | None, limit: int) -> EventPage:
        """What came after the event `since`, oldest first."""
        found = [event for event in self._events if event.id > since and (kinds is None or event.kind in kinds)]
        return EventPage(found[:limit], self.has_gap(since), len(found) > limit)

    def before(self, cursor: int | None, kinds: Collection[str] | None, limit: int) -> EventPage:
        """The latest before the event `cursor`, newest first."""
        wanted = (
            event
            for event in reversed(self._events)
            if (cursor is None or event.id < cursor) and (kinds is None or event.kind in kinds)
        )
        found = list(islice(wanted, limit + 1))
        return EventPage(found[:limit], False, len(found) > limit)

    def has_gap(self, since: int) -> bool:
        """Whether events after `since` may have been lost: by a crash, by their age, or because the id is no id."""
        if since >= self._next_id or since < self._born:
            return True  # of another node, or of a life that may have told more than was kept
        oldest = self._events[0].id if self._events else self._next_id
        return since < oldest - 1

    def subscribe(self, kinds: frozenset[str] | None = None) -> Channel[Event]:
        """Every event from now on, until the channel is closed."""
        channel: Channel[Event] = Channel(on_close=lambda: self._readers.pop(channel, None))
        self._readers[channel] = kinds
        return channel

    # ------------------------------------------------------------------ keeping

    def close(self) -> None:
        """The node stops: write what is left, end every reader."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._write()
        if self._store is not None:
            self._store.put_fact(RESERVED_FACT, self._next_id)
            self._store = None
        for channel in list(self._readers):
            channel.close()

    def _write_soon(self) -> None:
        if self._timer is None and self._store is not None:
            self._timer = asyncio.get_running_loop().call_later(WRITE_AFTER_S, self._due)

    def _due(self) -> None:
        self._timer = None
        self._tell_of_dropped(self._clock.now())
        self._write()

    def _write(self) -> None:
        store = self._store
        if store is None:
            return
        dirty, self._dirty = self._dirty, {}
        for block in dirty:
            rows = [list(event) for event in self._block(block)]
            store.put_fact(f"{FACT}{block}", rows or None)
        if self._next_id + RESERVED // 2 > self._reserved:
            self._reserve()

    def _block(self, block: int) -> list[Event]:
        """Oldest first. Nearly always the latest one is asked for."""
        newer = dropwhile(lambda event: event.id // BLOCK > block, reversed(self._events))
        return list(takewhile(lambda event: event.id // BLOCK == block, newer))[::-1]

    def _reserve(self) -> None:
        if self._store is not None:
            self._reserved = self._next_id + RESERVED
            self._store.put_fact(RESERVED_FACT, self._reserved)
