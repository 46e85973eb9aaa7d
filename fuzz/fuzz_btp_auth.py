"""Invariant: a first packet names a token and perhaps a user, and can be written again; or it is a DecodeError."""

from __future__ import annotations

from interledger.errors import DecodeError
from interledger.link.btp.auth import auth_message, read_auth
from interledger.link.btp.messages import BtpMessage, decode_btp

LAYERS = ("btp.auth", "btp.packet")
SEEDS: tuple[bytes, ...] = (auth_message(1, "alice", "secret").encode(),)


def check(octets: bytes) -> None:
    try:
        packet = decode_btp(octets)
        username, token = read_auth(packet)
    except DecodeError:
        return
    assert isinstance(packet, BtpMessage)
    assert packet.entries[0] == ("auth", 0, b"")
    assert username != ""
    assert read_auth(auth_message(packet.request_id, username or "", token)) == (username, token)


if __name__ == "__main__":
    from harness import run

    run(check, LAYERS, SEEDS)
