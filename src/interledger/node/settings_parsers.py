"""Text -> value, one function per kind of setting. Each raises `InvalidRequestError` with what a good value looks like.

Every source is text by the time it comes here: a flag, an environment variable, a TOML value written out again.
So `0.3` in a file is the decimal number that was written, never a float.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from interledger.accounts.asset import Asset, parse_amount, parse_asset
from interledger.errors import InvalidRequestError

__all__ = [
    "bind_text",
    "format_ratio",
    "is_loopback_host",
    "one_of",
    "parse_bind_address",
    "parse_bool",
    "parse_offers",
    "parse_origins",
    "parse_ratio",
    "parse_seed",
    "parse_sources",
    "parse_store",
    "parse_text",
    "parse_token",
    "parse_url",
    "whole_number",
]

TOKEN_LENGTH_MAX: Final = 4_096
"""Longer than any token in use, and short enough for one HTTP header."""

LOOPBACK_NAMES: Final = frozenset({"localhost", "::1"})

_WHOLE = re.compile(r"[0-9]{1,19}")
_RATIO = re.compile(r"([0-9]{1,9})(?:\.([0-9]{1,18}))?( ?%)?")
_TOKEN = re.compile(r"[\x21-\x7e]+")
_SEED = re.compile(r"[0-9a-fA-F]{64}")
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[a-z0-9.-]+(?::[0-9]{1,5})?")
_BIND = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+)):([0-9]{1,5})")


def parse_text(text: str) -> str:
    """Any text on one line."""
    if not text or not text.isprintable():
        raise InvalidRequestError("it is empty, or has characters that cannot be printed")
    return text


def bind_text(text: str) -> str:
    """`HOST:PORT` as it was written, once it is known to be that."""
    parse_bind_address(text)
    return text


def parse_bool(text: str) -> bool:
    """`true` or `false`, also `yes`, `no`, `on`, `off`, `1` and `0`."""
    found = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
    value = found.get(text.lower())
    if value is None:
        raise InvalidRequestError(f"“{text}” is not  true  or  false")
    return value


def whole_number(least: int, most: int) -> Callable[[str], int]:
    """A parser of whole numbers from `least` to `most`."""

    def parse(text: str) -> int:
        if _WHOLE.fullmatch(text) is None or not least <= int(text) <= most:
            raise InvalidRequestError(f"“{text}” is not a whole number from {least} to {most}")
        return int(text)

    return parse


def one_of(*words: str) -> Callable[[str], str]:
    """A parser that lets through one of `words`."""

    def parse(text: str) -> str:
        if text not in words:
            raise InvalidRequestError(f"“{text}” is not one of  {'  '.join(words)}")
        return text

    return parse


def parse_ratio(text: str) -> Fraction:
    """A share below one: `0.003` or `0.3 %`."""
    match = _RATIO.fullmatch(text)
    if match is not None:
        value = Fraction(f"{match[1]}.{match[2] or 0}") / (100 if match[3] else 1)
        if value < 1:
            return value
    raise InvalidRequestError(f"“{text}” is not a share below one. Write  0.003  or  '0.3 %'")


def format_ratio(value: Fraction) -> str:
    """A share as decimal text, exact: every share that `parse_ratio` lets through ends."""
    places = 0
    while (value * 10**places).denominator != 1:
        places += 1
    digits = str(value * 10**places).rjust(places + 1, "0")
    return f"{digits[:-places]}.{digits[-places:]}" if places else digits


def parse_token(text: str) -> str:
    """A bearer token: printable ASCII without spaces."""
    if len(text) > TOKEN_LENGTH_MAX or _TOKEN.fullmatch(text) is None:
        raise InvalidRequestError("a token is printable ASCII without spaces")
    return text


def parse_offers(text: str) -> Mapping[Asset, int]:
    """`USD/2=500, EUR/9`: assets, and what is owed in each at most, in whole units (0 where nothing is said)."""
    offers: dict[Asset, int] = {}
    for part in text.split(","):
        name, has_limit, limit = (piece.strip() for piece in part.partition("="))
        asset = parse_asset(name)
        if asset in offers:
            raise InvalidRequestError(f"{asset} comes twice")
        offers[asset] = parse_amount(limit, asset.scale) if has_limit else 0
    return offers


def parse_sources(text: str) -> frozenset[str]:
    """Addresses of machines, with commas or spaces between them: `127.0.0.1, ::1`. Empty text: none."""
    try:
        return frozenset(str(ip_address(word)) for word in text.replace(",", " ").split())
    except ValueError:
        raise InvalidRequestError(f"“{text}” is not a list of addresses. Write  127.0.0.1, ::1") from None


def parse_seed(text: str) -> bytes:
    """32 octets in hex."""
    if _SEED.fullmatch(text) is None:
        raise InvalidRequestError("a seed is 32 octets in hex: 64 digits. Make one:  openssl rand -hex 32")
    return bytes.fromhex(text)


def parse_url(text: str) -> str:
    """An http or https URL without query; a slash at its end is dropped."""
    try:
        parts = urlsplit(text)
        port_is_good = parts.port != 0
    except ValueError:
        port_is_good = False
    if not port_is_good or parts.scheme not in ("http", "https") or not parts.hostname or not text.isprintable():
        raise InvalidRequestError(f"“{text}” is not a URL. Write  https://wallet.example")
    if parts.username is not None or parts.fragment:
        raise InvalidRequestError(f"“{text}” has a user name or a # in it, which no request would carry")
    return text.rstrip("/")


def parse_store(text: str) -> str:
    """The URL of a PostgreSQL database. It may hold a password, so no message repeats it."""
    if not text.startswith(("postgresql://", "postgres://")) or not text.isprintable() or " " in text:
        raise InvalidRequestError("this is not the URL of a database. Write  postgresql://USER:PASSWORD@HOST/DATABASE")
    return text


def parse_origins(text: str) -> tuple[str, ...]:
    """Origins of browsers, with spaces or commas between: `https://wallet.example`."""
    origins = tuple(text.replace(",", " ").split())
    for origin in origins:
        if _ORIGIN.fullmatch(origin) is None:
            raise InvalidRequestError(f"“{origin}” is not an origin. Write  https://wallet.example")
    return origins


def parse_bind_address(text: str) -> tuple[str, int]:
    """`127.0.0.1:7770`, `[::1]:7770` or `localhost:7770` -> (host, port). Port 0: a free one."""
    match = _BIND.fullmatch(text)
    if match is None or int(match[3]) > 65_535:
        raise InvalidRequestError(f"“{text}” is not an address to listen on. Write  127.0.0.1:7770")
    return match[1] or match[2], int(match[3])


def is_loopback_host(host: str) -> bool:
    """Whether only this machine can reach a listener there."""
    return host in LOOPBACK_NAMES or host.startswith("127.")
