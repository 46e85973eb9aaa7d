"""Invariant: any octets give messages of bounded size, the same ones octet by octet, and never an exception."""

from __future__ import annotations

from interledger.clock import Timestamp
from interledger.link.websocket import MESSAGE_MAX, WebSocket

LAYERS = ()
SEEDS: tuple[bytes, ...] = (
    b"\x82\x03abc",
    b"\x82\x83\0\0\0\0abc",
    b"\x02\x01a\x89\x00\x80\x01b",
    b"\x88\x02\x03\xe8",
    b"\x82\x7e\x00\x80" + b"x" * 128,
)


_NOW = Timestamp(1_800_000_000_000)


class _Zeros:
    def octets(self, count: int) -> bytes:
        return bytes(count)


def _receive(client: bool, pieces: list[bytes]) -> tuple[list[bytes], bytes, bool]:
    socket = WebSocket(client=client, entropy=_Zeros(), wake=lambda: None, now=_NOW)
    messages = [message for piece in pieces for message in socket.receive(piece, _NOW)]
    return messages, socket.octets_to_send(), socket.finished


def check(octets: bytes) -> None:
    for client in (True, False):
        messages, answer, _ = _receive(client, [octets])
        assert all(len(message) <= MESSAGE_MAX for message in messages)
        assert sum(map(len, messages)) <= len(octets)
        slowly, slow_answer, _ = _receive(client, [octets[n : n + 1] for n in range(len(octets))])
        assert slowly == messages
        assert bool(slow_answer) == bool(answer)


if __name__ == "__main__":
    from harness import run

    run(check, LAYERS, SEEDS)
