"""ILP addresses (RFC 15).

An address is validated once, where it enters, and is a plain `str` from then on.
"""

from __future__ import annotations

import re
from typing import NewType

from interledger.errors import InvalidRequestError

__all__ = [
    "ADDRESS_LENGTH_MAX",
    "Address",
    "is_address",
    "is_prefix_of",
    "parse_address",
    "parse_prefix",
    "same_network",
    "scheme_of",
]

Address = NewType("Address", str)

ADDRESS_LENGTH_MAX = 1023

SCHEMES = ("g", "private", "example", "peer", "self", "test", "test1", "test2", "test3", "local")
"""RFC 15's allocation schemes: g live; test* test networks; private one's own network; example documents; peer one hop
only; self loopback; local ledger-local."""

_ADDRESS = re.compile(rf"(?:{'|'.join(SCHEMES)})(?:\.[a-zA-Z0-9_~-]+)+")
_PREFIX = re.compile(rf"(?:{'|'.join(SCHEMES)})(?:\.[a-zA-Z0-9_~-]+)*")


def is_address(text: str) -> bool:
    """Whether `text` is a whole ILP address: a scheme, then one or more segments."""
    return len(text) <= ADDRESS_LENGTH_MAX and _ADDRESS.fullmatch(text) is not None


def parse_address(text: str) -> Address:
    """`text` as an address. Raises `InvalidRequestError` with the reason."""
    if is_address(text):
        return Address(text)
    if len(text) > ADDRESS_LENGTH_MAX:
        raise InvalidRequestError(
            f"an ILP address has at most {ADDRESS_LENGTH_MAX} characters, this one has {len(text)}"
        )
    raise InvalidRequestError(f"“{text}” is not an ILP address. They look like  g.us.bank.alice  or  test.bob")


def parse_prefix(text: str) -> str:
    """`text` as a routing prefix: an address, a bare scheme such as `g`, or empty (everything)."""
    if text == "" or (len(text) <= ADDRESS_LENGTH_MAX and _PREFIX.fullmatch(text)):
        return text
    raise InvalidRequestError(f"“{text}” is not an ILP address prefix. They look like  g.us  or  test.bob")


def scheme_of(address: str) -> str:
    """The allocation scheme: the first segment."""
    return address.partition(".")[0]


def is_prefix_of(prefix: str, address: str) -> bool:
    """Whether `address` is `prefix` or lies below it, on a segment boundary (CR-16: `g.a` is no prefix of `g.ab`)."""
    return prefix == "" or address == prefix or address.startswith(prefix + ".")


def same_network(scheme: str, own: str) -> bool:
    """CR-11, CR-12: live, test and private addresses never mix, and those of narrow scope never leave it."""
    return scheme == own or (scheme.startswith("test") and own.startswith("test"))
