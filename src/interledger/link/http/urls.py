"""One strict reader of `http:` and `https:` URLs, used wherever we connect to somebody.

There is no second parser that could see another host in the same text (reliability F2): no userinfo, no backslash, no
octet outside visible ASCII, and a host that looks like a number is an IPv4 address in four decimals or nothing.
"""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple

from interledger.errors import InvalidRequestError

__all__ = ["IpAddress", "Url", "join_url", "parse_url"]

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_URL = re.compile(
    r"(?P<scheme>[Hh][Tt][Tt][Pp][Ss]?)://"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<target>(?:/[!$-;=?-Z\[\]_a-z~]*)?(?:\?[!$-;=?-Z\[\]_a-z~]*)?)"
    r"(?:#[!-~]*)?"
)
_NAME = re.compile(
    r"(?=.{1,253}\Z)(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)*[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
)
_NUMBER = re.compile(r"(?:0[xX][0-9A-Fa-f]*|[0-9]+)")

URL_LENGTH_MAX = 2048
"""Characters; what other programs agree on. Nobody needs a longer one here."""

DEFAULT_PORTS = {"http": 80, "https": 443}


class Url(NamedTuple):
    """A URL in its parts. `target` is path and query, as the request line wants them."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def is_tls(self) -> bool:
        return self.scheme == "https"

    @property
    def address(self) -> IpAddress | None:
        """The host, when it is an address and not a name."""
        try:
            return ipaddress.ip_address(self.host)
        except ValueError:
            return None

    @property
    def authority(self) -> str:
        """`host` or `host:port`, as the Host header and an origin show it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.authority}"

    def __str__(self) -> str:
        return self.origin + self.target


def parse_url(text: str) -> Url:
    """`text` in its parts; host in lower case, fragment dropped. Raises `InvalidRequestError` with the reason."""
    match = _URL.fullmatch(text) if len(text) <= URL_LENGTH_MAX else None
    if match is None:
        raise InvalidRequestError(
            f"“{text[:80]}” is not an address we can call. They look like  https://example.com/ilp"
        )
    scheme = match["scheme"].lower()
    port = int(match["port"] or DEFAULT_PORTS[scheme])
    if not 1 <= port <= 65_535:
        raise InvalidRequestError(f"a port is between 1 and 65535, not {port}")
    target = match["target"]
    return Url(scheme, _check_host(match["host"].lower()), port, target if target.startswith("/") else "/" + target)


def join_url(base: Url, reference: str) -> Url:
    """Where a `Location` of `base`'s answer leads: a whole URL, or an absolute path. Raises `InvalidRequestError`."""
    if reference.startswith("/") and not reference.startswith("//"):
        return parse_url(base.origin + reference)
    return parse_url(reference)


def _check_host(host: str) -> str:
    if host.startswith("["):
        try:
            return str(ipaddress.IPv6Address(host[1:-1]))
        except ValueError:
            raise InvalidRequestError(f"“{host}” is not an IPv6 address") from None
    # WHATWG URL: a host whose last label is a number is an IPv4 address. We read one form of them only.
    if _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]):
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError:
            raise InvalidRequestError(f"“{host}” is a number written oddly, not a host") from None
    if not _NAME.fullmatch(host):
        raise InvalidRequestError(f"“{host}” is not a host name")
    return host
