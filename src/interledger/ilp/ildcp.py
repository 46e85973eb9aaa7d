"""ILDCP: a child asks its parent for its address and asset (RFC 31). The packets; `connector/services.py` answers."""

from __future__ import annotations

from typing import Final, NamedTuple

from interledger.clock import Timestamp
from interledger.codec.oer import encode_octets, read_octets, read_uint8
from interledger.errors import DecodeError
from interledger.ilp.address import Address, is_address
from interledger.ilp.packet import Fulfill, Prepare
from interledger.ilp.peer import PEER_CONDITION, PEER_FULFILLMENT, PEER_REQUEST_LIFETIME_MS

__all__ = ["ILDCP_DESTINATION", "ChildConfig", "config_request"]

ILDCP_DESTINATION: Final = Address("peer.config")


class ChildConfig(NamedTuple):
    """What a parent tells a child: the child's address, and the asset of their link."""

    address: Address
    asset_code: str
    asset_scale: int

    def encode(self) -> bytes:
        code = encode_octets(self.asset_code.encode("utf-8"))
        return encode_octets(self.address.encode("ascii")) + bytes((self.asset_scale,)) + code

    @classmethod
    def decode(cls, data: bytes) -> ChildConfig:
        """Raises `DecodeError`; an address that is none counts as that."""
        address, offset = read_octets(data, 0)
        scale, offset = read_uint8(data, offset)
        code, _ = read_octets(data, offset)
        if not address.isascii() or not is_address(address.decode("ascii")):
            raise DecodeError("the parent's answer has no valid ILP address")
        try:
            return cls(Address(address.decode("ascii")), code.decode("utf-8"), scale)
        except UnicodeDecodeError:
            raise DecodeError("the parent's answer has an asset code that is not UTF-8") from None

    def to_fulfill(self) -> Fulfill:
        """The answer to a request."""
        return Fulfill(PEER_FULFILLMENT, self.encode())


def config_request(now: Timestamp) -> Prepare:
    """The question: amount 0, answered within 60 s."""
    return Prepare(0, Timestamp(now + PEER_REQUEST_LIFETIME_MS), PEER_CONDITION, ILDCP_DESTINATION)
