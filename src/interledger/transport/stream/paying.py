"""How a payment is cut into packets, and where its money is: fulfilled, in flight, or unknown.

The promises kept here, whatever the network does (invariant 20):

* `sent + in_flight + unknown <= send_max` after every step. A packet that was never answered counts as possibly
  delivered, and its money is not sent again (H14).
* Each packet has a minimum that the receiver must see arrive; together the minimums are `floor(sent x minimum rate)`.
* A fixed delivery ends when the amount has arrived, and overshoots by less than one source unit is worth.
"""

from __future__ import annotations

from typing import Final, NamedTuple, final

from interledger.codec.oer import UINT64_MAX
from interledger.transport.stream.congestion import CongestionWindow
from interledger.transport.stream.payment import FixedDelivery, Progress, Quote, Target, Waiting
from interledger.transport.stream.rate import PathLimit, RateEstimate

__all__ = ["Part", "Payer"]

CLAIM_FACTOR: Final = 2
"""A receiver's claim is believed up to twice what the quoted rate allows. More would end a delivery that was not made:
RFC 29 asks senders to judge amounts in their own units, because receivers can say anything."""


ROUNDING_MAX: Final = 8
"""What roundings on the way may cost one packet: a unit per hop, more or less."""


class Part(NamedTuple):
    """One packet's worth of a payment. `minimum`, `expected_max`: in destination units, what must and what can arrive.

    `short`: the minimum is rounded down, which one packet of a payment may be.
    """

    amount: int
    minimum: int = 0
    expected_max: int = 0
    short: bool = False
    under_way: int = 0
    """Source units in flight once this packet has left: what a T04 for it was about."""
    blocked: tuple[int, int] | None = None
    """Of a packet beyond the receiver's limit: what the payment wants to send in all, and has sent, in source units."""


