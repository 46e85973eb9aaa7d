"""Keys, sealing and conditions: known answers, and both layouts of the tag."""

from __future__ import annotations

from base64 import b64decode
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from interledger.transport.stream.crypto import StreamCrypto, hmac_sha256


class Fixed:
    """Always the same octets."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets

    def octets(self, count: int) -> bytes:
        return self._octets[:count]


SECRET = bytes.fromhex("7edb755d76f8f9d314d3416eed50fdb35192e543e7315c7ffee6906667a69624")
IV = bytes.fromhex("77f8d5ea3fc8e08cd4de699f")
PLAINTEXT = bytes.fromhex("63000cff4d1f")
SEALED = bytes.fromhex("77f8d5ea3fc8e08cd4de699ff6cb429b97ac44184ce85a0aed92bd49f8c4b16c73df")


@pytest.mark.parametrize(
    ("label", "key"),
    [
        (b"ilp_stream_encryption", "zfOGMU/uY+EOUCE6tN3WhE77bF/N6pS0wSOmMgEAMEA="),
        (b"ilp_stream_fulfillment", "lh8nGJCJosvfUePaU0uxxXK3jNvV2Y+5ivt1GH1Muhs="),
    ],
)
def test_ST_01_keys(label, key):
    assert hmac_sha256(b"foo", label) == b64decode(key)


def test_ST_01_sealing_fulfillment_and_condition():
    crypto = StreamCrypto(SECRET, Fixed(IV))
    assert crypto.seal(PLAINTEXT) == SEALED
    assert crypto.open(SEALED) == PLAINTEXT
    fulfillment = "18063849e5ec58e3527098319849b6b7c607e97c77410d44366c78c13be26b27"
    assert crypto.fulfillment(SEALED).hex() == fulfillment
    assert crypto.condition(SEALED) == sha256(bytes.fromhex(fulfillment)).digest()


@given(st.binary(max_size=100), st.binary(max_size=200))
def test_the_split_hmac_is_hmac(secret, data):
    expected = hmac_sha256(hmac_sha256(secret, b"ilp_stream_fulfillment"), data)
    assert StreamCrypto(secret, Fixed(IV)).fulfillment(data) == expected


def test_D_20_tag_last_is_opened_when_allowed():
    key = AESGCM(hmac_sha256(SECRET, b"ilp_stream_encryption"))
    java = IV + key.encrypt(IV, PLAINTEXT, None)
    assert StreamCrypto(SECRET, Fixed(IV)).open(java) == PLAINTEXT
    assert StreamCrypto(SECRET, Fixed(IV), accept_tag_last=False).open(java) is None


@pytest.mark.parametrize("data", [b"", b"x" * 27, SEALED[:-1], b"\0" * 34, SEALED + b"\0"], ids=len)
def test_what_nobody_sealed_is_not_opened(data):
    assert StreamCrypto(SECRET, Fixed(IV)).open(data) is None
    assert StreamCrypto(SECRET, Fixed(IV), accept_tag_last=False).open(data) is None


def test_H6_each_packet_has_its_own_iv(stream):
    crypto = StreamCrypto(SECRET, stream.SeededEntropy())
    assert len({crypto.seal(b"")[:12] for _ in range(2000)}) == 2000


def test_random_conditions_and_silence_about_keys(stream):
    crypto = StreamCrypto(SECRET, stream.SeededEntropy())
    assert len({crypto.random_condition() for _ in range(50)}) == 50
    assert len(crypto.random_condition()) == 32
    assert SECRET.hex() not in repr(crypto)
    assert repr(SECRET) not in repr(crypto)
