"""Invariant: any octets are a BTP packet that comes back from its own octets, or a DecodeError; the fast way agrees."""

from __future__ import annotations

from interledger.errors import DecodeError
from interledger.link.btp.messages import (
    ENTRIES_MAX,
    BtpError,
    BtpMessage,
    BtpResponse,
    BtpTransfer,
    decode_btp,
    encode_ilp,
    split_ilp,
)

LAYERS = ("btp.packet",)
SEEDS: tuple[bytes, ...] = (b"\x06\x00\x00\x00\x01\x0b\x01\x01\x03ilp\x00\x03abc",)


def check(octets: bytes) -> None:
    shortcut = split_ilp(octets)
    try:
        packet = decode_btp(octets)
    except DecodeError:
        assert shortcut is None
        return
    assert len(packet.entries) <= ENTRIES_MAX
    assert decode_btp(packet.encode()) == packet
    if shortcut is None:
        assert isinstance(packet, BtpMessage | BtpResponse | BtpError | BtpTransfer)
        return
    kind, request_id, ilp = shortcut
    assert isinstance(packet, BtpMessage if kind == 6 else BtpResponse)
    assert (packet.request_id, [tuple(entry) for entry in packet.entries]) == (request_id, [("ilp", 0, ilp)])
    assert encode_ilp(kind, request_id, ilp) == octets == packet.encode()


if __name__ == "__main__":
    from harness import run

    run(check, LAYERS, SEEDS)
