"""What sources of rates send, read into `Quotes`: pure parsers, one per format. All raise `DecodeError`.

A feed's single value that cannot be used (zero, negative, 1e400) is listed in `Quotes.refused`; the others are taken.
A table that an operator wrote is refused as a whole.

| format | who speaks it | a number means |
|---|---|---|
| table of values `{"EUR": "1.08"}` | settings; `PUT /rates` of interledger-rs | worth of one unit, in the common base |
| `{"base": "USD", "rates": {"EUR": 0.92}}` | Rafiki's rates service; our rate files | units for one unit of the base |
| eurofxref daily XML | European Central Bank | units for one euro |
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Final
from xml.parsers import expat

from interledger.clock import Timestamp
from interledger.codec.strict_json import JsonNumber, parse_json_object
from interledger.errors import DecodeError
from interledger.routing.exchange import Quotes

__all__ = [
    "RATES_OCTETS_MAX",
    "format_rate",
    "parse_decimal_rate",
    "parse_ecb_xml",
    "parse_rates_json",
    "parse_spread",
    "parse_value_table",
]

RATES_OCTETS_MAX: Final = 65_536
"""The ECB's document has 2 KiB, one with all currencies of the world 6 KiB."""

CODES_MAX: Final = 1_000
"""ISO 4217 has 180; the rest is room for tokens."""

MAGNITUDE_MAX: Final = 30
"""A value lies between 10^-30 and 10^30: even a token of 18 decimals with a worthless unit does. 1e400 is an attack."""

CODE_LENGTH_MAX: Final = 32

ELEMENTS_MAX: Final = 2_000
"""XML elements: one per currency and a few around them."""

_DECIMAL = re.compile(r"(0|[1-9][0-9]{0,59})(?:\.([0-9]{1,60}))?(?:[eE]([+-]?)([0-9]{1,2}))?")
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def parse_decimal_rate(text: str) -> Fraction:
    """Decimal text (`1.0843`, `2e-7`) -> the exact positive number. Signs, zero, NaN and 1e400 are refused (A21)."""
    match = _DECIMAL.fullmatch(text)
    if match is None:
        raise DecodeError(f"{_shown(text)} is not a positive decimal number")
    whole, places, sign, exponent = match[1], match[2] or "", match[3], int(match[4] or "0")
    shift = (-exponent if sign == "-" else exponent) - len(places)
    value = Fraction(int(whole + places)) * Fraction(10) ** shift
    limit = 10**MAGNITUDE_MAX
    if not Fraction(1, limit) <= value <= limit:
        raise DecodeError(f"{_shown(text)} cannot be a value: it is zero, or out of all proportion")
    return value


def parse_spread(text: str) -> Fraction:
    """`0.003` or `0.3%` -> the exact share kept by the node, from 0 to less than 1."""
    bare, per = (text[:-1].rstrip(" "), 100) if text.endswith("%") else (text, 1)
    if re.fullmatch(r"0(?:\.0{1,60})?", bare):
        return Fraction(0)
    spread = parse_decimal_rate(bare) / per
    if spread >= 1:
        raise DecodeError(f"{_shown(text)} cannot be a spread: it would keep everything. Write  0.003  or  0.3%")
    return spread


def parse_value_table(
    table: Mapping[str, Any], *, source: str, now: Timestamp, max_age_ms: int | None = None
) -> Quotes:
    """What one unit of each asset is worth in a common base: `{"USD": "1", "EUR": "1.08"}`."""
    if len(table) > CODES_MAX:
        raise DecodeError(f"{len(table)} rates are more than {CODES_MAX}")
    values = {_code(code): _number(code, price) for code, price in table.items()}
    return Quotes(source, values, None, now, max_age_ms)


def parse_rates_json(
    body: bytes, *, source: str, as_of: Timestamp, max_age_ms: int | None = None, base: str | None = None
) -> Quotes:
    """`{"base": "USD", "rates": {"EUR": 0.92}}`: how many units one unit of the base buys.

    `base` is what was asked for; a document that answers something else is refused (A21: wrong asset).
    """
    document = parse_json_object(body, octets_max=RATES_OCTETS_MAX)
    found, rates = document.get("base"), document.get("rates")
    if type(found) is not str or _CODE.fullmatch(found) is None:
        raise DecodeError("the rates have no “base”, the asset they are counted in")
    if base is not None and found != base:
        raise DecodeError(f"the rates are for one {found}, asked was for one {base}")
    if not isinstance(rates, dict):
        raise DecodeError("the document has no “rates”")
    return _from_rates(found, rates, source, as_of, max_age_ms)


