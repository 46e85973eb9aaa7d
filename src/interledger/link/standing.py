"""What a node remembers of those who connect: a source that only wastes connections is turned away for a while.

One `Standing` serves a whole node. Whoever ends a connection says what it was good for: one that brought nothing counts
a little, one that had to be cut off for what came over it counts more, and both are forgotten with time. A source with
too much of it is refused at the door, before TLS and before an octet is read: for a second first, twice as long
whenever it goes on, and for a minute at most.

A source from which a peer's packets came lately is never refused: a peer behind the same address as a flooder must get
in again. Nor is this machine's own address, because a proxy in front of the node has it, whoever its clients are. What
such a flooder may cost is bounded by `link.http.strangers`, as is that of many sources at a time.
"""

from __future__ import annotations

from typing import Final, final

from interledger.clock import Timestamp

__all__ = [
    "CUT_COSTS",
    "GOOD_FOR_MS",
    "NEVER_REFUSED",
    "REFUSED_FIRST_MS",
    "REFUSED_MAX_MS",
    "SOURCES_MAX",
    "WASTED_MAX",
    "Standing",
]

SOURCES_MAX: Final = 4_096
"""Sources remembered, good ones and bad ones each; beyond, those heard of longest ago are forgotten."""

WASTED_MAX: Final = 64
"""Connections without any use that a source may have made at once; one is forgiven every second. A health check makes
one every few seconds, a browser six at a time."""

CUT_COSTS: Final = 8
"""What a connection counts that had to be cut off."""

REFUSED_FIRST_MS: Final = 1_000
REFUSED_MAX_MS: Final = 60_000
"""How long a source is refused, the first time and at most."""

FORGOTTEN_MS: Final = 600_000
"""A source that has kept quiet for so long begins anew."""

GOOD_FOR_MS: Final = 600_000
"""How long a packet of a peer speaks for its source."""

NEVER_REFUSED: Final = frozenset({"", "127.0.0.1", "::/64"})
"""No address at all, and this machine's own, as `throttle.source_of` says them."""

_FORGIVEN_MS: Final = 1_000


@final
class _Record:
    __slots__ = ("changed_at", "refused_until", "times", "wasted")

    def __init__(self, now: Timestamp) -> None:
        self.wasted = 0.0
        self.changed_at = now
        self.refused_until = 0
        self.times = 0


@final
class Standing:
    """Sources are what `throttle.source_of` says."""

    def __init__(self) -> None:
        self._records: dict[str, _Record] = {}
        """The one changed last is at the end; likewise below."""
        self._good: dict[str, Timestamp] = {}
        self.refused_count = 0
        """Times that a source began to be refused."""

    def is_refused(self, source: str, now: Timestamp) -> bool:
        """Whether a connection from there is not let in now."""
        record = self._records.get(source)
        return record is not None and now < record.refused_until and not self.is_good(source, now)

    def is_good(self, source: str, now: Timestamp) -> bool:
        """Whether a peer's packets came from there lately."""
        since = self._good.get(source)
        return since is not None and now < since + GOOD_FOR_MS

    def brought_packet(self, source: str, now: Timestamp) -> None:
        """A packet with good credentials came from there: call it for a connection's first, or its last."""
        self._good.pop(source, None)
        if len(self._good) >= SOURCES_MAX:
            del self._good[next(iter(self._good))]
        self._good[source] = now

    def wasted(self, source: str, now: Timestamp) -> None:
        """A connection from there ended and had brought nothing."""
        self._count(source, 1, now)

    def cut_off(self, source: str, now: Timestamp) -> None:
        """A connection from there had to be ended because of what came over it."""
        self._count(source, CUT_COSTS, now)

    def _count(self, source: str, cost: int, now: Timestamp) -> None:
        if source in NEVER_REFUSED:
            return
        record = self._records.pop(source, None)
        if record is None or now > record.changed_at + FORGOTTEN_MS:
            if record is None and len(self._records) >= SOURCES_MAX:
                del self._records[next(iter(self._records))]
            record = _Record(now)
        self._records[source] = record
        forgiven = max(0, now - record.changed_at) / _FORGIVEN_MS
        record.wasted = max(0.0, record.wasted - forgiven) + cost
        record.changed_at = now
        if record.wasted > WASTED_MAX and now >= record.refused_until:
            record.refused_until = now + min(REFUSED_FIRST_MS << record.times, REFUSED_MAX_MS)
            record.times = min(record.times + 1, 16)
            record.wasted = WASTED_MAX / 2
            self.refused_count += 1
