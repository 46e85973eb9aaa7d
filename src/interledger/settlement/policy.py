"""When to settle, and how much: from what is posted alone. Pure arithmetic in units of the account."""

from __future__ import annotations

from collections import deque
from typing import Final, final

from interledger.accounts.ledger import NO_LIMIT
from interledger.clock import Timestamp

__all__ = ["DAY_MS", "DailyCap", "amount_due", "prepaid_part", "settles_at"]

DAY_MS: Final = 86_400_000


def settles_at(threshold: int | None) -> int:
    """From which payable on an account is settled by itself; more than any counter where it never is (D-17).

    Below zero: we pay before we owe.
    """
    return NO_LIMIT if threshold is None else threshold


def prepaid_part(received: int, spent: int) -> int:
    """Of a payable: what the peer has paid in advance. `received`: all it settled; `spent`: all its packets took.

    It is not settled back: two nodes that pay each other in advance would send it to and fro for ever.
    """
    return max(received - spent, 0)


def amount_due(payable: int, settle_to: int | None) -> int:
    """What brings a payable (below zero: the peer owes us) down to `settle_to`; 0 when it is there."""
    return max(payable - (settle_to or 0), 0)


@final
class DailyCap:
    """How much was credited within the last day. An engine that lies can do so much harm, and no more."""

    def __init__(self) -> None:
        self._credited: deque[tuple[int, int]] = deque()
        self._total = 0

    def add(self, amount: int, at: Timestamp) -> None:
        """So much was credited."""
        self._credited.append((at, amount))
        self._total += amount

    def total(self, now: Timestamp) -> int:
        """Of the last 24 hours."""
        while self._credited and self._credited[0][0] <= now - DAY_MS:
            self._total -= self._credited.popleft()[1]
        return self._total

    def allows(self, amount: int, cap: int | None, now: Timestamp) -> bool:
        """Whether so much more may come in without asking anybody."""
        return cap is None or self.total(now) + amount <= cap
