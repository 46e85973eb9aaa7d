"""What RFC 38 puts into HTTP: account ids in paths, idempotency keys, the body of `POST /accounts`.

The API is the same on both sides but for accounts, which only an engine is told of. So both sides share this.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final, NamedTuple

from interledger.accounts.account import AccountId, parse_account_id
from interledger.codec.strict_json import parse_json_object
from interledger.errors import DecodeError, InvalidRequestError, NotFoundError
from interledger.settlement.btp import parse_subprotocols

__all__ = [
    "IDEMPOTENCY_KEY",
    "MESSAGE_OCTETS_MAX",
    "EngineTerms",
    "account_of_path",
    "decode_engine_terms",
    "decode_new_account",
    "encode_new_account",
    "new_key",
    "parse_engine_account",
    "parse_key",
    "path_of_account",
]

IDEMPOTENCY_KEY: Final = "Idempotency-Key"

MESSAGE_OCTETS_MAX: Final = 32_767
"""Octets of a message between two engines: it travels as the data of one ILP packet (RFC 27)."""

KEY_LENGTH_MAX: Final = 255
"""Characters. A UUID has 36, a transaction's hash 66."""

_KEY: Final = re.compile(r"[!-~]{1,255}")
# RFC 38: "Each account MUST be identified by a unique," URL-safe string
_ACCOUNT: Final = re.compile(r"[A-Za-z0-9._~-]{1,255}")
_HEX: Final = re.compile(r"u-((?:[0-9a-f]{2})+)")


def path_of_account(account_id: AccountId) -> str:
    """The account's id as engines know it: its name, or `u-` and its UTF-8 octets in hex where a URL cannot have it."""
    return account_id if account_id.isascii() else f"u-{account_id.encode().hex()}"


def account_of_path(text: str) -> AccountId:
    """The account that an engine names. Raises `NotFoundError` for what no account can be called."""
    match = _HEX.fullmatch(text)
    try:
        return parse_account_id(text if match is None else bytes.fromhex(match[1]).decode())
    except (InvalidRequestError, UnicodeDecodeError):
        raise NotFoundError(f"There is no account “{text[:64]}”.") from None


def parse_engine_account(text: str) -> str:
    """An account's id as a connector gives it to an engine. Raises `InvalidRequestError`."""
    if _ACCOUNT.fullmatch(text) is None:
        raise InvalidRequestError("an account's id is 1 to 255 letters, digits, - . _ or ~", "id")
    return text


class EngineTerms(NamedTuple):
    """What an engine answers to a new account: its id there, and the BTP sub-protocols that it speaks, if any."""

    id: str | None
    subprotocols: tuple[str, ...] = ()


def encode_new_account(account: str, subprotocols: tuple[str, ...] = ()) -> bytes:
    """The body of `POST /accounts`, and of its answer."""
    return json.dumps({"id": account, **({"btp": list(subprotocols)} if subprotocols else {})}).encode()


def decode_engine_terms(body: bytes) -> EngineTerms:
    """The answer to `POST /accounts`. Raises `DecodeError` and `InvalidRequestError`."""
    document = parse_json_object(body or b"{}")
    return EngineTerms(_id_of(document), parse_subprotocols(document.get("btp")))


def decode_new_account(body: bytes) -> str | None:
    """The id in it; None: the engine chooses one. Raises `DecodeError` and `InvalidRequestError`."""
    return _id_of(parse_json_object(body or b"{}"))


def _id_of(document: dict[str, Any]) -> str | None:
    value = document.get("id")
    if value is None:
        return None
    if type(value) is not str:
        raise DecodeError("id is text")
    return parse_engine_account(value)


def parse_key(text: str | None) -> str:
    """An idempotency key: 1 to 255 visible characters. Raises `InvalidRequestError`, also when there is none."""
    # RFC 38: "Requests to settle or requests to credit incoming settlements MUST include an idempotency key"
    if text is None or _KEY.fullmatch(text) is None:
        raise InvalidRequestError(f"{IDEMPOTENCY_KEY} is needed: 1 to {KEY_LENGTH_MAX} visible characters")
    return text


def new_key(octets: bytes) -> str:
    """A key of 16 random octets, in the form of a UUID (version 4): some peers take no other."""
    # RFC 38: "this key MUST be derived from a cryptographically secure source of randomness"
    marked = bytearray(octets)
    marked[6] = marked[6] & 0x0F | 0x40
    marked[8] = marked[8] & 0x3F | 0x80
    digits = marked.hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
