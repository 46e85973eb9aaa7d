"""Assets and money as text: exact, and refused where a reader could take them for something else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interledger.accounts.asset import Asset, Money, format_amount, parse_amount, parse_asset, parse_money
from interledger.errors import InvalidRequestError

USD = Asset("USD", 9)


@pytest.mark.parametrize(
    ("text", "asset"),
    [("USD/9", USD), ("usd/9", USD), ("XRP/0", Asset("XRP", 0)), ("A.b-c_1/255", Asset("A.B-C_1", 255))],
)
def test_parse_asset(text: str, asset: Asset) -> None:
    assert parse_asset(text) == asset
    assert str(asset) == text.upper()


@pytest.mark.parametrize(
    "text", ["", "USD", "USD/", "/9", "USD/256", "USD/-1", "USD/9\n", "USD/９", "USD/1_0", "-/9", "A" * 33 + "/1"]
)
def test_parse_asset_refuses(text: str) -> None:
    with pytest.raises(InvalidRequestError, match="is not an asset"):
        parse_asset(text)


@pytest.mark.parametrize(
    ("text", "scale", "amount"),
    [
        ("10", 9, 10_000_000_000),
        ("10.5", 2, 1050),
        ("0.01", 2, 1),
        ("0", 0, 0),
        ("7", 0, 7),
        ("1.500", 1, 15),
        ("007", 2, 700),
        ("18446744073709551615", 0, 2**64 - 1),
    ],
)
def test_parse_amount(text: str, scale: int, amount: int) -> None:
    assert parse_amount(text, scale) == amount


@pytest.mark.parametrize("text", ["", ".5", "5.", "-1", "+1", "1e3", "1_000", "１２", "²", "NaN", " 1", "1\n", "1,5"])
def test_K4_parse_amount_refuses(text: str) -> None:
    with pytest.raises(InvalidRequestError, match="is not an amount"):
        parse_amount(text, 9)


def test_parse_amount_never_rounds() -> None:
    with pytest.raises(InvalidRequestError, match="3 decimal places, the asset keeps 2"):
        parse_amount("1.005", 2)


@pytest.mark.parametrize(
    ("text", "money"),
    [
        ("10 USD", ("10", "USD")),
        ("10.00USD", ("10.00", "USD")),
        (" 1,000 usd ", ("1000", "USD")),
        ("1,234,567.89 USD", ("1234567.89", "USD")),
        ("0.5 XRP", ("0.5", "XRP")),
    ],
)
def test_parse_money(text: str, money: tuple[str, str]) -> None:
    assert parse_money(text) == money


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("$10", "which dollar. Write  '10 USD'"),
        ("€", "which euro account. Write  '10 EUR'"),
        ("£1", "which pound"),
        ("¥1", "which yen or yuan"),
        ("10", "is not an amount of money"),
        ("", "is not an amount of money"),
        ("10,50 EUR", "is not an amount of money"),
        ("1,0000 EUR", "is not an amount of money"),
        ("1.000,50 EUR", "is not an amount of money"),
    ],
)
def test_parse_money_says_what_to_write(text: str, says: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse_money(text)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("amount", "asset", "shown", "exact"),
    [
        (10_000_000_000, USD, "10.00", "10.000000000"),
        (1, USD, "0.000000001", "0.000000001"),
        (-1_500_000_000, USD, "-1.50", "-1.500000000"),
        (5, Asset("JPY", 0), "5", "5"),
        (5, Asset("JPY", 2), "0.05", "0.05"),
        (500, Asset("JPY", 2), "5", "5.00"),
        (1_234_567, Asset("XRP", 6), "1.234567", "1.234567"),
        (0, USD, "0.00", "0.000000000"),
    ],
)
def test_format_amount(amount: int, asset: Asset, shown: str, exact: str) -> None:
    assert format_amount(amount, asset) == shown
    assert format_amount(amount, asset, exact=True) == exact


def test_format_amount_in_thousands() -> None:
    assert format_amount(1_234_567_000_000_000, USD, thousands=True) == "1,234,567.00"


def test_money_as_text_and_as_json() -> None:
    money = Money(2**64, Asset("USD", 2))
    assert str(money) == "184467440737095516.16 USD"
    assert money.as_json() == {"amount": "18446744073709551616", "asset_code": "USD", "asset_scale": 2}


@given(amount=st.integers(0, 2**80), scale=st.integers(0, 30), exact=st.booleans())
def test_what_is_shown_is_read_back_exactly(amount: int, scale: int, exact: bool) -> None:
    assert parse_amount(format_amount(amount, Asset("USD", scale), exact=exact), scale) == amount


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("$5", "which dollar. Write  '5 USD'"),
        ("€5", "which euro account. Write  '5 EUR'"),
        ("£", "which pound. Write  '10 GBP'"),
        ("¥7", "which yen or yuan. Write  '7 JPY'"),
        ("X5", "is not an amount of money. Write  '10 USD'"),
    ],
)
def test_a_sign_in_front_is_answered_with_what_to_write(text: str, says: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse_money(text)
    assert says in str(caught.value)
