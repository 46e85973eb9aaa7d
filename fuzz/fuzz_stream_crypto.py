"""Invariant: octets that nobody with the secret made do not open; what was sealed opens, whole and only whole."""

from __future__ import annotations

from hashlib import sha256

from interledger.transport.stream.crypto import ENCRYPTION_OVERHEAD, StreamCrypto

LAYERS = ("stream.open",)
SEEDS: tuple[bytes, ...] = ()


class _Counted:
    """An IV that depends on nothing, so that a run can be repeated."""

    def octets(self, count: int) -> bytes:
        return bytes(count)


_CRYPTO = StreamCrypto(b"\x07" * 32, _Counted())


def check(octets: bytes) -> None:
    assert _CRYPTO.open(octets) is None
    sealed = _CRYPTO.seal(octets)
    assert len(sealed) == len(octets) + ENCRYPTION_OVERHEAD
    assert _CRYPTO.open(sealed) == octets
    assert _CRYPTO.open(sealed[:-1]) is None
    assert _CRYPTO.condition(octets) == sha256(_CRYPTO.fulfillment(octets)).digest()


if __name__ == "__main__":
    from harness import run

    run(check, LAYERS, SEEDS)
