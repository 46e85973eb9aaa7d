"""When to settle, how much, and how much may come in within a day."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interledger.accounts.ledger import NO_LIMIT
from interledger.clock import Timestamp
from interledger.settlement.policy import DAY_MS, HOUR_MS, DailyCap, amount_due, prepaid_part, settles_at

NOW = Timestamp(500_000 * HOUR_MS)


def test_thresholds_and_what_is_due() -> None:
    assert (settles_at(None), settles_at(500), settles_at(-5)) == (NO_LIMIT, 500, -5)
    assert [amount_due(owed, to) for owed, to in ((500, None), (500, 100), (50, 100), (500, -100))] == [
        500,
        400,
        0,
        600,
    ]
    assert [prepaid_part(*two) for two in ((0, 0), (500, 200), (200, 500))] == [0, 300, 0]


@pytest.mark.parametrize(
    ("passed_ms", "allowed"),
    [(0, False), (DAY_MS - 1, False), (DAY_MS, False), (DAY_MS + HOUR_MS, True)],
)
def test_I9_what_came_in_counts_for_a_day_at_least(passed_ms: int, allowed: bool) -> None:
    cap = DailyCap()
    cap.add(900, NOW)
    assert cap.allows(100, 1_000, NOW)
    assert cap.allows(10**30, None, NOW)
    assert cap.allows(101, 1_000, Timestamp(NOW + passed_ms)) is allowed


@given(st.lists(st.tuples(st.integers(0, 3 * DAY_MS), st.integers(1, 10**30)), max_size=60))
def test_I9_the_cap_is_small_comes_back_from_the_store_and_forgets_nothing_of_a_day(
    came: list[tuple[int, int]],
) -> None:
    cap, now = DailyCap(), NOW
    for passed_ms, amount in sorted(came):
        now = Timestamp(NOW + passed_ms)
        cap.add(amount, now)
        assert len(cap.encode()) <= 26
    again = DailyCap.decode(cap.encode())
    least = sum(amount for at, amount in came if NOW + at > now - DAY_MS)
    most = sum(amount for at, amount in came if NOW + at > now - DAY_MS - HOUR_MS)
    assert least <= again.total(now) <= most
