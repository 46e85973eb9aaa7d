"""The paying end of STREAM (RFC 29): asset, rate, quote, payment, close.

No I/O: replies and `now` go in, Prepares and events come out. After each burst of replies, and when `timer()` is due,
call `packets_to_send(now)`, then read `events()` and `timer()` again.

```text
QUOTING --> QUOTED --pay()--> PAYING --> STOPPING --> DONE
```

`quoting` asks, `paying` cuts the money into packets and knows where it is, `congestion` says how much may be under way,
`connection` makes packets and opens replies, `reactions` is the table of what a Reject means.
"""

from __future__ import annotations

import enum
from fractions import Fraction
from typing import Final, final

from interledger.accounts.asset import Asset
from interledger.clock import Entropy, Timestamp
from interledger.errors import InvalidRequestError, LocalProtocolError
from interledger.ilp.address import Address, parse_address
from interledger.ilp.error_codes import ErrorCode
from interledger.ilp.packet import Fulfill, Prepare, Reject, Reply
from interledger.link.base import RequestId
from interledger.transport.stream.congestion import CongestionWindow
from interledger.transport.stream.connection import MONEY_STREAM, Flight, Kind, SenderConnection
from interledger.transport.stream.crypto import StreamCrypto
from interledger.transport.stream.frames import (
    ConnectionAssetDetails,
    ConnectionClose,
    Frame,
    StreamClose,
    StreamMaxMoney,
    StreamReceipt,
)
from interledger.transport.stream.packet import StreamPacket
from interledger.transport.stream.paying import Payer
from interledger.transport.stream.payment import (
    DEFAULT_SLIPPAGE,
    PaymentEnded,
    PaymentFailure,
    Progress,
    Quote,
    QuoteFailed,
    QuoteReady,
    SenderEvent,
    SenderSettings,
    Target,
    check_target,
)
from interledger.transport.stream.probe import failure_for
from interledger.transport.stream.quoting import Quoting
from interledger.transport.stream.reactions import refused_by_receiver, refused_on_the_way
from interledger.transport.stream.receipts import later_receipt

__all__ = ["Phase", "StreamSender"]

UNKNOWN_MAX: Final = 4_096
"""Unanswered packets whose late answers still count; the amounts of older ones stay unknown."""


class Phase(enum.Enum):
    """Where a payment stands."""

    QUOTING = "asking for the rate"
    QUOTED = "quoted"
    PAYING = "paying"
    STOPPING = "waiting for packets in flight"
    DONE = "done"


