"""Whom we may call when the address comes from somebody else: a payment pointer, a redirect, a rate source.

Without a rule a stranger's payment pointer lets our node call the machines beside it (server-side request forgery). The
rule is decided on addresses, not on names, and on every address of a name; the caller then connects to an address that
was checked and to no other, so that a name cannot change its meaning in between (DNS rebinding).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from interledger.link.http.urls import IpAddress, Url

__all__ = ["EgressPolicy", "why_not_public"]

_V4_REFUSED: Final = tuple(
    (ipaddress.IPv4Network(network), reason)
    for network, reason in (
        ("0.0.0.0/8", "this network"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "shared by a provider's customers"),
        ("127.0.0.0/8", "loopback"),
        ("169.254.0.0/16", "link-local"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "reserved for protocols"),
        ("192.0.2.0/24", "for documents"),
        ("192.88.99.0/24", "a 6to4 relay"),
        ("192.168.0.0/16", "private"),
        ("198.18.0.0/15", "for benchmarks"),
        ("198.51.100.0/24", "for documents"),
        ("203.0.113.0/24", "for documents"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
    )
)
"""IANA's special-purpose IPv4 registry. Our own table: that of `ipaddress` differs from one Python to the next."""

_V6_PUBLIC: Final = ipaddress.IPv6Network("2000::/3")
"""IPv6 is the other way round: global unicast is this, and nothing else is (so neither ::1, fe80::, fc00::, ff00::,
::ffff:0:0/96 that stands for IPv4, nor 64:ff9b::/96 that leads there)."""

_V6_REFUSED: Final = tuple(
    (ipaddress.IPv6Network(network), reason)
    for network, reason in (
        ("2001::/23", "reserved for protocols"),
        ("2001:db8::/32", "for documents"),
        ("2002::/16", "6to4, which leads to an IPv4 address"),
        ("3fff::/20", "for documents"),
    )
)


def why_not_public(address: IpAddress) -> str | None:
    """Why `address` is none of the public internet; None when it is."""
    if isinstance(address, ipaddress.IPv4Address):
        return next((reason for network, reason in _V4_REFUSED if address in network), None)
    if address.scope_id is not None:
        return "link-local"
    if address not in _V6_PUBLIC:
        return "loopback" if address.is_loopback else "not global unicast"
    return next((reason for network, reason in _V6_REFUSED if address in network), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class EgressPolicy:
    """The rule: https, to public addresses.

    `development`: http and this machine are allowed too, nothing else private. `allowed`: authorities (`host` or
    `host:port`) that an operator named; they may be anywhere, over http too, as settlement engines beside a node are.
    """

    development: bool = False
    allowed: frozenset[str] = frozenset()

    def refuses_url(self, url: Url) -> str | None:
        """Why `url` may not be called, before its name is resolved; None when it may."""
        if url.authority in self.allowed:
            return None
        if not url.is_tls and not self.development:
            return "only https is allowed"
        address = url.address
        return None if address is None else self.refuses_addresses(url, (address,))

    def refuses_addresses(self, url: Url, addresses: Iterable[IpAddress]) -> str | None:
        """Why a host with these addresses may not be called: each of them must be good. None when it may."""
        if url.authority in self.allowed:
            return None
        for address in addresses:
            reason = why_not_public(address)
            if reason is not None and not (self.development and address.is_loopback and _is_plain(address)):
                return f"its address {address} is {reason}"
        return None


def _is_plain(address: IpAddress) -> bool:
    """Not IPv4 in disguise, which some versions of Python call loopback too."""
    return isinstance(address, ipaddress.IPv4Address) or address == ipaddress.IPv6Address("::1")
