"""Invariant: a changed token verifies with no key, or says the same; key sets and certificates never surprise."""

from __future__ import annotations

import contextlib

from interledger.clock import Timestamp
from interledger.errors import DecodeError, InvalidRequestError
from interledger.link.certificates import digest_of, parse_client_certificate
from interledger.link.jwt.messages import (
    HS256,
    RS256,
    expiry_of,
    parse_key_set,
    read_unverified,
    secret_key,
    sign,
    verify,
)

NOW = Timestamp(1_795_262_400_000)
KEY = secret_key("a secret that no input here was signed with, but one")
GOOD = sign({"sub": "alice", "exp": NOW // 1000 + 60}, KEY)
SAID = read_unverified(GOOD)

LAYERS: tuple[str, ...] = ()
SEEDS: tuple[bytes, ...] = (
    GOOD.encode(),
    b"eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9.",
    b'{"keys":[{"kty":"RSA","kid":"a","n":"' + b"u" * 342 + b'","e":"AQAB","use":"sig"}]}',
    b"sha256:" + b"0a" * 32,
    b"subject:CN=peer.example,O=Some Bank",
)


def check(octets: bytes) -> None:
    text = octets.decode("latin-1")
    said = read_unverified(text)
    if said is not None:
        assert said.algorithm in (HS256, RS256)
        until = expiry_of(said.claims, NOW)
        assert until is None or until > NOW
    if verify(text, HS256, KEY):
        assert SAID is not None
        assert said is None or (said.algorithm, dict(said.claims)) == (SAID.algorithm, dict(SAID.claims))
    with contextlib.suppress(DecodeError):
        for key_id in parse_key_set(octets):
            assert key_id is None or isinstance(key_id, str)
    with contextlib.suppress(InvalidRequestError):
        entry = parse_client_certificate(text)
        assert parse_client_certificate(entry) == entry
        assert digest_of(entry) is None or len(digest_of(entry) or "") == 64


if __name__ == "__main__":
    from harness import run

    run(check, LAYERS, SEEDS)
