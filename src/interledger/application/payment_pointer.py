"""Payment pointers (RFC 26): `$wallet.example/alice`, the URL it stands for, and the way back.

One parser for both spellings, so that no two parts of the package can disagree about what a text means. The profile is
narrow on purpose: what other URL parsers read differently (`..`, backslashes, `0x7f.1`, user names) is refused.

| pointer | URL |
|---|---|
| `$example.com` | `https://example.com/.well-known/pay` |
| `$example.com/bob` | `https://example.com/bob` |
| `$localhost:7770/bob` (development) | `http://localhost:7770/bob` |
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Final

from interledger.errors import ResolveError

__all__ = ["PaymentPointer", "endpoint_url", "is_loopback", "parse_payment_pointer"]

WELL_KNOWN_PATH: Final = "/.well-known/pay"

POINTER_LENGTH_MAX: Final = 2_000
"""Longer URLs are not served by common web servers."""

HOST_LENGTH_MAX: Final = 253
"""RFC 1035: 255 octets on the wire, 253 as text."""

EXAMPLE: Final = "They look like  $wallet.example/alice"

_BOTH = re.compile(r"\$[^/]*://")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PATH = re.compile(r"(?:/(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})*)*")
_QUERY = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_ENCODED_DOT = re.compile(r"%2[eE]")


@dataclass(frozen=True, slots=True)
class PaymentPointer:
    """A payment pointer, normalised: host in small letters, no path where it is the well-known one.

    `str()` is the spelling to show to people, `url` the endpoint to ask.
    """

    host: str
    path: str = ""
    """With its leading slash, letters as they were given; empty stands for `/.well-known/pay`."""
    scheme: str = "https"
    port: int | None = None
    """Only on loopback, in development."""

    @property
    def authority(self) -> str:
        """The host, and the port where there is one."""
        return self.host if self.port is None else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """The endpoint: where a payment setup protocol starts. Also the Open Payments wallet address."""
        # RFC 26: "If _path-abempty_ is empty or equal to `/` then it is assigned the value `/.well-known/pay`."
        return f"{self.scheme}://{self.authority}{self.path or WELL_KNOWN_PATH}"

    def __str__(self) -> str:
        """`$host/path`; the URL where that would be read as another scheme (https on loopback)."""
        if (self.scheme == "http") is is_loopback(self.host):
            return f"${self.authority}{self.path}"
        return self.url


def parse_payment_pointer(text: str, *, development: bool = False) -> PaymentPointer:
    """`$host/path` or `https://host/path` -> `PaymentPointer` (RFC 26, "Payment Pointer Syntax").

    `development` allows http and a port, on loopback only. Raises `ResolveError` with what to do about it.
    """
    # RFC 26: "Payment pointers that do not meet the limited syntax of this profile MUST be considered invalid and
    # should not be used to resolve a receiver endpoint."
    scheme, host, port, path, query = _split(text, development=development)
    if query is not None:
        raise ResolveError(f"“{text}” has a query (?). A payment pointer has none: leave it out.")
    if port is not None and not (development and is_loopback(host)):
        hint = ", or set  development = true" if is_loopback(host) else ""
        raise ResolveError(f"“{text}” has a port. A payment pointer has none: leave out  :{port}{hint}")
    return PaymentPointer(host, "" if path in ("", "/", WELL_KNOWN_PATH) else path, scheme, port)


def endpoint_url(text: str, *, development: bool = False) -> str:
    """The URL to ask for a pointer, or for the raw address of an SPSP endpoint (RFC 9).

    A raw https URL may have a port and a query, which a pointer may not; everything else is judged alike.
    """
    if text.startswith("$"):
        return parse_payment_pointer(text, development=development).url
    # RFC 9: "SPSP Clients SHOULD treat the URL as opaque and not depend on any information they derive from the URL."
    scheme, host, port, path, query = _split(text, development=development)
    authority = host if port is None else f"{host}:{port}"
    where = WELL_KNOWN_PATH if path in ("", "/") else path
    return f"{scheme}://{authority}{where}" + ("" if query is None else f"?{query}")


def is_loopback(host: str) -> bool:
    """Whether a host, spelled as this module spells it, can only be this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _split(text: str, *, development: bool) -> tuple[str, str, int | None, str, str | None]:
    """Either spelling -> (scheme, host, port, path, query), each part checked."""
    _check_characters(text)
    scheme, rest = _take_scheme(text)
    rest, hash_sign, _ = rest.partition("#")
    if hash_sign:
        raise ResolveError(f"“{text}” has a fragment (#). Leave out everything from the # on.")
    rest, question_mark, query = rest.partition("?")
    authority, slash, path = rest.partition("/")
    if "@" in authority:
        raise ResolveError(f"“{text}” has a user name before the host. Leave out everything up to the @.")
    host, port = _take_port(text, authority)
    host = _parse_host(text, host)
    if scheme == "":
        scheme = "http" if development and is_loopback(host) else "https"
    # RFC 9: "SPSP messages MUST be exchanged over HTTPS."
    if scheme == "http" and not (development and is_loopback(host)):
        hint = " Set  development = true" if is_loopback(host) else f" Write  https://{host}"
        raise ResolveError(f"“{text}” is not https. Plain http is for this machine in development only.{hint}")
    if _QUERY.fullmatch(query) is None:
        raise ResolveError(f"“{text}” has characters in its query that a URL cannot have.")
    return scheme, host, port, _parse_path(text, slash + path), query if question_mark else None


