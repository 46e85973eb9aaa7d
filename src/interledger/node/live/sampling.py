"""Which packets are traced: the condition decides, so that every node on a packet's way decides alike."""

from __future__ import annotations

from fractions import Fraction
from typing import Final, final

from interledger.ilp.echo import PING_CONDITION
from interledger.ilp.peer import EMPTY_CONDITION, PEER_CONDITION

__all__ = ["Sampling"]

_CONSTANT: Final = frozenset({PING_CONDITION, PEER_CONDITION, EMPTY_CONDITION})
"""Conditions that many packets have: they name no trace."""


@final
class Sampling:
    """Whether the packet with a condition is traced: a `share` of all. Those whose octets 8 to 15 are below `bound`,
    as OpenTelemetry's TraceIdRatioBased has it."""

    __slots__ = ("bound",)

    def __init__(self, share: Fraction) -> None:
        self.bound = (
            bytes([255] * 9) if share >= 1 else (share.numerator * (1 << 64) // share.denominator).to_bytes(8, "big")
        )

    def __call__(self, condition: bytes) -> bool:
        return condition[8:16] < self.bound and condition not in _CONSTANT and any(condition[:16])
