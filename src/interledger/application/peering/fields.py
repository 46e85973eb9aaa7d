"""Members of the JSON documents that peers send each other, read strictly. All raise `DecodeError`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from interledger.clock import Timestamp
from interledger.codec.oer import UINT64_MAX
from interledger.codec.strict_json import JsonNumber
from interledger.errors import DecodeError

__all__ = ["limit_text", "read_limit", "read_moment", "read_text", "read_token", "read_units"]

TEXT_LENGTH_MAX: Final = 2_048
"""As long as a URL may be; every other text is shorter."""

TOKEN_LENGTH_MAX: Final = 1_024
"""Of tokens that a stranger chooses. UUIDs have 36 characters, ours 43, JWTs some hundred."""

MOMENT_MAX: Final = 2**53
"""In ms: far beyond any year that matters, and exact in every JSON reader."""

_UNITS: Final = re.compile(r"[0-9]{1,20}")
_TOKEN: Final = re.compile(r"[\x21-\x7e]+")


def limit_text(limit: int | None) -> str | None:
    """A limit as it is written: text of integer units."""
    return None if limit is None else str(limit)


def read_text(document: Mapping[str, Any], name: str) -> str:
    """A text, not empty, on one line."""
    value = document.get(name)
    if type(value) is not str or not 1 <= len(value) <= TEXT_LENGTH_MAX or not value.isprintable():
        raise DecodeError(f"{name} is missing, or no text")
    return value


def read_token(document: Mapping[str, Any], name: str) -> str:
    """What fits behind `Bearer`: visible ASCII."""
    value = document.get(name)
    if type(value) is not str or len(value) > TOKEN_LENGTH_MAX or _TOKEN.fullmatch(value) is None:
        raise DecodeError(f"{name} is missing, or cannot be a token")
    return value


def read_units(value: Any, name: str, maximum: int = UINT64_MAX) -> int:
    """Integer units, as a JSON number or as text."""
    if not isinstance(value, str) or _UNITS.fullmatch(value) is None or int(value) > maximum:
        raise DecodeError(f"{name} is not a whole number up to {maximum}")
    return int(value)


def read_limit(document: Mapping[str, Any], name: str) -> int | None:
    """Units, or None where there is no limit."""
    value = document.get(name)
    return None if value is None else read_units(value, name)


def read_moment(document: Mapping[str, Any], name: str) -> Timestamp:
    """Milliseconds since 1970, UTC."""
    value = document.get(name)
    if isinstance(value, JsonNumber) or type(value) is str:
        return Timestamp(read_units(value, name, MOMENT_MAX))
    raise DecodeError(f"{name} is missing")
