"""What a sender asks before it pays: in which asset the receiver is paid, at which rate, in packets of which size.

All packets of these phases carry a condition that nobody can fulfill, so they move no money. One is under way at a time
(two while the asset is asked for): a quote never floods the way.
"""

from __future__ import annotations

from typing import Final, final

from interledger.clock import Timestamp
from interledger.codec.oer import UINT64_MAX
from interledger.ilp.address import ADDRESS_LENGTH_MAX, Address
from interledger.ilp.error_codes import ErrorCode
from interledger.transport.stream.payment import FixedDelivery, FixedSend, PaymentFailure, Target
from interledger.transport.stream.rate import PathLimit, RateEstimate

__all__ = ["SEND_ONLY_ADDRESS", "AssetDiscovery", "RateProbe", "failure_for"]

SEND_ONLY_ADDRESS: Final = "private.SEND_ONLY_CLIENT"
"""A valid address that leads nowhere, for receivers that do not understand an empty one (ST-22)."""

FIRST_DELIVERY_PROBE: Final = 1_000_000
"""The first amount when the rate, and so the amount to send, is unknown."""

PRECISION_STEP: Final = 1_000
"""So much larger is the next probe when too little arrived to know the rate."""

WANTED_ARRIVED: Final = 1_000
"""The rate is then known to a thousandth: well inside the usual slippage of a hundredth."""

PROBES_MAX: Final = 60
"""Enough to halve any amount down to one unit; a way that needs more is not believed (H15)."""

ASSET_ROUNDS_MAX: Final = 3
PAUSE_MS: Final = 100
"""After temporary trouble; doubled each time."""

_FATAL: Final[dict[str, PaymentFailure]] = {
    ErrorCode.F02_UNREACHABLE: PaymentFailure.NO_ROUTE,
    ErrorCode.F05_WRONG_CONDITION: PaymentFailure.NOT_EXPECTED,
    ErrorCode.F06_UNEXPECTED_PAYMENT: PaymentFailure.NOT_EXPECTED,
    ErrorCode.F99_APPLICATION_ERROR: PaymentFailure.NOT_EXPECTED,
    ErrorCode.F08_AMOUNT_TOO_LARGE: PaymentFailure.PACKETS_TOO_SMALL,
    ErrorCode.T01_PEER_UNREACHABLE: PaymentFailure.NODE_UNREACHABLE,
    ErrorCode.T04_INSUFFICIENT_LIQUIDITY: PaymentFailure.NO_LIQUIDITY,
    ErrorCode.R00_TRANSFER_TIMED_OUT: PaymentFailure.TIMED_OUT,
    ErrorCode.R01_INSUFFICIENT_SOURCE_AMOUNT: PaymentFailure.AMOUNT_TOO_SMALL,
    ErrorCode.R02_INSUFFICIENT_TIMEOUT: PaymentFailure.TIMED_OUT,
}


def failure_for(code: str) -> PaymentFailure:
    """What a Reject that is not the receiver's means for the payer, once it is final or too frequent."""
    if not code:
        return PaymentFailure.NO_ANSWER
    known = _FATAL.get(code)
    if known is not None:
        return known
    return PaymentFailure.BUSY if code[:1] in ("T", "R") else PaymentFailure.REFUSED


@final
class AssetDiscovery:
    """Two probes of amount 0 (ST-22): each kind of receiver understands one of them and refuses the other.

    The first goes to the receiver's address with our own one, or an empty one, in the ConnectionNewAddress frame. The
    second puts a segment `_` before the token and gives an address that leads nowhere.
    """

    def __init__(self, destination: Address, own_address: str) -> None:
        head, _, token = destination.rpartition(".")
        second = Address(f"{head}._.{token}")
        self._probes = [(destination, own_address)]
        if len(second) <= ADDRESS_LENGTH_MAX:
            self._probes.append((second, SEND_ONLY_ADDRESS))
        self._to_send = list(self._probes)
        self._refusals: dict[Address, str] = {}
        self._rounds = 1
        self._silent = False
        self.resume_at = Timestamp(0)
        self.failure: PaymentFailure | None = None
        self.code = ""

    def take(self, now: Timestamp) -> list[tuple[Address, str]]:
        """The probes to send now: destination, and the address to tell."""
        if now < self.resume_at:
            return []
        probes, self._to_send = self._to_send, []
        return probes

    @property
    def waiting_to_send(self) -> bool:
        """Whether `take` will have something at `resume_at`."""
        return bool(self._to_send)

    def answered_without_asset(self, destination: Address) -> None:
        """The receiver spoke, but not of its asset."""
        self._silent = True
        self.refused(destination, "", Timestamp(0))

    def refused(self, destination: Address, code: str, now: Timestamp) -> None:
        """A Reject of somebody on the way, or no answer (code '')."""
        self._refusals[destination] = code
        if len(self._refusals) < len(self._probes):
            return
        retry = [probe for probe in self._probes if self._refusals[probe[0]][:1] not in ("F",)]
        self.code = next((c for c in self._refusals.values() if c), "")
        if self._silent:
            self.failure = PaymentFailure.ASSET_UNKNOWN
        elif not retry or self._rounds >= ASSET_ROUNDS_MAX:
            # The first probe went to the true address: its refusal says more.
            self.code = self._refusals[self._probes[0][0]] or self.code
            self.failure = failure_for(self.code)
        else:
            self.resume_at = Timestamp(now + (PAUSE_MS << self._rounds))
            self._rounds += 1
            for probe in retry:
                del self._refusals[probe[0]]
            self._to_send = retry


