"""E8: the wire of signed tokens. What is no token of ours, what has the wrong signature, which keys may check."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import RSAKey

from interledger.clock import Timestamp
from interledger.codec.strict_json import JsonNumber
from interledger.errors import DecodeError, InvalidRequestError
from interledger.link.jwt.messages import (
    HS256,
    LIFETIME_MAX_MS,
    RS256,
    expiry_of,
    parse_key_set,
    read_unverified,
    secret_key,
    sign,
    verify,
)

NOW = Timestamp(1_795_262_400_000)
SECRET = "a secret of two nodes, 32 octets long or longer"
KEY = secret_key(SECRET)
RSA = RSAKey.generate_key(2048)
CLAIMS = {"sub": "alice", "exp": NOW // 1000 + 60}


def encode(part: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def hand_made(header: Any, claims: Any = CLAIMS, secret: bytes = SECRET.encode()) -> str:
    """A token with whatever header, signed as HS256 would."""
    signed = f"{encode(header)}.{encode(claims)}"
    signature = hmac.digest(secret, signed.encode(), hashlib.sha256)
    return f"{signed}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def accepted(token: str, algorithm: str, key: Any) -> bool:
    """Read and verified with the algorithm and key that are ours to say."""
    said = read_unverified(token)
    return said is not None and said.algorithm == algorithm and verify(token, algorithm, key)


GOOD = sign(CLAIMS, KEY)
PUBLIC_PEM = RSA.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
FROM_RSA = jwt.encode({"alg": RS256, "kid": "k1"}, CLAIMS, RSA)
HEAD, BODY, SIGNATURE = GOOD.split(".")


@pytest.mark.parametrize(
    ("token", "algorithm", "key", "expected"),
    [
        (GOOD, HS256, KEY, True),
        (FROM_RSA, RS256, RSA, True),
        (hand_made({"alg": HS256, "typ": "JWT", "kid": "../../etc/passwd"}), HS256, KEY, True),
        # none, in every spelling, with and without a signature
        (f"{encode({'alg': 'none'})}.{BODY}.", HS256, KEY, False),
        (f"{encode({'alg': 'None'})}.{BODY}.{SIGNATURE}", HS256, KEY, False),
        (hand_made({"alg": "none"}), HS256, KEY, False),
        (hand_made({}), HS256, KEY, False),
        # a public key used as a shared secret, and the other way round
        (hand_made({"alg": HS256}, secret=PUBLIC_PEM), HS256, KEY, False),
        (hand_made({"alg": HS256}, secret=PUBLIC_PEM), RS256, RSA, False),
        (hand_made({"alg": RS256}, secret=PUBLIC_PEM), RS256, RSA, False),
        (hand_made({"alg": RS256}), HS256, KEY, False),
        (FROM_RSA, HS256, KEY, False),
        # algorithms that are not ours
        (hand_made({"alg": "HS384"}), HS256, KEY, False),
        (hand_made({"alg": "hs256"}), HS256, KEY, False),
        (hand_made({"alg": ["HS256"]}), HS256, KEY, False),
        # headers that would change what the token means
        (hand_made({"alg": HS256, "crit": ["exp"]}), HS256, KEY, False),
        (hand_made({"alg": HS256, "b64": False}), HS256, KEY, False),
        (hand_made({"alg": HS256, "zip": "DEF"}), HS256, KEY, False),
        # signatures
        (f"{HEAD}.{BODY}.", HS256, KEY, False),
        (f"{HEAD}.{BODY}.{SIGNATURE[:-4]}", HS256, KEY, False),
        (f"{HEAD}.{encode({**CLAIMS, 'sub': 'bob'})}.{SIGNATURE}", HS256, KEY, False),
        (sign(CLAIMS, secret_key(SECRET + "!")), HS256, KEY, False),
        (jwt.encode({"alg": RS256}, CLAIMS, RSAKey.generate_key(2048)), RS256, RSA, False),
        # no tokens at all
        (GOOD + ".", HS256, KEY, False),
        (GOOD + "\n", HS256, KEY, False),
        (" " + GOOD, HS256, KEY, False),
        (f"{HEAD}.{SIGNATURE}", HS256, KEY, False),
        ("a.b.c", HS256, KEY, False),
        ("", HS256, KEY, False),
        (hand_made({"alg": HS256}, {"x": "y" * 4_096}), HS256, KEY, False),
        (hand_made({"alg": HS256}, ["sub"]), HS256, KEY, False),
    ],
)
def test_E8_the_confusion_table(token: str, algorithm: str, key: Any, expected: bool) -> None:
    assert accepted(token, algorithm, key) is expected


def test_E8_names_that_come_twice_are_refused() -> None:
    twice = base64.urlsafe_b64encode(b'{"alg":"none","alg":"HS256"}').decode().rstrip("=")
    assert read_unverified(f"{twice}.{BODY}.{SIGNATURE}") is None


@pytest.mark.parametrize(
    ("claims", "good_for_ms"),
    [
        ({"exp": 60}, 65_000),
        ({"exp": "60.5"}, 65_500),
        ({"exp": 0}, 5_000),
        ({"exp": -4}, 1_000),
        ({"exp": -5}, None),
        ({"exp": 305}, 310_000),
        ({"exp": 306}, None),
        ({"exp": 86_400}, None),
        ({}, None),
        ({"exp": 60, "nbf": 5, "iat": 5}, 65_000),
        ({"exp": 60, "nbf": 6}, None),
        ({"exp": 60, "iat": 6}, None),
    ],
)
def test_HT_06_exp_is_there_and_near(claims: dict[str, Any], good_for_ms: int | None) -> None:
    def moment(value: int | str) -> JsonNumber:
        whole, point, part = str(value).partition(".")
        return JsonNumber(f"{NOW // 1000 + int(whole)}{point}{part}")

    until = expiry_of({name: moment(value) for name, value in claims.items()}, NOW)
    assert until == (None if good_for_ms is None else NOW + good_for_ms)
    assert LIFETIME_MAX_MS == 5 * 60_000


@pytest.mark.parametrize("exp", [None, "soon", True, [], "1795262460", JsonNumber("1.8e9"), JsonNumber("-1")])
def test_HT_06_exp_that_is_no_moment(exp: Any) -> None:
    assert expiry_of({"exp": exp}, NOW) is None
    assert expiry_of({"exp": JsonNumber(NOW // 1000 + 60), "nbf": exp}, NOW) is None


@pytest.mark.parametrize("secret", ["", "short", "x" * 31])
def test_a_secret_that_can_be_guessed_is_refused(secret: str) -> None:
    with pytest.raises(InvalidRequestError, match="32 octets"):
        secret_key(secret)


def public(key: RSAKey, **more: Any) -> dict[str, Any]:
    return {**key.as_dict(private=False), **more}


def small_key() -> dict[str, Any]:
    return {"kty": "RSA", "n": base64.urlsafe_b64encode(b"\xff" * 128).decode(), "e": "AQAB", "kid": "small"}


@pytest.mark.parametrize(
    ("keys", "ids"),
    [
        ([public(RSA, kid="a"), public(RSA, kid="b")], ["a", "b"]),
        ([public(RSA, kid="a", use="sig", alg="RS256", key_ops=["verify"])], ["a"]),
        ([public(RSA)], [RSA.as_dict(private=False).get("kid")]),
        ([public(RSA, kid="a", use="enc")], []),
        ([public(RSA, kid="a", alg="RS512")], []),
        ([public(RSA, kid="a", key_ops=["sign"])], []),
        ([{**RSA.as_dict(private=True), "kid": "a"}], []),
        ([{"kty": "oct", "k": "AAAA", "kid": "a"}], []),
        ([{"kty": "RSA", "n": "!", "e": "AQAB"}, {"kty": "RSA"}, 7, None], []),
        ([small_key()], []),
        ([{"kty": "RSA", "n": 1, "e": 2, "kid": "numbers"}], []),
        ([public(RSA, kid=str(i)) for i in range(40)], [str(i) for i in range(32)]),
        ([], []),
    ],
)
def test_the_keys_of_a_set_that_may_check(keys: list[Any], ids: list[str]) -> None:
    assert list(parse_key_set(json.dumps({"keys": keys}).encode())) == ids


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"keys": {}}', b'{"keys": [], "keys": []}', b"<html>"])
def test_what_is_no_key_set(body: bytes) -> None:
    with pytest.raises(DecodeError):
        parse_key_set(body)


@given(st.one_of(st.text(max_size=200), st.from_regex(r"[A-Za-z0-9_-]{0,40}(\.[A-Za-z0-9_-]{0,40}){0,3}")))
def test_whatever_comes_is_read_or_not(token: str) -> None:
    said = read_unverified(token)
    assert said is None or said.algorithm in (HS256, RS256)
    assert not verify(token, HS256, KEY)
