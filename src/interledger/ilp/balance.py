"""peer.balance: a peer asks how we see the account between us. For comparing books, never for keeping them.

The server-roles document asks for such a message and leaves its octets open (D-14). Ours are written down in
`docs/explanation/peer-protocols.md`: `version u8 = 1 | balance Int64 | assetScale u8 | assetCode VarOctet`.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from interledger.clock import Timestamp
from interledger.codec.oer import encode_octets, read_fixed, read_octets, read_uint8
from interledger.errors import DecodeError
from interledger.ilp.address import Address
from interledger.ilp.packet import Fulfill, Prepare
from interledger.ilp.peer import PEER_CONDITION, PEER_FULFILLMENT

__all__ = ["BALANCE_DESTINATION", "BALANCE_MAX", "PeerBalance", "balance_request"]

BALANCE_DESTINATION: Final = Address("peer.balance")

BALANCE_MAX: Final = 2**63 - 1
"""The largest balance that fits; the smallest is its negative, less one."""

LIFETIME_MS: Final = 10_000
"""Somebody waits for the answer."""

_VERSION: Final = 1


class PeerBalance(NamedTuple):
    """What whoever answers says that it owes whoever asked, in units of the asset; below zero it is owed."""

    balance: int
    asset_scale: int
    asset_code: str

    def encode(self) -> bytes:
        """The data of the answer. Raises `OverflowError` for a balance beyond `BALANCE_MAX`."""
        number = self.balance.to_bytes(8, "big", signed=True)
        return bytes((_VERSION,)) + number + bytes((self.asset_scale,)) + encode_octets(self.asset_code.encode("utf-8"))

    @classmethod
    def decode(cls, data: bytes) -> PeerBalance:
        """Raises `DecodeError`. Octets behind the asset code are ignored: a later version may add to it."""
        version, offset = read_uint8(data, 0)
        if version != _VERSION:
            raise DecodeError(f"a balance of version {version}; version {_VERSION} can be read")
        number, offset = read_fixed(data, offset, 8)
        scale, offset = read_uint8(data, offset)
        code, _ = read_octets(data, offset)
        try:
            return cls(int.from_bytes(number, "big", signed=True), scale, code.decode("utf-8"))
        except UnicodeDecodeError:
            raise DecodeError("a balance has an asset code that is not UTF-8") from None

    def to_fulfill(self) -> Fulfill:
        """The answer to a request."""
        return Fulfill(PEER_FULFILLMENT, self.encode())


def balance_request(now: Timestamp) -> Prepare:
    """The question: amount 0, no data."""
    return Prepare(0, Timestamp(now + LIFETIME_MS), PEER_CONDITION, BALANCE_DESTINATION)
