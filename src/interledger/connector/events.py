"""What the connector remembers for people: why it refused, step by step of the journey."""

from __future__ import annotations

import enum
from collections import Counter, deque
from typing import Final, NamedTuple, final

from interledger.accounts.account import AccountId
from interledger.clock import Timestamp

__all__ = ["PacketRefused", "Refusals", "Step"]

REFUSALS_KEPT: Final = 1_000
"""Refusals kept for people to look at."""


class Step(enum.StrEnum):
    """The steps of a Prepare's journey, as `forward.py` numbers them."""

    ADMIT = "admit"
    ROUTE = "route"
    CONVERT = "convert"
    HOLD = "hold"
    FORWARD = "forward"
    VERIFY = "verify"
    EXPIRE = "expire"


class PacketRefused(NamedTuple):
    """One Reject that this node made: at which step, with which code and why."""

    at: Timestamp
    step: Step
    account: AccountId
    destination: str
    amount: int
    condition: bytes
    code: str
    why: str


@final
class Refusals:
    """The latest refusals, and how many there were of each kind since the start."""

    def __init__(self) -> None:
        self.latest: deque[PacketRefused] = deque(maxlen=REFUSALS_KEPT)
        self.counts: Counter[tuple[Step, str]] = Counter()
        """By the step that refused and the ILP code."""

    def add(self, refused: PacketRefused) -> None:
        """Keep it, and count it."""
        self.latest.append(refused)
        self.counts[refused.step, refused.code] += 1
