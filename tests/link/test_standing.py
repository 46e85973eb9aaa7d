"""Who is let in: a source that wastes connections is refused for a growing while, and a peer's never."""

from __future__ import annotations

import pytest

from interledger.clock import Timestamp
from interledger.link.standing import (
    CUT_COSTS,
    FORGOTTEN_MS,
    GOOD_FOR_MS,
    REFUSED_FIRST_MS,
    REFUSED_MAX_MS,
    SOURCES_MAX,
    WASTED_MAX,
    Standing,
)
from interledger.link.throttle import source_of

NOW = Timestamp(1_800_000_000_000)


def at(ms: int) -> Timestamp:
    return Timestamp(NOW + ms)


def waste(standing: Standing, count: int, now: Timestamp = NOW, source: str = "a") -> None:
    for _ in range(count):
        standing.wasted(source, now)


def refused_for(standing: Standing, now: Timestamp) -> int:
    """Milliseconds until "a" is let in again."""
    ms = 0
    while standing.is_refused("a", Timestamp(now + ms)):
        ms += 100
    return ms


def test_a_few_wasted_connections_are_free() -> None:
    standing = Standing()
    waste(standing, WASTED_MAX)
    assert not standing.is_refused("a", NOW)
    waste(standing, 1)
    assert standing.is_refused("a", NOW)
    assert not standing.is_refused("b", NOW)
    assert standing.refused_count == 1


def test_a_health_check_is_never_refused() -> None:
    standing = Standing()
    for second in range(0, 7_200, 2):
        standing.wasted("a", at(second * 1_000))
        assert not standing.is_refused("a", at(second * 1_000))


def test_what_was_cut_off_counts_more() -> None:
    standing = Standing()
    for _ in range(WASTED_MAX // CUT_COSTS):
        standing.cut_off("a", NOW)
    assert not standing.is_refused("a", NOW)
    standing.cut_off("a", NOW)
    assert standing.is_refused("a", NOW)


def test_whoever_goes_on_waits_twice_as_long_and_a_minute_at_most() -> None:
    standing, now, waits = Standing(), NOW, []
    for _ in range(8):
        waste(standing, 2 * WASTED_MAX, now)
        waits.append(refused_for(standing, now))
        now = Timestamp(now + waits[-1])
    assert waits == [min(REFUSED_FIRST_MS << i, REFUSED_MAX_MS) for i in range(8)]


def test_a_quiet_source_begins_anew() -> None:
    standing = Standing()
    waste(standing, 2 * WASTED_MAX)
    waste(standing, 2 * WASTED_MAX, at(REFUSED_FIRST_MS))
    later = at(REFUSED_FIRST_MS + FORGOTTEN_MS + 1)
    waste(standing, WASTED_MAX + 1, later)
    assert refused_for(standing, later) == REFUSED_FIRST_MS


def test_a_source_of_packets_is_let_in_whatever_else_comes_from_there() -> None:
    standing = Standing()
    waste(standing, 2 * WASTED_MAX)
    standing.brought_packet("a", NOW)
    assert not standing.is_refused("a", NOW)
    waste(standing, 4 * WASTED_MAX, at(GOOD_FOR_MS - 1))
    assert not standing.is_refused("a", at(GOOD_FOR_MS - 1))
    assert standing.is_refused("a", at(GOOD_FOR_MS))


@pytest.mark.parametrize("peer_name", [None, ("127.0.0.1", 1), ("::1", 1, 0, 0), ("::ffff:127.0.0.1", 1, 0, 0)])
def test_a_proxy_on_this_machine_is_never_refused(peer_name: object) -> None:
    standing, source = Standing(), source_of(peer_name)
    waste(standing, 2 * WASTED_MAX, source=source)
    assert not standing.is_refused(source, NOW)


def test_memory_is_bounded() -> None:
    standing = Standing()
    for number in range(SOURCES_MAX + 10):
        standing.wasted(str(number), NOW)
        standing.brought_packet(str(number), NOW)
    assert len(standing._records) == len(standing._good) == SOURCES_MAX
    assert not standing.is_good("0", NOW)
    assert standing.is_good(str(SOURCES_MAX), NOW)
