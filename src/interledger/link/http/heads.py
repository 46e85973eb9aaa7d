"""A request as every version of HTTP gives it to those behind, and the limits of its head and body."""

from __future__ import annotations

from typing import Final, NamedTuple, final

__all__ = [
    "HEADERS_MAX",
    "HEAD_OCTETS_MAX",
    "METHODS",
    "REQUEST_BODY_MAX",
    "Refusal",
    "Request",
    "repeatable_head",
    "repeated_header",
]

HEAD_OCTETS_MAX: Final = 8_192
"""Request line and headers together. Ours have 300; browsers with cookies stay below 4,000."""

HEADERS_MAX: Final = 64
"""Headers of a request: browsers send 20."""

REQUEST_BODY_MAX: Final = 65_536
"""Octets of a body: twice the largest ILP packet, and more than any JSON our API takes."""

METHODS: Final = frozenset({b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS"})
"""Those that somebody here may answer."""

_SINGLE: Final = frozenset(
    {
        b"host",
        b"authorization",
        b"content-type",
        b"content-length",
        b"transfer-encoding",
        b"expect",
        b"request-id",
        b"callback-url",
    }
)
"""Headers that must not come twice: two readers could choose a different one each."""


class Refusal(NamedTuple):
    """Why a connection's octets are read no further."""

    status: int
    reason: str


@final
class Request:
    """A whole request. `headers`: (name in lower case, value) in their order; `fields`: the same by name."""

    __slots__ = ("body", "fields", "headers", "keep_alive", "method", "target", "upgrade", "version")

    def __init__(self) -> None:
        self.method = b""
        self.target = b""
        self.version = "1.1"
        self.headers: list[tuple[bytes, bytes]] = []
        self.fields: dict[bytes, bytes] = {}
        self.body = b""
        self.keep_alive = True
        self.upgrade = False
        """The client asks for a WebSocket; the octets behind this request are no longer HTTP."""

    @property
    def path(self) -> bytes:
        """The target without its query, as it was written."""
        return self.target.partition(b"?")[0]

    def encode_head(self) -> bytes:
        """Request line and headers as octets, for whoever takes over the connection."""
        lines = [b"%b %b HTTP/%b" % (self.method, self.target, self.version.encode("ascii"))]
        lines += [name + b": " + value for name, value in self.headers]
        return b"\r\n".join(lines) + b"\r\n\r\n"


def repeated_header(headers: list[tuple[bytes, bytes]]) -> bytes | None:
    """The first header that comes twice and must not; None when there is none."""
    seen: set[bytes] = set()
    for name, _ in headers:
        if name in seen and name in _SINGLE:
            return name
        seen.add(name)
    return None


def repeatable_head(request: Request, data: bytes, proof: bytes = b"") -> bytes:
    """The octets before the body, when `data` are exactly this request and the same head may come again; else nothing.

    A body of known length that is there as it was sent: chunks have octets between them. `proof`: what else the client
    has shown, on this connection; it goes before the head.
    """
    fields = request.fields
    if not request.keep_alive or request.upgrade or b"content-length" not in fields or b"expect" in fields:
        return b""
    end = data.find(b"\r\n\r\n") + 4
    return proof + data[:end] if data[end:] == request.body else b""
