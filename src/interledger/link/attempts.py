"""Wrong tokens, counted by where they come from: how long the next refusal to such a source is held back. Without I/O.

One `Attempts` serves a whole node: ILP over HTTP, BTP and the API ask it about *wrong* credentials only. A good token
is never asked about, so that an honest peer behind the same address as a guesser gets in at once. What a source can
guess is therefore not bounded by refusing to look, but by how many refusals may be on their way to it: a refusal that
waits holds its connection, and a source with too many of them is cut off without an answer.
"""

from __future__ import annotations

import ipaddress
from typing import Final, final

from interledger.clock import Timestamp

__all__ = ["CUT", "DELAY_MAX_MS", "FREE_PER_MINUTE", "SOURCES_MAX", "WAITING_MAX", "Attempts", "source_of"]

FREE_PER_MINUTE: Final = 5
"""Wrong tokens of one source that are answered at once: a person who mistypes is not punished (reliability D1)."""

DELAY_FIRST_MS: Final = 250
"""The first delay; it doubles with every further wrong token."""

DELAY_MAX_MS: Final = 4_000
"""The longest: below the five seconds that BTP's authentication may take, so that it ends with a reason."""

WAITING_MAX: Final = 16
"""Refusals of one source that wait at a time: with the longest delay, four guesses a second."""

WAITING_ALL_MAX: Final = 256
"""Refusals of all sources that wait: a quarter of the connections that a port takes."""

SOURCES_MAX: Final = 4_096
"""Sources remembered; the one heard of longest ago is forgotten. Some hundred octets each."""

CUT: Final = -1
"""In place of a delay: end the connection without an answer."""

MINUTE_MS: Final = 60_000
_TOKEN_MS: Final = MINUTE_MS // FREE_PER_MINUTE


class _Source:
    """Of one source: what it has left, since when, and how often it was wrong beyond."""

    __slots__ = ("at", "left_ms", "over", "waiting")

    def __init__(self, now: Timestamp) -> None:
        self.at: int = now
        self.left_ms = MINUTE_MS
        """Time saved up; a wrong token takes `_TOKEN_MS` of it."""
        self.over = 0
        self.waiting = 0


@final
class Attempts:
    """See above. Every wrong credential: `delay = wrong(source, now)`; when the refusal has left: `done(source)`."""

    def __init__(self) -> None:
        self.wrong_count = 0
        """Wrong tokens so far."""
        self.cut_count = 0
        """Connections that were to be cut."""
        self._waiting = 0
        self._sources: dict[str, _Source] = {}

    def __len__(self) -> int:
        return len(self._sources)

    def wrong(self, source: str, now: Timestamp) -> int:
        """How long, in ms, the refusal has to wait: 0 for at once, or `CUT`. Above 0, `done` has to follow.

        `source`: what `source_of` says.
        """
        self.wrong_count += 1
        entry = self._sources.pop(source, None) or _Source(now)
        self._sources[source] = entry
        while len(self._sources) > SOURCES_MAX:
            del self._sources[next(iter(self._sources))]
        entry.left_ms = min(MINUTE_MS, entry.left_ms + max(0, now - entry.at))
        entry.at = now
        if entry.left_ms == MINUTE_MS:
            entry.over = 0
        if entry.left_ms >= _TOKEN_MS:
            entry.left_ms -= _TOKEN_MS
            return 0
        if entry.waiting >= WAITING_MAX or self._waiting >= WAITING_ALL_MAX:
            self.cut_count += 1
            return CUT
        delay: int = min(DELAY_FIRST_MS << min(entry.over, 8), DELAY_MAX_MS)
        entry.over += 1
        entry.waiting += 1
        self._waiting += 1
        return delay

    def done(self, source: str) -> None:
        """A refusal that had to wait has left, or its client did."""
        self._waiting = max(0, self._waiting - 1)
        entry = self._sources.get(source)
        if entry is not None:
            entry.waiting = max(0, entry.waiting - 1)


def source_of(peer_name: object) -> str:
    """What counts as one source: an IPv4 address, or the /64 of an IPv6 one, which is one customer's. Never raises.

    `peer_name`: what a transport calls `peername`, as `("192.0.2.7", 443)`; one text for all others.
    """
    host = str(peer_name[0]) if isinstance(peer_name, tuple) and peer_name else ""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
