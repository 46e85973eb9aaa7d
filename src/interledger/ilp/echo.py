"""Echo and ping: packets to a node's own address that come back (no RFC; as ilp-connector and the Java connector do).

A request asks the node to send a packet with the same condition to a return address; whoever chose the condition
fulfills it there, and the answer travels the whole way back.
"""

from __future__ import annotations

import enum
from typing import Final

from interledger.codec.oer import encode_octets, read_octets
from interledger.errors import DecodeError
from interledger.ilp.address import Address, is_address

__all__ = [
    "ECHO_PREFIX",
    "PING_CONDITION",
    "PING_FULFILLMENT",
    "PingKind",
    "decode_echo",
    "encode_echo_reply",
    "encode_echo_request",
]

ECHO_PREFIX: Final = b"ECHOECHOECHOECHO"
_REQUEST: Final = 0
_REPLY: Final = 1

PING_FULFILLMENT: Final = b"ping" * 8
PING_CONDITION: Final = bytes.fromhex("8c00bc0c614f64f7e1e00b59a57baf5c57b6a119a90d54af489836a13f9bc77e")
"""The Java connector's ping: SHA-256 of `ping` eight times; any node may fulfill it."""


class PingKind(enum.StrEnum):
    """How a node is asked to answer: by an echo to our address, or as the Java connector does."""

    ECHO = "echo"
    JAVA = "java"


def encode_echo_request(return_address: Address) -> bytes:
    """The data of a packet that asks for an echo to `return_address`."""
    return ECHO_PREFIX + bytes((_REQUEST,)) + encode_octets(return_address.encode("ascii"))


def encode_echo_reply() -> bytes:
    """The data of the packet that is sent back."""
    return ECHO_PREFIX + bytes((_REPLY,))


def decode_echo(data: bytes) -> Address | None:
    """The return address of a request, None for a reply. Raises `DecodeError` for anything else."""
    if not data.startswith(ECHO_PREFIX) or len(data) <= len(ECHO_PREFIX):
        raise DecodeError("not an echo packet")
    kind = data[len(ECHO_PREFIX)]
    if kind == _REPLY:
        return None
    if kind != _REQUEST:
        raise DecodeError(f"an echo packet of unknown type {kind}")
    address, _ = read_octets(data, len(ECHO_PREFIX) + 1)
    if not address.isascii() or not is_address(address.decode("ascii")):
        raise DecodeError("an echo request has no valid return address")
    return Address(address.decode("ascii"))
