"""What templates call: amounts, counts and moments as elements that keep the exact value, and words for states."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any, Final

from markupsafe import Markup, escape

from interledger.dashboard.catalogue import Texts
from interledger.dashboard.numbers import SPOKEN_PLACES, Format, moment_of

__all__ = ["ICONS", "PEER_TEXT_MAX", "filters_of"]

PEER_TEXT_MAX: Final = 200
"""Characters of a text that another node wrote. More says nothing, and would push the page away."""

ICONS: Final = {
    "ok": "m4 10.5 4 4 8-9",
    "bad": "m5 5 10 10M15 5 5 15",
    "warn": "M10 3 2.5 16.5h15zM10 8v4m0 2.3v.2",
    "wait": "M17 10a7 7 0 1 1-14 0 7 7 0 0 1 14 0M10 6v4l3 2",
    "info": "M17 10a7 7 0 1 1-14 0 7 7 0 0 1 14 0M10 9v5m0-8v.2",
    "pause": "M7 5v10m6-10v10",
    "out": "M4 10h12m-5-5 5 5-5 5",
    "in": "M16 10H4m5-5-5 5 5 5",
    "chevron": "m6 8 4 4 4-4",
    "find": "M14.5 9a5.5 5.5 0 1 1-11 0 5.5 5.5 0 0 1 11 0m-1.3 4.2 4 4",
    "moon": "M10 3a7 7 0 1 0 7 7 5.5 5.5 0 0 1-7-7z",
    "overview": "M3 9.5 10 4l7 5.5V16a1 1 0 0 1-1 1h-3.5v-4.5h-5V17H4a1 1 0 0 1-1-1z",
    "topology": "M12.6 10a2.6 2.6 0 1 1-5.2 0 2.6 2.6 0 0 1 5.2 0M5.5 4.4a1.7 1.7 0 1 1-3.4 0 1.7 1.7 0 0 1 3.4 0"
    "m12.4 0a1.7 1.7 0 1 1-3.4 0 1.7 1.7 0 0 1 3.4 0M6.3 16a1.7 1.7 0 1 1-3.4 0 1.7 1.7 0 0 1 3.4 0"
    "m11 0a1.7 1.7 0 1 1-3.4 0 1.7 1.7 0 0 1 3.4 0M5 5.6l3 2.7M15 5.6l-3 2.7M5.8 14.8l2.4-2.7m6.2 2.7-2.5-2.7",
    "accounts": "M3 6h14M3 10h14M3 14h14M7 4v4m6 0v4m-4 0v4",
    "payments": "M3 6.5h11m-3-3 3 3-3 3M17 13.5H6m3-3-3 3 3 3",
    "settlements": "M10 3v14M4 6.5h12M4 6.5 2 11.5a2.3 2.3 0 0 0 4 0zm12 0-2 5a2.3 2.3 0 0 0 4 0zM6.5 17h7",
    "rates": "M3 15.5 7.5 10l3 3L17 5m0 4.5V5h-4.5",
    "routes": "M6.3 15.5a1.8 1.8 0 1 1-3.6 0 1.8 1.8 0 0 1 3.6 0m11-11a1.8 1.8 0 1 1-3.6 0 1.8 1.8 0 0 1 3.6 0"
    "M6.3 15.5H12a3 3 0 0 0 0-6H8a2.7 2.7 0 0 1 0-5h5.7",
    "packets": "m10 3 6.5 3.5v7L10 17l-6.5-3.5v-7zM3.7 6.6 10 10l6.3-3.4M10 10v7",
    "unknown": "M17 10a7 7 0 1 1-14 0 7 7 0 0 1 14 0M7.9 8a2.1 2.1 0 1 1 3 1.9c-.7.4-.9.8-.9 1.6m0 2.3v.1",
    "events": "M4 5h12M4 10h12M4 15h7",
    "webhooks": "M4 10a6 6 0 0 1 6-6m-3 6a3 3 0 0 1 3-3m-1 4.5 7 4-2.6.7-1 2.6z",
    "tokens": "M12.5 11.5a4 4 0 1 0-3-3L3 15v2h3v-2h2v-2h1.5zM13.5 6.5v.1",
    "settings": "M3 6h6m4 0h4M3 14h3m4 0h7M13 6a2 2 0 1 1-4 0 2 2 0 0 1 4 0m-3 8a2 2 0 1 1-4 0 2 2 0 0 1 4 0",
    "more": "M4 6h12M4 10h12M4 14h12",
    "empty": "M3 6l7-3 7 3v8l-7 3-7-3zM3 6l7 3 7-3M10 9v8",
}
"""Paths in a square of 20, drawn with a line."""


def filters_of(format_: Format, texts: Texts) -> dict[str, Callable[..., Any]]:
    """The filters of a language."""
    found = (*_numbers(format_), *_moments(format_), theirs, named)

    def word(text: str) -> str:
        """A state, kind or relation of the API in this language."""
        return texts.get(text)

    return {function.__name__: function for function in (*found, word)} | {"decimal": format_.decimal}


def _numbers(format_: Format) -> tuple[Callable[..., Any], ...]:
    def units(amount: str | int, scale: int) -> Markup:
        """Units of an asset as a number, without its code. Who owes is said in words, so there is no sign."""
        return _data(abs(int(amount)), format_.amount(abs(int(amount)), scale))

    def units_short(amount: str | int, scale: int) -> str:
        """Units as a drawing has room for: cut to the places people speak in. The page beside it has all of them."""
        places = min(scale, SPOKEN_PLACES)
        return format_.amount(abs(int(amount)) // 10 ** (scale - places), places)

    def units_signed(amount: str | int, scale: int) -> str:
        """The same with a minus sign for a loss, for the marks of a chart."""
        return ("−" if int(amount) < 0 else "") + units_short(amount, scale)

    def money(document: Mapping[str, Any] | None) -> Markup:
        """`{"amount", "asset_code", "asset_scale"}` -> number and code."""
        if document is None:
            return Markup("–")
        number = units(document["amount"], int(document["asset_scale"]))
        return Markup('<span class="amt">{} <small>{}</small></span>').format(number, document["asset_code"])

    def about(document: Mapping[str, Any]) -> Markup:
        """What amounts of several assets are worth together: cut to the places people speak in."""
        number = about_units(document)
        return Markup('<span class="amt">{} <small>{}</small></span>').format(number, document["asset_code"])

    def about_units(document: Mapping[str, Any]) -> Markup:
        """The same without its code."""
        return _data(document["amount"], units_short(document["amount"], int(document["asset_scale"])))

    def count(number: str | int) -> Markup:
        return _data(number, format_.integer(number))

    def rate(numerator: str | int, denominator: str | int) -> str:
        return format_.rate(Fraction(int(numerator), int(denominator)))

    def hundredths(number: Fraction) -> str:
        """Two places, cut towards zero: `0.27`"""
        units = abs(number.numerator) * 100 // number.denominator
        return format_.amount(-units if number < 0 else units, 2)

    return units, units_short, units_signed, money, about, about_units, count, rate, hundredths


def _moments(format_: Format) -> tuple[Callable[..., Any], ...]:
    def clock(text: str) -> Markup:
        """`11:52:07`, with the day where it is not today's."""
        moment = moment_of(text).astimezone()
        shown = moment.strftime("%H:%M:%S")
        if moment.date() != datetime.now(UTC).astimezone().date():
            shown = moment.strftime("%Y-%m-%d %H:%M:%S")
        return _time(text, shown)

    def ago(text: str) -> Markup:
        """`4 min`"""
        since = datetime.now(UTC) - moment_of(text)
        return _time(text, format_.age(int(since.total_seconds() * 1000)))

    def ms(milliseconds: int) -> str:
        """A time that is no number of the data by itself."""
        return format_.seconds(milliseconds)

    def us(microseconds: int) -> str:
        """`42 µs`, `3.1 ms`, `11.9 ms`, `1.0 s`: what packets take is read by its tenths."""
        if microseconds < 100:
            return f"{microseconds} µs"
        if microseconds >= 1_000_000:
            return format_.seconds(microseconds // 1_000)
        return f"{format_.amount(microseconds // 100, 1)} ms"

    def duration(milliseconds: int) -> Markup:
        return _data(milliseconds, format_.seconds(milliseconds))

    return clock, ago, ms, us, duration


def theirs(text: str) -> Markup:
    """What another node wrote: quoted, cut, apart from our own direction of writing, never markup."""
    return Markup("<bdi>“{}”</bdi>").format(_shown(text))


def named(text: str) -> Markup:
    """A name that another node or person chose, where quotes would be in the way."""
    return Markup("<bdi>{}</bdi>").format(_shown(text))


def _shown(text: str) -> str:
    cut = text if len(text) <= PEER_TEXT_MAX else text[:PEER_TEXT_MAX] + "…"
    return "".join(c if c.isprintable() else "�" for c in cut)


def _data(value: str | int, shown: str) -> Markup:
    """The number as it is in the page's data, and as it is written."""
    return Markup('<data value="{}">{}</data>').format(value, shown)


def _time(moment: str, shown: str) -> Markup:
    return Markup('<time datetime="{}" title="{}">{}</time>').format(moment, moment, escape(shown))
