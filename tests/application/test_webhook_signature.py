"""The signature of a webhook: of this body, now, by who holds the secret."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from interledger.application.webhook_signature import TOLERANCE_MS, sign, verify
from interledger.clock import Timestamp

NOON = Timestamp(1_795_262_400_000)
BODY = b'{"id":"evt_1"}'


def test_it_is_what_the_documents_say() -> None:
    expected = hmac.new(b"whsec", b"1795262400000." + BODY, hashlib.sha256).hexdigest()
    assert sign("whsec", BODY, NOON) == f"t=1795262400000, v1={expected}"


@pytest.mark.parametrize("late_ms", [0, 1, -1, TOLERANCE_MS, -TOLERANCE_MS])
def test_a_good_one(late_ms: int) -> None:
    assert verify(sign("whsec", BODY, NOON), "whsec", BODY, Timestamp(NOON + late_ms))


@pytest.mark.parametrize(
    ("header", "secret", "body", "late_ms"),
    [
        (None, "other", BODY, 0),
        (None, "whsec", BODY + b" ", 0),
        (None, "whsec", BODY, TOLERANCE_MS + 1),
        (None, "whsec", BODY, -TOLERANCE_MS - 1),
        ("", "whsec", BODY, 0),
        ("t=1, v1=00", "whsec", BODY, 0),
        (f"t=x, v1={'0' * 64}", "whsec", BODY, 0),
        (f"t={int(NOON)}, v1={'0' * 64}\n, x", "whsec", BODY, 0),
    ],
)
def test_a_wrong_one(header: str | None, secret: str, body: bytes, late_ms: int) -> None:
    header = sign("whsec", BODY, NOON) if header is None else header
    assert not verify(header, secret, body, Timestamp(NOON + late_ms))
