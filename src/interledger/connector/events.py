"""What the connector remembers for people: why it refused, step by step of the journey."""

from __future__ import annotations

import enum
from typing import NamedTuple

from interledger.accounts.account import AccountId
from interledger.clock import Timestamp

__all__ = ["PacketRefused", "Step"]


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
