"""Charts of values over time, as numbers for SVG. Every label is a value of the data, so that no mark is made up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from itertools import pairwise
from typing import Any, Final, NamedTuple

from interledger.dashboard.numbers import moment_of

__all__ = ["CHART_HEIGHT", "Chart", "Level", "flow_chart", "position_chart", "profit_chart", "rate_chart"]

CHART_HEIGHT: Final = 180
"""Pixels of the drawing itself; its labels stand beside and below it."""

TOP: Final = 8
POINTS_MAX: Final = 360
"""Of a line: more than a screen has room for. Whoever wants all has the data of the page."""


class Level(NamedTuple):
    """A value that the chart has a line for, of a rate as its text. `y` in pixels."""

    value: Any
    y: str


class Chart(NamedTuple):
    """`line` and `area` are paths in a square of 100; `begin` and `end` are moments as the API writes them."""

    line: str
    area: str
    levels: list[Level]
    begin: str
    end: str


def position_chart(points: Sequence[Mapping[str, Any]], now: datetime) -> Chart | None:
    """Where an account stood, from its history; each value holds until the next. None: nothing has moved yet."""
    if not points:
        return None
    values = [(moment_of(point["at"]), int(point["net"])) for point in _thinned(points)]
    end = max(now, values[-1][0])
    if all(value == 0 for _, value in values) or end == values[0][0]:
        return None
    steps = [values[0]]
    for (_, before), (at, value) in pairwise(values):
        steps += [(at, before), (at, value)]
    steps.append((end, values[-1][1]))
    return _chart(steps, {value for _, value in values}, points[0]["at"], end.isoformat())


def profit_chart(points: Sequence[Mapping[str, Any]], now: datetime) -> Chart | None:
    """What was earned, from a history of it; each value holds until the next. None: nothing was earned yet."""
    return position_chart([{"at": point["at"], "net": point["earned"]} for point in points], now)


def rate_chart(points: Sequence[Mapping[str, Any]], now: datetime) -> Chart | None:
    """A rate over time, between the lowest and the highest it had: a rate of zero is none. None: it never changed."""
    thin = _thinned(points)
    rates = [Fraction(point["value"]) for point in thin]
    low, high = min(rates, default=Fraction(0)), max(rates, default=Fraction(0))
    if low == high:
        return None
    first, end = moment_of(thin[0]["at"]), max(now, moment_of(thin[-1]["at"]))
    whole = (end - first).total_seconds() or 1
    steps, before = [], rates[0]
    for point, rate in zip(thin, rates, strict=True):
        x = (moment_of(point["at"]) - first).total_seconds() * 100 / whole
        steps += [f"{x:.2f} {_from_top(before, low, high)}", f"{x:.2f} {_from_top(rate, low, high)}"]
        before = rate
    line = "M" + " L".join([*steps, f"100 {_from_top(before, low, high)}"])
    texts = {rate: point["value"] for point, rate in zip(thin, rates, strict=True)}
    levels = [
        Level(texts[rate], str(TOP + (high - rate) * CHART_HEIGHT // (high - low)))
        for rate in sorted({high, low, before}, reverse=True)
    ]
    return Chart(line, f"{line} L100 100 L0 100Z", levels, thin[0]["at"], end.isoformat())


def _from_top(rate: Fraction, low: Fraction, high: Fraction) -> str:
    """In percent, cut to hundredths."""
    hundredths = int((high - rate) * 10_000 / (high - low))
    return f"{hundredths // 100}.{hundredths % 100:02}"


def flow_chart(minutes: Sequence[Mapping[str, Any]]) -> Chart | None:
    """Packets a minute. None: there are less than two minutes."""
    shown = _thinned(minutes)
    if len(shown) < 2 or not any(minute["packets"] for minute in shown):
        return None
    values = [(moment_of(minute["at"]), int(minute["packets"])) for minute in shown]
    return _chart(values, {value for _, value in values}, shown[0]["at"], shown[-1]["at"])


def _chart(values: Sequence[tuple[datetime, int]], seen: set[int], begin: str, end: str) -> Chart:
    low, high = min(0, *seen), max(0, *seen)
    first, whole = values[0][0], (values[-1][0] - values[0][0]).total_seconds() or 1
    span = high - low or 1

    def y_of(value: int) -> int:
        """In hundredths of a percent from the top: money stays whole."""
        return (high - value) * 10_000 // span

    points = [
        f"{(at - first).total_seconds() * 100 / whole:.2f} {y_of(value) // 100}.{y_of(value) % 100:02}"
        for at, value in values
    ]
    line, zero = "M" + " L".join(points), f"{y_of(0) // 100}.{y_of(0) % 100:02}"
    levels = [
        Level(value, str(TOP + y_of(value) * CHART_HEIGHT // 10_000)) for value in sorted({low, 0, high}, reverse=True)
    ]
    return Chart(line, f"{line} L100 {zero} L0 {zero}Z", levels, begin, end)


def _thinned(points: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """Every second, third, … one and always the last."""
    each = -(-len(points) // POINTS_MAX)
    return points if each <= 1 else [*points[:-1:each], points[-1]]
