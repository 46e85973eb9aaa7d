"""How often something happened, from each source, within a minute: wrong tokens, new accounts.

Bounded in memory: a source costs one small list, and the one that was quiet for longest is forgotten for a new one.
"""

from __future__ import annotations

import ipaddress
from typing import Final, final

from interledger.clock import Timestamp

__all__ = ["SOURCES_MAX", "Throttle", "source_of"]

SOURCES_MAX: Final = 4_096
"""Sources remembered: far more than attack at once from addresses that they can answer from."""

WINDOW_MS: Final = 60_000


@final
class Throttle:
    """Counts per source. `limit`: as many in a minute are let through."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._counts: dict[str, list[int]] = {}
        """Source -> [when its minute began, how often]; the one counted last is at the end."""

    def __len__(self) -> int:
        return len(self._counts)

    def count(self, source: str, now: Timestamp) -> None:
        """It happened."""
        entry = self._counts.pop(source, None)
        if entry is None and len(self._counts) >= SOURCES_MAX:
            del self._counts[next(iter(self._counts))]
        if entry is None or now >= entry[0] + WINDOW_MS:
            entry = [now, 0]
        entry[1] += 1
        self._counts[source] = entry

    def is_over(self, source: str, now: Timestamp) -> bool:
        """Whether it happened as often as it may, within the minute."""
        entry = self._counts.get(source)
        return entry is not None and now < entry[0] + WINDOW_MS and entry[1] >= self._limit


def source_of(peer_name: object) -> str:
    """What counts as one source: an IPv4 address, the /64 of an IPv6 address, or no address at all.

    `peer_name`: a transport's `peername`, such as `("192.0.2.7", 443)`, or the address alone.
    """
    host = peer_name[0] if isinstance(peer_name, tuple) and peer_name else peer_name
    try:
        address = ipaddress.ip_address(str(host).partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    # Whoever has one IPv6 address usually has the 2^64 beside it.
    return str(ipaddress.ip_network((address, 64), strict=False))
