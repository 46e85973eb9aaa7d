"""What an operator does to the books by hand, in two steps: first it is shown what would happen, then it is confirmed.

A decision that nobody confirms is forgotten. One that was confirmed twice happens once, so that a request whose answer
was lost can be sent again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple, final

from interledger.accounts.asset import Asset
from interledger.accounts.books.memo import Memo
from interledger.clock import Clock, Entropy, Timestamp
from interledger.errors import NotFoundError

__all__ = ["DECISIONS_MAX", "DECISION_LIFETIME_MS", "Decision", "Decisions", "Effect"]

DECISIONS_MAX: Final = 100
"""Decisions remembered, confirmed or not; the oldest go first. People make them."""

DECISION_LIFETIME_MS: Final = 900_000
"""A quarter of an hour: positions shown in the first step are not too old in the second."""


class Effect(NamedTuple):
    """What a decision does to one account. `before` and `after` as `net`: above zero, the counterpart owes us."""

    name: str
    asset: Asset
    before: int
    after: int


@dataclass(slots=True)
class Decision:
    """One decision. `done_at` is None until it was confirmed."""

    memo: Memo
    text: str
    effects: tuple[Effect, ...]
    made_at: Timestamp
    carry_out: Callable[[], None]
    done_at: Timestamp | None = None

    @property
    def id(self) -> str:
        return self.memo.id


@final
class Decisions:
    """The decisions of one node that wait for their second step, and those that were made."""

    def __init__(self, clock: Clock, entropy: Entropy) -> None:
        self._clock = clock
        self._entropy = entropy
        self._decisions: OrderedDict[str, Decision] = OrderedDict()

    def new_id(self) -> str:
        """An id that nobody can guess: who knows it was shown the first step."""
        return f"dec_{self._entropy.octets(8).hex()}"

    def propose(self, text: str, memo: Memo, effects: tuple[Effect, ...], carry_out: Callable[[], None]) -> Decision:
        """The first step. `memo` has the id of `new_id`; `text` says in a sentence what would be done."""
        while len(self._decisions) >= DECISIONS_MAX:
            self._decisions.popitem(last=False)
        decision = Decision(memo, text, effects, self._clock.now(), carry_out)
        self._decisions[decision.id] = decision
        return decision

    def confirm(self, decision_id: str) -> Decision:
        """The second step: carry it out, once. Raises `NotFoundError` when it is not known or too old."""
        decision = self._decisions.get(decision_id)
        now = self._clock.now()
        if decision is None or (decision.done_at is None and now - decision.made_at > DECISION_LIFETIME_MS):
            raise NotFoundError(f"There is no decision “{decision_id}” that waits. Make it again: positions change.")
        if decision.done_at is None:
            decision.carry_out()
            decision.done_at = now
        return decision
