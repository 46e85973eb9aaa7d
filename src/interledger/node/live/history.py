"""A value over time in bounded memory: the longer it is watched, the more thinly it is kept."""

from __future__ import annotations

from typing import Any, Final, Generic, Protocol, TypeVar, final

from interledger.clock import Timestamp

__all__ = ["POINTS_KEPT", "History", "Point"]

POINTS_KEPT: Final = 720
"""When they are full, every second one goes and the next come half as often."""

EVERY_MS: Final = 1_000


class Point(Protocol):
    """A named tuple whose first field is the moment; the others are what was so then."""

    @property
    def at(self) -> Timestamp: ...
    def __getitem__(self, key: slice, /) -> tuple[Any, ...]: ...


P = TypeVar("P", bound=Point)


@final
class History(Generic[P]):
    """The points of one value, evenly thinned out. What has not changed is no new point."""

    __slots__ = ("every_ms", "points")

    def __init__(self) -> None:
        self.points: list[P] = []
        self.every_ms = EVERY_MS

    def add(self, point: P) -> None:
        """The value is so now."""
        points = self.points
        if points and points[-1][1:] == point[1:]:
            return
        if len(points) > 1 and point.at - points[-2].at < self.every_ms:
            points[-1] = point
            return
        points.append(point)
        if len(points) > POINTS_KEPT:
            del points[1:-1:2]
            self.every_ms *= 2
