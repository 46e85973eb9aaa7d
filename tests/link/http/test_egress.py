"""F1: whom we call when a stranger gives the address. The table of hosts."""

from __future__ import annotations

import ipaddress

import pytest

from interledger.link.http.egress import EgressPolicy, why_not_public
from interledger.link.http.urls import parse_url

REFUSED_ADDRESSES = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.1.2.3",
    "169.254.169.254", "169.254.0.1", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.170", "192.0.2.1",
    "192.88.99.1", "192.168.0.1", "192.168.255.255", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9",
    "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:10.0.0.1", "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1", "64:ff9b::8.8.8.8", "64:ff9b:1::1", "100::1", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1",
    "fd00:ec2::254", "ff02::1", "ff0e::1", "2001::1", "2001:10::1", "2001:20::1", "2001:db8::1", "2002:7f00:1::",
    "2002:0808:0808::1", "3fff::1", "4000::1", "5f00::1",
]  # fmt: skip

PUBLIC_ADDRESSES = [
    "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
    "172.15.255.255", "172.32.0.0", "192.0.1.1", "192.167.255.255", "198.17.255.255", "198.20.0.0", "223.255.255.255",
    "2606:4700::1111", "2001:4860:4860::8888", "2a00::1",
]  # fmt: skip


@pytest.mark.parametrize("address", REFUSED_ADDRESSES)
def test_F1_refused(address: str) -> None:
    assert why_not_public(ipaddress.ip_address(address)) is not None
    url = parse_url("https://named.example/")
    both = (ipaddress.ip_address("8.8.8.8"), ipaddress.ip_address(address))
    assert EgressPolicy().refuses_addresses(url, both) is not None


@pytest.mark.parametrize("address", PUBLIC_ADDRESSES)
def test_F1_allowed(address: str) -> None:
    assert why_not_public(ipaddress.ip_address(address)) is None
    url = parse_url("https://named.example/")
    assert EgressPolicy().refuses_addresses(url, (ipaddress.ip_address(address),)) is None


LOOPBACK = ("127.0.0.1", "127.1.2.3", "::1")


@pytest.mark.parametrize("address", REFUSED_ADDRESSES)
def test_development_allows_this_machine_and_nothing_else(address: str) -> None:
    url = parse_url("http://named.example/")
    reason = EgressPolicy(development=True).refuses_addresses(url, (ipaddress.ip_address(address),))
    assert (reason is None) == (address in LOOPBACK)


@pytest.mark.parametrize(
    ("url", "strict", "development"),
    [
        ("https://a.example/", True, True),
        ("http://a.example/", False, True),
        ("https://8.8.8.8/", True, True),
        ("https://127.0.0.1/", False, True),
        ("http://127.0.0.1:3000/", False, True),
        ("https://[::1]/", False, True),
        ("https://[::ffff:127.0.0.1]/", False, False),
        ("https://169.254.169.254/latest", False, False),
        ("https://10.0.0.1/", False, False),
        ("http://engine.internal:3000/", True, True),
        ("http://engine.internal/", False, True),
        ("http://10.9.9.9/", True, True),
    ],
)
def test_urls(url: str, strict: bool, development: bool) -> None:
    allowed = frozenset({"engine.internal:3000", "10.9.9.9"})
    assert (EgressPolicy(allowed=allowed).refuses_url(parse_url(url)) is None) is strict
    assert (EgressPolicy(allowed=allowed, development=True).refuses_url(parse_url(url)) is None) is development


def test_who_is_named_may_be_anywhere() -> None:
    policy = EgressPolicy(allowed=frozenset({"engine.internal:3000"}))
    private = (ipaddress.ip_address("10.0.0.1"),)
    assert policy.refuses_addresses(parse_url("http://engine.internal:3000/"), private) is None
    assert policy.refuses_addresses(parse_url("http://engine.internal:3001/"), private) is not None