@final
class StreamSender:
    """One payment over one connection. Its request ids are its sequence numbers: it needs a link of its own."""

    def __init__(
        self,
        destination: Address,
        shared_secret: bytes,
        source_asset: Asset,
        target: Target,
        entropy: Entropy,
        now: Timestamp,
        *,
        destination_asset: Asset | None = None,
        own_address: str = "",
        slippage: Fraction = DEFAULT_SLIPPAGE,
        minimum_rate: Fraction | None = None,
        settings: SenderSettings | None = None,
    ) -> None:
        """`destination` and `shared_secret` come from the receiver (SPSP). Amounts and rates count the smallest units.

        `own_address`: only when we really can receive on it; a JS receiver starts sending there. `minimum_rate`
        replaces `slippage`. Raises `InvalidRequestError`.
        """
        check_target(target)
        if not 0 <= slippage < 1:
            raise InvalidRequestError("a slippage is at least 0 and less than 1", "slippage")
        if minimum_rate is not None and minimum_rate <= 0:
            raise InvalidRequestError("without a minimum rate, nodes on the way could take it all", "minimum_rate")
        self.settings = settings = settings or SenderSettings()
        self.phase = Phase.QUOTING
        self.receipt: bytes | None = None
        """The receipt of the receiver that says most, for whoever asked for it (RFC 39)."""
        self._connection = SenderConnection(parse_address(destination), StreamCrypto(shared_secret, entropy), settings)
        self._target = target
        self._quoting = Quoting(
            self._connection,
            target,
            (source_asset, destination_asset),
            own_address,
            slippage,
            minimum_rate,
            require_asset=settings.require_asset,
            deadline=Timestamp(now + settings.quote_timeout_ms),
        )
        self._payer: Payer | None = None
        self._unknown: dict[RequestId, Flight] = {}
        self._events: list[SenderEvent] = []
        self._last_fulfilled_at = now
        self._fulfilled_at_restart = -1
        self._payment_deadline: Timestamp | None = None
        self._wake_at: Timestamp | None = None
        self._trouble: tuple[PaymentFailure, str] = (PaymentFailure.NO_ANSWER, "")
        self._stopped_by: tuple[PaymentFailure | None, str] = (None, "")
        self._close_wanted = False

    # What the caller asks and reads

    def pay(self, now: Timestamp) -> None:
        """Accept the quote: money starts to move. Raises `LocalProtocolError` when there is none."""
        if self.phase is not Phase.QUOTED:
            raise LocalProtocolError(f"there is no quote to pay by: the payment is {self.phase.value}")
        self.phase = Phase.PAYING
        self._last_fulfilled_at = now
        if self.settings.payment_timeout_ms is not None:
            self._payment_deadline = Timestamp(now + self.settings.payment_timeout_ms)

    def close(self) -> None:
        """Cancel: send no more money. `PaymentEnded` comes when the packets in flight are answered or have expired."""
        if self.phase is not Phase.DONE:
            self._stop(PaymentFailure.CANCELLED, "")
            self._settle()

    def events(self) -> list[SenderEvent]:
        """What happened since the last call."""
        events, self._events = self._events, []
        return events

    def progress(self) -> Progress:
        """Where the payment stands; zeros before the quote."""
        return Progress(0, 0, 0, 0, 0, 0, 0) if self._payer is None else self._payer.progress()

    @property
    def quote(self) -> Quote | None:
        """The quote, once it is made."""
        return self._quoting.quote

    @property
    def destination_asset(self) -> Asset | None:
        """What the receiver is paid in, once it is known."""
        return self._quoting.destination_asset

    def timer(self) -> Timestamp | None:
        """When to call `handle_timer` and `packets_to_send` next, at the latest. Read it after `packets_to_send`."""
        if self.phase is Phase.DONE:
            return None
        due = [self._connection.first_deadline, self._wake_at]
        if self.phase is Phase.QUOTING:
            due.append(self._quoting.deadline)
        elif self.phase is Phase.PAYING:
            due += (self._fulfill_deadline(), self._payment_deadline)
        return min((moment for moment in due if moment is not None), default=None)

    def handle_timer(self, now: Timestamp) -> None:
        """Give up what nobody answered in time."""
        while (expired := self._connection.take_expired(now)) is not None:
            self._unanswered(*expired, "", now)
        if self.phase is Phase.QUOTING and now >= self._quoting.deadline:
            self._quoting.out_of_time()
        elif self.phase is Phase.PAYING:
            fulfill_deadline = self._fulfill_deadline()
            if fulfill_deadline is not None and now >= fulfill_deadline:
                self._stop(*self._trouble)
            elif self._payment_deadline is not None and now >= self._payment_deadline:
                self._stop(PaymentFailure.TOO_LONG, "")
        self._settle()

    def _fulfill_deadline(self) -> Timestamp | None:
        """When a payment that does not move has failed. None once all is sent: then the packets' own expiry counts."""
        if self._payer is None or self._payer.only_waiting:
            return None
        return Timestamp(self._last_fulfilled_at + self.settings.fulfill_timeout_ms)

    def packets_to_send(self, now: Timestamp) -> list[tuple[RequestId, Prepare]]:
        """The Prepares to send now, with the request ids under which their replies are to come back."""
        packets: list[tuple[RequestId, Prepare]] = []
        self._wake_at = None
        if self.phase is Phase.PAYING and self._payer is not None:
            self._send_money(self._payer, packets, now)
        elif self.phase is Phase.QUOTING:
            packets = self._quoting.packets_to_send(now)
            self._wake_at = self._quoting.wake_at
        if self._close_wanted:
            self._close_wanted = False
            packets.append(self._connection.closing(now))
        return packets

    def _send_money(self, payer: Payer, packets: list[tuple[RequestId, Prepare]], now: Timestamp) -> None:
        connection, window = self._connection, payer.window
        if now < window.resume_at:
            self._wake_at = window.resume_at
            return
        waited = payer.only_waiting
        part = payer.next_part()
        if part is None:
            return
        if waited and payer.packets_fulfilled > self._fulfilled_at_restart:
            # Packets came back after the clock stood still. It starts anew, but not twice without money moving (H15).
            self._fulfilled_at_restart = payer.packets_fulfilled
            self._last_fulfilled_at = now
        window.sending(now, payer.in_flight_packets)
        while part is not None:
            if connection.used_up:
                self._stop(PaymentFailure.TOO_MANY_PACKETS, "")
                self._settle()
                return
            packets.append(connection.money(part, now))
            payer.launched(part)
            part = payer.next_part()

    # What comes back

    def receive_reply(self, request_id: RequestId, reply: Reply, now: Timestamp) -> None:
        """The answer to one of our Prepares. Second answers, and answers to nothing, are dropped."""
        flight = self._connection.flights.pop(request_id, None)
        if flight is None:
            self._late_reply(request_id, reply)
            return
        packet = self._connection.open_reply(reply, flight.sequence)
        payer = self._payer
        if flight.kind is Kind.MONEY and payer is not None:
            if isinstance(reply, Fulfill):
                self._fulfilled(payer, request_id, flight, reply, packet, now)
            else:
                self._rejected(payer, flight, reply, packet, now)
        elif self.phase is Phase.QUOTING:
            if packet is not None:
                self._read_frames(packet.frames)
            self._quoting.answered(flight, reply, packet, now)
        self._settle()

    def receive_no_reply(self, request_id: RequestId, reject: Reject, now: Timestamp) -> None:
        """Our link gave up on a Prepare that the peer may have got: its outcome is unknown."""
        flight = self._connection.flights.pop(request_id, None)
        if flight is not None:
            self._unanswered(request_id, flight, reject.code, now)
            self._settle()

    def _fulfilled(
        self,
        payer: Payer,
        request_id: RequestId,
        flight: Flight,
        reply: Fulfill,
        packet: StreamPacket | None,
        now: Timestamp,
    ) -> None:
        if not reply.matches(flight.condition):
            # Nobody can be paid with it, but who sends it is not to be trusted with "not delivered" either.
            payer.lost(flight.part)
            self._remember_unknown(request_id, flight)
            self._stop(PaymentFailure.WRONG_FULFILLMENT, ErrorCode.F05_WRONG_CONDITION)
            return
        payer.fulfilled(flight.part, None if packet is None else packet.prepare_amount)
        self._last_fulfilled_at = now
        if packet is not None and packet.frames:
            self._read_frames(packet.frames)

    def _rejected(
        self, payer: Payer, flight: Flight, reply: Reject, packet: StreamPacket | None, now: Timestamp
    ) -> None:
        payer.rejected(flight.part)
        next_sequence = self._connection.sequence + 1
        if packet is not None:
            payer.reached_receiver(flight.part, packet.prepare_amount)
            self._read_frames(packet.frames)
            self._trouble = (refused_by_receiver(payer, flight, packet, next_sequence, now), reply.code)
            return
        failure, final = refused_on_the_way(payer, flight, reply, next_sequence, now)
        self._trouble = (failure, reply.code)
        if final:
            self._stop(failure, reply.code)

    def _unanswered(self, request_id: RequestId, flight: Flight, code: str, now: Timestamp) -> None:
        payer = self._payer
        if flight.kind is not Kind.MONEY:
            if self.phase is Phase.QUOTING:
                self._quoting.refused(flight, code, b"", now)
        elif payer is not None:
            payer.lost(flight.part)
            self._remember_unknown(request_id, flight)
            self._trouble = (failure_for(code), code)
            payer.window.busy(flight.sequence, self._connection.sequence + 1, now)

    def _remember_unknown(self, request_id: RequestId, flight: Flight) -> None:
        self._unknown[request_id] = flight
        if len(self._unknown) > UNKNOWN_MAX:
            del self._unknown[next(iter(self._unknown))]

    def _late_reply(self, request_id: RequestId, reply: Reply) -> None:
        """An answer to a packet that was given up settles its amount after all, while the payment goes on."""
        flight, payer = self._unknown.get(request_id), self._payer
        if flight is None or payer is None or self.phase is Phase.DONE:
            return
        if isinstance(reply, Reject):
            payer.found_rejected(flight.part)
        elif reply.matches(flight.condition):
            packet = self._connection.open_reply(reply, flight.sequence)
            payer.found_fulfilled(flight.part, None if packet is None else packet.prepare_amount)
        else:
            return
        del self._unknown[request_id]
        self._settle()

    def _read_frames(self, frames: tuple[Frame, ...]) -> None:
        """What the receiver tells us beside the amount. Data is not asked for, and ignored."""
        for frame in frames:
            if isinstance(frame, StreamMaxMoney):
                if self._payer is not None and frame.stream_id == MONEY_STREAM:
                    self._payer.receiver_limit(frame.receive_max, frame.total_received)
            elif isinstance(frame, ConnectionAssetDetails):
                self._asset_told(Asset(frame.asset_code, frame.asset_scale))
            elif isinstance(frame, ConnectionClose) or (
                isinstance(frame, StreamClose) and frame.stream_id == MONEY_STREAM
            ):
                self._stop(PaymentFailure.CLOSED_BY_RECEIVER, "")
            elif isinstance(frame, StreamReceipt) and frame.stream_id == MONEY_STREAM:
                self.receipt = later_receipt(self.receipt, frame.receipt)

    def _asset_told(self, asset: Asset) -> None:
        quoting = self._quoting
        if quoting.destination_asset is None:
            quoting.destination_asset = asset
        elif quoting.destination_asset != asset:
            # RFC 29: "Asset details exposed by this frame MUST NOT change during the lifetime of a Connection."
            self._stop(PaymentFailure.ASSET_CHANGED, "")

    # From phase to phase

    def _settle(self) -> None:
        """Go on to the next phase when this one has all it waited for."""
        payer, quoting = self._payer, self._quoting
        if self.phase is Phase.PAYING or self.phase is Phase.STOPPING:
            if payer is not None and not payer.in_flight_packets:
                self._settle_payment(payer)
        elif self.phase is Phase.QUOTING:
            if quoting.failure is not None:
                self._quote_failed(quoting.failure, quoting.code)
            elif quoting.quote is not None:
                window = CongestionWindow(self.settings.in_flight_max, quoting.probe.credit_max)
                self._payer = Payer(self._target, quoting.quote, quoting.rate, quoting.probe.path, window)
                self.phase = Phase.QUOTED
                self._connection.flights.clear()
                self._events.append(QuoteReady(quoting.quote))

    def _settle_payment(self, payer: Payer) -> None:
        failure, code = self._stopped_by
        if payer.complete:
            failure, code = None, ""
        elif self.phase is Phase.PAYING:
            if payer.left_to_send() > 0:
                return
            failure = PaymentFailure.OUTCOME_UNKNOWN if payer.unknown else PaymentFailure.RATE_TOO_LOW
        elif failure is PaymentFailure.NO_ANSWER and payer.unknown:
            failure = PaymentFailure.OUTCOME_UNKNOWN
        self.phase = Phase.DONE
        self._close_wanted = True
        self._events.append(PaymentEnded(failure, code, payer.progress()))

    def _stop(self, failure: PaymentFailure, code: str) -> None:
        """No more money leaves. The first reason counts."""
        if self.phase is Phase.QUOTING:
            self._quote_failed(failure, code)
        elif self.phase in (Phase.PAYING, Phase.QUOTED):
            self.phase = Phase.STOPPING
            self._stopped_by = (failure, code)

    def _quote_failed(self, failure: PaymentFailure, code: str) -> None:
        self.phase = Phase.DONE
        self._close_wanted = self._connection.heard
        self._connection.flights.clear()
        self._events.append(QuoteFailed(failure, code))
