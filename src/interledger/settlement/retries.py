"""When a settlement's request is sent again: for ever, later and later, never more than an hour apart (RFC 38)."""

from __future__ import annotations

from typing import Final

__all__ = ["FIRST_DELAY_MS", "LAST_DELAY_MS", "retry_delay_ms"]

FIRST_DELAY_MS: Final = 500
"""Twice the round trip to a service beside the node, so that one lost answer costs little time."""

# RFC 38: "The maximum retry interval MUST be no greater than 1 hour."
LAST_DELAY_MS: Final = 3_600_000


def retry_delay_ms(attempts: int, random: bytes) -> int:
    """Milliseconds to wait after so many failed attempts (1: the first one failed). `random`: 2 octets.

    Doubles, and lies between half of that and all of it: those who failed together do not come back together.
    """
    whole = min(FIRST_DELAY_MS << min(attempts, 32), LAST_DELAY_MS)
    return whole // 2 + (whole - whole // 2) * int.from_bytes(random[:2], "big") // 0xFFFF
