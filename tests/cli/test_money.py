"""Money as people read it."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interledger.accounts.asset import Asset, Money
from interledger.cli.money import (
    align,
    ceil_spoken,
    duration,
    floor_spoken,
    least_spoken,
    money,
    rate_text,
    round_spoken,
    time_of_day,
    whole,
)


def test_money_of_a_document() -> None:
    document = Money(1234567890123, Asset("USD", 9)).as_json()
    assert money(document) == "1234.567890123 USD"
    assert money(document, thousands=True) == "1,234.567890123 USD"
    assert money(Money(10**10, Asset("USD", 9)).as_json(), exact=True) == "10.000000000 USD"
    assert whole(document) == Fraction("1234.567890123")


@given(st.fractions(min_value=0, max_value=10**9), st.sampled_from(["USD", "JPY", "BTC"]))
def test_at_least_is_never_more_and_at_most_never_less(amount: Fraction, code: str) -> None:
    assert Fraction(floor_spoken(amount, code)) <= amount <= Fraction(ceil_spoken(amount, code))


def test_spoken() -> None:
    assert (floor_spoken(Fraction("9.189"), "EUR"), ceil_spoken(Fraction("5.4401"), "USD")) == ("9.18", "5.45")
    assert floor_spoken(Fraction("1234.5"), "JPY", thousands=True) == "1,234"
    assert (round_spoken(Fraction("0.0163"), "USD"), round_spoken(Fraction("0.030001"), "USD")) == ("0.02", "0.03")
    assert (least_spoken("USD"), least_spoken("JPY")) == ("0.01", "1")


def test_amounts_are_aligned_at_the_point() -> None:
    assert align(["10.00 USD", "9.185361 EUR", "5"]) == ["10.00 USD    ", " 9.185361 EUR", " 5           "]
    assert align([]) == []


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (Fraction(9185361, 10**7), "0.918536"),
        (Fraction(9213, 10**4), "0.9213"),
        (Fraction(1), "1"),
        (Fraction(128099, 1000), "128.099"),
        (Fraction(2999999, 1), "2999999"),
        (Fraction(1, 3 * 10**6), "0.000000333333"),
        (Fraction(0), "0"),
    ],
)
def test_rates(rate: Fraction, text: str) -> None:
    assert rate_text(rate) == text


@pytest.mark.parametrize(
    ("ms", "text"),
    [(0, "0 ms"), (186, "186 ms"), (30_200, "30.2 s"), (240_000, "4 min"), (7_200_000, "2 h")],
)
def test_durations(ms: int, text: str) -> None:
    assert duration(ms) == text


def test_moments() -> None:
    now = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
    local = datetime(2026, 11, 21, 11, 52, 7, tzinfo=UTC).astimezone()
    assert time_of_day("2026-11-21T11:52:07.000Z", now) == local.strftime("%H:%M:%S")
    assert time_of_day("2026-11-01T11:52:07.000Z", now).startswith("2026-11-01 ")
    assert time_of_day("2026-11-01T11:52:07.000Z").startswith("2026-11-01 ")
