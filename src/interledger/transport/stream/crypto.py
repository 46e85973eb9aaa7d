"""The cryptography of a STREAM connection (RFC 29 sections 5.1 and 6): one AES-256-GCM key, one fulfillment key.

Everything that can be computed once per connection is: the cipher object, and the two halves of the HMAC.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final, final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from interledger.clock import Entropy
from interledger.codec.digest import sha256

__all__ = ["ENCRYPTION_OVERHEAD", "PACKETS_MAX", "PLAINTEXT_LENGTH_MAX", "StreamCrypto", "hmac_sha256"]

IV_LENGTH: Final = 12
TAG_LENGTH: Final = 16
ENCRYPTION_OVERHEAD: Final = IV_LENGTH + TAG_LENGTH
PLAINTEXT_LENGTH_MAX: Final = 32_767 - ENCRYPTION_OVERHEAD
"""What fits into the data of an ILP packet beside IV and tag."""

PACKETS_MAX: Final = 1 << 31
"""RFC 29: "Implementations MUST close the connection once either endpoint has sent 2^31 packets." Random IVs of 96 bits
under one key are safe for 2^32 messages, and both ends use the same key."""

_HMAC_BLOCK: Final = 64
_INNER_PAD: Final = bytes(value ^ 0x36 for value in range(256))
_OUTER_PAD: Final = bytes(value ^ 0x5C for value in range(256))


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    """HMAC with SHA-256, in one call."""
    return hmac.digest(key, message, "sha256")


@final
class StreamCrypto:
    """Seals, opens and fulfills for one shared secret. Never shown: its `repr` holds no key."""

    __slots__ = ("_decrypt", "_encrypt", "_entropy", "_inner", "_outer", "_tag_last")

    def __init__(self, shared_secret: bytes, entropy: Entropy, *, accept_tag_last: bool = True) -> None:
        """`accept_tag_last` (D-20): also open `iv | ciphertext | tag`, which a Java sender may emit."""
        cipher = AESGCM(hmac_sha256(shared_secret, b"ilp_stream_encryption"))
        self._encrypt = cipher.encrypt
        self._decrypt = cipher.decrypt
        key = hmac_sha256(shared_secret, b"ilp_stream_fulfillment").ljust(_HMAC_BLOCK, b"\0")
        self._inner = hashlib.sha256(key.translate(_INNER_PAD))
        self._outer = hashlib.sha256(key.translate(_OUTER_PAD))
        self._entropy = entropy
        self._tag_last = accept_tag_last

    def seal(self, plaintext: bytes) -> bytes:
        """`iv | tag | ciphertext`, under a new random IV."""
        # Drawn from the operating system for each packet, never from a pool: a pool copied by a fork would repeat IVs.
        # RFC 29: "Endpoints MUST NOT encrypt two packets with the same nonce"
        iv = self._entropy.octets(IV_LENGTH)
        sealed = self._encrypt(iv, plaintext, None)
        return iv + sealed[-TAG_LENGTH:] + sealed[:-TAG_LENGTH]

    def open(self, data: bytes) -> bytes | None:
        """The plaintext, or None when nobody with our secret made `data`."""
        if len(data) < ENCRYPTION_OVERHEAD:
            return None
        iv = data[:IV_LENGTH]
        try:
            return self._decrypt(iv, data[ENCRYPTION_OVERHEAD:] + data[IV_LENGTH:ENCRYPTION_OVERHEAD], None)
        except InvalidTag:
            if not self._tag_last:
                return None
        try:
            return self._decrypt(iv, data[IV_LENGTH:], None)
        except InvalidTag:
            return None

    def fulfillment(self, data: bytes) -> bytes:
        """What fulfills a Prepare that carries `data` (the sealed octets)."""
        # HMAC(fulfillment key, data) with the padded key already hashed.
        inner = self._inner.copy()
        inner.update(data)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.digest()

    def condition(self, data: bytes) -> bytes:
        """The execution condition that only the holder of the secret can fulfill."""
        return sha256(self.fulfillment(data)).digest()

    def random_condition(self) -> bytes:
        """32 random octets: a condition that nobody can fulfill, for probes."""
        # RFC 29: "they can generate an unfulfillable random condition"
        return self._entropy.octets(32)
