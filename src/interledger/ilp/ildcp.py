"""ILDCP: a child asks its parent for its address and asset (RFC 31). The packets; `connector/services.py` answers."""

from __future__ import annotations

from typing import Final, NamedTuple

from interledger.clock import Timestamp
from interledger.codec.oer import encode_octets, read_octets, read_uint8
from interledger.errors import DecodeError
from interledger.ilp.address import Address, is_address
from interledger.ilp.packet import Fulfill, Prepare
from interledger.ilp.peer import PEER_CONDITION, PEER_FULFILLMENT, PEER_REQUEST_LIFETIME_MS

__all__ = ["ILDCP_CHANGED", "ILDCP_DESTINATION", "ChildConfig", "changed_notice", "config_request"]

ILDCP_DESTINATION: Final = Address("peer.config")

ILDCP_CHANGED: Final = Address("peer.config.changed")
"""From a parent to its child: ask again. Ours alone; a node that does not know it refuses it (F01) and nothing else."""

NOTICE_LIFETIME_MS: Final = 10_000
"""Nobody acts on the answer, so it need not be waited for as long as a configuration."""


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


def changed_notice(now: Timestamp) -> Prepare:
    """To a child whose configuration is another one now. It carries nothing: the child asks for what is true."""
    return Prepare(0, Timestamp(now + NOTICE_LIFETIME_MS), PEER_CONDITION, ILDCP_CHANGED)
