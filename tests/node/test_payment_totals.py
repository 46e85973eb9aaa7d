"""`node/payment_totals.py`: payments counted by state and by duration."""

from __future__ import annotations

import pytest

from interledger.node.payment_totals import BUCKETS_MS, PaymentTotals


@pytest.mark.parametrize(
    ("duration_ms", "bucket"),
    [(0, 0), (10, 0), (11, 1), (30, 1), (100_000, len(BUCKETS_MS) - 1), (100_001, len(BUCKETS_MS))],
)
def test_a_payment_is_in_one_class(duration_ms: int, bucket: int) -> None:
    totals = PaymentTotals()
    totals.add("delivered", duration_ms)
    assert [index for index, count in enumerate(totals.by_duration) if count] == [bucket]
    assert totals.duration_ms == duration_ms


def test_only_what_was_delivered_took_its_time() -> None:
    totals = PaymentTotals()
    totals.add("failed", 5)
    totals.add("delivered", 7)
    assert (dict(totals.by_state), sum(totals.by_duration), totals.duration_ms) == ({"failed": 1, "delivered": 1}, 1, 7)
