"""Wrong tokens by source: five a minute are free, then refusals wait, and nothing here grows without end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interledger.clock import Timestamp
from interledger.link.attempts import CUT, DELAY_MS, FREE_PER_MINUTE, WAITING_ALL_MAX, WAITING_MAX, Attempts

NOW = Timestamp(1_700_000_000_000)


def delays(attempts: Attempts, count: int, source: str = "a", now: int = NOW) -> list[int]:
    """Of refusals each of which has left before the next token comes."""
    found = []
    for _ in range(count):
        found.append(attempts.wrong(source, Timestamp(now)))
        if found[-1] > 0:
            attempts.done(source)
    return found


def test_D1_five_a_minute_are_free_and_then_refusals_wait() -> None:
    attempts = Attempts()
    assert delays(attempts, 8) == [0, 0, 0, 0, 0, DELAY_MS, DELAY_MS, DELAY_MS]
    assert delays(attempts, 5, "b") == [0] * 5
    assert attempts.wrong_count == 13


@pytest.mark.parametrize(("pause_ms", "then"), [(59_999, [DELAY_MS]), (60_000, [0, 0, 0, 0, 0, DELAY_MS])])
def test_a_minute_later_all_is_forgiven(pause_ms: int, then: list[int]) -> None:
    attempts = Attempts()
    delays(attempts, 7)
    assert delays(attempts, len(then), now=NOW + pause_ms) == then


def test_refusals_that_wait_are_bounded_by_source_and_in_all() -> None:
    attempts = Attempts()
    found = [attempts.wrong("a", NOW) for _ in range(FREE_PER_MINUTE + WAITING_MAX + 3)]
    assert found[-3:] == [CUT] * 3
    assert found.count(CUT) == attempts.cut_count == 3
    attempts.done("a")
    assert attempts.wrong("a", NOW) == DELAY_MS
    for number in range(WAITING_ALL_MAX):
        for _ in range(FREE_PER_MINUTE + 1):
            last = attempts.wrong(f"s{number}", NOW)
    assert last == CUT
    attempts.done("never seen")


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 90_000), st.booleans()), max_size=200))
def test_what_waits_is_let_go_of(steps: list[tuple[str, int, bool]]) -> None:
    attempts, now, waiting = Attempts(), NOW, list[str]()
    for source, pause_ms, leaves in steps:
        now = Timestamp(now + pause_ms)
        if attempts.wrong(source, now) == DELAY_MS:
            waiting.append(source)
        if leaves and waiting:
            attempts.done(waiting.pop())
    while waiting:
        attempts.done(waiting.pop())
    delays(attempts, FREE_PER_MINUTE, now=now)
    assert [attempts.wrong("a", now) for _ in range(WAITING_MAX)] == [DELAY_MS] * WAITING_MAX