@final
class RateProbe:
    """Finds an amount that shows the rate to three digits, and the largest packet up to what the payment needs."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self.path = PathLimit()
        self.credit = PathLimit()
        """The same, for amounts that were refused for want of credit (T04)."""
        self.rate: RateEstimate | None = None
        self.resume_at = Timestamp(0)
        self.failure: PaymentFailure | None = None
        self.code = ""
        self.done = False
        self._attempts = 0
        self._pauses = 0
        self._converts_to_nothing = 0
        self._next: int | None = self._choose()

    def take(self, now: Timestamp) -> int | None:
        """The amount to probe now, or None. Ask again when it was answered or refused, or was lost."""
        if now < self.resume_at or self._next is None:
            return None
        amount, self._next = self._next, None
        self._attempts += 1
        return amount

    @property
    def waiting_to_send(self) -> bool:
        """Whether `take` will have something at `resume_at`."""
        return self._next is not None

    def arrived(self, sent: int, arrived: int) -> None:
        """The receiver says how much of a probe arrived."""
        self.path.reached(sent)
        self.credit.reached(sent)
        if self.rate is None:
            self.rate = RateEstimate(sent, arrived)
        else:
            self.rate.observe(sent, arrived)
        self._plan()

    def refused(self, sent: int, code: str, data: bytes, now: Timestamp) -> None:
        """A Reject of somebody on the way, or no answer (code '')."""
        self.code = code
        if code == ErrorCode.F08_AMOUNT_TOO_LARGE:
            self.path.refused(sent, data)
        elif code == ErrorCode.T04_INSUFFICIENT_LIQUIDITY:
            self.credit.refused(sent)
        elif code == ErrorCode.R01_INSUFFICIENT_SOURCE_AMOUNT:
            self._converts_to_nothing = max(sent, self._converts_to_nothing)
        elif code.startswith("F"):
            self.failure = failure_for(code)
            return
        else:
            self.resume_at = Timestamp(now + min(PAUSE_MS << self._pauses, 2_000))
            self._pauses += 1
            self._again(sent)
            return
        self._plan()

    def give_up(self) -> None:
        """Time is up: what is known must do."""
        self._next = None
        if self.rate is None or not self.rate.arrived_max:
            self.failure = failure_for(self.code)
        else:
            self.done = True

    @property
    def packet_max(self) -> int | None:
        """The largest packet the way is known to carry, None when no limit was met."""
        return None if self.path.maximum is None else min(self.path.maximum, self.path.passed or self.path.maximum)

    @property
    def credit_max(self) -> int | None:
        """The most that is known to find credit at once, None when credit was never short."""
        return None if self.credit.maximum is None else max(1, self.credit.passed)

    def _again(self, amount: int) -> None:
        if self._attempts >= PROBES_MAX:
            self.give_up()
        else:
            self._next = amount

    def _plan(self) -> None:
        amount = self._choose()
        if amount is not None:
            self._again(amount)
        elif self.rate is not None and self.rate.arrived_max:
            self.done = True
        else:
            self.failure = self._no_rate()

    def _no_rate(self) -> PaymentFailure:
        if self.path.ceiling == 0:
            return PaymentFailure.PACKETS_TOO_SMALL
        if self.credit.ceiling == 0:
            return PaymentFailure.NO_LIQUIDITY
        return PaymentFailure.AMOUNT_TOO_SMALL

    def _choose(self) -> int | None:
        """The next amount that would teach us something, or None."""
        ceiling = min(self.path.ceiling, self.credit.ceiling)
        known = max(self.path.passed, self._converts_to_nothing)
        wanted = min(self._needed(), ceiling)
        # What is needed of a delivery grows a little with each look at the rate: an eighth more is not worth a probe.
        if wanted > known and (wanted > known + known // 8 or wanted == ceiling or self.path.passed == 0):
            return wanted
        if self.rate is None or self.rate.arrived_max < WANTED_ARRIVED:
            larger = min(known * PRECISION_STEP, ceiling, UINT64_MAX)
            return larger if larger > known else None
        return None

    def _needed(self) -> int:
        """What the whole payment would be in one packet, as far as known."""
        match self._target:
            case FixedSend(amount):
                return amount
            case FixedDelivery(amount):
                if self.rate is None or not self.rate.arrived_max:
                    return FIRST_DELIVERY_PROBE
                return min(self.rate.source_for(amount), UINT64_MAX)
