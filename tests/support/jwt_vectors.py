"""How the vectors of signed tokens are read here: by the same verifier that a node's port asks."""

from __future__ import annotations

import base64
import json
from typing import Any

from interledger.accounts.account import Account, AccountId, LinkSettings
from interledger.accounts.asset import Asset
from interledger.clock import Timestamp
from interledger.codec.timestamp import decode_interledger_time
from interledger.errors import DecodeError
from interledger.ilp.address import Address
from interledger.link.jwt.messages import parse_key_set
from interledger.link.jwt.protocol import JwtRules, JwtVerifier, KeySets

__all__ = ["read_hs256", "read_rs256"]

Vector = dict[str, Any]

KEYS_URL = "https://issuer.example/keys"


def read_hs256(octets: bytes, vector: Vector) -> dict[str, Any]:
    """`jwt.hs256`: the claims, when the token is good for an account that shares `input.secret`."""
    given = vector["input"]
    link = LinkSettings(
        http_incoming_jwt_secret=given["secret"],
        http_jwt_subject=given["subject"],
        http_jwt_require_subject=given["requireSubject"],
    )
    return _read(octets, link, vector)


def read_rs256(octets: bytes, vector: Vector) -> dict[str, Any]:
    """`jwt.rs256`: the claims, when the token is good for an account whose issuer publishes `input.keys`."""
    given = vector["input"]
    link = LinkSettings(
        http_jwks_url=KEYS_URL,
        http_jwt_issuer=given["issuer"],
        http_jwt_audience=given["audience"],
        http_jwt_subject=given["subject"],
    )
    return _read(octets, link, vector)


def _read(octets: bytes, link: LinkSettings, vector: Vector) -> dict[str, Any]:
    name = AccountId("peer")
    rules = JwtRules.of(Account(id=name, asset=Asset("USD", 9), ilp_address=Address("test.peer"), link=link))
    assert rules is not None
    now = Timestamp(decode_interledger_time("".join(c for c in vector["now"] if c.isdigit()).encode()))
    keys = KeySets(lambda url: None)
    verifier = JwtVerifier(keys)
    verifier.add(rules, now)
    if "keys" in vector["input"]:
        keys.put(KEYS_URL, parse_key_set(json.dumps({"keys": vector["input"]["keys"]}).encode()), now)
    token = octets.decode("ascii")
    found = verifier.account_of(token, name, now)
    if found is None or found.account != name:
        raise DecodeError("nobody's token")
    claims = token.split(".")[1]
    document: dict[str, Any] = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    return document