@final
class Payer:
    """The money of one payment. Knows nothing of octets, sequences or time-outs."""

    def __init__(
        self, target: Target, quote: Quote, rate: RateEstimate, path: PathLimit, window: CongestionWindow
    ) -> None:
        self._deliver = target.amount if isinstance(target, FixedDelivery) else None
        self._minimum_n, self._minimum_d = quote.minimum_rate.as_integer_ratio()
        self._quoted_n, self._quoted_d = quote.rate_high.as_integer_ratio()
        self.send_max = quote.send_max
        self.rate = rate
        self.path = path
        self.window = window
        self.sent = 0
        self.delivered = 0
        self.in_flight = 0
        self.in_flight_packets = 0
        self.unknown = 0
        self.packets_sent = 0
        self.packets_fulfilled = 0
        self.packets_rejected = 0
        self.packet_min = max(1, rate.source_for(1) if rate.arrived_max else 1)
        """Smaller packets bring nothing."""
        self.receive_max: int | None = None
        """The receiver's limit (StreamMaxMoney) and what it said to have got, in destination units."""
        self._receiver_total = 0
        self._expected_in_flight = 0
        self._expected_unknown = 0
        self._short_used = False
        self._raise = 0
        self.only_waiting = False
        """Whether all that can be sent is under way."""
        self.waiting: Waiting | None = None
        """What the way refused last; None: it lets packets pass."""

    # What to send

    def next_part(self) -> Part | None:
        """The next packet, or None while the windows are full or all is under way."""
        window = self.window
        self.only_waiting = False
        if self.in_flight_packets >= window.packets:
            return None
        left = self.left_to_send()
        if left <= 0:
            self.only_waiting = True
            return None
        largest = self.path.ceiling
        if window.amount is not None and window.amount < largest:
            largest = window.amount
        if self.receive_max is not None and self.receive_max != UINT64_MAX:
            largest = self._within_receiver_limit(self.receive_max, largest, left)
        if largest <= 0:
            return None
        if self._deliver is not None and left <= largest and self.in_flight_packets:
            # The last packet of a delivery waits until it is known what the others brought.
            self.only_waiting = True
            return None
        # Equal parts, so that no dust is left for a last packet that rounds to nothing.
        amount = left if left <= largest else self._equal_part(left, largest)
        if window.amount is not None and self.in_flight + amount > window.amount and self.in_flight_packets:
            return None
        return self._part(amount, left)

    def _equal_part(self, left: int, largest: int) -> int:
        """One of the fewest equal parts; or the largest amount, where a part would round to less than its minimum."""
        part = -(-left // -(-left // largest))
        needed = -(-part * self._minimum_n // self._minimum_d)
        return part if self.rate.arrives_at_least(part) >= needed else largest

    def left_to_send(self) -> int:
        """Source units still to be sent now. For a delivery: what is missing, at the best rate that is possible."""
        budget = self.send_max - self.sent - self.in_flight - self.unknown
        if self._deliver is None or budget <= 0:
            return budget
        missing = self._missing()
        if missing <= 0:
            return 0
        return min(budget, self.rate.source_for(missing) + self._raise)

    def _missing(self) -> int:
        """Destination units that are neither delivered nor possibly under way."""
        return (self._deliver or 0) - self.delivered - self._expected_in_flight - self._expected_unknown

    def _within_receiver_limit(self, receive_max: int, largest: int, left: int) -> int:
        room = self._receiver_room(receive_max)
        within = self.rate.source_within(room) if room > 0 else 0
        if within >= min(left, self.packet_min):
            return min(largest, within)
        # Nothing fits. With nothing under way, one packet goes all the same and asks whether the limit was raised.
        return 0 if self.in_flight_packets else largest

    def _part(self, amount: int, left: int) -> Part:
        n, d = self._minimum_n, self._minimum_d
        # RFC 29: "Implementations SHOULD set the minimum acceptable amount in each packet sent"
        minimum = -(-amount * n // d)
        short = False
        if amount == left:
            if self._deliver is not None:
                # The last packet of a delivery: what is missing is all it must bring.
                minimum = min(minimum, max(1, self._missing()))
            elif not self._short_used and self.rate.arrives_at_least(amount) < minimum:
                # The last packet of a fixed amount may round down: the total then does, by less than one unit.
                rounded = amount * n // d
                short = rounded < minimum
                minimum = rounded
        blocked = (self.send_max, self.sent) if self._is_blocked() else None
        # A second rounding on the way makes some packets look worse than others: one unit more may come of each.
        expected_max = max(minimum, self.rate.arrives_at_most(amount)) + 1
        return Part(amount, minimum, expected_max, short, self.in_flight + amount, blocked)

    # What became of it

    def launched(self, part: Part) -> None:
        """A packet left."""
        self.in_flight += part.amount
        self.in_flight_packets += 1
        self.packets_sent += 1
        self._expected_in_flight += part.expected_max
        if part.short:
            self._short_used = True

    def fulfilled(self, part: Part, arrived: int | None) -> None:
        """The receiver took it. `arrived`: its claim, None when it did not say."""
        self._landed(part)
        self._fulfilled(part, arrived)
        self.window.fulfilled(part.amount)
        self.waiting = None

    def rejected(self, part: Part) -> None:
        """Nobody took it: its money is ours again."""
        self._landed(part)
        self.packets_rejected += 1
        if part.short:
            self._short_used = False

    def lost(self, part: Part) -> None:
        """Nobody answered: it may have arrived."""
        self._landed(part)
        self.unknown += part.amount
        self._expected_unknown += part.expected_max

    def found_fulfilled(self, part: Part, arrived: int | None) -> None:
        """A packet that was given up had arrived after all."""
        self._found(part)
        self._fulfilled(part, arrived)

    def found_rejected(self, part: Part) -> None:
        """A packet that was given up had not arrived."""
        self._found(part)
        self.packets_rejected += 1
        if part.short:
            self._short_used = False

    def _landed(self, part: Part) -> None:
        self.in_flight -= part.amount
        self.in_flight_packets -= 1
        self._expected_in_flight -= part.expected_max

    def _found(self, part: Part) -> None:
        self.unknown -= part.amount
        self._expected_unknown -= part.expected_max

    def _fulfilled(self, part: Part, arrived: int | None) -> None:
        amount = part.amount
        self.sent += amount
        self.packets_fulfilled += 1
        self.path.reached(amount)
        self._raise = 0
        if arrived is None or arrived < part.minimum:
            # The proof says that it accepted the packet, so it got the minimum.
            self.delivered += part.minimum
            return
        arrived = min(arrived, max(part.minimum, CLAIM_FACTOR * amount * self._quoted_n // self._quoted_d))
        self.delivered += arrived
        self.rate.observe(amount, arrived)

    # What was learnt

    def reached_receiver(self, part: Part, arrived: int) -> None:
        """The receiver saw a packet, and refused it."""
        self.path.reached(part.amount)
        self.rate.observe(part.amount, arrived)

    def raise_amounts(self, amount: int, short_by: int) -> None:
        """A packet of `amount`, the only one under way, brought `short_by` too little: perhaps rounded on the way."""
        if self.in_flight_packets or short_by > ROUNDING_MAX:
            return
        # First by what the missing units cost, then by twice as much.
        self._raise = self._raise * 2 or self.rate.source_for(short_by)
        if amount <= self.packet_min * 2:
            self.packet_min = min(self.packet_min * 2, self.path.ceiling)

    def receiver_limit(self, receive_max: int, total_received: int) -> None:
        """A StreamMaxMoney frame for our stream."""
        # RFC 29: "they MUST ignore flow control offsets that do not increase the window"
        if self.receive_max is None or receive_max > self.receive_max:
            self.receive_max = receive_max
        if total_received > self._receiver_total:
            self._receiver_total = total_received

    def over_receiver_limit(self, amount: int) -> bool:
        """Whether `amount` more could exceed what the receiver said to accept."""
        if self.receive_max is None or self.receive_max == UINT64_MAX:
            return False
        return self.rate.arrives_at_most(amount) > self._receiver_room(self.receive_max)

    def _is_blocked(self) -> bool:
        """Whether the receiver's limit has no room for anything, so that a packet can only ask for more of it."""
        limit = self.receive_max
        return limit is not None and limit != UINT64_MAX and self._receiver_room(limit) <= 0

    def _receiver_room(self, receive_max: int) -> int:
        got = max(self._receiver_total, self.delivered)
        return receive_max - got - self._expected_in_flight - self._expected_unknown

    @property
    def complete(self) -> bool:
        """Whether all was done, for certain."""
        if self._deliver is not None:
            return self.delivered >= self._deliver
        return self.sent == self.send_max

    def progress(self) -> Progress:
        """Where the payment stands."""
        return Progress(
            self.sent,
            self.delivered,
            self.in_flight,
            self.unknown,
            self.packets_sent,
            self.packets_fulfilled,
            self.packets_rejected,
            self.waiting,
        )
