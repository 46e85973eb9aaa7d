"""Amounts as people type them into a form: a point for the decimals, no marks for thousands, in every language."""

from __future__ import annotations

import re
from typing import Final

from interledger.api.problems import Problem

__all__ = ["parse_typed", "typed_amount"]

_DECIMAL: Final = re.compile(r"([0-9]{1,30})(?:\.([0-9]{1,30}))?")


def parse_typed(text: str, scale: int) -> int:
    """`412.75` -> units. Raises an `invalid-request` problem that says what to write."""
    match = _DECIMAL.fullmatch(text.strip())
    if match is None:
        raise Problem("invalid-request", "Write 1000.50, with a point for cents and no thousands mark")
    places = (match[2] or "").rstrip("0")
    if len(places) > scale:
        raise Problem("invalid-request", f"The asset keeps {scale} decimal places, these are {len(places)}")
    return int(match[1] + places.ljust(scale, "0"))


def typed_amount(units: int, scale: int) -> str:
    """Units as they are typed: `412.75`"""
    digits = str(units).rjust(scale + 1, "0")
    whole, places = (digits[:-scale], digits[-scale:].rstrip("0")) if scale else (digits, "")
    return f"{whole}.{places}" if places else whole
