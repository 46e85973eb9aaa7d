"""JSON out, with numbers as they were written: no float is made of an amount or a rate on the way out either."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from interledger.codec.strict_json import JsonNumber

__all__ = ["decimal_text", "encode_json"]


def encode_json(value: Any) -> bytes:
    """A document of None, bool, int, str, `JsonNumber`, lists and mappings as UTF-8. Floats are refused."""
    return _text(value).encode("utf-8")


def decimal_text(amount: int, scale: int) -> str:
    """`amount / 10^scale` written out exactly, without zeros at the end: (1500, 3) -> `1.5`."""
    sign = "-" if amount < 0 else ""
    digits = str(abs(amount)).rjust(scale + 1, "0")
    whole, places = (digits[:-scale], digits[-scale:].rstrip("0")) if scale else (digits, "")
    return sign + whole + ("." + places if places else "")


def _text(value: Any) -> str:
    if isinstance(value, JsonNumber):
        return str(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{_text(str(key))}:{_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, Sequence):
        return "[" + ",".join(_text(item) for item in value) + "]"
    raise TypeError(f"a {type(value).__name__} has no exact JSON form")
