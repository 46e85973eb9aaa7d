"""Account numbers."""

from __future__ import annotations

import pytest

from interledger.errors import InvalidRequestError
from interledger.settlement.engines.bank.iban import parse_iban


@pytest.mark.parametrize("text", ["DE89 3704 0044 0532 0130 00", "nl91abna0417164300", "FR1420041010050500013M02606"])
def test_good_ones(text: str) -> None:
    assert parse_iban(text) == text.replace(" ", "").upper()


@pytest.mark.parametrize(
    "text", ["", "DE", "DE88370400440532013000", "DE8937040044053201300", "D189370400440532013000", "ＤE89"]
)
def test_bad_ones(text: str) -> None:
    with pytest.raises(InvalidRequestError):
        parse_iban(text)
