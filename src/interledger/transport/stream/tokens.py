"""Connection tokens: all that a receiver needs to know of a connection, sealed into the address it hands out (D-21).

A token is the first address segment behind the node's own address. It names the account to credit, its asset, what the
application put in, and what receipts are signed with; only the node that made it can read it. So nothing is stored per
connection, and nobody fills our memory by asking for addresses. The shared secret is derived from the token: `new` and
`open` find the same one.
"""

from __future__ import annotations

import base64
import binascii
from typing import Final, NamedTuple, TypedDict, final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from interledger.accounts.account import AccountId
from interledger.accounts.asset import Asset
from interledger.clock import Entropy
from interledger.codec.oer import encode_octets, encode_uint, read_octets, read_uint, read_uint8
from interledger.errors import DecodeError, InvalidRequestError
from interledger.transport.stream.crypto import hmac_sha256
from interledger.transport.stream.receipts import NONCE_OCTETS, SECRET_OCTETS, ReceiptKey

__all__ = ["TAG_LENGTH_MAX", "ReceiverTokens", "TokenDetails", "TokenTerms"]

TAG_LENGTH_MAX: Final = 64
"""Octets an application may put into a token: enough for an invoice number, short enough for an address."""

SERVER_SECRET_LENGTH_MIN: Final = 16
"""Shorter server secrets could be guessed by whoever holds one token."""

_VERSION: Final = 1
_VERSION_WITH_RECEIPTS: Final = 2
_IV_LENGTH: Final = 12
_SEALED_LENGTH_MAX: Final = 512
"""No token of ours is longer; longer ones are not even decoded."""


class TokenDetails(NamedTuple):
    """What a token says. `receive_max`: the most the whole connection accepts, in units of `asset`, or None."""

    account_id: AccountId
    asset: Asset
    receive_max: int | None = None
    tag: bytes = b""
    """The application's own: an invoice, an order."""
    receipts: ReceiptKey | None = None
    """What its receipts are signed with; None: it gives out none."""


class TokenTerms(TypedDict, total=False):
    """What may be said of a token beside whom it pays: `TokenDetails`, by name."""

    receive_max: int | None
    tag: bytes
    receipts: ReceiptKey | None


@final
class ReceiverTokens:
    """Makes and reads tokens under one server secret. Stateless: any process with the secret reads the same tokens."""

    def __init__(self, server_secret: bytes, entropy: Entropy) -> None:
        if len(server_secret) < SERVER_SECRET_LENGTH_MIN:
            raise InvalidRequestError(f"a server secret has at least {SERVER_SECRET_LENGTH_MIN} octets, better 32")
        self._cipher = AESGCM(hmac_sha256(server_secret, b"interledger-py stream connection token"))
        self._secret_key = hmac_sha256(server_secret, b"ilp_stream_shared_secret")
        self._entropy = entropy

    def new(
        self,
        account_id: AccountId,
        asset: Asset,
        *,
        receive_max: int | None = None,
        tag: bytes = b"",
        receipts: ReceiptKey | None = None,
    ) -> tuple[str, bytes]:
        """A fresh token and its shared secret of 32 octets. Give both to one payer only, over an encrypted channel."""
        if len(tag) > TAG_LENGTH_MAX:
            raise InvalidRequestError(f"the tag of a receiver has at most {TAG_LENGTH_MAX} octets", "tag")
        plaintext = _encode(TokenDetails(account_id, asset, receive_max, tag, receipts))
        iv = self._entropy.octets(_IV_LENGTH)
        # RFC 39: "If doing so, the Receipt Secret MUST be encrypted."
        sealed = iv + self._cipher.encrypt(iv, plaintext, None)
        return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode("ascii"), self._shared_secret(sealed)

    def open(self, token: str) -> tuple[TokenDetails, bytes] | None:
        """What the token says and its shared secret; None for anything that we did not make."""
        sealed = _decode_base64url(token)
        if sealed is None:
            return None
        try:
            details = _decode(self._cipher.decrypt(sealed[:_IV_LENGTH], sealed[_IV_LENGTH:], None))
        except (InvalidTag, DecodeError, ValueError):
            return None
        return details, self._shared_secret(sealed)

    def _shared_secret(self, sealed: bytes) -> bytes:
        # RFC 29: "a server MAY deterministically generate the shared secret for each connection"
        return hmac_sha256(self._secret_key, sealed)


def _encode(details: TokenDetails) -> bytes:
    limit = b"\0" if details.receive_max is None else b"\1" + encode_uint(details.receive_max)
    key = details.receipts
    return b"".join(
        (
            bytes((_VERSION if key is None else _VERSION_WITH_RECEIPTS,)),
            encode_octets(details.account_id.encode("utf-8")),
            encode_octets(details.asset.code.encode("utf-8")),
            bytes((details.asset.scale,)),
            limit,
            encode_octets(details.tag),
            b"" if key is None else key.nonce + key.secret,
        )
    )


def _decode(plaintext: bytes) -> TokenDetails:
    version, offset = read_uint8(plaintext, 0)
    if version not in (_VERSION, _VERSION_WITH_RECEIPTS):
        raise DecodeError(f"connection tokens of version {version} are not known here")
    account_id, offset = read_octets(plaintext, offset)
    code, offset = read_octets(plaintext, offset)
    scale, offset = read_uint8(plaintext, offset)
    limited, offset = read_uint8(plaintext, offset)
    receive_max = None
    if limited:
        receive_max, offset = read_uint(plaintext, offset)
    tag, offset = read_octets(plaintext, offset)
    key = None
    if version == _VERSION_WITH_RECEIPTS:
        nonce_end = offset + NONCE_OCTETS
        key = ReceiptKey(plaintext[offset:nonce_end], plaintext[nonce_end : nonce_end + SECRET_OCTETS])
    asset = Asset(code.decode("utf-8"), scale)
    return TokenDetails(AccountId(account_id.decode("utf-8")), asset, receive_max, tag, key)


def _decode_base64url(token: str) -> bytes | None:
    """Only the one spelling that `new` produces: two spellings of a token would be two connections with one secret."""
    if len(token) > _SEALED_LENGTH_MAX or not token.isascii():
        return None
    try:
        octets = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return octets if base64.urlsafe_b64encode(octets).rstrip(b"=") == token.encode("ascii") else None
