"""Invariant: any octets are a JSON document without floats, double keys or half characters, or a DecodeError."""

from __future__ import annotations

import json
from typing import Any

from interledger.codec.strict_json import JSON_DEPTH_MAX, JsonNumber, parse_json
from interledger.errors import DecodeError

LAYERS = ()
SEEDS: tuple[bytes, ...] = (
    rb'{"a": [1, -2.5e3, "\u00e4", true, null]}',
    b"[NaN]",
    b'{"a": 1, "a": 2}',
    rb'"\ud83d"',
    b"[" * 30,
)


def check(octets: bytes) -> None:
    try:
        value = parse_json(octets)
    except DecodeError:
        return
    _check_value(value, JSON_DEPTH_MAX)
    json.loads(octets)


def _check_value(value: Any, depth: int) -> None:
    assert depth >= 0
    assert value is None or type(value) in (bool, str, JsonNumber, list, dict)
    if isinstance(value, str):
        value.encode("utf-8")
    for item in value if isinstance(value, list) else [*value, *value.values()] if isinstance(value, dict) else ():
        _check_value(item, depth - 1)


if __name__ == "__main__":
    from harness import run

    run(check, LAYERS, SEEDS)
