"""Wrong tokens by source: five a minute are free, then refusals wait, and nothing here grows without end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interledger.clock import Timestamp
from interledger.link.attempts import CUT, DELAY_MAX_MS, SOURCES_MAX, WAITING_ALL_MAX, WAITING_MAX, Attempts, source_of

NOW = Timestamp(1_700_000_000_000)


def delays(attempts: Attempts, count: int, source: str = "a", now: int = NOW) -> list[int]:
    """Of refusals each of which has left before the next token comes."""
    found = []
    for _ in range(count):
        found.append(attempts.wrong(source, Timestamp(now)))
        if found[-1] > 0:
            attempts.done(source)
    return found


def test_D1_five_a_minute_are_free_and_then_the_delay_doubles() -> None:
    assert delays(Attempts(), 12) == [0, 0, 0, 0, 0, 250, 500, 1000, 2000, 4000, 4000, 4000]


def test_another_source_has_its_own_five() -> None:
    attempts = Attempts()
    delays(attempts, 20)
    assert delays(attempts, 5, "b") == [0] * 5


@pytest.mark.parametrize(
    ("pause_ms", "then"),
    [
        (11_999, [1000]),
        (12_000, [0, 1000]),  # one is free again; who guesses on is not forgiven
        (60_000, [0, 0, 0, 0, 0, 250]),  # a quiet minute is
        (-60_000, [1000]),  # a clock that is set back gives nothing
    ],
)
def test_time_gives_it_back(pause_ms: int, then: list[int]) -> None:
    attempts = Attempts()
    delays(attempts, 7)
    assert delays(attempts, len(then), now=NOW + pause_ms) == then


def test_refusals_that_wait_are_bounded_by_source_and_in_all() -> None:
    attempts = Attempts()
    found = [attempts.wrong("a", NOW) for _ in range(5 + WAITING_MAX + 3)]
    assert found[-3:] == [CUT] * 3
    assert found.count(CUT) == attempts.cut_count == 3
    attempts.done("a")
    assert attempts.wrong("a", NOW) == DELAY_MAX_MS
    for number in range(WAITING_ALL_MAX):
        for _ in range(6):
            last = attempts.wrong(f"s{number}", NOW)
    assert last == CUT


def test_memory_is_bounded_and_the_busy_ones_are_remembered() -> None:
    attempts = Attempts()
    for number in range(2 * SOURCES_MAX):
        attempts.wrong(f"s{number}", NOW)
        attempts.wrong("busy", NOW)
        attempts.done("busy")
    assert len(attempts) == SOURCES_MAX
    assert attempts.wrong("busy", NOW) == DELAY_MAX_MS
    attempts.done("forgotten long ago")


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 90_000), st.booleans()), max_size=200))
def test_every_answer_is_a_delay_that_somebody_can_wait_for(steps: list[tuple[str, int, bool]]) -> None:
    attempts, now = Attempts(), NOW
    for source, pause_ms, leaves in steps:
        now = Timestamp(now + pause_ms)
        delay = attempts.wrong(source, now)
        assert delay == CUT or 0 <= delay <= DELAY_MAX_MS
        if delay > 0 and leaves:
            attempts.done(source)


@pytest.mark.parametrize(
    ("peer_name", "source"),
    [
        (("192.0.2.7", 443), "192.0.2.7"),
        (("::ffff:192.0.2.7", 443, 0, 0), "192.0.2.7"),
        (("2001:db8:1:2:3:4:5:6", 443, 0, 0), "2001:db8:1:2::/64"),
        (("fe80::1%eth0", 443, 0, 2), "fe80::/64"),
        (("", 0), ""),
        ((), ""),
        (None, ""),
        ("/run/socket", ""),
    ],
)
def test_what_one_source_is(peer_name: object, source: str) -> None:
    assert source_of(peer_name) == source
