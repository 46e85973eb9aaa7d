"""Moments as people write them."""

from __future__ import annotations

import pytest

from interledger.accounts.books.period import parse_moment
from interledger.errors import InvalidRequestError

NOON = 1_795_262_400_000


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("2026-11-21", NOON - 12 * 3_600_000),
        ("2026-11-21T12:00Z", NOON),
        ("2026-11-21 12:00", NOON),
        ("2026-11-21T12:00:00.250Z", NOON + 250),
        ("2026-11-21T13:00:00+01:00", NOON),
        ("1970-01-01", 0),
    ],
)
def test_a_moment(text: str, ms: int) -> None:
    assert parse_moment(text) == ms


@pytest.mark.parametrize(
    "text", ["", "today", "2026-13-01", "2026-11-21\n", "20261121", "2026-11-21T25:00Z", "٢٠٢٦-11-21"]
)
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(InvalidRequestError, match="is not a time"):
        parse_moment(text)
