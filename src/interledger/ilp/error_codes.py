"""ILP error codes as a table (RFC 27, "Error Codes"). The code, the command line and the documents read this one."""

from __future__ import annotations

import enum
from typing import NamedTuple

from interledger.codec.oer import UINT64_MAX

__all__ = ["ERROR_CODES", "AmountTooLarge", "ErrorCode", "ErrorCodeInfo"]


class ErrorCode(enum.StrEnum):
    """The codes of RFC 27. A Reject may carry others: treat them by their first letter."""

    F00_BAD_REQUEST = "F00"
    F01_INVALID_PACKET = "F01"
    F02_UNREACHABLE = "F02"
    F03_INVALID_AMOUNT = "F03"
    F04_INSUFFICIENT_DESTINATION_AMOUNT = "F04"
    F05_WRONG_CONDITION = "F05"
    F06_UNEXPECTED_PAYMENT = "F06"
    F07_CANNOT_RECEIVE = "F07"
    F08_AMOUNT_TOO_LARGE = "F08"
    F99_APPLICATION_ERROR = "F99"
    T00_INTERNAL_ERROR = "T00"
    T01_PEER_UNREACHABLE = "T01"
    T02_PEER_BUSY = "T02"
    T03_CONNECTOR_BUSY = "T03"
    T04_INSUFFICIENT_LIQUIDITY = "T04"
    T05_RATE_LIMITED = "T05"
    T99_APPLICATION_ERROR = "T99"
    R00_TRANSFER_TIMED_OUT = "R00"
    R01_INSUFFICIENT_SOURCE_AMOUNT = "R01"
    R02_INSUFFICIENT_TIMEOUT = "R02"
    R99_APPLICATION_ERROR = "R99"


class ErrorCodeInfo(NamedTuple):
    """What a person wants to know of a code."""

    name: str
    meaning: str


ERROR_CODES: dict[str, ErrorCodeInfo] = {
    "F00": ErrorCodeInfo("Bad Request", "The packet cannot be handled as it is."),
    "F01": ErrorCodeInfo("Invalid Packet", "The packet does not follow the format."),
    "F02": ErrorCodeInfo("Unreachable", "No node on the way knows a route to the destination."),
    "F03": ErrorCodeInfo("Invalid Amount", "The amount cannot be used."),
    "F04": ErrorCodeInfo("Insufficient Destination Amount", "Less arrived than the receiver must accept."),
    "F05": ErrorCodeInfo("Wrong Condition", "The condition does not fit what the receiver could fulfill."),
    "F06": ErrorCodeInfo("Unexpected Payment", "The receiver did not expect this payment."),
    "F07": ErrorCodeInfo("Cannot Receive", "The receiver cannot accept payments."),
    "F08": ErrorCodeInfo("Amount Too Large", "The packet is larger than a node on the way forwards in one packet."),
    "F99": ErrorCodeInfo("Application Error", "The receiver's application refused; its data says why."),
    "T00": ErrorCodeInfo("Internal Error", "A node on the way has a problem of its own."),
    "T01": ErrorCodeInfo("Peer Unreachable", "A node on the way cannot reach the next one now."),
    "T02": ErrorCodeInfo("Peer Busy", "The next node is overloaded."),
    "T03": ErrorCodeInfo("Connector Busy", "A node on the way is overloaded or read-only."),
    "T04": ErrorCodeInfo("Insufficient Liquidity", "A credit limit on the way has no room for the amount now."),
    "T05": ErrorCodeInfo("Rate Limited", "More packets than a node on the way accepts from its peer."),
    "T99": ErrorCodeInfo("Application Error", "The receiver's application refused for now; its data says why."),
    "R00": ErrorCodeInfo("Transfer Timed Out", "No answer came before the packet expired."),
    "R01": ErrorCodeInfo("Insufficient Source Amount", "The amount converts to nothing on the next link."),
    "R02": ErrorCodeInfo("Insufficient Timeout", "Too little time was left to forward the packet."),
    "R99": ErrorCodeInfo("Application Error", "The receiver's application wants other conditions; its data says why."),
}


class AmountTooLarge(NamedTuple):
    """The data of an F08: two UInt64, in the units of the node that refused (RFC 27, InterledgerErrorData.asn)."""

    received_amount: int
    maximum_amount: int

    def encode(self) -> bytes:
        """16 octets. A maximum above 2^64-1 is written as 2^64-1: no packet can be larger."""
        maximum = min(self.maximum_amount, UINT64_MAX)
        return self.received_amount.to_bytes(8, "big") + maximum.to_bytes(8, "big")

    @classmethod
    def decode(cls, data: bytes) -> AmountTooLarge | None:
        """The two amounts, or None: peers may leave the data out (PK-07)."""
        if len(data) < 16:
            return None
        return cls(int.from_bytes(data[:8], "big"), int.from_bytes(data[8:16], "big"))
