"""Invariants 14 to 16 and 18 of settlements: what nodes write, what engines are asked and told, what the ledger has.

The node's part is read from its journal by the auditor's own addition (`books.py`), not from the node.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import TYPE_CHECKING, final

from interledger.settlement.quantity import Quantity
from interledger.sim.auditor import Auditor, Station
from interledger.sim.books import BreachError

if TYPE_CHECKING:
    from interledger.sim.engine import Transfer

__all__ = ["Side", "total", "value"]


def value(quantity: Quantity) -> Fraction:
    """In whole units of the asset."""
    return Fraction(quantity.amount, 10**quantity.scale)


def total(quantities: Iterable[Quantity]) -> Fraction:
    """Their sum."""
    return sum(map(value, quantities), Fraction(0))


@final
class Side:
    """One account of one node, settled by one engine. `cap`: the account's `settle_in_max`."""

    def __init__(self, auditor: Auditor, station: Station, account: str, scale: int, cap: int | None) -> None:
        self.auditor = auditor
        self.station = station
        self.account = account
        """As engines call it: without `peer/`."""
        self.cap = cap
        self.is_capped = cap is not None
        """Until the operator has let in more."""
        self.keys: dict[str, Quantity] = {}
        """What the engine was asked for, by key."""
        self.accepted: dict[str, Quantity] = {}
        """What the node said 2xx to, by key."""
        self._unit = Fraction(1, 10**scale)

    def happened(self, event: str) -> None:
        """Coverage."""
        self.auditor.coverage.events[event] += 1

    def breach(self, number: str, text: str) -> None:
        """Stop the run."""
        breach = BreachError(f"{number} {self.station.name} {text} ({self.account})")
        self.auditor.first = self.auditor.first or breach
        raise breach

    # ------------------------------------------------------------------ what the journal says

    def _posted(self, name: str, *, debits: bool) -> Fraction:
        found = [one for one in self.station.books.accounts if one.name == name]
        return sum((one.debits if debits else one.credits for one in found), 0) * self._unit

    @property
    def debited(self) -> Fraction:
        """Taken from what is owed, to be settled."""
        return self._posted(f"peer/{self.account}/transit", debits=False)

    @property
    def settled(self) -> Fraction:
        """What the engine has, as the node knows."""
        return self._posted(f"external/{self.account}", debits=False)

    @property
    def credited(self) -> Fraction:
        """Of money that came in."""
        return self._posted(f"external/{self.account}", debits=True)

    # ------------------------------------------------------------------ while it runs

    def asked(self, key: str, quantity: Quantity) -> None:
        """14: an engine is asked for what is durably debited, and for nothing more; 16 the same for the same key."""
        if self.keys.setdefault(key, quantity) != quantity:
            self.breach("16", f"used the key {key} for {self.keys[key]} and for {quantity}")
        if total(self.keys.values()) > self.debited:
            self.breach("14", f"asked for {total(self.keys.values())}, {self.debited} are debited and durable")

    def answered(self, key: str, quantity: Quantity, *, done: bool) -> None:
        """15: what is taken is durably credited, but for part of a unit; what a cap holds back is looked at later."""
        if not done:
            return
        if self.accepted.setdefault(key, quantity) != quantity:
            self.breach("16", f"took {quantity} under the key of {self.accepted[key]}")
        taken = total(self.accepted.values())
        if self.cap is None and taken > self.credited:
            self.happened("settlement leftover")
        if self.cap is None and taken - self.credited >= self._unit:
            self.breach("15", f"said that it took {taken}, {self.credited} are credited and durable")
        if self.is_capped and self.cap is not None and self.credited > self.cap * self._unit:
            self.breach("15", f"credited {self.credited} in less than a day, its cap is {self.cap * self._unit}")

    def refused(self, done: bool) -> None:
        """16: a known key with another quantity."""
        if done:
            self.breach("16", "took another quantity under a key that it knew")

    # ------------------------------------------------------------------ at the end

    def check(
        self, sent: Iterable[Transfer], came: Iterable[Transfer], owed: Quantity, leftover: Quantity, refused: Fraction
    ) -> None:
        """When all is quiet. `sent` by its engine on the ledger, `came` from the other one, `owed`: what the engine
        still has to pay, less than a unit of the ledger's; `refused`: what the operator would not have credited.
        """
        asked, paid = total(self.keys.values()), total(one.quantity for one in sent)
        if not self.debited == self.settled == asked:
            self.breach("14", f"debited {self.debited}, asked for {asked}, and says that {self.settled} are settled")
        if paid + value(owed) != asked:
            self.breach("14", f"asked for {asked}, and {paid} are on the ledger, {value(owed)} still owed")
        taken = total(self.accepted.values()) - refused
        if self.credited + value(leftover) != taken or value(leftover) >= self._unit:
            self.breach("15", f"took {taken}, credited {self.credited}, and has {value(leftover)} left over")
        if self.cap is None and total(one.quantity for one in came) != taken:
            self.breach("18", f"took {taken}, {total(one.quantity for one in came)} came by the ledger")
