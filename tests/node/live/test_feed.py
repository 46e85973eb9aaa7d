"""The feed of events: ids that only grow, a ring, gaps that are told, readers that are cut."""

from __future__ import annotations

import json
from typing import Any

import pytest

from interledger.clock import Timestamp
from interledger.errors import InvalidRequestError
from interledger.node.live.feed import BLOCK, EVENTS_KEPT, PER_SECOND_MAX, RESERVED, EventFeed
from interledger.node.live.kinds import EVENT_KINDS, parse_only
from interledger.store.memory import MemoryStore


class Clock:
    def __init__(self) -> None:
        self.ms = 1_000_000

    def now(self) -> Timestamp:
        return Timestamp(self.ms)


def facts_of(store: MemoryStore, facts: dict[str, Any]) -> dict[str, Any]:
    """What the next start would load, after what waits was written."""
    for change in store.take_changes():
        if change.body is None:
            facts.pop(change.key, None)
        else:
            facts[change.key] = json.loads(change.body)["body"]
    return facts


def tell(feed: EventFeed, clock: Clock, times: int, kind: str = "alarm") -> None:
    for number in range(times):
        clock.ms += 1_000
        feed.tell(kind, f"number {number}")


async def test_pages_go_both_ways() -> None:
    clock = Clock()
    feed = EventFeed(clock, {})
    tell(feed, clock, 5)
    feed.tell("link.down", "gone", subject="bob", account="bob")
    assert [event.id for event in feed.before(None, None, 2).events] == [6, 5]
    assert feed.before(None, None, 2).more
    assert [event.id for event in feed.before(3, None, 9).events] == [2, 1]
    assert [event.id for event in feed.after(3, None, 9).events] == [4, 5, 6]
    assert [event.id for event in feed.after(0, parse_only("link"), 9).events] == [6]
    assert not feed.after(3, None, 9).gap
    assert feed.latest_id == 6


async def test_a_clean_restart_leaves_no_gap() -> None:
    clock, store = Clock(), MemoryStore()
    feed = EventFeed(clock, {})
    feed.use(store)
    tell(feed, clock, 3)
    feed.close()
    facts = facts_of(store, {})
    again = EventFeed(clock, facts)
    again.use(MemoryStore())
    tell(again, clock, 1)
    page = again.after(2, None, 9)
    assert ([event.id for event in page.events], page.gap) == ([3, 4], False)
    again.close()


async def test_after_a_crash_no_id_is_given_twice_and_the_gap_is_told() -> None:
    clock, store = Clock(), MemoryStore()
    feed = EventFeed(clock, {})
    feed.use(store)
    facts = facts_of(store, {})  # the start of the node was written, nothing else
    tell(feed, clock, 3)
    again = EventFeed(clock, facts)
    tell(again, clock, 1)
    assert again.latest_id == 1 + RESERVED
    assert again.after(3, None, 9).gap
    assert again.after(0, None, 9).gap
    assert not again.after(again.latest_id, None, 9).gap
    feed.close()


async def test_what_is_too_old_is_a_gap_and_goes_from_the_store() -> None:
    clock, store = Clock(), MemoryStore()
    feed = EventFeed(clock, {})
    feed.use(store)
    tell(feed, clock, EVENTS_KEPT + 3 * BLOCK)
    feed.close()
    facts = facts_of(store, {})
    assert not feed.after(3 * BLOCK, None, 1).gap
    assert feed.after(3 * BLOCK - 1, None, 1).gap
    again = EventFeed(clock, facts)
    assert again.latest_id == EVENTS_KEPT + 3 * BLOCK
    assert len(facts) <= EVENTS_KEPT // BLOCK + 2


async def test_an_id_of_another_node_is_a_gap() -> None:
    feed = EventFeed(Clock(), {})
    assert feed.after(77, None, 1).gap
    assert not feed.after(0, None, 1).gap


async def test_too_much_at_once_is_counted() -> None:
    clock = Clock()
    feed = EventFeed(clock, {})
    for _ in range(PER_SECOND_MAX + 5):
        feed.tell("link.down", "flaps", subject="bob", account="bob")
    assert feed.latest_id == PER_SECOND_MAX
    clock.ms += 1_000
    feed.tell("alarm", "next second")
    dropped, last = feed.after(PER_SECOND_MAX, None, 9).events
    assert (dropped.kind, dropped.data, last.kind) == ("events.dropped", {"count": 5}, "alarm")


async def test_a_reader_gets_what_it_asked_for_in_order_and_a_slow_one_is_cut() -> None:
    clock = Clock()
    feed = EventFeed(clock, {})
    some, everything = feed.subscribe(parse_only("link")), feed.subscribe()
    tell(feed, clock, 2)
    feed.tell("link.up", "there", subject="bob", account="bob", link="BTP")
    assert (await some.get()).kind == "link.up"  # type: ignore[union-attr]  # it is an event
    assert [(await everything.get()).id for _ in range(3)] == [1, 2, 3]  # type: ignore[union-attr]  # as above
    with pytest.raises(TimeoutError):
        await some.get(0.001)
    tell(feed, clock, 1_001)
    assert everything.is_cut
    assert await everything.get() is None
    assert not some.is_cut
    feed.close()
    assert await some.get() is None


def test_kinds_are_named_by_topic_or_whole() -> None:
    assert parse_only(None) is None
    assert parse_only(" ") is None
    assert parse_only("unknown, limit.near") == {"unknown.opened", "unknown.resolved", "limit.near"}
    with pytest.raises(InvalidRequestError, match="no kind of event"):
        parse_only("weather")


def test_every_kind_has_its_paragraph() -> None:
    for kind, info in EVENT_KINDS.items():
        assert info.meaning.endswith("."), kind
