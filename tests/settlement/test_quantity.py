"""Amounts between a node and its engine: strict to read, exact to convert, at every scale from 0 to 255."""

from __future__ import annotations

import json
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interledger.codec.strict_json import JsonNumber
from interledger.errors import DecodeError
from interledger.settlement.quantity import DIGITS_MAX, NOTHING, Quantity

QUANTITIES = st.builds(Quantity, st.integers(0, 10**78 - 1), st.integers(0, 255))


def value(quantity: Quantity) -> Fraction:
    return Fraction(quantity.amount, 10**quantity.scale)


@pytest.mark.parametrize(
    ("body", "amount", "scale"),
    [
        (b'{"amount":"254","scale":2}', 254, 2),
        (b'{"amount":"0","scale":0}', 0, 0),
        (b'{"amount":"18446744073709551615","scale":255}', 2**64 - 1, 255),
        (b'{"amount":254,"scale":2}', 254, 2),  # the Java connector (TRAP SE-3)
        (b'{"amount":"007","scale":9,"extra":null}', 7, 9),
    ],
)
def test_SE_05_a_quantity_is_read(body: bytes, amount: int, scale: int) -> None:
    assert Quantity.decode(body) == (amount, scale)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b'"254"',
        b'{"amount":"254"}',
        b'{"scale":2}',
        b'{"amount":"-1","scale":2}',
        b'{"amount":-1,"scale":2}',
        b'{"amount":"1.0","scale":2}',
        b'{"amount":1.0,"scale":2}',
        b'{"amount":"1e3","scale":2}',
        b'{"amount":1e3,"scale":2}',
        b'{"amount":true,"scale":2}',
        b'{"amount":"","scale":2}',
        b'{"amount":" 1","scale":2}',
        b'{"amount":"1_000","scale":2}',
        b'{"amount":"\xef\xbc\x91","scale":2}',
        b'{"amount":"1\\n","scale":2}',
        b'{"amount":NaN,"scale":2}',
        b'{"amount":"1","scale":256}',
        b'{"amount":"1","scale":-1}',
        b'{"amount":"1","scale":"2"}',
        b'{"amount":"1","scale":true}',
        b'{"amount":"1","scale":2.0}',
        b'{"amount":"1","scale":1e0}',
        b'{"amount":"1","amount":"2","scale":2}',
        b'{"amount":"1' + b"0" * 400 + b'","scale":2}',
    ],
)
def test_I11_what_is_no_quantity_is_refused(body: bytes) -> None:
    with pytest.raises(DecodeError):
        Quantity.decode(body)


@given(QUANTITIES)
def test_what_is_written_is_read(quantity: Quantity) -> None:
    assert Quantity.decode(quantity.encode()) == quantity
    assert json.loads(quantity.encode())["amount"] == str(quantity.amount)


@given(QUANTITIES, st.integers(0, 255))
def test_SE_05_nothing_is_lost_between_two_scales(quantity: Quantity, scale: int) -> None:
    whole, rest = quantity.split(scale)
    assert Fraction(whole, 10**scale) + value(rest) == value(quantity)
    assert value(rest) < Fraction(1, 10**scale)
    assert rest.scale <= max(quantity.scale, 0)


@given(st.lists(QUANTITIES, max_size=20), st.integers(0, 255))
def test_SE_05_leftovers_of_many_add_up(quantities: list[Quantity], scale: int) -> None:
    credited, leftover = 0, NOTHING
    for quantity in quantities:
        whole, leftover = leftover.plus(quantity).split(scale)
        credited += whole
    assert Fraction(credited, 10**scale) + value(leftover) == sum(map(value, quantities))


@given(QUANTITIES, QUANTITIES)
def test_a_difference_is_exact_or_refused(one: Quantity, other: Quantity) -> None:
    if value(one) < value(other):
        with pytest.raises(ValueError, match="is more than"):
            one.minus(other)
    else:
        assert value(one.minus(other)) == value(one) - value(other)


@given(QUANTITIES)
def test_the_shortest_form_says_the_same(quantity: Quantity) -> None:
    short = quantity.shortest()
    assert value(short) == value(quantity)
    assert short.scale == 0 or short.amount % 10


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"[]", "the JSON document is not an object"),
        (b'{"amount":"-1","scale":2}', "amount is an integer of zero or more, as text"),
        (b'{"amount":01,"scale":2}', "not JSON"),
        (b'{"amount":1.5,"scale":2}', "amount is an integer of zero or more, as text"),
        (b'{"amount":"1","scale":256}', "scale is a number from 0 to 255"),
        (b'{"amount":"1","scale":0255}', "not JSON"),
        (b'{"amount":"1","scale":1000}', "scale is a number from 0 to 255"),
        (b'{"amount":"1","scale":"2"}', "scale is a number from 0 to 255"),
    ],
)
def test_I11_a_refusal_says_what_is_wrong(body: bytes, says: str) -> None:
    with pytest.raises(DecodeError, match=says):
        Quantity.decode(body)


def test_I11_what_is_stored_is_read_as_strictly() -> None:
    assert Quantity.read({"amount": "5", "scale": 2}) == (5, 2)
    with pytest.raises(DecodeError, match=r"^a quantity is an object:"):
        Quantity.read("5")
    with pytest.raises(DecodeError, match=f"amount has more than {DIGITS_MAX} digits"):
        Quantity.read({"amount": "1" * (DIGITS_MAX + 1), "scale": 2})
    with pytest.raises(DecodeError, match="amount is an integer of zero or more, as text"):
        Quantity.read({"amount": JsonNumber("007"), "scale": 2})  # no JSON document has such a number
    assert Quantity.read({"amount": "9" * DIGITS_MAX, "scale": 255}).amount == 10**DIGITS_MAX - 1


def test_I11_a_body_is_bounded() -> None:
    body = b'{"amount":"1","scale":2%s}'
    assert Quantity.decode(body % (b" " * 4_000)) == (1, 2)
    with pytest.raises(DecodeError, match="octets, at most 4096 are read"):
        Quantity.decode(body % (b" " * 4_096))