def _check_characters(text: str) -> None:
    if len(text) > POINTER_LENGTH_MAX:
        raise ResolveError(f"a payment pointer has at most {POINTER_LENGTH_MAX} characters, this one has {len(text)}.")
    # RFC 26: "Implementations that attempt to interpret a Payment Pointer that contains non-ASCII characters should be
    # aware of the security risks." We are: two hosts that look alike are not the same receiver.
    if not text.isascii():
        raise ResolveError(f"{text!a} has letters outside ASCII. Write the host in xn-- form, the path with %.")
    if not text.isprintable() or " " in text:
        raise ResolveError(f"{text!r} has a space or a control character in it. {EXAMPLE}")


def _take_scheme(text: str) -> tuple[str, str]:
    """The scheme (empty for `$`) and what follows."""
    if text.startswith("$"):
        if _BOTH.match(text):
            raise ResolveError(f"“{text}” is both a pointer and a URL. Leave out the $, or the  https://")
        return "", text[1:]
    scheme, separator, rest = text.partition("://")
    if separator and scheme.lower() in ("https", "http"):
        return scheme.lower(), rest
    if separator:
        raise ResolveError(f"“{text}” is not https. {EXAMPLE}  or  https://wallet.example/alice")
    hint = f"Did you mean  ${text} ?" if "." in text.partition("/")[0] and "@" not in text else EXAMPLE
    raise ResolveError(f"“{text}” is not a payment pointer. {hint}")


def _take_port(text: str, authority: str) -> tuple[str, int | None]:
    bracket = authority.rfind("]")
    host, colon, port = authority[bracket + 1 :].partition(":")
    host = authority[: bracket + 1] + host
    if not colon:
        return host, None
    if _PORT.fullmatch(port) is None or int(port) > 65_535:
        raise ResolveError(f"“{text}” has “{port}” for a port. A port is a number from 1 to 65535.")
    return host, int(port)


def _parse_host(text: str, host: str) -> str:
    """The host in its one spelling. Raises where parsers differ about what it is."""
    host = host.lower()
    if host.startswith("["):
        try:
            return f"[{ipaddress.IPv6Address(host[1:-1] if host.endswith(']') and '%' not in host else '')}]"
        except ValueError:
            raise ResolveError(f"“{text}” has no valid IPv6 address between [ and ].") from None
    if host == "":
        raise ResolveError(f"“{text}” names no host. {EXAMPLE}")
    labels = host.split(".")
    if len(host) > HOST_LENGTH_MAX or not all(_LABEL.fullmatch(label) for label in labels):
        raise ResolveError(f"“{text}” has no valid host name. {EXAMPLE}")
    # A last part that is a number makes an IPv4 address of it, and `0x7f.1` or `127.1` are read in many ways.
    if _NUMBER_LABEL.fullmatch(labels[-1]):
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError:
            raise ResolveError(f"“{text}” has a number where the host belongs. {EXAMPLE}") from None
    return host


def _parse_path(text: str, path: str) -> str:
    if _PATH.fullmatch(path) is None:
        raise ResolveError(f"“{text}” has characters in its path that a URL cannot have. Write them with %.")
    for segment in path.split("/"):
        if _ENCODED_DOT.sub(".", segment) in (".", ".."):
            raise ResolveError(f"“{text}” has  {segment}  in its path. Write the path without going up or staying.")
    return path
