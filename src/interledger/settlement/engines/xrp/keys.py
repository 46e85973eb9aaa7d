"""Our key on the XRP Ledger: an Ed25519 key of a family seed (`sEd...`), its address, and what it signs.

The same key signs transactions, claims and proofs: each begins with other octets, so that none is ever another.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from hashlib import sha512
from pathlib import Path
from typing import Any, Final, NamedTuple, final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from xrpl.constants import CryptoAlgorithm
from xrpl.core.addresscodec import (
    XRPLAddressCodecException,
    decode_classic_address,
    decode_seed,
    encode_seed,
    is_valid_classic_address,
)
from xrpl.core.binarycodec import encode, encode_for_signing
from xrpl.core.keypairs import derive_classic_address

from interledger.errors import SettingsError

__all__ = ["SignedTransaction", "XrpKey", "account_octets", "is_address", "is_signed", "read_key"]

SEED_OCTETS: Final = 16

_ED25519_KEY: Final = re.compile(r"ED[0-9A-F]{64}")
_TRANSACTION_PREFIX: Final = b"TXN\0"


class SignedTransaction(NamedTuple):
    """`blob` is what is submitted, `hash` what it is found by; both hex in capitals."""

    hash: str
    blob: str


@final
class XrpKey:
    """Made of the 16 octets of a seed."""

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(sha512(seed).digest()[:32])
        octets = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.public = "ED" + octets.hex().upper()
        self.address = derive_classic_address(self.public)

    def sign(self, message: bytes) -> bytes:
        """64 octets."""
        return self._key.sign(message)

    def sign_transaction(self, fields: Mapping[str, Any]) -> SignedTransaction:
        """A whole transaction, as its JSON has it, without signature."""
        whole = {**fields, "Account": self.address, "SigningPubKey": self.public}
        signature = self.sign(bytes.fromhex(encode_for_signing(whole)))
        blob = encode({**whole, "TxnSignature": signature.hex().upper()})
        digest = sha512(_TRANSACTION_PREFIX + bytes.fromhex(blob)).digest()[:32]
        return SignedTransaction(digest.hex().upper(), blob)


def is_signed(public: str, message: bytes, signature: bytes) -> bool:
    """Whether `message` was signed with the key that is `public`: ED and 32 octets in hex. Other keys sign nothing."""
    if _ED25519_KEY.fullmatch(public) is None:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public[2:])).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def is_address(text: str) -> bool:
    """Whether it is a classic address (`r...`)."""
    return text.isascii() and bool(is_valid_classic_address(text))


def account_octets(address: str) -> bytes:
    """The 20 octets that a classic address stands for."""
    return bytes(decode_classic_address(address))


def read_key(path: Path, random: Callable[[int], bytes]) -> XrpKey:
    """The key of the seed in the file, which is made (0600) where there is none. Raises `SettingsError`."""
    try:
        if not path.exists():
            seed = encode_seed(random(SEED_OCTETS), CryptoAlgorithm.ED25519)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(seed + "\n")
        octets, algorithm = decode_seed(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError, XRPLAddressCodecException) as error:
        raise SettingsError(f"the key in {path} cannot be used: {type(error).__name__}") from None
    if algorithm is not CryptoAlgorithm.ED25519:
        raise SettingsError(f"the key in {path} is no Ed25519 key: its seed begins with sEd")
    return XrpKey(bytes(octets))
