"""Assets, and amounts of money as people write them.

Inside, an amount is an `int` of the smallest unit of an asset: 10 USD at scale 9 is 10_000_000_000. Nothing here ever
makes a float.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, NamedTuple

from interledger.errors import InvalidRequestError

__all__ = ["NO_CURRENCY", "Asset", "Money", "format_amount", "parse_amount", "parse_asset", "parse_money"]

SPOKEN_PLACES = {"JPY": 0, "KRW": 0, "CLP": 0, "VND": 0, "BHD": 3, "KWD": 3, "XRP": 6, "ETH": 9, "BTC": 8, "LTC": 8}
"""Decimal places in which an asset is spoken of; 2 for all others (ISO 4217)."""


class Asset(NamedTuple):
    """What is counted: a code (`USD`) and the power of ten between its spoken unit and one unit of an amount."""

    code: str
    scale: int

    def __str__(self) -> str:
        return f"{self.code}/{self.scale}"


NO_CURRENCY: Final = Asset("XXX", 0)
"""ISO 4217's code for no currency: of packets without money, and of an account with a parent that has yet to say."""


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of an asset, in integer units of the asset's scale."""

    amount: int
    asset: Asset

    def __str__(self) -> str:
        return f"{format_amount(self.amount, self.asset)} {self.asset.code}"

    def as_json(self) -> dict[str, object]:
        """`{"amount": "1000", "asset_code": "USD", "asset_scale": 2}`: the integer as text, exact in every reader."""
        return {"amount": str(self.amount), "asset_code": self.asset.code, "asset_scale": self.asset.scale}


_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
_ASSET = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,31})/([0-9]{1,3})")
_DECIMAL = re.compile(r"([0-9]{1,30})(?:\.([0-9]{1,30}))?")
_MONEY = re.compile(r"([0-9]{1,30}(?:\.[0-9]{1,30})?) ?([A-Za-z][A-Za-z0-9._-]{0,31})")

# `1,000` is a thousand; `10,50` is refused, because half of the world means ten and a half by it.
_THOUSANDS = re.compile(r"^[0-9]{1,3}(?:,[0-9]{3})+(?![0-9,])")


def parse_asset(text: str) -> Asset:
    """`USD/9` -> Asset. Raises `InvalidRequestError`."""
    match = _ASSET.fullmatch(text)
    if match is None or int(match[2]) > 255:
        raise InvalidRequestError(f"“{text}” is not an asset. Write code and scale:  USD/9")
    return Asset(match[1].upper(), int(match[2]))


def parse_amount(text: str, scale: int) -> int:
    """A decimal number of spoken units -> integer units. Raises when it has more places than the scale keeps."""
    match = _DECIMAL.fullmatch(text)
    if match is None:
        raise InvalidRequestError(f"“{text}” is not an amount. Write  10  or  10.50")
    whole, places = match[1], (match[2] or "").rstrip("0")
    if len(places) > scale:
        raise InvalidRequestError(f"{text} has {len(places)} decimal places, the asset keeps {scale}")
    return int(whole + places.ljust(scale, "0"))


def parse_money(text: str) -> tuple[str, str]:
    """`10 USD` or `10.00USD` -> (`10`, `USD`). The account has the scale, so the number stays text until it is known.

    Raises `InvalidRequestError`, which says what to write instead.
    """
    stripped = text.strip()
    match = _MONEY.fullmatch(_THOUSANDS.sub(lambda found: found[0].replace(",", ""), stripped))
    if match is not None:
        return match[1], match[2].upper()
    if stripped and stripped[0] in "$€£¥":
        name = {"$": "dollar", "€": "euro account", "£": "pound", "¥": "yen or yuan"}[stripped[0]]
        raise InvalidRequestError(
            f"“{text}” does not say which {name}. Write  '{stripped[1:] or 10} {_example(stripped)}'"
        )
    raise InvalidRequestError(f"“{text}” is not an amount of money. Write  '10 USD'")


def _example(text: str) -> str:
    return {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY"}[text[0]]


def format_amount(amount: int, asset: Asset, *, exact: bool = False, thousands: bool = False) -> str:
    """Integer units -> decimal text, never rounded.

    Shows the places the asset is spoken in, or as many more as are not zero; `exact` shows the full scale.
    """
    sign = "-" if amount < 0 else ""
    digits = str(abs(amount)).rjust(asset.scale + 1, "0")
    whole, places = (digits[: -asset.scale], digits[-asset.scale :]) if asset.scale else (digits, "")
    if not exact:
        spoken = min(SPOKEN_PLACES.get(asset.code, 2), asset.scale)
        places = places[:spoken] + places[spoken:].rstrip("0")
    if thousands:
        whole = f"{int(whole):,}"
    return sign + whole + ("." + places if places else "")
