"""The time a statement or an export is of: two moments, as people write them."""

from __future__ import annotations

import datetime
import re
from typing import NamedTuple

from interledger.errors import InvalidRequestError

__all__ = ["Period", "parse_moment"]

_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?(?:Z|[+-][0-9]{2}:[0-9]{2})?)?"
)

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


class Period(NamedTuple):
    """From and to, ms UTC; `end` is not included. None: as far as the books are kept."""

    start: int | None = None
    end: int | None = None

    def has(self, at: int) -> bool:
        """Whether the moment is in it."""
        return (self.start is None or at >= self.start) and (self.end is None or at < self.end)


def parse_moment(text: str) -> int:
    """`2026-11-21`, or with a time: `2026-11-21T12:30:00Z` -> ms UTC. Without an offset it is UTC.

    Raises `InvalidRequestError`.
    """
    try:
        if _MOMENT.fullmatch(text) is None:
            raise ValueError
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise InvalidRequestError(f"“{text[:40]}” is not a time. Write  2026-11-21  or  2026-11-21T12:30:00Z") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.UTC)
    return (moment - _EPOCH) // datetime.timedelta(milliseconds=1)
