"""Addresses: the grammar of RFC 15, and prefixes that end where a segment ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interledger.errors import InvalidRequestError
from interledger.ilp.address import (
    ADDRESS_LENGTH_MAX,
    SCHEMES,
    Address,
    is_address,
    is_prefix_of,
    parse_address,
    parse_prefix,
    scheme_of,
)

SEGMENTS = st.lists(st.text("abcXYZ019_~-", min_size=1, max_size=40), min_size=1, max_size=8)
ADDRESSES = st.tuples(st.sampled_from(["g", "test", "test1", "example", "private", "peer"]), SEGMENTS).map(
    lambda parts: Address(".".join([parts[0], *parts[1]]))
)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_PK_04_every_scheme_of_the_rfc(scheme: str) -> None:
    address = f"{scheme}.bank.alice"
    assert parse_address(address) == address
    assert scheme_of(address) == scheme
    assert parse_prefix(scheme) == scheme


@pytest.mark.parametrize(
    "text",
    [
        "g.a",
        "g.us-fed.ach.0.acmebank.swx0a0.acmecorp.sales.199.~ipr.cdfa5e16-e759-4ba3-88f6-8b9dc83c1868.2",
        "test1.A_b~c-9",
        "peer.config",
    ],
)
def test_PK_04_addresses(text: str) -> None:
    assert is_address(text)
    assert parse_address(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "g",
        "g.",
        ".g",
        "g..a",
        "g.a.",
        ".g.a",
        "g.a b",
        " g.a",
        "g.a\n",
        "g.a\r",
        "g.a\x00",
        "G.a",
        "test4.a",
        "test10.a",
        "tests.a",
        "unknown.a",
        "g.ä",
        "g.a/b",
        "g.a+b",
        "g.a:b",
        "g.a%20b",
        "g.１",
        "example.Ａ",
    ],
)
def test_PK_04_what_is_no_address(text: str) -> None:
    assert not is_address(text)
    with pytest.raises(InvalidRequestError, match="is not an ILP address"):
        parse_address(text)


def test_PK_04_the_length_is_bounded() -> None:
    longest = "g." + "a" * (ADDRESS_LENGTH_MAX - 2)
    assert is_address(longest)
    assert not is_address(longest + "a")
    with pytest.raises(InvalidRequestError, match="at most 1023 characters, this one has 1024"):
        parse_address(longest + "a")
    with pytest.raises(InvalidRequestError):
        parse_prefix(longest + "a")


@pytest.mark.parametrize("text", ["", "g", "test2", "g.a", "g.a.b"])
def test_prefixes(text: str) -> None:
    assert parse_prefix(text) == text


@pytest.mark.parametrize("text", [".", "g.", "x", "g.a.", "g..a", "g.*", "g\n"])
def test_what_is_no_prefix(text: str) -> None:
    with pytest.raises(InvalidRequestError, match="is not an ILP address prefix"):
        parse_prefix(text)


@pytest.mark.parametrize(
    ("prefix", "address", "expected"),
    [
        ("", "g.alice", True),
        ("g", "g.alice", True),
        ("g.alice", "g.alice", True),
        ("g.alice", "g.alice.shop", True),
        ("g.alice", "g.alicebob", False),
        ("g.alice.shop", "g.alice", False),
        ("g.Alice", "g.alice", False),
        ("test", "test1.alice", False),
    ],
)
def test_CR_16_a_prefix_ends_where_a_segment_ends(prefix: str, address: str, expected: bool) -> None:
    assert is_prefix_of(prefix, address) is expected


@given(ADDRESSES)
def test_the_beginnings_of_an_address_are_its_prefixes(address: str) -> None:
    segments = address.split(".")
    for count in range(len(segments) + 1):
        prefix = ".".join(segments[:count])
        assert parse_prefix(prefix) == prefix
        assert is_prefix_of(prefix, address)


@given(st.text(max_size=30))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    if is_address(text):
        assert text.isascii()
        assert "." in text
        assert parse_prefix(text) == parse_address(text) == text
    else:
        with pytest.raises(InvalidRequestError):
            parse_address(text)
