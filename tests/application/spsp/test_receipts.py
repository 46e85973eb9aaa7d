"""The two headers of RFC 39: what they carry, and what is refused."""

from __future__ import annotations

import base64
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interledger.application.spsp.receipts import NONCE_HEADER, SECRET_HEADER, build_headers, parse_headers
from interledger.errors import InvalidRequestError
from interledger.transport.stream.receipts import ReceiptKey

NONCE, SECRET = base64.b64encode(bytes(16)).decode(), base64.b64encode(bytes(32)).decode()


@given(nonce=st.binary(min_size=16, max_size=16), secret=st.binary(min_size=32, max_size=32))
def test_H16_round_trip(nonce: bytes, secret: bytes) -> None:
    headers = build_headers(ReceiptKey(nonce, secret))
    assert parse_headers(headers[NONCE_HEADER], headers[SECRET_HEADER]) == ReceiptKey(nonce, secret)


def test_H16_without_headers_there_are_no_receipts() -> None:
    assert parse_headers(None, None) is None


@pytest.mark.parametrize(
    ("nonce", "secret", "says"),
    [
        (NONCE, None, "Receipt-Secret is missing"),
        (None, SECRET, "Receipt-Nonce is missing"),
        ("", SECRET, "Receipt-Nonce is not the base64 of 16"),
        (SECRET, SECRET, "Receipt-Nonce is not the base64 of 16"),
        (NONCE, NONCE, "Receipt-Secret is not the base64 of 32"),
        (NONCE, "½", "Receipt-Secret is not the base64 of 32"),
        (NONCE, SECRET[:-1], "Receipt-Secret is not the base64 of 32"),
        (NONCE + "\n" + NONCE, SECRET, "Receipt-Nonce is not the base64 of 16"),
    ],
)
def test_H16_what_is_refused(nonce: str | None, secret: str | None, says: str) -> None:
    with pytest.raises(InvalidRequestError, match=says):
        parse_headers(nonce, secret)


@given(nonce=st.none() | st.text(max_size=60), secret=st.none() | st.text(max_size=60))
def test_strangers_words_never_surprise(nonce: str | None, secret: str | None) -> None:
    with contextlib.suppress(InvalidRequestError):
        parse_headers(nonce, secret)
