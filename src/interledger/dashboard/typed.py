"""Amounts as people type them into a form: a point for the decimals, no marks for thousands, in every language."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final

from interledger.api.problems import Problem

__all__ = ["parse_decimal", "parse_typed", "parse_whole", "typed_amount"]

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


def parse_decimal(text: str) -> Fraction:
    """`1.0854`, exactly. Raises an `invalid-request` problem that says what to write."""
    match = _DECIMAL.fullmatch(text.strip())
    if match is None:
        raise Problem("invalid-request", "Write 1.0854, with a point and no thousands mark")
    return Fraction(match[0])


def parse_whole(text: str, least: int, most: int) -> int:
    """A whole number between both. Raises an `invalid-request` problem."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 18 and least <= int(text) <= most):
        raise Problem("invalid-request", f"Write a whole number from {least} to {most}")
    return int(text)


def typed_amount(units: int, scale: int) -> str:
    """Units as they are typed: `412.75`"""
    digits = str(units).rjust(scale + 1, "0")
    whole, places = (digits[:-scale], digits[-scale:].rstrip("0")) if scale else (digits, "")
    return f"{whole}.{places}" if places else whole
