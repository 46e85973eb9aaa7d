"""What a node and its engine hand each other of a BTP link: sub-protocols, and Transfers (RFC 23).

RFC 38 has no words for it, so this is ours: an engine names the sub-protocols that it speaks in the answer to
`POST /accounts`, and both sides have `POST /accounts/:id/btp`. Its body is the BTP packet of the request, its answer
that of the Response or Error, both with request id 0: the link has its own numbers.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from interledger.clock import Timestamp
from interledger.errors import DecodeError, InvalidRequestError
from interledger.link.btp.messages import (
    BTP_ERRORS,
    BtpError,
    BtpMessage,
    BtpResponse,
    BtpTransfer,
    Entries,
    decode_btp,
)
from interledger.link.btp.subprotocols import NAME_MAX, RESERVED, Answer, Refusal

__all__ = [
    "ILP_ADDRESS",
    "SUBPROTOCOLS_MAX",
    "BtpRequest",
    "decode_answer",
    "decode_request",
    "encode_answer",
    "encode_request",
    "parse_subprotocols",
]

ILP_ADDRESS: Final = "ILP-Address"
"""The header in which the node says which address the account has: peers sign it."""

SUBPROTOCOLS_MAX: Final = 16
"""Of one engine; those of npm's have six."""


class BtpRequest(NamedTuple):
    """What the peer asks of an engine. `amount`: of a Transfer, None for a Message. `ilp_address`: the account's."""

    entries: Entries
    amount: int | None = None
    ilp_address: str = ""

    @property
    def name(self) -> str:
        """The primary sub-protocol; empty when there is no entry."""
        return self.entries[0].name if self.entries else ""


def encode_request(entries: Entries, amount: int | None) -> bytes:
    """A Transfer, or (None) a Message. Raises `InvalidRequestError` for what has no place in one."""
    if amount is None:
        return BtpMessage(0, entries).encode()
    return BtpTransfer(0, amount, entries).encode()


def decode_request(octets: bytes, ilp_address: str = "") -> BtpRequest:
    """Raises `DecodeError`."""
    packet = decode_btp(octets)
    if isinstance(packet, BtpTransfer):
        return BtpRequest(packet.entries, packet.amount, ilp_address)
    if isinstance(packet, BtpMessage):
        return BtpRequest(packet.entries, None, ilp_address)
    raise DecodeError("a request is a Message or a Transfer")


def encode_answer(answer: Answer, now: Timestamp) -> bytes:
    """A Response, or an Error. Raises `InvalidRequestError` for what has no place in one."""
    if not isinstance(answer, Refusal):
        return BtpResponse(0, answer).encode()
    code = answer.code if answer.code in BTP_ERRORS else "F00"
    return BtpError(0, code, BTP_ERRORS[code], now, answer.message.encode()[:1_000], answer.entries).encode()


def decode_answer(octets: bytes) -> Answer:
    """Raises `DecodeError`."""
    packet = decode_btp(octets)
    if isinstance(packet, BtpResponse):
        return packet.entries
    if isinstance(packet, BtpError):
        return Refusal(packet.code, packet.data.decode("utf-8", "replace"), packet.entries)
    raise DecodeError("an answer is a Response or an Error")


def parse_subprotocols(value: object) -> tuple[str, ...]:
    """The names in an engine's answer; none when it says nothing of them. Raises `InvalidRequestError`."""
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > SUBPROTOCOLS_MAX:
        raise InvalidRequestError(f"btp is a list of up to {SUBPROTOCOLS_MAX} names of sub-protocols", "btp")
    for name in value:
        if type(name) is not str or not 0 < len(name) <= NAME_MAX or not (name.isascii() and name.isprintable()):
            raise InvalidRequestError(f"a sub-protocol has a name of 1 to {NAME_MAX} ASCII characters", "btp")
        if name in RESERVED:
            raise InvalidRequestError(f"“{name}” belongs to BTP itself", "btp")
    return tuple(dict.fromkeys(value))
