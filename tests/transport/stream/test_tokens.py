"""Tokens: what goes in comes out, under the same secret only, in one spelling only."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from interledger.accounts.asset import Asset
from interledger.errors import InvalidRequestError
from interledger.ilp.address import is_address
from interledger.transport.stream.crypto import hmac_sha256
from interledger.transport.stream.receipts import ReceiptKey
from interledger.transport.stream.tokens import ReceiverTokens, TokenDetails

SECRET = b"s" * 32
KEY = hmac_sha256(SECRET, b"interledger-py stream connection token")
KEY_CIPHER = AESGCM(KEY)
EUR = Asset("EUR", 6)


@pytest.fixture
def tokens(stream):
    return ReceiverTokens(SECRET, stream.SeededEntropy())


@given(
    name=st.text(st.characters(codec="utf-8", categories=("L", "N")), min_size=2, max_size=32),
    scale=st.integers(0, 255),
    receive_max=st.none() | st.integers(0, 2**64 - 1),
    tag=st.binary(max_size=64),
    receipts=st.none()
    | st.builds(ReceiptKey, st.binary(min_size=16, max_size=16), st.binary(min_size=32, max_size=32)),
)
def test_D_21_round_trip(name, scale, receive_max, tag, receipts):
    from interledger.clock import SystemEntropy

    token, secret = ReceiverTokens(SECRET, SystemEntropy()).new(
        name, Asset("EUR", scale), receive_max=receive_max, tag=tag, receipts=receipts
    )
    assert is_address(f"test.bob.{token}")
    details = TokenDetails(name, Asset("EUR", scale), receive_max, tag, receipts)
    assert ReceiverTokens(SECRET, SystemEntropy()).open(token) == (details, secret)
    assert len(secret) == 32


def test_a_secret_of_receipts_is_sealed(tokens):
    """What signs receipts is in the token that the payer gets, where it cannot read it."""
    key = ReceiptKey(b"n" * 16, b"r" * 32)
    token, _ = tokens.new("bob", EUR, receipts=key)
    octets = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    assert key.secret not in octets
    assert key.nonce not in octets
    assert tokens.open(token)[0].receipts == key
    cut = KEY_CIPHER.encrypt(bytes(12), b"\x02" + b"\x03bob\x03EUR\x06\x00\x00" + bytes(47), None)
    assert tokens.open(base64.urlsafe_b64encode(bytes(12) + cut).rstrip(b"=").decode()) is None


def test_each_token_is_another_with_another_secret(tokens):
    made = [tokens.new("bob", EUR) for _ in range(100)]
    assert len(set(made)) == len({secret for _, secret in made}) == 100


def test_what_we_did_not_make_is_not_opened(tokens, stream):
    token, _ = tokens.new("bob", EUR)
    assert ReceiverTokens(b"x" * 32, stream.SeededEntropy()).open(token) is None
    flipped = token[:-2] + ("AA" if token[-2:] != "AA" else "BB")
    for bad in (
        "",
        "_",
        "A",
        token[:-1],
        token + "A",
        token + "=",
        flipped,
        token.swapcase(),
        "ü",
        "A" * 600,
        token + "\n",
    ):
        assert tokens.open(bad) is None, bad


def test_a_token_has_one_spelling(tokens):
    """Unused bits of the last character must not make a second connection with the same secret."""
    token = next(t for t in (tokens.new("bob", EUR)[0] for _ in range(50)) if len(t) % 4)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    opened = [c for c in alphabet if tokens.open(token[:-1] + c) is not None]
    assert opened == [token[-1]]


@pytest.mark.parametrize("plaintext", ["", "02 00", "01", "01 02 ffff 00 00 00 00", "01 03 626f62 02 ffff 06 00 00"])
def test_tokens_of_another_format_are_not_opened(tokens, plaintext):
    sealed = b"i" * 12 + AESGCM(KEY).encrypt(b"i" * 12, bytes.fromhex(plaintext), None)
    assert tokens.open(base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()) is None


def test_arguments_are_checked(tokens, stream):
    with pytest.raises(InvalidRequestError):
        tokens.new("bob", EUR, tag=b"x" * 65)
    with pytest.raises(InvalidRequestError):
        ReceiverTokens(b"short", stream.SeededEntropy())
