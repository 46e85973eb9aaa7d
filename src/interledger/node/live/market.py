"""Rates and profit over time, of this run of the node: compared once a beat, kept ever more thinly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, NamedTuple, final

from interledger.accounts.asset import Asset
from interledger.clock import Timestamp
from interledger.node.live.history import History
from interledger.node.live.worth import Worth, WorthTotal

if TYPE_CHECKING:
    from interledger.node.node import Node

__all__ = ["Market", "ProfitPoint", "RatePoint"]

CODES_MAX: Final = 200
"""Assets whose rates are kept over time: more than any provider has."""

EARNED: Final = ("fee", "loss", "fx")
"""Ledger accounts whose balances are what the node earned: fees less losses, and what it holds by exchange."""


class RatePoint(NamedTuple):
    """What one unit was worth, decimal text."""

    at: Timestamp
    value: str


class ProfitPoint(NamedTuple):
    """What was earned since the node started, in units of the asset that totals are in."""

    at: Timestamp
    earned: int


@final
class Market:
    """`beat` once a second while something moves or somebody looks; whoever asks has the present as well."""

    def __init__(self, node: Node, worth: Worth) -> None:
        self._node = node
        self._worth = worth
        self._rates: dict[str, History[RatePoint]] = {}
        self._profit: History[ProfitPoint] = History()
        self._began: dict[Asset, int] = {}
        self.since = Timestamp(0)

    def start(self, now: Timestamp) -> None:
        """What was earned before does not count."""
        self.since, self._began = now, self._balances()
        self.beat(now)

    def beat(self, now: Timestamp) -> None:
        """Note what is another now."""
        for rate in self._node.exchange_rates.quoted():
            if rate.code in self._rates or len(self._rates) < CODES_MAX:
                self._rates.setdefault(rate.code, History()).add(RatePoint(now, rate.value))
        self._profit.add(ProfitPoint(now, self.earned().money.amount))

    def earned(self) -> WorthTotal:
        """Since the node started, at the rates as they are now: what it holds by exchange is worth what it is now."""
        began = self._began
        return self._worth.total((asset, had - began.get(asset, 0)) for asset, had in self._balances().items())

    def rates(self) -> Mapping[str, list[RatePoint]]:
        """By asset, oldest first."""
        self.beat(self._node.clock.now())
        return {code: list(history.points) for code, history in sorted(self._rates.items())}

    def profit(self) -> list[ProfitPoint]:
        """Oldest first."""
        self.beat(self._node.clock.now())
        return list(self._profit.points)

    def _balances(self) -> dict[Asset, int]:
        found: dict[Asset, int] = {}
        for line in self._node.ledger.accounts:
            if line.name.partition("/")[0] in EARNED:
                found[line.asset] = found.get(line.asset, 0) - line.net
        return found
