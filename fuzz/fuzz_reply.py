"""Invariant: any octets are a reply whose known fields are relayed as they came, or a DecodeError."""

from __future__ import annotations

from interledger.errors import DecodeError
from interledger.ilp.error_codes import AmountTooLarge
from interledger.ilp.packet import Fulfill, Reject, decode_packet, decode_reply

LAYERS = ("ilp.packet",)
SEEDS: tuple[bytes, ...] = ()


def check(octets: bytes) -> None:
    try:
        slow = Fulfill._decode_any(octets)  # field by field; `decode` takes a shortcut where it can
    except DecodeError:
        slow = None
    try:
        packet = decode_reply(octets)
    except DecodeError:
        assert slow is None
        return
    assert slow is None or (slow == packet and slow.encode() == packet.encode())
    assert slow is not None or isinstance(packet, Reject)
    written = packet.encode()
    assert len(written) <= len(octets)
    assert decode_reply(written) == decode_packet(written) == packet
    assert decode_reply(written).encode() == written
    AmountTooLarge.decode(packet.data)


if __name__ == "__main__":
    from harness import run

    run(check, LAYERS, SEEDS)
