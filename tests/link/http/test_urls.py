"""One reader of URLs."""

from __future__ import annotations

import pytest

from interledger.errors import InvalidRequestError
from interledger.link.http.urls import join_url, parse_url


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("http://a.example", ("http", "a.example", 80, "/")),
        ("HTTPS://A.Example/x?y=1#z", ("https", "a.example", 443, "/x?y=1")),
        ("https://a.example:8443?q", ("https", "a.example", 8443, "/?q")),
        ("http://127.0.0.1:7770/ilp", ("http", "127.0.0.1", 7770, "/ilp")),
        ("http://[::1]:80/", ("http", "::1", 80, "/")),
        ("http://[0:0::1]/", ("http", "::1", 80, "/")),
        ("http://localhost/", ("http", "localhost", 80, "/")),
        ("https://x-1.y_z.example/%7Ea/$b", ("https", "x-1.y_z.example", 443, "/%7Ea/$b")),
    ],
)
def test_read(text: str, parts: tuple[str, str, int, str]) -> None:
    assert tuple(parse_url(text)) == parts


@pytest.mark.parametrize(
    "text",
    [
        "", "a.example", "//a.example", "ftp://a.example", "https:/a.example", "https:///x", "https://",
        "https://user@a.example/", "https://user:pw@a.example/", "https://a.example\\@b.example/", "https://a.example:/",
        "https://a.example:0/", "https://a.example:65536/", "https://a.example:+1/", "https://a.example:１/",
        "https://a example/", "https://a.example/ x", "https://a.example/\n", "https://a.example/x\ty", "https://ä.example/",
        "https://a.example/ä", "https://a..example/", "https://.example/", "https://a.example./", "https://-a.example/",
        "https://[::1/", "https://[::g]/", "https://[::1%25eth0]/", "https://::1/", "https://%31.example/",
        "https://2130706433/", "https://0x7f000001/", "https://0x7f.1/", "https://127.1/", "https://0177.0.0.1/",
        "https://017700000001/", "https://1.2.3.4.5/", "https://1.2.3.256/", "https://1.2.3.4./", "https://a.0x1/",
        "https://a.1/", "https://" + "a" * 64 + ".example/", "https://" + "a." * 130 + "example/",
        "https://a.example/" + "x" * 2048,
    ],
)  # fmt: skip
def test_F2_refused(text: str) -> None:
    with pytest.raises(InvalidRequestError):
        parse_url(text)


def test_shown_again() -> None:
    assert str(parse_url("HTTP://[::1]:81/a?b#c")) == "http://[::1]:81/a?b"
    assert str(parse_url("https://a.example:443")) == "https://a.example/"
    assert parse_url("https://a.example").is_tls
    assert parse_url("https://a.example").address is None
    assert str(parse_url("https://192.0.2.1").address) == "192.0.2.1"


@pytest.mark.parametrize(
    ("reference", "to"),
    [("/x", "https://a.example:8443/x"), ("https://b.example/y", "https://b.example/y"), ("http://c.example", "http://c.example/")],
)  # fmt: skip
def test_redirects_lead(reference: str, to: str) -> None:
    assert str(join_url(parse_url("https://a.example:8443/z/"), reference)) == to


@pytest.mark.parametrize("reference", ["x", "../x", "//b.example/", "javascript:x", "?q"])
def test_redirects_that_we_do_not_read(reference: str) -> None:
    with pytest.raises(InvalidRequestError):
        join_url(parse_url("https://a.example/"), reference)
