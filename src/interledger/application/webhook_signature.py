"""The signature of a webhook: who holds the secret made the request, at that moment, with this body.

    Interledger-Signature: t=1795262400000, v1=<HMAC-SHA256 of "1795262400000." and the body, in hex>

The form is the one that Rafiki sends as `Rafiki-Signature`. A receiver refuses old moments, so that nobody repeats it.
"""

from __future__ import annotations

import hmac
import re
from typing import Final

from interledger.clock import Timestamp

__all__ = ["SIGNATURE_HEADER", "TOLERANCE_MS", "sign", "verify"]

SIGNATURE_HEADER: Final = "Interledger-Signature"

TOLERANCE_MS: Final = 300_000
"""Five minutes: clocks differ, and a request may have waited."""

_FORM: Final = re.compile(r"t=([0-9]{1,15}), ?v1=([0-9a-f]{64})")


def sign(secret: str, body: bytes, at: Timestamp) -> str:
    """The header's value. `at`: when it is sent, in ms."""
    return f"t={at}, v1={_digest(secret, body, at)}"


def verify(header: str, secret: str, body: bytes, now: Timestamp, tolerance_ms: int = TOLERANCE_MS) -> bool:
    """Whether a request is from who holds the secret, and from now. `body`: as it came, before it is read."""
    found = _FORM.fullmatch(header.strip())
    if found is None or abs(now - int(found[1])) > tolerance_ms:
        return False
    return hmac.compare_digest(found[2], _digest(secret, body, int(found[1])))


def _digest(secret: str, body: bytes, at: int) -> str:
    return hmac.digest(secret.encode("utf-8"), b"%d." % at + body, "sha256").hex()
