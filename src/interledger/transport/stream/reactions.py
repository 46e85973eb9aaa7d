"""What a Reject means for the payment: the reply table of the sender.

Each function tells the window and the payer, and returns what the trouble is called should it not go away.
"""

from __future__ import annotations

from interledger.clock import Timestamp
from interledger.ilp.error_codes import ErrorCode
from interledger.ilp.packet import Reject
from interledger.transport.stream.connection import Flight
from interledger.transport.stream.packet import StreamPacket
from interledger.transport.stream.paying import Payer
from interledger.transport.stream.payment import PaymentFailure, Waiting
from interledger.transport.stream.probe import failure_for

__all__ = ["refused_by_receiver", "refused_on_the_way"]


def refused_by_receiver(
    payer: Payer, flight: Flight, packet: StreamPacket, next_sequence: int, now: Timestamp
) -> PaymentFailure:
    """The receiver itself said no, with whatever code (D-23). It may say yes later: never final."""
    part, window = flight.part, payer.window
    short_by = part.minimum - packet.prepare_amount
    if short_by > 0:
        payer.raise_amounts(part.amount, short_by)
        window.busy(flight.sequence, next_sequence, now)
        return PaymentFailure.RATE_TOO_LOW
    if payer.over_receiver_limit(part.amount):
        # ST-20: a receiver may open its limit only after it has seen us. Ask again, without blaming the way.
        window.wait(flight.sequence, next_sequence, now)
        return PaymentFailure.RECEIVER_LIMIT
    window.busy(flight.sequence, next_sequence, now)
    return PaymentFailure.RECEIVER_DECLINED


def refused_on_the_way(
    payer: Payer, flight: Flight, reply: Reject, next_sequence: int, now: Timestamp
) -> tuple[PaymentFailure, bool]:
    """Somebody else said no. The flag: whether trying again is pointless."""
    code, part, window = reply.code, flight.part, payer.window
    final = False
    if code == ErrorCode.F08_AMOUNT_TOO_LARGE:
        payer.path.refused(part.amount, reply.data)
        final = payer.path.ceiling == 0
    elif code == ErrorCode.T04_INSUFFICIENT_LIQUIDITY:
        window.short_of_credit(flight.sequence, next_sequence, part.under_way, payer.packet_min, now)
    elif code[:1] in ("T", "R"):
        if code == ErrorCode.R01_INSUFFICIENT_SOURCE_AMOUNT:
            payer.raise_amounts(part.amount, 1)
        window.busy(flight.sequence, next_sequence, now)
    else:
        final = True
    if not final:
        payer.waiting = Waiting(code, reply.triggered_by, max(window.resume_at - now, 0))
    return failure_for(code), final
