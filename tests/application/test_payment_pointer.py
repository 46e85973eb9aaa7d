"""Payment pointers as tables: what each text resolves to, and why the others are refused (PP-01, PP-02)."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from interledger.application.payment_pointer import PaymentPointer, endpoint_url, is_loopback, parse_payment_pointer
from interledger.errors import ResolveError

RESOLUTION = [
    # The four examples of RFC 26.
    ("$example.com", "https://example.com/.well-known/pay", "$example.com"),
    ("$example.com/invoices/12345", "https://example.com/invoices/12345", "$example.com/invoices/12345"),
    ("$bob.example.com", "https://bob.example.com/.well-known/pay", "$bob.example.com"),
    ("$example.com/bob", "https://example.com/bob", "$example.com/bob"),
    # "If path-abempty is empty or equal to `/`".
    ("$example.com/", "https://example.com/.well-known/pay", "$example.com"),
    ("$example.com/.well-known/pay", "https://example.com/.well-known/pay", "$example.com"),
    ("$example.com/.well-known/pay/", "https://example.com/.well-known/pay/", "$example.com/.well-known/pay/"),
    # The host's case means nothing, the path's does.
    ("$EXAMPLE.com/Bob", "https://example.com/Bob", "$example.com/Bob"),
    ("$example.com/bob/", "https://example.com/bob/", "$example.com/bob/"),
    ("$example.com//bob", "https://example.com//bob", "$example.com//bob"),
    ("$example.com/~a!$&'()*+,;=:@_-.", "https://example.com/~a!$&'()*+,;=:@_-.", "$example.com/~a!$&'()*+,;=:@_-."),
    ("$example.com/@bob", "https://example.com/@bob", "$example.com/@bob"),
    ("$example.com/a%20b", "https://example.com/a%20b", "$example.com/a%20b"),
    ("$example.com/...", "https://example.com/...", "$example.com/..."),
    ("$xn--bcher-kva.example", "https://xn--bcher-kva.example/.well-known/pay", "$xn--bcher-kva.example"),
    ("$wallet", "https://wallet/.well-known/pay", "$wallet"),
    ("$cloud_nine.wallet/a", "https://cloud_nine.wallet/a", "$cloud_nine.wallet/a"),
    ("$192.0.2.1/a", "https://192.0.2.1/a", "$192.0.2.1/a"),
    ("$[2001:DB8::1]/a", "https://[2001:db8::1]/a", "$[2001:db8::1]/a"),
    # URL spellings: the Open Payments wallet address.
    ("https://example.com", "https://example.com/.well-known/pay", "$example.com"),
    ("HTTPS://Example.com/bob", "https://example.com/bob", "$example.com/bob"),
    ("https://example.com/.well-known/pay", "https://example.com/.well-known/pay", "$example.com"),
]


@pytest.mark.parametrize(("text", "url", "shown"), RESOLUTION, ids=[row[0] for row in RESOLUTION])
def test_PP_01_resolution(text: str, url: str, shown: str) -> None:
    pointer = parse_payment_pointer(text)
    assert (pointer.url, str(pointer)) == (url, shown)
    assert parse_payment_pointer(shown) == pointer == parse_payment_pointer(url)
    assert endpoint_url(text) == url
    # Development mode changes nothing for hosts of the world.
    assert parse_payment_pointer(text, development=True) == pointer


REFUSED = [
    ("$example.com:8080", "has a port.* leave out  :8080$"),
    ("https://example.com:443/bob", "has a port"),
    ("$localhost:7770/bob", "set  development = true"),
    ("$example.com:", "for a port"),
    ("$example.com:0", "for a port"),
    ("$example.com:65536", "for a port"),
    ("$example.com:1:2", "for a port"),
    ("$example.com:８０", "ASCII"),
    ("$user@example.com", "user name"),
    ("$user:secret@example.com", "user name"),
    ("https://trusted.example@evil.example/", "user name"),
    ("$example.com?a=b", "query"),
    ("$example.com/bob?", "query"),
    ("$example.com#a", "fragment"),
    ("https://example.com/bob#", "fragment"),
    ("$example.com/../bob", r"  \.\.  in its path"),
    ("$example.com/a/..", r"  \.\.  in its path"),
    ("$example.com/.", "in its path"),
    ("$example.com/%2e%2E/bob", "in its path"),
    ("$example.com/.%2e", "in its path"),
    ("$example.com/a b", "space"),
    ("$example.com\n", "space or a control"),
    ("$example.com/\x00", "control"),
    ("$example.com\\@evil.example", "user name|host name"),
    ("$example.com/\\evil", "path"),
    ("$example.com/%zz", "path"),
    ("$example.com/%2", "path"),
    ("$example.com/<b>", "path"),
    ("$bücher.example", "xn--"),
    ("$еxample.com", "xn--"),
    ("$example.com/ü", "%"),
    ("$example.com\u3002evil", "ASCII"),
    ("$", "names no host"),
    ("$/bob", "names no host"),
    ("https://", "names no host"),
    ("$example..com", "host name"),
    ("$.example.com", "host name"),
    ("$example.com.", "host name"),
    ("$-example.com", "host name"),
    ("$example-.com", "host name"),
    ("$exa%6dple.com", "host name"),
    ("$" + "a" * 64 + ".com", "host name"),
    ("$" + ".".join(["a" * 60] * 5), "host name"),
    ("$0x7f.1", "number"),
    ("$127.1", "number"),
    ("$2130706433", "number"),
    ("$017700000001", "number"),
    ("$10", "number"),
    ("$127.0.0.01", "number"),
    ("$1.2.3.4.5", "number"),
    ("$0x7f.0x0.0x0.0x1", "number"),
    ("$[::1", "port"),
    ("$[::1]]", "IPv6"),
    ("$[]", "IPv6"),
    ("$[::1%25eth0]", "IPv6"),
    ("$[1.2.3.4]", "IPv6"),
    ("$[::1]x", "IPv6"),
    ("", "not a payment pointer"),
    ("bob", "not a payment pointer. They look like"),
    ("example.com/bob", r"Did you mean  \$example.com/bob \?"),
    ("bob@example.com", "not a payment pointer. They look like"),
    ("test.bob", "Did you mean"),
    ("$https://example.com", "both a pointer and a URL"),
    ("http://example.com/bob", "is not https.* Write  https://example.com"),
    ("http://localhost/bob", "development only. Set  development = true$"),
    ("ftp://example.com/bob", "is not https"),
    ("javascript://example.com/", "is not https"),
    ("https:/example.com", "not a payment pointer"),
    ("$" + "a/" * 1_000, "at most 2000"),
]


@pytest.mark.parametrize(("text", "reason"), REFUSED, ids=[ascii(row[0][:40]) for row in REFUSED])
def test_PP_02_refused(text: str, reason: str) -> None:
    with pytest.raises(ResolveError, match=reason):
        parse_payment_pointer(text)


DEVELOPMENT = [
    ("$localhost:7770/bob", "http://localhost:7770/bob", "$localhost:7770/bob"),
    ("$localhost:7770", "http://localhost:7770/.well-known/pay", "$localhost:7770"),
    ("$localhost", "http://localhost/.well-known/pay", "$localhost"),
    ("$hub.localhost:7770/bob", "http://hub.localhost:7770/bob", "$hub.localhost:7770/bob"),
    ("$127.0.0.1:7770/bob", "http://127.0.0.1:7770/bob", "$127.0.0.1:7770/bob"),
    ("$127.8.8.8", "http://127.8.8.8/.well-known/pay", "$127.8.8.8"),
    ("$[::1]:7770/bob", "http://[::1]:7770/bob", "$[::1]:7770/bob"),
    ("http://localhost:7770/bob", "http://localhost:7770/bob", "$localhost:7770/bob"),
    ("https://localhost:7770/bob", "https://localhost:7770/bob", "https://localhost:7770/bob"),
]


@pytest.mark.parametrize(("text", "url", "shown"), DEVELOPMENT, ids=[row[0] for row in DEVELOPMENT])
def test_development_mode_knows_this_machine(text: str, url: str, shown: str) -> None:
    pointer = parse_payment_pointer(text, development=True)
    assert (pointer.url, str(pointer)) == (url, shown)
    assert parse_payment_pointer(shown, development=True) == pointer == parse_payment_pointer(url, development=True)
    assert endpoint_url(text, development=True) == url


@pytest.mark.parametrize("text", ["$example.com:7770/bob", "http://example.com/bob", "$10.0.0.1:80", "http://[::2]/"])
def test_development_mode_opens_nothing_else(text: str) -> None:
    with pytest.raises(ResolveError):
        parse_payment_pointer(text, development=True)


def test_https_on_loopback_is_shown_as_url() -> None:
    """`$localhost/bob` would be http where development mode is on."""
    pointer = parse_payment_pointer("$localhost/bob")
    assert (pointer.url, str(pointer)) == ("https://localhost/bob", "https://localhost/bob")
    assert parse_payment_pointer(str(pointer)) == pointer


ENDPOINTS = [
    ("https://example.com:8443/spsp/alice?x=1&y=%20", "https://example.com:8443/spsp/alice?x=1&y=%20"),
    ("https://example.com?id=7", "https://example.com/.well-known/pay?id=7"),
    ("https://example.com/?", "https://example.com/.well-known/pay?"),
]


@pytest.mark.parametrize(("text", "url"), ENDPOINTS)
def test_raw_endpoint_may_have_port_and_query(text: str, url: str) -> None:
    """RFC 9 wants raw endpoint URLs supported, and treated as opaque."""
    assert endpoint_url(text) == url
    assert endpoint_url(url) == url


@pytest.mark.parametrize(
    "text",
    [
        "$example.com:8443",
        "$example.com?x",
        "https://u@example.com/",
        "https://example.com/#a",
        "https://h/?a|b",
        "bob",
    ],
)
def test_raw_endpoint_refused(text: str) -> None:
    with pytest.raises(ResolveError):
        endpoint_url(text)


def test_loopback() -> None:
    yes = ["localhost", "a.localhost", "127.0.0.1", "127.255.0.1", "[::1]"]
    no = ["localhost.example", "notlocalhost", "10.0.0.1", "[::2]", "128.0.0.1", "example.com"]
    assert [host for host in yes + no if is_loopback(host)] == yes


@example(host="a", path="/://")
@settings(max_examples=40)
@given(
    host=st.from_regex(r"[a-z]([a-z0-9-]{0,10}[a-z0-9])?(\.[a-z][a-z0-9]{0,5}){0,3}", fullmatch=True),
    path=st.from_regex(r"(/[A-Za-z0-9~!$&'()*+,;=:@_-]{0,8}){0,4}", fullmatch=True),
)
def test_both_spellings_are_lossless(host: str, path: str) -> None:
    pointer = parse_payment_pointer(f"${host}{path}")
    assert parse_payment_pointer(str(pointer)) == pointer == parse_payment_pointer(pointer.url)
    assert pointer == PaymentPointer(host, "" if path == "/" else path)


@given(st.text(max_size=60) | st.text("$htps:/.@?#%[]\\localhst127x 0", max_size=40).map("$".__add__))
def test_any_text_gives_a_pointer_that_stays_itself_or_a_resolve_error(text: str) -> None:
    for development in (False, True):
        try:
            pointer = parse_payment_pointer(text, development=development)
        except ResolveError:
            continue
        assert parse_payment_pointer(str(pointer), development=development) == pointer
        assert parse_payment_pointer(pointer.url, development=development) == pointer
        assert pointer.scheme == "https" or (development and is_loopback(pointer.host))
