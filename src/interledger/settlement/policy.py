"""When to settle, and how much: from what is posted alone. Pure arithmetic in units of the account."""

from __future__ import annotations

from typing import Any, Final, NamedTuple, final

from interledger.accounts.ledger import NO_LIMIT
from interledger.clock import Timestamp
from interledger.settlement.quantity import Quantity

__all__ = ["DAY_MS", "HOUR_MS", "DailyCap", "Prepaid", "amount_due", "settles_at"]

DAY_MS: Final = 86_400_000


def settles_at(threshold: int | None) -> int:
    """From which payable on an account is settled by itself; more than any counter where it never is (D-17).

    Below zero: we pay before we owe.
    """
    return NO_LIMIT if threshold is None else threshold


class Prepaid(NamedTuple):
    """What a peer has paid in advance: `amount` of it was left when its packets had taken `spent` in all.

    It is not settled back: two nodes that pay each other in advance would send it to and fro for ever. Which part of a
    payable it is cannot be told from the balance; whoever is credited has to remember.
    """

    amount: int
    spent: int

    def left(self, spent: int) -> int:
        """Of it, when packets have taken `spent` in all."""
        return max(self.amount - (spent - self.spent), 0)

    def plus(self, amount: int, owed: int, spent: int) -> Prepaid:
        """So much came in while the peer owed `owed` (below zero: we owed it): what is more than that is in advance."""
        return Prepaid(self.left(spent) + max(amount - max(owed, 0), 0), spent)

    @classmethod
    def decode(cls, body: dict[str, Any]) -> Prepaid:
        """What `encode` gave. Raises `KeyError`, `DecodeError`."""
        return cls(Quantity.read(body["left"]).amount, Quantity.read(body["spent"]).amount)

    def encode(self) -> dict[str, Any]:
        """What is stored."""
        return {"left": Quantity(self.amount, 0).as_document(), "spent": Quantity(self.spent, 0).as_document()}


def amount_due(payable: int, settle_to: int | None) -> int:
    """What brings a payable (below zero: the peer owes us) down to `settle_to`; 0 when it is there."""
    return max(payable - (settle_to or 0), 0)


HOUR_MS: Final = 3_600_000


@final
class DailyCap:
    """How much was credited within the last day. An engine that lies can do so much harm, and no more.

    Kept by the hour, so that it is small however often something comes in: what came counts for up to an hour longer.
    """

    def __init__(self) -> None:
        self._credited: dict[int, int] = {}
        """By the hour since 1970: how much."""

    @classmethod
    def decode(cls, body: list[dict[str, Any]]) -> DailyCap:
        """What `encode` gave. Raises `KeyError`, `DecodeError`."""
        found = cls()
        found._credited = {one["hour"]: Quantity.read(one["credited"]).amount for one in body}
        return found

    def encode(self) -> list[dict[str, Any]]:
        """What is stored."""
        return [
            {"hour": hour, "credited": Quantity(amount, 0).as_document()} for hour, amount in self._credited.items()
        ]

    def add(self, amount: int, at: Timestamp) -> None:
        """So much was credited."""
        self.total(at)
        hour = at // HOUR_MS
        self._credited[hour] = self._credited.get(hour, 0) + amount

    def total(self, now: Timestamp) -> int:
        """Of the last 24 hours, and of the rest of the hour in which they begin."""
        first = (now - DAY_MS) // HOUR_MS
        for hour in [hour for hour in self._credited if hour < first]:
            del self._credited[hour]
        return sum(self._credited.values())

    def allows(self, amount: int, cap: int | None, now: Timestamp) -> bool:
        """Whether so much more may come in without asking anybody."""
        return cap is None or self.total(now) + amount <= cap
