"""Geometry of the drawings, as numbers for SVG attributes. No money is in it: only counts and shares."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

__all__ = ["Cell", "Dot", "Peer", "line_of", "ribbon_of", "spark_of", "star_of"]

SIDE: Final = 124
CELLS_MAX: Final = 144
"""Of a square: 12 by 12. More packets than that share cells."""


class Cell(NamedTuple):
    """A cell of a square."""

    x: str
    y: str
    size: str
    kind: str


def ribbon_of(fulfilled: int, rejected: int) -> list[Cell]:
    """A square of one second: a cell for each packet, or for each few. Rejected ones come last, and none is lost."""
    total = fulfilled + rejected
    if total <= 0:
        return []
    each = -(-total // CELLS_MAX)
    bad = -(-rejected // each)
    good = min(-(-fulfilled // each), CELLS_MAX - bad)
    columns = math.isqrt(good + bad - 1) + 1
    step = SIDE / columns
    kinds = ["ok", "ok2", "ok", "ok3", "ok"]
    cells = []
    for i in range(good + bad):
        kind = "bad" if i >= good else kinds[(i * 7 + i // columns) % 5]
        x, y = (i % columns) * step, (i // columns) * step
        cells.append(Cell(f"{x + 0.8:.1f}", f"{y + 0.8:.1f}", f"{step - 1.6:.1f}", kind))
    return cells


def spark_of(values: Sequence[int]) -> str | None:
    """A line through the values in a square of 100, from the left; None: too few for a line."""
    if len(values) < 2:
        return None
    top = max(values) or 1
    points = (f"{i * 100 / (len(values) - 1):.2f} {95 - value * 85 / top:.2f}" for i, value in enumerate(values))
    return "M" + " L".join(points)


class Dot(NamedTuple):
    """Some packets of a second, on their way along a link."""

    size: int
    seconds: str
    delay: str
    inwards: bool
    rejected: bool


class Peer(NamedTuple):
    """A peer of the topology, and the link to it. `plate_x`, `plate_y`: the middle of the link, for what is owed."""

    data: Mapping[str, Any]
    x: str
    y: str
    path: str
    width: str
    radius: int
    label_y: str
    plate_x: str
    plate_y: str
    dots: list[Dot]


DOTS_MAX: Final = 7

PACKETS_A_DOT: Final = 10


def star_of(peers: Sequence[Mapping[str, Any]], width: int, height: int) -> list[Peer]:
    """Peers on an ellipse around the middle; links bend a little, so that two of them can be told apart."""
    middle_x, middle_y = width / 2, height / 2
    radius = 34 if width > 600 else 26
    found = []
    for i, peer in enumerate(peers):
        # Two stand beside the node where there is room, else above and below it.
        start = 0.0 if len(peers) <= 2 and width > height else 0.5
        turn = 2 * math.pi * (i + start) / len(peers)
        x = middle_x - math.cos(turn) * (width / 2 - (110 if width > 600 else 62))
        y = middle_y + math.sin(turn) * (height / 2 - 88)
        bend_x, bend_y = (x + middle_x) / 2 + (y - middle_y) * 0.12, (y + middle_y) / 2 - (x - middle_x) * 0.06
        path = f"M{x:.0f} {y:.0f} Q{bend_x:.0f} {bend_y:.0f} {middle_x:.0f} {middle_y:.0f}"
        share = 3 + min(peer["share_percent"] or 0, 100) * 11 / 100
        label_y = y + radius + 22 if y >= middle_y else y - radius - 26
        # A little nearer to the peer than the middle: there the links are apart.
        plate_x, plate_y = (_on_curve(*three) for three in ((x, bend_x, middle_x), (y, bend_y, middle_y)))
        found.append(
            Peer(
                peer, f"{x:.0f}", f"{y:.0f}", path, f"{share:.1f}", radius, f"{label_y:.0f}", f"{plate_x:.0f}",
                f"{plate_y:.0f}", _dots(peer),
            )
        )  # fmt: skip
    return found


def _on_curve(start: float, bend: float, end: float, at: float = 0.45) -> float:
    return (1 - at) ** 2 * start + 2 * at * (1 - at) * bend + at**2 * end


def _dots(peer: Mapping[str, Any]) -> list[Dot]:
    """One for each few packets of the last second, each way; the last ones inwards are those that were rejected."""
    rates = peer["packets_per_second"]
    total = rates["in"] + rates["out"]
    count = min(DOTS_MAX, math.ceil(total / PACKETS_A_DOT)) if total else 0
    if rates["in"] and rates["out"]:
        count = max(count, 2)
    inwards = min(count, -(-rates["in"] * count // total)) if total else 0
    rejected = -(-rates["rejected"] * inwards // rates["in"]) if rates["in"] else 0
    dots = []
    for i in range(count):
        seconds = 1.5 + i * 0.08
        refused = inwards - rejected <= i < inwards
        dots.append(Dot(3 + i % 3, f"{seconds:.2f}", f"{-i * seconds / count:.2f}", i < inwards, refused))
    return dots


def line_of(values: Sequence[int], low: int, high: int) -> str | None:
    """A line through the values in a square of 100; `low` and `high` are its lower and upper edge."""
    if len(values) < 2 or high <= low:
        return None
    points = (
        f"{i * 100 / (len(values) - 1):.2f} {100 - (value - low) * 100 / (high - low):.2f}"
        for i, value in enumerate(values)
    )
    return "M" + " L".join(points)
