"""What the connector remembers for people: why it refused, step by step of the journey."""

from __future__ import annotations

import enum
from collections import Counter, deque
from collections.abc import Callable
from typing import Final, NamedTuple, final

from interledger.accounts.account import AccountId
from interledger.clock import Timestamp
from interledger.connector.guards import Compared, Refused
from interledger.ilp.packet import Prepare

__all__ = ["PacketRefused", "Refusals", "Step"]

REFUSALS_KEPT: Final = 1_000
"""Refusals kept for people to look at."""

REFUSED_DATA_MAX: Final = 1_024
"""Octets of data of a refused packet that is kept whole: STREAM packets have some 100."""


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
    compared: Compared | None = None
    prepare: Prepare | None = None
    """None where it is long gone, or too long to be kept for people."""

    @classmethod
    def of(cls, at: Timestamp, step: Step, account: AccountId, prepare: Prepare, refused: Refused) -> PacketRefused:
        """Of a packet that went no further than here."""
        kept = prepare if len(prepare.data) <= REFUSED_DATA_MAX else None
        return cls(
            at,
            step,
            account,
            prepare.destination,
            prepare.amount,
            prepare.execution_condition,
            refused.code,
            refused.message,
            refused.compared,
            kept,
        )


@final
class Refusals:
    """The latest refusals, and how many there were of each kind since the start."""

    def __init__(self) -> None:
        self.latest: deque[PacketRefused] = deque(maxlen=REFUSALS_KEPT)
        self.counts: Counter[tuple[Step, str]] = Counter()
        """By the step that refused and the ILP code."""
        self.on_add: Callable[[PacketRefused], None] = lambda refused: None

    def add(self, refused: PacketRefused) -> None:
        """Keep it, and count it."""
        self.latest.append(refused)
        self.on_add(refused)
        self.counts[refused.step, refused.code] += 1
