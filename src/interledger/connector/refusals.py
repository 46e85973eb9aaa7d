"""What this node says when a packet goes no further, apart from what the guards say."""

from __future__ import annotations

from typing import Final

from interledger.accounts.ledger import Refusal
from interledger.connector.crossing import Crossing
from interledger.connector.guards import Compared, Refused
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
    "refuse_credit",
    "refuse_time",
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
        compared = Compared("converted amount", 0, 1, "target", beyond=crossing.target)
        text = "the amount converts to zero on the next link"
        return Refused(ErrorCode.R01_INSUFFICIENT_SOURCE_AMOUNT, text, b"", compared)
    most = crossing.amount_max * crossing.denominator // crossing.numerator
    data = AmountTooLarge(amount, min(most, amount - 1)).encode()
    compared = Compared("packet_amount_max", crossing.amount_max, outgoing_amount, "target", beyond=crossing.target)
    return Refused(ErrorCode.F08_AMOUNT_TOO_LARGE, "the packet is larger than the next link takes", data, compared)


def refuse_credit(refusal: Refusal, crossing: Crossing) -> Refused:
    """T04, with the limit that said no and how it stood."""
    line = refusal.account
    if line is crossing.source:
        posted, pending = line.debits_posted - line.credits_posted, line.debits_pending
        compared = Compared("owes_us_max", refusal.room, refusal.amount, "source", line.debit_max, posted, pending)
    else:
        posted, pending = line.credits_posted - line.debits_posted, line.credits_pending
        compared = Compared("we_owe_max", refusal.room, refusal.amount, "target", line.credit_max, posted, pending)
    return NO_CREDIT._replace(compared=compared)


def refuse_time(left_ms: int, window_ms: int) -> Refused:
    """R02: what would be left to the next node, and what it has to have."""
    return TOO_LITTLE_TIME._replace(compared=Compared("min_message_window_ms", max(left_ms, 0), window_ms, "ms"))
