"""When to settle, how much, and how much may come in within a day."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interledger.accounts.ledger import NO_LIMIT
from interledger.clock import Timestamp
from interledger.settlement.policy import DAY_MS, HOUR_MS, DailyCap, Prepaid, amount_due, settles_at
from interledger.settlement.quantity import Quantity

NOW = Timestamp(500_000 * HOUR_MS)


def test_thresholds_and_what_is_due() -> None:
    assert (settles_at(None), settles_at(500), settles_at(-5)) == (NO_LIMIT, 500, -5)
    assert [amount_due(owed, to) for owed, to in ((500, None), (500, 100), (50, 100), (500, -100))] == [
        500,
        400,
        0,
        600,
    ]


def test_what_is_paid_in_advance_is_used_up_by_packets_and_by_nothing_else() -> None:
    prepaid = Prepaid(0, 1_000).plus(500, owed=200, spent=1_000)
    assert [prepaid.left(spent) for spent in (1_000, 1_100, 1_300, 2_000)] == [300, 200, 0, 0]
    assert prepaid.plus(50, owed=-70, spent=1_100) == (250, 1_100)
    assert prepaid.plus(50, owed=70, spent=1_100) == (200, 1_100)
    assert Prepaid.decode(prepaid.encode()) == prepaid
    assert prepaid.encode() == {"left": Quantity(300, 0).as_document(), "spent": Quantity(1_000, 0).as_document()}


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


def test_I9_the_cap_is_kept_by_whole_hours_and_stored_exactly() -> None:
    cap = DailyCap()
    for at in (0, 1, HOUR_MS - 1, HOUR_MS):
        cap.add(10, Timestamp(1_000 * HOUR_MS + at))
    assert cap.encode() == [
        {"hour": 1_000, "credited": {"amount": "30", "scale": 0}},
        {"hour": 1_001, "credited": {"amount": "10", "scale": 0}},
    ]
    last = Timestamp(1_001 * HOUR_MS - 1 + DAY_MS)
    assert (cap.total(last), cap.total(Timestamp(last + 1))) == (40, 10)
