"""Exact exchange rates: values of whole units in a common base, and the integer ratios that packets are converted by.

A value is read from decimal text into a `Fraction`; no float is ever made. A ratio includes the scales of both assets and
the spread, so that converting a packet is one multiplication and one floor division in our favour (CR-19).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, NamedTuple, final

from interledger.accounts.asset import Asset
from interledger.clock import Timestamp
from interledger.errors import InvalidRequestError

__all__ = ["AssetValue", "ExchangeTable", "NoRate", "Ratio", "convert", "parse_rate"]

FOREVER: Final = Timestamp(253_402_300_799_999)

_DECIMAL = re.compile(r"([0-9]{1,30})(?:\.([0-9]{1,30}))?")


class Ratio(NamedTuple):
    """Outgoing units per incoming unit, until `expires_at` (ms UTC)."""

    numerator: int
    denominator: int
    expires_at: Timestamp


class NoRate(NamedTuple):
    """Why there is no rate: `missing` or `stale`."""

    reason: str
    code: str


@dataclass(frozen=True, slots=True)
class AssetValue:
    """What one whole unit of an asset is worth in the table's base."""

    code: str
    value: Fraction
    text: str
    source: str
    as_of: Timestamp


def parse_rate(text: str) -> Fraction:
    """Positive decimal text -> Fraction. Raises `InvalidRequestError` (zero, signs, exponents, NaN)."""
    match = _DECIMAL.fullmatch(text)
    if match is None:
        raise InvalidRequestError(f"“{text}” is not a rate. Write a decimal number such as  0.9213")
    value = Fraction(int(match[1] + (match[2] or "")), 10 ** len(match[2] or ""))
    if not value:
        raise InvalidRequestError("a rate cannot be zero")
    return value


def convert(amount: int, ratio: Ratio) -> int:
    """Incoming units -> outgoing units, rounded down: what is left over stays with us."""
    return amount * ratio.numerator // ratio.denominator


@final
class ExchangeTable:
    """The values of all assets. `age_max_ms`: older ones are not used any more; None for values that never age."""

    def __init__(self, age_max_ms: int | None = None) -> None:
        self.age_max_ms = age_max_ms
        self._values: dict[str, AssetValue] = {}

    def set_value(self, code: str, text: str, *, source: str, as_of: Timestamp) -> None:
        """Let one whole unit of `code` be worth `text` of the base. Raises `InvalidRequestError`."""
        self._values[code] = AssetValue(code, parse_rate(text), text, source, as_of)

    def replace(self, values: dict[str, str], *, source: str, as_of: Timestamp) -> None:
        """Let `values` be all that the table knows. Raises `InvalidRequestError` and changes nothing."""
        self._values = {c: AssetValue(c, parse_rate(t), t, source, as_of) for c, t in values.items()}

    def values(self) -> list[AssetValue]:
        """All values, by code."""
        return [self._values[code] for code in sorted(self._values)]

    def ratio(self, incoming: Asset, outgoing: Asset, spread: Fraction, now: Timestamp) -> Ratio | NoRate:
        """The ratio by which a packet is converted. The same code is converted by scale alone, without a spread."""
        scales = Fraction(10**outgoing.scale, 10**incoming.scale)
        if incoming.code == outgoing.code:
            return Ratio(scales.numerator, scales.denominator, FOREVER)
        expires_at = FOREVER
        pair = []
        for asset in (incoming, outgoing):
            value = self._values.get(asset.code)
            if value is None:
                return NoRate("missing", asset.code)
            if self.age_max_ms is not None and value.source != "static":
                expires_at = min(expires_at, Timestamp(value.as_of + self.age_max_ms))
            if expires_at <= now:
                return NoRate("stale", asset.code)
            pair.append(value.value)
        rate = pair[0] / pair[1] * scales * (1 - spread)
        return Ratio(rate.numerator, rate.denominator, expires_at)
