"""A settlement engine for simulations: it pays each key once, and its answers and its news get lost, doubled and late.

What one pays comes in at its `peer`. `settlement_faults` is the auditor's part: invariants 14 to 16.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from random import Random
from typing import NamedTuple, final

from interledger.settlement.quantity import Quantity

__all__ = ["News", "SimEngine", "settlement_faults"]


class News(NamedTuple):
    """Money that came in, as the node is told: with one key, perhaps more than once."""

    key: str
    quantity: Quantity


@final
class SimEngine:
    """`loss`: the share, in percent, of answers and acknowledgements that get lost; what was done stays done."""

    def __init__(self, random: Random, *, loss: int = 0, scale: int = 9) -> None:
        self.asked: dict[str, Quantity] = {}
        """By key: what the node wanted paid. Never more than one quantity for a key."""
        self.paid: list[Quantity] = []
        self.down = False
        self.peer: SimEngine | None = None
        self._random = random
        self._loss = loss
        self._scale = scale
        self._owed = Quantity(0, 0)
        self._news: list[News] = []

    def settle(self, key: str, quantity: Quantity) -> bool:
        """The node's request. False: no answer came, whatever was done. Raises `ValueError` for a key used again."""
        if self.down:
            return False
        known = self.asked.get(key)
        if known not in (None, quantity):
            raise ValueError(f"the key {key} was used for {known} and for {quantity}")
        if known is None:
            self.asked[key] = quantity
            self._owed = self._owed.plus(quantity)
            self._pay()
        return not self._is_lost()

    def _pay(self) -> None:
        amount, self._owed = self._owed.split(self._scale)
        if amount:
            self.paid.append(Quantity(amount, self._scale))
            if self.peer is not None:
                self.peer.receive(self.paid[-1])

    def receive(self, quantity: Quantity) -> None:
        """Money came in: the node will be told until it acknowledges."""
        self._news.append(News(f"{self._random.getrandbits(64):016x}", quantity))

    def news(self) -> Iterator[News]:
        """What the node is to be told now, in no order, some of it twice."""
        if self.down:
            return
        for one in self._random.sample(self._news, len(self._news)):
            yield one
            if self._is_lost():
                yield one

    def acknowledged(self, news: News) -> None:
        """The node has it, unless the acknowledgement got lost: then it is told again."""
        if not self._is_lost() and news in self._news:
            self._news.remove(news)

    def _is_lost(self) -> bool:
        return self._random.randrange(100) < self._loss


def settlement_faults(
    engine: SimEngine,
    debited: Quantity,
    answers: Sequence[tuple[str, Quantity]],
    credited: Quantity,
    notified: Quantity,
) -> list[str]:
    """What is wrong, in sentences (invariants 14, 15 and 16).

    `debited`: all that the node took from what it owes, to be settled; `answers`: (key, what was answered) of every
    incoming notification; `credited`: by the node, with its leftover; `notified`: the sum over distinct keys.
    """
    faults = []
    asked = sum((_value(quantity) for quantity in engine.asked.values()), Fraction(0))
    if asked > _value(debited):
        faults.append(f"14: {asked} were asked for, {_value(debited)} debited")
    if sum((_value(quantity) for quantity in engine.paid), Fraction(0)) > asked:
        faults.append("14: more was paid than asked for")
    if _value(credited) != _value(notified):
        faults.append(f"15: {_value(notified)} came in, {_value(credited)} are credited or left over")
    seen: dict[str, Quantity] = {}
    faults += [f"16: {key} had two answers" for key, answer in answers if seen.setdefault(key, answer) != answer]
    return faults


def _value(quantity: Quantity) -> Fraction:
    return Fraction(quantity.amount, 10**quantity.scale)
