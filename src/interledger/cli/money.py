"""Money, rates and moments as people read them: never rounded so that more is promised, aligned at the point."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

from interledger.accounts.asset import SPOKEN_PLACES, Asset, format_amount

__all__ = [
    "align",
    "ceil_spoken",
    "duration",
    "floor_spoken",
    "least_spoken",
    "money",
    "money_of",
    "parse_moment",
    "rate_text",
    "round_spoken",
    "time_of_day",
    "whole",
]

MoneyDocument = Mapping[str, Any]


def money_of(document: MoneyDocument) -> tuple[int, Asset]:
    """`{"amount", "asset_code", "asset_scale"}` -> (units, asset)."""
    return int(document["amount"]), Asset(document["asset_code"], int(document["asset_scale"]))


def money(document: MoneyDocument, *, exact: bool = False, thousands: bool = False) -> str:
    """`10.00 USD`"""
    amount, asset = money_of(document)
    return f"{format_amount(amount, asset, exact=exact, thousands=thousands)} {asset.code}"


def whole(document: MoneyDocument) -> Fraction:
    """Whole units, exactly."""
    amount, asset = money_of(document)
    return Fraction(amount, 10**asset.scale)


def floor_spoken(amount: Fraction, code: str, *, thousands: bool = False) -> str:
    """Whole units in the places the asset is spoken in, cut: what is promised at least."""
    return _spoken(amount, code, thousands, up=False)


def ceil_spoken(amount: Fraction, code: str, *, thousands: bool = False) -> str:
    """The same, up: what is taken at most."""
    return _spoken(amount, code, thousands, up=True)


def round_spoken(amount: Fraction, code: str) -> str:
    """To the nearest: for what is an estimate anyway, as a fee."""
    return _spoken(amount + Fraction(1, 2 * 10 ** SPOKEN_PLACES.get(code, 2)), code, thousands=False, up=False)


def least_spoken(code: str) -> str:
    """The least amount that can be spoken of: `0.01`"""
    places = SPOKEN_PLACES.get(code, 2)
    return format_amount(1, Asset(code, places), exact=True)


def _spoken(amount: Fraction, code: str, thousands: bool, *, up: bool) -> str:
    places = SPOKEN_PLACES.get(code, 2)
    scaled = amount * 10**places
    units = -(-scaled.numerator // scaled.denominator) if up else scaled.numerator // scaled.denominator
    return format_amount(units, Asset(code, places), exact=True, thousands=thousands)


def align(texts: Sequence[str]) -> list[str]:
    """Numbers, one below the other, padded so that their decimal points stand in one column."""
    befores = [len(text.partition(".")[0]) for text in texts]
    afters = [len(text) - before for text, before in zip(texts, befores, strict=True)]
    before, after = max(befores, default=0), max(afters, default=0)
    return [" " * (before - b) + text + " " * (after - a) for text, b, a in zip(texts, befores, afters, strict=True)]


def rate_text(rate: Fraction) -> str:
    """Six significant digits, cut, without zeros at the end: `0.918536`"""
    if rate <= 0:
        return "0"
    places = 0
    while rate * 10**places < 10**5 and places < 24:
        places += 1
    units = rate.numerator * 10**places // rate.denominator
    text = str(units).rjust(places + 1, "0")
    return f"{text[:-places]}.{text[-places:]}".rstrip("0").rstrip(".") if places else text


def duration(milliseconds: int) -> str:
    """`186 ms`, `30.2 s`, `4 min`, `2 h`"""
    if milliseconds < 1_000:
        return f"{milliseconds} ms"
    if milliseconds < 60_000:
        return f"{milliseconds // 1_000}.{milliseconds % 1_000 // 100} s"
    if milliseconds < 3_600_000:
        return f"{milliseconds // 60_000} min"
    return f"{milliseconds // 3_600_000} h"


def parse_moment(text: str) -> datetime:
    """RFC 3339 -> a moment in UTC."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)


def time_of_day(text: str, now: datetime | None = None) -> str:
    """RFC 3339 -> local `11:52:07`, with the date when it is not today's."""
    moment = parse_moment(text).astimezone()
    today = (now or datetime.now(UTC)).astimezone().date()
    return moment.strftime("%H:%M:%S" if moment.date() == today else "%Y-%m-%d %H:%M:%S")
