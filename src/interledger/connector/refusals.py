"""What this node says when a packet goes no further, apart from what the guards say."""

from __future__ import annotations

from typing import Final

from interledger.connector.crossing import Crossing
from interledger.connector.guards import Refused
from interledger.ilp.error_codes import AmountTooLarge, ErrorCode

__all__ = [
    "EXPIRED",
    "LEADS_BACK",
    "NO_CREDIT",
    "NO_RATE",
    "NO_ROUTE",
    "OTHER_NETWORK",
    "PEER_BUSY",
    "PEER_DOWN",
    "READ_ONLY",
    "TIMED_OUT",
    "TOO_LITTLE_TIME",
    "WRONG_FULFILLMENT",
    "refuse_amount",
]

EXPIRED: Final = Refused(ErrorCode.R00_TRANSFER_TIMED_OUT, "the packet had expired when it arrived")
OTHER_NETWORK: Final = Refused(ErrorCode.F02_UNREACHABLE, "the destination belongs to another network")
NO_ROUTE: Final = Refused(ErrorCode.F02_UNREACHABLE, "no route to the destination")
PEER_DOWN: Final = Refused(ErrorCode.T01_PEER_UNREACHABLE, "the next node cannot be reached now")
LEADS_BACK: Final = Refused(ErrorCode.F02_UNREACHABLE, "the route leads back to where the packet came from")
PEER_BUSY: Final = Refused(ErrorCode.T02_PEER_BUSY, "too many packets wait for the next node")
NO_RATE: Final = Refused(ErrorCode.T00_INTERNAL_ERROR, "no current rate between the two assets")
READ_ONLY: Final = Refused(ErrorCode.T03_CONNECTOR_BUSY, "this node cannot write its books and takes no new packets")
NO_CREDIT: Final = Refused(ErrorCode.T04_INSUFFICIENT_LIQUIDITY, "a credit limit has no room for this amount now")
TOO_LITTLE_TIME: Final = Refused(ErrorCode.R02_INSUFFICIENT_TIMEOUT, "too little time is left to forward the packet")
TIMED_OUT: Final = Refused(ErrorCode.R00_TRANSFER_TIMED_OUT, "no answer came in time")
WRONG_FULFILLMENT: Final = Refused(
    ErrorCode.F05_WRONG_CONDITION, "the next node's fulfillment does not fit the condition"
)


def refuse_amount(amount: int, outgoing_amount: int, crossing: Crossing) -> Refused:
    """F08 tells the most in the sender's units (A17); R01 for what converts to nothing (D-15)."""
    if outgoing_amount == 0:
        return Refused(ErrorCode.R01_INSUFFICIENT_SOURCE_AMOUNT, "the amount converts to zero on the next link")
    most = crossing.amount_max * crossing.denominator // crossing.numerator
    data = AmountTooLarge(amount, min(most, amount - 1)).encode()
    return Refused(ErrorCode.F08_AMOUNT_TOO_LARGE, "the packet is larger than the next link takes", data)
