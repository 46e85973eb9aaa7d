"""Secrets in the store: sealed with AES-256-GCM under a key that is not in it, so that a copy of it shows none.

The key is derived from the node's `secret_seed`, which stands in a file of its own or comes from outside. What is
sealed are secrets that have to be presented again; of those that are presented to us the store has digests. Each sealed
text is bound to its place (kind, key), so that none can be put into another's.
"""

from __future__ import annotations

import base64
import binascii
from typing import Final, final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from interledger.clock import Entropy
from interledger.codec.strict_json import parse_json_object
from interledger.errors import DecodeError, StoreError
from interledger.transport.stream.crypto import hmac_sha256

__all__ = ["Sealer"]

_IV_LENGTH: Final = 12
_LABEL: Final = b"interledger-py secrets at rest"
"""Tells this key from the others that are derived from the same seed."""


@final
class Sealer:
    """Seals and opens the secrets of one node. Its `repr` holds no key.

    `forget_lost`: what was sealed under another seed is taken for empty and noted in `lost`, not an error.
    """

    def __init__(self, seed: bytes, entropy: Entropy, *, forget_lost: bool = False) -> None:
        self._cipher = AESGCM(hmac_sha256(seed, _LABEL))
        self._entropy = entropy
        self._forget_lost = forget_lost
        self.lost: list[tuple[str, str]] = []
        """(kind, key) of documents whose secrets could not be opened."""

    def seal(self, plaintext: str, kind: str, key: str) -> str:
        """Text that only the holder of the seed can open, and only as document `kind`, `key`."""
        # Random IVs of 96 bits are safe for 2^32 texts under one key: nobody changes a token that often.
        iv = self._entropy.octets(_IV_LENGTH)
        sealed = self._cipher.encrypt(iv, plaintext.encode("utf-8"), _place(kind, key))
        return base64.b64encode(iv + sealed).decode("ascii")

    def open(self, text: str, kind: str, key: str) -> str | None:
        """What was sealed; None when it is lost and may be forgotten. Raises `StoreError`."""
        try:
            sealed = base64.b64decode(text, validate=True)
            return self._cipher.decrypt(sealed[:_IV_LENGTH], sealed[_IV_LENGTH:], _place(kind, key)).decode("utf-8")
        except (InvalidTag, ValueError, binascii.Error):
            if self._forget_lost:
                self.lost.append((kind, key))
                return None
        raise StoreError(
            f"the secrets of the stored {kind} “{key}” were sealed with another secret_seed. Start with that one, or"
            " say  forget_lost_secrets = true  to start without them and give them again"
        )

    def open_object(self, text: str, kind: str, key: str) -> dict[str, str]:
        """The names and texts that were sealed as one JSON object; empty when they are lost. Raises `StoreError`."""
        opened = self.open(text, kind, key)
        try:
            return {} if opened is None else {str(k): str(v) for k, v in parse_json_object(opened.encode()).items()}
        except DecodeError as error:  # only a program with our seed could have written it
            raise StoreError(f"the secrets of the stored {kind} “{key}” cannot be read: {error}") from None


def _place(kind: str, key: str) -> bytes:
    return f"{kind}\0{key}".encode()
