"""What is known of the way: its rate as an exact interval of integers, and the largest packet it carries."""

from __future__ import annotations

from fractions import Fraction
from typing import Final, final

from interledger.codec.oer import UINT64_MAX
from interledger.ilp.error_codes import AmountTooLarge

__all__ = ["PRECISE_ARRIVED", "PathLimit", "RateEstimate"]

PRECISE_ARRIVED: Final = 100
"""Three significant digits at the receiver: the rate is then known to a hundredth (H5)."""

TRUSTED_REFUSALS: Final = 8
"""So many F08 in a row are believed to the unit; a node that goes on shrinking its limit is met by halving (H15)."""


@final
class RateEstimate:
    """low <= rate < high, in destination units per source unit, from pairs (sent, arrived)."""

    __slots__ = ("_basis", "_high", "_low", "arrived_max")

    def __init__(self, sent: int, arrived: int) -> None:
        self._low = (arrived, sent)
        self._high = (arrived + 1, sent)
        self._basis = sent
        self.arrived_max = arrived

    def observe(self, sent: int, arrived: int) -> None:
        """Narrow the interval by one more packet.

        Several roundings on the way make small packets look worse than the rate is; so a contradiction is believed only
        when the packet is about as large as those that made the interval. Then the rate has changed.
        """
        low_n, low_d = self._low
        high_n, high_d = self._high
        if arrived > self.arrived_max:
            self.arrived_max = arrived
        below = (arrived + 1) * low_d <= low_n * sent
        above = arrived * high_d >= high_n * sent
        if below or above:
            if sent * 2 >= self._basis:
                self._low = (arrived, sent)
                self._high = (arrived + 1, sent)
                self._basis = sent
            return
        if arrived * low_d > low_n * sent:
            self._low = (arrived, sent)
        if (arrived + 1) * high_d < high_n * sent:
            self._high = (arrived + 1, sent)
        if sent > self._basis:
            self._basis = sent

    @property
    def low(self) -> Fraction:
        """The largest rate that is proven."""
        return Fraction(*self._low)

    @property
    def high(self) -> Fraction:
        """The rate is smaller than this."""
        return Fraction(*self._high)

    def arrives_at_least(self, sent: int) -> int:
        """What surely arrives of `sent`, but for further roundings on the way."""
        return sent * self._low[0] // self._low[1]

    def arrives_at_most(self, sent: int) -> int:
        """What can arrive of `sent`."""
        return (sent * self._high[0] - 1) // self._high[1] if sent else 0

    def source_for(self, arrived: int) -> int:
        """The least that may be enough to bring `arrived`: sending it overshoots by less than one source unit."""
        return arrived * self._high[1] // self._high[0] + 1 if arrived > 0 else 0

    def source_within(self, arrived: int) -> int:
        """The most that brings no more than `arrived`."""
        return (arrived + 1) * self._high[1] // self._high[0] if arrived > 0 else 0


@final
class PathLimit:
    """The largest amount that passes in one packet. `maximum`: None until something was refused as too large."""

    __slots__ = ("_refusals", "maximum", "passed")

    def __init__(self) -> None:
        self.maximum: int | None = None
        self.passed = 0
        self._refusals = 0

    @property
    def ceiling(self) -> int:
        """The largest amount worth trying."""
        return UINT64_MAX if self.maximum is None else self.maximum

    def reached(self, amount: int) -> None:
        """A packet of `amount` came through to the receiver."""
        self._refusals = 0
        if amount > self.passed:
            self.passed = amount

    def refused(self, amount: int, data: bytes = b"") -> None:
        """`amount` was too large; `data` is the Reject's, and may say how large is allowed (in units of its sender)."""
        if self.maximum is not None and amount > self.maximum:
            return  # It was on its way before we knew.
        if amount <= self.passed:
            self.passed = 0
        self._refusals += 1
        told = AmountTooLarge.decode(data)
        if told is not None and told.maximum_amount < told.received_amount and self._refusals <= TRUSTED_REFUSALS:
            # RFC 27: the sender computes the ratio of the two amounts and scales its own.
            self.maximum = amount * told.maximum_amount // told.received_amount
            return
        between = (self.passed + amount) // 2
        # Within an eighth of what passed, looking closer costs more than it brings.
        self.maximum = between if between > self.passed + self.passed // 8 else self.passed
        if self._refusals > TRUSTED_REFUSALS:
            self.maximum = min(self.maximum, amount // 2)
