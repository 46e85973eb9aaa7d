"""Fields, one kind at a time. Bodies as a whole are in test_app.py."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interledger.api.bodies import Fields, parse_fraction, parse_rate
from interledger.api.problems import Problem
from interledger.codec.strict_json import JsonNumber as N
from interledger.errors import DecodeError


def fields(value: Any = None, *, strict: bool = True) -> Fields:
    return Fields({"x": value}, strict=strict)


@pytest.mark.parametrize(
    ("value", "number"),
    [(N("0"), 0), ("0", 0), (N("18446744073709551615"), 2**64 - 1), ("42", 42), (N("-0"), 0), (None, None)],
)
def test_an_integer_may_be_a_number_or_text(value: Any, number: int | None) -> None:
    assert fields(value).integer("x") == number


@pytest.mark.parametrize(
    "value",
    [N("1.0"), N("1e3"), "1_000", "+1", " 1", "1\n", "01", "", "٣", "0x1", True, False, [], {}, "9" * 100,
     N("18446744073709551616"), N("-1")],
)  # fmt: skip
def test_what_is_no_integer(value: Any) -> None:
    with pytest.raises(Problem, match="x is ") as caught:
        fields(value).integer("x")
    assert caught.value.more["field"] == "x"


@pytest.mark.parametrize("value", [N("1"), True, [], {}])
def test_a_number_is_no_text(value: Any) -> None:
    with pytest.raises(Problem, match="text"):
        fields(value).text("x")


@pytest.mark.parametrize("getter", ["required_text", "required_integer"])
def test_what_is_needed(getter: str) -> None:
    with pytest.raises(Problem, match="needed"):
        getattr(fields(), getter)("x")


@pytest.mark.parametrize(("value", "list_of"), [([], 0), ([{}], 1)])
def test_lists_of_objects(value: Any, list_of: int) -> None:
    assert len(fields(value).objects("x")) == list_of


def test_unknown_fields_are_refused_by_us_and_ignored_in_the_compatible_api() -> None:
    fields(strict=False).close()
    with pytest.raises(Problem, match="x is not a field"):
        fields().close()
    taken = fields()
    taken.value("x")
    taken.close()


@given(st.decimals(min_value=0, max_value=10**9, allow_nan=False, allow_infinity=False, places=9))
def test_fractions_are_exact(value: Decimal) -> None:
    assert parse_fraction(f"{value:f}") == parse_fraction(N(f"{value:f}")) == Fraction(value)


@pytest.mark.parametrize("value", ["-1", "1.", ".5", "1e100", "NaN", "Infinity", "1_0", " 1", "", True, None, 1.5])
def test_what_is_no_fraction(value: object) -> None:
    assert parse_fraction(value) is None


@pytest.mark.parametrize(("value", "rate"), [("1", "1"), (N("9.2e-1"), "0.92"), (N("1E+2"), "100"), ("1.10", "1.10")])
def test_rates_have_no_exponent(value: str, rate: str) -> None:
    assert parse_rate(value) == rate


@pytest.mark.parametrize("value", ["0", "-1", "x", None, True, 1.5, "1e99"])
def test_what_is_no_rate(value: object) -> None:
    with pytest.raises(DecodeError):
        parse_rate(value)
