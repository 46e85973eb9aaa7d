"""Invariant: any octets are a Prepare that comes back from its own octets and forwards unchanged, or a DecodeError."""

from __future__ import annotations

from interledger.clock import Timestamp
from interledger.errors import DecodeError
from interledger.ilp.packet import Prepare

LAYERS = ("ilp.packet",)
SEEDS: tuple[bytes, ...] = ()


def check(octets: bytes) -> None:
    try:
        slow = Prepare._decode_any(octets)  # field by field; `decode` takes a shortcut where it can
    except DecodeError:
        slow = None
    try:
        packet = Prepare.decode(octets)
    except DecodeError:
        assert slow is None
        return
    assert slow == packet
    assert slow.encode() == packet.encode()
    written = packet.encode()
    assert len(written) <= len(octets)
    assert Prepare.decode(written) == packet
    onward = Prepare.decode(packet.forwarded(amount=1, expires_at=Timestamp(0)).encode())
    assert (onward.amount, onward.expires_at) == (1, 0)
    assert onward.execution_condition == packet.execution_condition
    assert (onward.destination, onward.data) == (packet.destination, packet.data)
    fields = (packet.amount, packet.expires_at, packet.execution_condition, packet.destination, packet.data)
    assert Prepare(*fields).encode() == written


if __name__ == "__main__":
    from harness import run

    run(check, LAYERS, SEEDS)
