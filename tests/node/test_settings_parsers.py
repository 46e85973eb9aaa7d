"""Text to value: what is let through, and what is not."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interledger.errors import InvalidRequestError
from interledger.node.settings_parsers import (
    format_ratio,
    is_loopback_host,
    one_of,
    parse_bind_address,
    parse_bool,
    parse_origins,
    parse_ratio,
    parse_seed,
    parse_text,
    parse_token,
    parse_url,
    whole_number,
)


@pytest.mark.parametrize(
    ("parse", "text", "value"),
    [
        (parse_text, "./.ilp", "./.ilp"),
        (parse_origins, "", ()),
        (parse_origins, "https://a.example", ("https://a.example",)),
        (parse_origins, "http://a:8080, chrome-extension://abc", ("http://a:8080", "chrome-extension://abc")),
        (parse_bool, "yes", True),
        (parse_bool, "FALSE", False),
        (whole_number(0, 10), "10", 10),
        (one_of("a", "b"), "b", "b"),
        (parse_ratio, "0", Fraction(0)),
        (parse_ratio, "0.003", Fraction(3, 1000)),
        (parse_ratio, "0.3 %", Fraction(3, 1000)),
        (parse_ratio, "0.3%", Fraction(3, 1000)),
        (parse_token, "s3cret:with.signs", "s3cret:with.signs"),
        (parse_seed, "0" * 64, bytes(32)),
        (parse_url, "https://wallet.example/", "https://wallet.example"),
        (parse_url, "http://[::1]:7770/ilp", "http://[::1]:7770/ilp"),
        (parse_bind_address, "127.0.0.1:7770", ("127.0.0.1", 7770)),
        (parse_bind_address, "[::1]:0", ("::1", 0)),
        (parse_bind_address, "localhost:80", ("localhost", 80)),
    ],
)
def test_good(parse: Callable[[str], Any], text: str, value: object) -> None:
    assert parse(text) == value


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (parse_origins, "*"),
        (parse_origins, "https://a.example/path"),
        (parse_origins, "a.example"),
        (parse_text, ""),
        (parse_text, "two\nlines"),
        (parse_bool, "maybe"),
        (whole_number(1, 10), "0"),
        (whole_number(1, 10), "11"),
        (whole_number(1, 10), "1_0"),
        (whole_number(1, 10), "٣"),
        (whole_number(1, 10), "1\n"),
        (whole_number(1, 10), "-1"),
        (one_of("a", "b"), "c"),
        (parse_ratio, "1"),
        (parse_ratio, "100 %"),
        (parse_ratio, "-0.1"),
        (parse_ratio, ".5"),
        (parse_ratio, "NaN"),
        (parse_token, "with space"),
        (parse_token, ""),
        (parse_token, "x" * 4097),
        (parse_seed, "0" * 63),
        (parse_seed, "g" * 64),
        (parse_url, "wallet.example"),
        (parse_url, "ftp://wallet.example"),
        (parse_url, "http://user@wallet.example"),
        (parse_url, "http://wallet.example/#x"),
        (parse_url, "http://wallet.example:99999"),
        (parse_url, "http://wallet.example:0"),
        (parse_url, "http://"),
        (parse_bind_address, "7770"),
        (parse_bind_address, "127.0.0.1:65536"),
        (parse_bind_address, "127.0.0.1"),
        (parse_bind_address, "::1:7770"),
    ],
)
def test_bad(parse: Callable[[str], Any], text: str) -> None:
    with pytest.raises(InvalidRequestError):
        parse(text)


@given(st.integers(min_value=0, max_value=10**18 - 1))
def test_a_ratio_comes_back_as_it_was_written(parts: int) -> None:
    ratio = Fraction(parts, 10**18)
    assert parse_ratio(format_ratio(ratio)) == ratio


def test_loopback() -> None:
    assert all(is_loopback_host(host) for host in ("127.0.0.1", "127.1.2.3", "::1", "localhost"))
    assert not any(is_loopback_host(host) for host in ("0.0.0.0", "::", "10.0.0.1", "wallet.example"))
