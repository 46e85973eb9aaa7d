"""Numbers as the two languages write them; every digit stays."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interledger.dashboard.numbers import MINUS, Format, moment_of, units_of


@pytest.mark.parametrize(
    ("units", "scale", "english", "spanish"),
    [
        ("412750000000", 9, "412.75", "412,75"),
        ("10000000000", 9, "10.00", "10,00"),
        ("9185361000", 9, "9.185361", "9,185361"),
        ("1", 9, "0.000000001", "0,000000001"),
        ("0", 9, "0.00", "0,00"),
        ("1234", 0, "1,234", "1234"),
        ("1234567", 2, "12,345.67", "12.345,67"),
        ("5", 1, "0.5", "0,5"),
        ("-100", 2, "−1.00", "−1,00"),
    ],
)
def test_amounts(units: str, scale: int, english: str, spanish: str) -> None:
    assert Format("en").amount(units, scale) == english
    assert Format("es").amount(units, scale) == spanish


@given(st.integers(), st.integers(0, 24))
def test_an_amount_is_exact(units: int, scale: int) -> None:
    text = Format("en").amount(units, scale).replace(",", "").replace(MINUS, "-")
    assert Fraction(text) == Fraction(units, 10**scale)


@pytest.mark.parametrize(
    ("rate", "text"),
    [(Fraction(9185361, 10**7), "0.918536"), (Fraction(1), "1.00"), (Fraction(12345678, 10), "1,234,567")],
)
def test_rates_have_six_digits_and_are_cut(rate: Fraction, text: str) -> None:
    assert Format("en").rate(rate) == text


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(0, "0 ms"), (186, "186 ms"), (30_250, "30.2 s"), (240_000, "4 min"), (7_200_000, "2 h"), (600_000_000, "6 d")],
)
def test_durations(milliseconds: int, text: str) -> None:
    assert Format("en").seconds(milliseconds) == text


def test_small_things() -> None:
    assert Format("es").decimal("1234567.5") == "1.234.567,5"
    assert Format("en").percent(82, 100) == "82"
    assert Format("en").percent(1, 0) == "0"
    assert Format("en").rate(Fraction(0)) == "0"
    assert Format.age(-5) == "0 s"
    assert units_of(None) == 0
    assert moment_of("2026-11-21T12:00:00.000Z").isoformat() == "2026-11-21T12:00:00+00:00"
