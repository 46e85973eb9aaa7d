"""Signed tokens (JWT, RFC 7519): two algorithms, no other, each with a key of its own kind. Octets only, no I/O.

`joserfc` signs and verifies. What it is given here leaves no choice to the token: one algorithm by name, and a key that
fits no other, so that neither `none` nor a public key used as a secret can pass.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey, RSAKey
from joserfc.util import urlsafe_b64decode

from interledger.accounts.credentials import SECRET_OCTETS_MIN
from interledger.clock import Timestamp
from interledger.codec.strict_json import JsonNumber, parse_json_object
from interledger.errors import DecodeError, InvalidRequestError

__all__ = [
    "HS256",
    "LEEWAY_MS",
    "LIFETIME_MAX_MS",
    "RS256",
    "TOKEN_LENGTH_MAX",
    "Unverified",
    "expiry_of",
    "parse_key_set",
    "read_unverified",
    "secret_key",
    "sign",
    "verify",
]

HS256: Final = "HS256"
RS256: Final = "RS256"

TOKEN_LENGTH_MAX: Final = 4_096
"""Characters. Two RSA signatures fit; one header does not take much more."""

LEEWAY_MS: Final = 5_000
"""How far the clocks of two peers may differ."""

LIFETIME_MAX_MS: Final = 300_000
"""A token that is good for longer is no short-lived one: it is refused, whoever signed it."""

KEYS_MAX: Final = 32
"""Of one key set, those looked at: issuers publish two or three."""

RSA_BITS: Final = range(2_048, 8_193)
"""Shorter ones are broken, longer ones cost milliseconds."""

_PARTS: Final = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]*)")
_SECONDS: Final = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,9})?")
_MEANS_MORE: Final = ("crit", "b64", "zip", "enc")
"""Header fields that would change what the token means (RFC 7515 4.1.11, RFC 7797)."""


class Unverified(NamedTuple):
    """What a token says of itself. Good for finding the key that will tell whether any of it is true."""

    algorithm: str
    key_id: str | None
    claims: Mapping[str, Any]


def secret_key(secret: str) -> OctKey:
    """The key that a shared secret is: its UTF-8 octets, as jsonwebtoken takes it. Raises `InvalidRequestError`."""
    octets = secret.encode("utf-8")
    if len(octets) < SECRET_OCTETS_MIN:
        raise InvalidRequestError(
            f"a secret that signs tokens has {SECRET_OCTETS_MIN} octets at least. Make one:  openssl rand -hex 32"
        )
    return OctKey.import_key(octets)


def sign(claims: Mapping[str, Any], key: OctKey) -> str:
    """A token signed with HS256."""
    return jwt.encode({"alg": HS256, "typ": "JWT"}, dict(claims), key, algorithms=[HS256])


def read_unverified(token: str) -> Unverified | None:
    """None for what is no signed token of one of our two algorithms."""
    match = _PARTS.fullmatch(token) if len(token) <= TOKEN_LENGTH_MAX else None
    if match is None:
        return None
    try:
        header, claims = (parse_json_object(urlsafe_b64decode(part.encode("ascii"))) for part in match.groups()[:2])
    except (DecodeError, ValueError):
        return None
    algorithm, key_id = header.get("alg"), header.get("kid")
    if algorithm not in (HS256, RS256) or any(name in header for name in _MEANS_MORE):
        return None
    if type(key_id) is not str:
        key_id = None
    return Unverified(str(algorithm), key_id, claims)


def verify(token: str, algorithm: str, key: OctKey | RSAKey) -> bool:
    """Whether the signature is right. The algorithm is ours to say, not the token's."""
    try:
        jwt.decode(token, key, algorithms=[algorithm])
    except (JoseError, ValueError):
        return False
    return True


def expiry_of(claims: Mapping[str, Any], now: Timestamp) -> Timestamp | None:
    """Until when these claims are good; None when they are not, or say so in no way that counts.

    `exp` has to be there and near; `nbf` and `iat`, where they are there, may not lie ahead.
    """
    expires_at = _moment(claims.get("exp"))
    if expires_at is None or not now - LEEWAY_MS < expires_at <= now + LIFETIME_MAX_MS + LEEWAY_MS:
        return None
    for name in ("nbf", "iat"):
        if name in claims:
            moment = _moment(claims[name])
            if moment is None or moment > now + LEEWAY_MS:
                return None
    return Timestamp(expires_at + LEEWAY_MS)


def parse_key_set(body: bytes) -> dict[str | None, RSAKey]:
    """A JWKS document (RFC 7517) -> its RSA keys that may check RS256, by key id. Others are passed over.

    Raises `DecodeError` when it is no such document.
    """
    listed = parse_json_object(body).get("keys")
    if not isinstance(listed, list):
        raise DecodeError("the document has no list of keys")
    keys: dict[str | None, RSAKey] = {}
    for item in listed[:KEYS_MAX]:
        if not isinstance(item, dict) or not _may_check(item) or _bits(item.get("n")) not in RSA_BITS:
            continue
        try:
            key = RSAKey.import_key({name: item[name] for name in ("kty", "n", "e")})
        except (JoseError, ValueError, KeyError, TypeError):
            continue
        key_id = item.get("kid")
        keys.setdefault(key_id if type(key_id) is str else None, key)
    return keys


def _may_check(item: Mapping[str, Any]) -> bool:
    """Whether a key says nothing against being used for RS256. One with its private half is everybody's: not used."""
    operations = item.get("key_ops")
    return (
        item.get("kty") == "RSA"
        and item.get("use") in (None, "sig")
        and item.get("alg") in (None, RS256)
        and (operations is None or (isinstance(operations, list) and "verify" in operations))
        and "d" not in item
    )


def _bits(modulus: object) -> int:
    """The size of an RSA key; 0 for what is none."""
    if type(modulus) is not str:
        return 0
    try:
        return int.from_bytes(urlsafe_b64decode(modulus.encode("ascii")), "big").bit_length()
    except ValueError:
        return 0


def _moment(value: object) -> int | None:
    """RFC 7519's NumericDate, seconds since the epoch -> ms."""
    if not isinstance(value, JsonNumber) or _SECONDS.fullmatch(value) is None:
        return None
    whole, _, part = value.partition(".")
    return int(whole) * 1000 + int(part[:3].ljust(3, "0"))
