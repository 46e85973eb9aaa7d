"""Numbers and moments as a language writes them. All arithmetic is on integers; what is cut is cut in nobody's favour.

Only pages are written so: input, CSV, the command line and JSON have the point everywhere.
"""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction
from typing import Final, NamedTuple, final

__all__ = ["LANGUAGES", "SPOKEN_PLACES", "Format", "moment_of", "units_of"]

SPOKEN_PLACES: Final = 2
"""Decimal places that every amount is written with at least, when its asset has them."""


class _Marks(NamedTuple):
    point: str
    thousands: str
    grouped_from: int
    """How many digits a number has at least for its thousands to be set apart (CLDR's minimumGroupingDigits)."""


LANGUAGES: Final = {"en": _Marks(".", ",", 4), "es": _Marks(",", ".", 5)}
"""The languages there are, and their marks."""

MINUS: Final = "−"


@final
class Format:
    """How one language writes numbers."""

    def __init__(self, language: str) -> None:
        self._marks = LANGUAGES[language]

    def amount(self, units: str | int, scale: int) -> str:
        """`412750000000` at scale 9 -> `412.75`: every digit that is not a zero at the end."""
        number = int(units)
        sign, digits = (MINUS if number < 0 else ""), str(abs(number)).rjust(scale + 1, "0")
        whole, places = (digits[:-scale], digits[-scale:]) if scale else (digits, "")
        places = places.rstrip("0").ljust(min(scale, SPOKEN_PLACES), "0")
        return sign + self._grouped(whole) + (self._marks.point + places if places else "")

    def integer(self, number: str | int) -> str:
        """`12000` -> `12,000`"""
        value = int(number)
        return (MINUS if value < 0 else "") + self._grouped(str(abs(value)))

    def rate(self, rate: Fraction) -> str:
        """Six significant digits, cut: `0.918536`"""
        if rate <= 0:
            return "0"
        places = 0
        while rate * 10**places < 10**5 and places < 24:
            places += 1
        return self.amount(rate.numerator * 10**places // rate.denominator, places)

    def decimal(self, text: str) -> str:
        """`0.9213`, as the API writes decimals."""
        whole, _, places = text.partition(".")
        return self._grouped(whole) + (self._marks.point + places if places else "")

    def percent(self, part: int, whole: int) -> str:
        """Whole percents, cut."""
        return self.integer(part * 100 // whole) if whole else "0"

    def seconds(self, milliseconds: int) -> str:
        """`186 ms`, `30.2 s`, `4 min`, `2 h`, `6 d`"""
        if milliseconds < 1_000:
            return f"{milliseconds} ms"
        if milliseconds < 60_000:
            return f"{milliseconds // 1_000}{self._marks.point}{milliseconds % 1_000 // 100} s"
        return self.age(milliseconds)

    @staticmethod
    def age(milliseconds: int) -> str:
        """`12 s`, `4 min`, `2 h`, `6 d`"""
        for unit, length in (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000)):
            if milliseconds >= length:
                return f"{milliseconds // length} {unit}"
        return f"{max(milliseconds, 0) // 1_000} s"

    def _grouped(self, digits: str) -> str:
        if len(digits) < self._marks.grouped_from:
            return digits
        first = len(digits) % 3
        groups = [digits[:first]] if first else []
        return self._marks.thousands.join([*groups, *(digits[i : i + 3] for i in range(first, len(digits), 3))])


def moment_of(text: str) -> datetime:
    """RFC 3339, as the API writes it."""
    return datetime.fromisoformat(text).astimezone(UTC)


def units_of(text: str | None) -> int:
    """Units as the API writes them; none are 0."""
    return 0 if text is None else int(text)
