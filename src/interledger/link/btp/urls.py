"""The addresses of BTP servers: `btp+wss://user:token@host:port/path`, as the programs of other makers write them."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit, urlunsplit

from interledger.errors import InvalidRequestError

__all__ = ["BtpAddress", "parse_btp_url", "take_token"]

_SCHEMES = {"btp+ws": "ws", "btp+wss": "wss", "ws": "ws", "wss": "wss"}


@dataclass(frozen=True, slots=True)
class BtpAddress:
    """Where to dial, and as whom. `url` has the scheme ws or wss, and no secret: it may be logged."""

    url: str
    host: str
    port: int
    secure: bool
    username: str
    token: str = field(repr=False)

    @property
    def is_loopback(self) -> bool:
        """Whether the server is on this machine: only there may the token travel without TLS."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def take_token(text: str) -> tuple[str, str | None]:
    """The URL without its token, and the token, where it carries one. What is no URL is left as it is."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return text, None
    userinfo, _, host = parts.netloc.rpartition("@")
    username, _, token = userinfo.partition(":")
    if not token:
        return text, None
    return urlunsplit(parts._replace(netloc=f"{username}@{host}" if username else host)), unquote(token)


def parse_btp_url(text: str, token: str | None = None) -> BtpAddress:
    """`btp+ws`, `btp+wss`, `ws` or `wss`; the user may be empty. `token` is used when the URL carries none.

    Raises `InvalidRequestError`, which never shows the token.
    """
    try:
        parts = urlsplit(text)
        port = parts.port
        host = parts.hostname
    except ValueError:
        raise InvalidRequestError("the BTP URL has a host or port that cannot be read", "btp_url") from None
    scheme = _SCHEMES.get(parts.scheme)
    if scheme is None or not host or parts.fragment:
        raise InvalidRequestError("a BTP URL looks like  btp+wss://user:token@host:port/path", "btp_url")
    if port is None:
        port = 443 if scheme == "wss" else 80
    secret = unquote(parts.password or "")
    if secret and token:
        raise InvalidRequestError("the token is given twice: in the BTP URL and beside it", "btp_url")
    shown_host = f"[{host}]" if ":" in host else host
    url = urlunsplit((scheme, f"{shown_host}:{port}", parts.path or "/", parts.query, ""))
    return BtpAddress(url, host, port, scheme == "wss", unquote(parts.username or ""), secret or token or "")