def parse_ecb_xml(body: bytes, *, source: str, max_age_ms: int | None = None) -> Quotes:
    """The European Central Bank's daily reference rates (eurofxref-daily.xml). Dated at the start of their day, UTC."""
    if len(body) > RATES_OCTETS_MAX:
        raise DecodeError(f"the XML document has {len(body)} octets, at most {RATES_OCTETS_MAX} are read")
    reader = _EcbReader()
    reader.read(body)
    if len(reader.days) != 1:
        raise DecodeError(
            f"the document has rates of {len(reader.days)} days. The daily one has one: eurofxref-daily.xml"
        )
    as_of = _start_of_day(reader.days[0])
    return _from_rates("EUR", reader.rates, source, as_of, max_age_ms)


def format_rate(rate: Fraction, digits: int = 6) -> str:
    """A positive rate for people: `digits` significant ones, rounded down, no exponent. `0.918536`"""
    places = 0
    while rate * 10**places < 10 ** (digits - 1) and places < MAGNITUDE_MAX * 4:
        places += 1
    units = rate.numerator * 10**places // rate.denominator
    whole, part = divmod(units, 10**places)
    decimals = str(part).rjust(places, "0").rstrip("0") if places else ""
    return f"{whole}.{decimals}" if decimals else str(whole)


class _EcbReader:
    """Collects `<Cube time=…>` and `<Cube currency=… rate=…>`. A document type or entity declaration is refused."""

    def __init__(self) -> None:
        self.days: list[str] = []
        self.rates: dict[str, str] = {}
        self._elements = 0

    def read(self, body: bytes) -> None:
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.StartDoctypeDeclHandler = self._refuse
        parser.EntityDeclHandler = self._refuse
        try:
            parser.Parse(body, True)
        except expat.ExpatError as error:
            raise DecodeError(f"not XML: {expat.ErrorString(error.code)} in line {error.lineno}") from None
        except (LookupError, ValueError) as error:
            if isinstance(error, DecodeError):
                raise
            raise DecodeError("not XML that can be read: unknown encoding") from None

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if self._elements > ELEMENTS_MAX:
            raise DecodeError(f"the XML document has more than {ELEMENTS_MAX} elements")
        if name.rpartition(":")[2] != "Cube":
            return
        if "time" in attributes:
            self.days.append(attributes["time"])
        if "currency" in attributes or "rate" in attributes:
            code = attributes.get("currency", "")
            if code in self.rates:
                raise DecodeError(f"the document has {_shown(code)} twice")
            self.rates[code] = attributes.get("rate", "")

    def _refuse(self, *_: object) -> None:
        raise DecodeError("the XML document declares a document type or entity; rates need neither")


def _from_rates(base: str, rates: Mapping[str, Any], source: str, as_of: Timestamp, max_age_ms: int | None) -> Quotes:
    """Units per base -> worth in the base: the reciprocal, exact."""
    if not 0 < len(rates) <= CODES_MAX:
        raise DecodeError(f"the document has {len(rates)} rates; 1 to {CODES_MAX} are read")
    values, refused = {base: Fraction(1)}, {}
    for text, rate in rates.items():
        # One dead currency at rate 0 must not take the others down with it.
        try:
            code, value = _code(text), 1 / _number(text, rate)
            if code == base and value != 1:
                raise DecodeError(f"the document says that one {base} is not worth one {base}")
            values[code] = value
        except DecodeError as error:
            refused[text[:CODE_LENGTH_MAX]] = str(error)
    return Quotes(source, values, base, as_of, max_age_ms, refused)


def _code(text: str) -> str:
    if _CODE.fullmatch(text) is None:
        raise DecodeError(f"{_shown(text)} is not an asset code")
    return text


def _number(code: str, value: object) -> Fraction:
    """A JSON number, or a string that holds one."""
    if not isinstance(value, str | JsonNumber):
        raise DecodeError(f"the rate of {_shown(code)} is not a number")
    try:
        return parse_decimal_rate(value)
    except DecodeError as error:
        raise DecodeError(f"the rate of {_shown(code)} cannot be used: {error}") from None


def _start_of_day(text: str) -> Timestamp:
    try:
        day = datetime.date.fromisoformat(text if _DATE.fullmatch(text) else "")
    except ValueError:
        raise DecodeError(f"{_shown(text)} is not a date") from None
    return Timestamp((day - datetime.date(1970, 1, 1)).days * 86_400_000)


def _shown(text: str) -> str:
    """A stranger's text in an error: ASCII, short."""
    return f"“{ascii(text[:40])[1:-1]}”"
