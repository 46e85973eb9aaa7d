"""The bars: what they show is each side's share of its own limit."""

from __future__ import annotations

from typing import Any

import pytest

from interledger.dashboard.exposure import exposure_of


def account(net: int, owes: int | None, owe: int | None, into: int = 0, out: int = 0, at: int | None = None) -> Any:
    return {
        "position": {"net": str(net)},
        "pending": {"in": str(into), "out": str(out)},
        "limits": {
            "owes_us_max": None if owes is None else str(owes),
            "we_owe_max": None if owe is None else str(owe),
        },
        "settle_threshold": None if at is None else str(at),
    }


@pytest.mark.parametrize(
    ("one", "side", "solid", "hatched", "settle_at", "near"),
    [
        # lago and bob of the design
        (account(823_000, 1_000_000, None, 14_250), "owes-us", ("50.00%", "41.15%"), ("91.15%", "0.71%"), None, True),
        (account(-41_275, 40_000, 60_000, 0, 910, 45_000), "we-owe", ("15.61%", "34.39%"), ("14.85%", "0.76%"),
         "12.50%", False),
        (account(0, 100, 100), "even", ("50.00%", "0.00%"), ("50.00%", "0.00%"), None, False),
        (account(0, 100, 100, 0, 10), "even", ("50.00%", "0.00%"), ("45.00%", "5.00%"), None, False),
        (account(100, None, None), "owes-us", ("50.00%", "25.00%"), ("75.00%", "0.00%"), None, False),
        (account(500, 100, None), "owes-us", ("50.00%", "50.00%"), ("100.00%", "0.00%"), None, True),
        (account(1, 0, None), "owes-us", ("50.00%", "50.00%"), ("100.00%", "0.00%"), None, False),
        (account(-1, 10, 10**9), "we-owe", ("49.80%", "0.20%"), ("49.80%", "0.00%"), None, False),
    ],
)  # fmt: skip
def test_shares(one: Any, side: str, solid: Any, hatched: Any, settle_at: str | None, near: bool) -> None:
    found = exposure_of(one)
    assert (found.side, found.solid, found.hatched, found.settle_at, found.is_near) == (
        side, solid, hatched, settle_at, near,
    )  # fmt: skip
    assert found.amount >= 0
