"""What the ledger is made of: accounts with four counters, holds, refusals, unknown amounts, and the batch.

Plain state without decisions; `ledger.py` alone changes it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, final

from interledger.accounts.asset import Asset

__all__ = ["NEVER", "NO_LIMIT", "Batch", "Hold", "LedgerAccount", "Leg", "Refusal", "Unknown", "make_hold"]

NO_LIMIT: Final = 1 << 127
"""More than any counter can become: 2^63 packets of the largest amount."""


@final
class LedgerAccount:
    """One line of the chart of accounts: four counters that never go below zero, and two limits."""

    __slots__ = (
        "_credit_max",
        "_credits_aside",
        "_debit_max",
        "_debits_aside",
        "asset",
        "credit_bound",
        "credits_pending",
        "credits_posted",
        "debit_bound",
        "debits_pending",
        "debits_posted",
        "index",
        "name",
        "settle_at",
    )

    def __init__(self, index: int, name: str, asset: Asset) -> None:
        self.index = index
        self.name = name
        self.asset = asset
        self.debits_posted = 0
        self.debits_pending = 0
        self.credits_posted = 0
        self.credits_pending = 0
        self._debit_max = self._credit_max = NO_LIMIT
        self._debits_aside = self._credits_aside = 0
        self.debit_bound = NO_LIMIT
        """`debit_max` less what is set aside: what may be debited is compared with this."""
        self.credit_bound = NO_LIMIT
        """The same of `credit_max`."""
        self.settle_at = NO_LIMIT
        """From which net of posted credits on it is to be settled; for whoever watches `Ledger.before_batch`."""

    @property
    def debit_max(self) -> int:
        """How much the counterpart may owe us."""
        return self._debit_max

    @debit_max.setter
    def debit_max(self, limit: int) -> None:
        self._debit_max = limit
        self._bind()

    @property
    def credit_max(self) -> int:
        """How much we may owe the counterpart."""
        return self._credit_max

    @credit_max.setter
    def credit_max(self, limit: int) -> None:
        self._credit_max = limit
        self._bind()

    def set_aside(self, *, debits: int = 0, credits_: int = 0) -> None:
        """So much more (below zero: less) is kept beside this account, and goes on using its limits: of what the
        counterpart owes us, of what we may owe."""
        self._debits_aside += debits
        self._credits_aside += credits_
        self._bind()

    def _bind(self) -> None:
        self.debit_bound = self._debit_max if self._debit_max == NO_LIMIT else self._debit_max - self._debits_aside
        self.credit_bound = self._credit_max if self._credit_max == NO_LIMIT else self._credit_max - self._credits_aside

    @property
    def unproven(self) -> int:
        """What was fulfilled for the counterpart, and it does not count."""
        return self._debits_aside

    @property
    def unknown(self) -> int:
        """What we may owe the counterpart: of packets that nobody knows the end of."""
        return self._credits_aside

    @property
    def net(self) -> int:
        """Posted debits less posted credits: positive when the counterpart owes us (RFC 38)."""
        return self.debits_posted - self.credits_posted

    @property
    def receivable(self) -> int:
        """What the counterpart owes us, or 0."""
        return max(self.net, 0)

    @property
    def payable(self) -> int:
        """What we owe the counterpart, or 0."""
        return max(-self.net, 0)

    @property
    def room(self) -> int:
        """How much more it may be debited. Pending credits give none: they may never be posted."""
        return self.debit_bound - (self.debits_posted + self.debits_pending - self.credits_posted)

    @property
    def credit_room(self) -> int:
        """How much more it may be credited. Pending debits give none."""
        return self.credit_bound - (self.credits_posted + self.credits_pending - self.debits_posted)

    def __repr__(self) -> str:
        return f"<{self.name} {self.asset} net={self.net} pending={self.debits_pending}/{self.credits_pending}>"


Leg = tuple[LedgerAccount, LedgerAccount, int]
"""(debited, credited, amount)."""


@final
class Hold:
    """The legs of one packet, held together. The last leg is the one that leads onward. Never changed once made.

    It has no `__init__`, which would double the price: the ledger sets every field, or asks `make_hold`.
    """

    __slots__ = ("condition", "expires_at", "id", "legs", "remote")

    id: int
    legs: tuple[Leg, ...]
    condition: bytes
    expires_at: int
    remote: bool


def make_hold(hold_id: int, legs: tuple[Leg, ...], condition: bytes, expires_at: int, remote: bool) -> Hold:
    """A hold with these fields; where it is not one per packet."""
    hold = Hold()
    hold.id, hold.legs, hold.condition, hold.expires_at, hold.remote = hold_id, legs, condition, expires_at, remote
    return hold


@dataclass(frozen=True, slots=True)
class Refusal:
    """A limit said no. Nothing was changed."""

    account: LedgerAccount
    amount: int
    room: int


@dataclass(slots=True)
class Unknown:
    """An amount that may have been delivered: the next hop never said. Kept until evidence settles it."""

    id: int
    account: LedgerAccount
    amount: int
    condition: bytes
    expires_at: int
    fulfillment: bytes | None = None
    interrupted: bool = False
    """This node was not there for its end: the peer may well have answered in time."""
    legs: tuple[Leg, ...] = field(default=(), compare=False, repr=False)
    """Of its hold, as long as they are known: a fulfillment in time can still be relayed. Snapshots have none."""


NEVER: Final = (1 << 62) - 1
"""Later than any moment, in ms UTC."""


@dataclass(slots=True)
class Batch:
    """What has been decided since the last batch was taken: written together, then its effects are let go."""

    records: list[bytes] = field(default_factory=list)
    touched: dict[LedgerAccount, None] = field(default_factory=dict)
    """The accounts whose posted counters changed, in the order in which they first did."""
    replies: list[tuple[Callable[[Any, Any], None], Any, Any]] = field(default_factory=list)
    """(send, request id, reply): to be sent even when writing fails, because the money has moved already."""
    prepares: list[tuple[Callable[[Any, Any], None], Callable[[Any, Any], None], Any, Any]] = field(
        default_factory=list
    )
    """(send, cancel, request id, prepare): never sent when writing fails."""
    waiters: list[Callable[[Exception | None], None]] = field(default_factory=list)
    relay_by: int = NEVER
    """When the first of the onward packets that were executed expires, in ms: until then a fulfillment can wait."""

    @property
    def effects_waiting(self) -> int:
        """How many replies and Prepares wait for it to be written."""
        return len(self.replies) + len(self.prepares)
