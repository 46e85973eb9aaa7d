"""What goes into a comparison of two books, and what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from interledger.accounts.asset import Asset
from interledger.accounts.ledger import Unknown
from interledger.accounts.unproven import Unproven
from interledger.application.statement.claims import Claims
from interledger.application.statement.messages import Direction, Item, Summary
from interledger.clock import Timestamp

__all__ = ["Agreed", "Difference", "Findings", "OurBooks", "UnknownAnswer"]

Agreed = dict[tuple[Direction, int, int], tuple[Summary, Summary]]
"""(direction, beginning, length) of a time -> our summary and theirs, when they differed for reasons that were found to
be none: a packet written down before midnight here and after midnight there. Not looked at again while both stay."""


@dataclass(slots=True)
class OurBooks:
    """Our side. `unknown`, `unproven`: of this account. `hold_ms`: how long before its expiry a packet may be sent.
    `lost`: what of `received` we have written off, by key."""

    asset: Asset
    sent: Claims
    received: Claims
    known_since: int
    unknown: Sequence[Unknown]
    open_keys: Mapping[Direction, set[bytes]]
    now: Timestamp
    hold_ms: int
    agreed: Agreed = field(default_factory=dict)
    unproven: Sequence[Unproven] = ()
    lost: Mapping[bytes, int] = field(default_factory=dict)

    def count_received(self, key: bytes) -> int:
        """How often we hold this to be owed to us: what is written off is not."""
        return max(self.received.count_of(key)[0] - self.lost.get(key, 0), 0)

    def claims(self, direction: Direction) -> Claims:
        """What we count of packets in that direction, as we who ask see it."""
        return self.sent if direction is Direction.SENT else self.received


class UnknownAnswer(NamedTuple):
    """What the peer says of an unknown item. `count`: how many of its kind it counts beyond those that we count too,
    and so `claimed`: whether this is one. `conclusive`: it can never come to count any more."""

    item: Unknown
    claimed: bool
    conclusive: bool
    answer: Item


class Difference(NamedTuple):
    """A kind of packet that one counts more often than the other. `sent`: by us."""

    direction: Direction
    key: bytes
    at: int
    ours: int
    theirs: int
    answer: Item

    @property
    def amount(self) -> int:
        """Of one packet."""
        return int.from_bytes(self.key[32:], "big")

    @property
    def total(self) -> int:
        """What the balances differ by: ours less theirs, in units, above zero when we see ourselves better off."""
        more = (self.ours - self.theirs) * self.amount
        return more if self.direction is Direction.RECEIVED else -more


@dataclass(slots=True)
class Findings:
    """What a run found. Complete unless a limit was met (`is_complete`). `since` to `until`: what was compared."""

    unknown: list[UnknownAnswer] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    owed: list[Unproven] = field(default_factory=list)
    """Claims that were set aside, and the peer counts them now."""
    since: int = 0
    until: int = 0
    compared: int = 0
    requests: int = 0
    is_complete: bool = True

    @property
    def agreed_until(self) -> int:
        """Up to this moment nothing differs. `since`, when something does from the beginning on."""
        return min((difference.at for difference in self.differences), default=self.until)
