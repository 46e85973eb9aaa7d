"""How the key of receipts reaches a receiver by SPSP (RFC 39): two headers of the query. Pure.

A verifier stands between the payer and the receiver: it passes the payer's query on with these headers, and the answer
back. The payer never sees the secret.
"""

from __future__ import annotations

import base64
import binascii
from typing import Final

from interledger.errors import InvalidRequestError
from interledger.transport.stream.receipts import NONCE_OCTETS, SECRET_OCTETS, ReceiptKey

__all__ = ["NONCE_HEADER", "SECRET_HEADER", "build_headers", "parse_headers"]

NONCE_HEADER: Final = "Receipt-Nonce"
SECRET_HEADER: Final = "Receipt-Secret"  # noqa: S105 - the name of a header

_LENGTHS: Final = {NONCE_HEADER: NONCE_OCTETS, SECRET_HEADER: SECRET_OCTETS}


def build_headers(key: ReceiptKey) -> dict[str, str]:
    """The headers that give `key` to the receiver. Send them over TLS only."""
    # RFC 39: "Verifier MUST add the Receipt Nonce and Receipt Secret to the request"
    return {NONCE_HEADER: _encode(key.nonce), SECRET_HEADER: _encode(key.secret)}


def parse_headers(nonce: str | None, secret: str | None) -> ReceiptKey | None:
    """The key that a query brings; None without the headers. Raises `InvalidRequestError` for one of the two alone, and
    for what is not base64 of 16 and 32 octets.
    """
    if nonce is None and secret is None:
        return None
    if nonce is None or secret is None:
        missing = NONCE_HEADER if nonce is None else SECRET_HEADER
        raise InvalidRequestError(f"{missing} is missing: receipts need both {NONCE_HEADER} and {SECRET_HEADER}")
    return ReceiptKey(_decode(NONCE_HEADER, nonce), _decode(SECRET_HEADER, secret))


def _encode(octets: bytes) -> str:
    return base64.b64encode(octets).decode("ascii")


def _decode(header: str, text: str) -> bytes:
    length = _LENGTHS[header]
    try:
        octets = base64.b64decode(text.strip().encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        octets = b""
    if len(octets) != length:
        raise InvalidRequestError(f"{header} is not the base64 of {length} octets")
    return octets
