"""JSON from strangers: what is read, what is refused, and that no float comes out."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interledger.codec.strict_json import JsonNumber, parse_json, parse_json_object
from interledger.errors import DecodeError

REFUSED = [
    ("empty", b"", "not JSON"),
    ("not JSON", b"<html>", "not JSON: .* line 1, column 1"),
    ("comma at the end", b'{"a": 1,}', "not JSON"),
    ("two documents", b"{} {}", "not JSON"),
    ("duplicate key", b'{"a": 1, "a": 2}', "same key twice"),
    ("duplicate key, spelled differently", b'{"a": 1, "\\u0061": 2}', "same key twice"),
    ("duplicate key inside", b'[{"a": {"b": 1, "b": 1}}]', "same key twice"),
    ("NaN", b'{"a": NaN}', "NaN"),
    ("Infinity", b"[Infinity]", "Infinity"),
    ("-Infinity", b"[-Infinity]", "-Infinity"),
    ("not UTF-8", b'"\xff"', "not UTF-8"),
    ("UTF-16", '{"a": 1}'.encode("utf-16"), "not UTF-8"),
    ("byte order mark", b"\xef\xbb\xbf{}", "not JSON"),
    ("half a surrogate pair", b'{"a": "\\ud800"}', "surrogate"),
    ("half a surrogate pair in a key", b'{"\\uDC00": 1}', "surrogate"),
    ("21 deep", b"[" * 21 + b"]" * 21, "deeper than 20"),
    ("100,000 deep in 65,536", b"[" * 65_536, "deeper than 20"),
    ("objects too", b'{"a":' * 21 + b"1" + b"}" * 21, "deeper than 20"),
    ("too long", b" " * 65_537, "65537 octets"),
    ("leading zero", b"[01]", "not JSON"),
    ("underscore", b"[1_000]", "not JSON"),
    ("single quotes", b"{'a': 1}", "not JSON"),
    ("control character in a string", b'"\n"', "not JSON"),
    ("string without end", b'"abc\\', "not JSON"),
]


@pytest.mark.parametrize(("name", "body", "reason"), REFUSED, ids=[row[0] for row in REFUSED])
def test_refused(name: str, body: bytes, reason: str) -> None:
    with pytest.raises(DecodeError, match=reason):
        parse_json(body)


def test_read() -> None:
    assert parse_json(b'{"a": [true, false, null, "x", 1, -2.50, 1e400]}') == {
        "a": [True, False, None, "x", "1", "-2.50", "1e400"]
    }


def test_numbers_stay_text_and_differ_from_strings() -> None:
    number, text = parse_json(b'[1.1, "1.1"]')
    assert (type(number), type(text)) == (JsonNumber, str)
    assert parse_json(b"9" * 10_000) == "9" * 10_000


def test_brackets_in_strings_do_not_count_as_depth() -> None:
    assert parse_json(json.dumps(["[" * 50, '"[{' * 50, "\\" * 50]).encode()) == ["[" * 50, '"[{' * 50, "\\" * 50]
    assert parse_json(b"[" * 20 + b"]" * 20)
    assert len(parse_json(b"[" + b",".join([b"[]"] * 100) + b"]")) == 100


def test_surrogate_pairs_that_are_whole_are_characters() -> None:
    assert parse_json(b'"\\ud83d\\ude00"') == "\U0001f600"


def test_limits_can_be_set() -> None:
    with pytest.raises(DecodeError, match="at most 3"):
        parse_json(b"1000", octets_max=3)
    with pytest.raises(DecodeError, match="deeper than 1"):
        parse_json(b"[[]]", depth_max=1)


def test_object_only() -> None:
    assert parse_json_object(b'{"a": "b"}') == {"a": "b"}
    for body in (b"[]", b'"a"', b"1", b"null"):
        with pytest.raises(DecodeError, match="not an object"):
            parse_json_object(body)


@pytest.mark.parametrize("piece", [b'"\\', b'\\"', b'"', b'"a\\"', b"\\\\"])
def test_hostile_quotes_cost_no_time(piece: bytes) -> None:
    """The depth check is linear: no body makes it try again from each of its quotes."""
    began = time.perf_counter()
    with pytest.raises(DecodeError):
        parse_json((b'{"' + piece * 65_536)[:65_536])
    assert time.perf_counter() - began < 0.5


@given(
    st.recursive(
        st.none() | st.booleans() | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=10,
    )
)
def test_what_json_writes_is_read(value: object) -> None:
    try:
        body = json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return
    assert parse_json(body) == value


@given(st.binary(max_size=200))
def test_any_octets_give_a_value_or_a_decode_error(body: bytes) -> None:
    try:
        parse_json(body)
    except DecodeError as error:
        str(error).encode("utf-8")
