"""JSON out: exact numbers, no floats."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interledger.accounts.account import Relation
from interledger.api.json_text import decimal_text, encode_json
from interledger.codec.strict_json import JsonNumber

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    max_leaves=10,
)


@given(values)
def test_any_reader_gets_the_same_back(value: Any) -> None:
    assert json.loads(encode_json(value)) == value


@pytest.mark.parametrize(
    ("value", "octets"),
    [
        (JsonNumber("1.0843000000000000000001"), b"1.0843000000000000000001"),
        (2**200, str(2**200).encode()),
        (Relation.PEER, b'"peer"'),
        ((1, True, None, "ü"), '[1,true,null,"ü"]'.encode()),
    ],
)
def test_numbers_stay_as_they_were_written(value: Any, octets: bytes) -> None:
    assert encode_json(value) == octets


@pytest.mark.parametrize("value", [1.5, {1}, object()])
def test_what_has_no_exact_form_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        encode_json({"x": [value]})


@pytest.mark.parametrize(
    ("amount", "scale", "text"),
    [(0, 0, "0"), (0, 9, "0"), (15, 0, "15"), (1500, 3, "1.5"), (-1, 2, "-0.01"), (100, 2, "1"),
     (-(2**64), 0, str(-(2**64)))],
)  # fmt: skip
def test_decimal_text(amount: int, scale: int, text: str) -> None:
    assert decimal_text(amount, scale) == text
