"""JSON from strangers, and JSON with money in it: one strict parser.

It differs from `json.loads` in what it refuses (duplicate keys, NaN, deep nesting, large documents, half surrogates)
and in that a number stays text: `1.1` comes out as `JsonNumber("1.1")`, so that no float is ever made of an amount.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final, final

from interledger.errors import DecodeError

__all__ = ["JSON_DEPTH_MAX", "JSON_OCTETS_MAX", "JsonNumber", "parse_json", "parse_json_object"]

JSON_OCTETS_MAX: Final = 65_536
"""No document of our protocols comes near; a larger one is a mistake or an attack."""

JSON_DEPTH_MAX: Final = 20
"""Deeper nesting has no use here and costs the parser stack."""

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)


@final
class JsonNumber(str):
    """A number as it was written. `isinstance(value, JsonNumber)` tells `1` from `"1"`."""

    __slots__ = ()


def parse_json(body: bytes, *, octets_max: int = JSON_OCTETS_MAX, depth_max: int = JSON_DEPTH_MAX) -> Any:
    """A JSON document as None, bool, str, `JsonNumber`, list and dict. Raises `DecodeError` with the reason."""
    if len(body) > octets_max:
        raise DecodeError(f"the JSON document has {len(body)} octets, at most {octets_max} are read")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise DecodeError("the JSON document is not UTF-8") from None
    _check_depth(text, depth_max)
    try:
        value = json.loads(
            text,
            parse_float=JsonNumber,
            parse_int=JsonNumber,
            parse_constant=_refuse_constant,
            object_pairs_hook=_object,
        )
    except json.JSONDecodeError as error:
        raise DecodeError(f"not JSON: {error.msg} in line {error.lineno}, column {error.colno}") from None
    _check_surrogates(text, value)
    return value


def parse_json_object(
    body: bytes, *, octets_max: int = JSON_OCTETS_MAX, depth_max: int = JSON_DEPTH_MAX
) -> dict[str, Any]:
    """The same for a document that has to be an object."""
    value = parse_json(body, octets_max=octets_max, depth_max=depth_max)
    if not isinstance(value, dict):
        raise DecodeError("the JSON document is not an object")
    return value


def _check_depth(text: str, depth_max: int) -> None:
    """Before parsing: the parser itself recurses. The expression is linear: a string without an end still matches."""
    depth = 0
    for token in _TOKEN.finditer(text):
        first = text[token.start()]
        if first in "[{":
            depth += 1
            if depth > depth_max:
                raise DecodeError(f"the JSON document is nested deeper than {depth_max}")
        elif first in "]}":
            depth -= 1


def _refuse_constant(name: str) -> Any:
    raise DecodeError(f"the JSON document has {name}, which is not a JSON number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Two readers may pick different ones of two equal keys, so nobody may send two.
    found = dict(pairs)
    if len(found) != len(pairs):
        raise DecodeError("the JSON document has the same key twice in one object")
    return found


def _check_surrogates(text: str, value: Any) -> None:
    """Half a surrogate pair makes a text that cannot be written or logged."""
    if "\\u" not in text:
        return
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise DecodeError("the JSON document has half a surrogate pair") from None
