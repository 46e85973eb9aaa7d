"""The way to a quote: the asset first, when it is not known, then the rate, then the offer."""

from __future__ import annotations

from fractions import Fraction
from typing import final

from interledger.accounts.asset import Asset
from interledger.clock import Timestamp
from interledger.ilp.packet import Prepare, Reject, Reply
from interledger.link.base import RequestId
from interledger.transport.stream.connection import Flight, Kind, SenderConnection
from interledger.transport.stream.frames import ConnectionNewAddress
from interledger.transport.stream.packet import StreamPacket
from interledger.transport.stream.payment import PaymentFailure, Quote, Target
from interledger.transport.stream.probe import AssetDiscovery, RateProbe, failure_for
from interledger.transport.stream.quote import make_quote
from interledger.transport.stream.rate import RateEstimate

__all__ = ["Quoting"]


@final
class Quoting:
    """Asks until there is a `quote` or a `failure` (with the ILP `code` that said so)."""

    def __init__(
        self,
        connection: SenderConnection,
        target: Target,
        assets: tuple[Asset, Asset | None],
        own_address: str,
        slippage: Fraction,
        minimum_rate: Fraction | None,
        *,
        require_asset: bool,
        deadline: Timestamp,
    ) -> None:
        self._connection = connection
        self._target = target
        self.source_asset, self.destination_asset = assets
        self._slippage = slippage
        self._minimum_rate = minimum_rate
        self._require_asset = require_asset
        self.deadline = deadline
        self.quote: Quote | None = None
        self.failure: PaymentFailure | None = None
        self.code = ""
        self.wake_at: Timestamp | None = None
        self._discovery = AssetDiscovery(connection.destination, own_address)
        self._knows_asset = self.destination_asset is not None
        self.probe = RateProbe(target)

    @property
    def rate(self) -> RateEstimate:
        """What the probes found; there when the quote is."""
        if self.probe.rate is None:
            raise ValueError("there is no rate before the quote")
        return self.probe.rate

    def packets_to_send(self, now: Timestamp) -> list[tuple[RequestId, Prepare]]:
        """The probes to send now."""
        connection = self._connection
        self.wake_at = None
        packets: list[tuple[RequestId, Prepare]] = []
        if not self._knows_asset:
            for destination, address in self._discovery.take(now):
                frames = (ConnectionNewAddress(address),)
                packets.append(connection.probe(Kind.ASSET_PROBE, 0, frames, destination, now))
            if self._discovery.waiting_to_send:
                self.wake_at = self._discovery.resume_at
            return packets
        amount = self.probe.take(now)
        if amount is not None:
            packets.append(connection.probe(Kind.RATE_PROBE, amount, (), connection.destination, now))
        if self.probe.waiting_to_send:
            self.wake_at = self.probe.resume_at
        return packets

    def answered(self, flight: Flight, reply: Reply, packet: StreamPacket | None, now: Timestamp) -> None:
        """A reply to a probe. `packet` is what the receiver itself said, None when somebody else refused.

        D-23: any Reject that the receiver signed is the receiver's, whatever its code.
        """
        if packet is None:
            self.refused(flight, reply.code if isinstance(reply, Reject) else "", reply.data, now)
        elif flight.kind is Kind.RATE_PROBE:
            self.probe.arrived(flight.part.amount, packet.prepare_amount)
        elif not self._knows_asset and self.destination_asset is None:
            self._discovery.answered_without_asset(flight.destination)
        self._go_on()

    def refused(self, flight: Flight, code: str, data: bytes, now: Timestamp) -> None:
        """Somebody on the way refused a probe, or nobody answered it (code '')."""
        if flight.kind is Kind.RATE_PROBE:
            self.probe.refused(flight.part.amount, code, data, now)
        elif not self._knows_asset:
            self._discovery.refused(flight.destination, code, now)
        self._go_on()

    def out_of_time(self) -> None:
        """The quote must be made of what is known now, or not at all."""
        if self._knows_asset:
            self.probe.give_up()
            self._go_on()
        else:
            self._fail(failure_for(self._discovery.code), self._discovery.code)

    def _go_on(self) -> None:
        if self.quote is not None or self.failure is not None:
            return
        if not self._knows_asset:
            silent = self._discovery.failure is PaymentFailure.ASSET_UNKNOWN and not self._require_asset
            if self.destination_asset is not None or silent:
                self._knows_asset = True
            elif self._discovery.failure is not None:
                self._fail(self._discovery.failure, self._discovery.code)
        elif self.probe.failure is not None:
            self._fail(self.probe.failure, self.probe.code)
        elif self.probe.done:
            self._offer()

    def _offer(self) -> None:
        assets = (self.source_asset, self.destination_asset)
        offer = make_quote(self._target, self.probe, self.rate, assets, self._slippage, self._minimum_rate)
        if isinstance(offer, PaymentFailure):
            self._fail(offer, self.probe.code)
        else:
            self.quote = offer

    def _fail(self, failure: PaymentFailure, code: str) -> None:
        self.failure, self.code = failure, code
