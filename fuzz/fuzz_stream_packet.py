"""Invariant: any octets are a STREAM packet that comes back from its own octets, or a DecodeError."""

from __future__ import annotations

from interledger.errors import DecodeError
from interledger.transport.stream.frames import FRAMES_MAX
from interledger.transport.stream.packet import StreamPacket

LAYERS = ("stream.packet",)
SEEDS: tuple[bytes, ...] = ()


def check(octets: bytes) -> None:
    try:
        packet = StreamPacket.decode(octets)
    except DecodeError:
        return
    assert len(packet.frames) <= FRAMES_MAX
    if packet.packet_type in (12, 13, 14):
        assert StreamPacket.decode(packet.encode()) == packet


if __name__ == "__main__":
    from harness import run

    run(check, LAYERS, SEEDS)
