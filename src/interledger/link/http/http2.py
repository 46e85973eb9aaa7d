"""HTTP/2, optional: whether it is installed, what one connection may ask of us, and how that is said to the library.

`pip install interledger-py[http2]` brings `ngh2`, a binding of libnghttp2, which does frames, HPACK, flow control and
stream states. Without it nothing here offers HTTP/2 and every peer speaks HTTP/1.1 (docs/decisions/0012).

A connection of HTTP/2 can cost a server far more than the octets that arrive on it. Each such way has a bound here:

* many streams: `STREAMS_MAX`; the body of each: `Limits.body_max`; all bodies not complete: `BUFFERED_MAX` of the port;
* streams opened and reset at once (CVE-2023-44487), by the client or by errors of its own that make us reset them
  (CVE-2025-8671): `RESETS_MAX`;
* pings, settings, window updates, priorities, empty frames (CVE-2019-9512, -9515, -9518): `CONTROLS_MAX`, `ACKS_MAX`;
* heads that unpack to more than they are, or never end (HPACK bombs, CVE-2024-28182): `HEADER_LIST_MAX`,
  `CONTINUATIONS_MAX`;
* windows that stay shut (CVE-2019-9511, -9517): an answer that does not leave in `Limits.write_timeout_ms` is given up.
"""

from __future__ import annotations

import ssl
from asyncio import BaseTransport
from importlib.util import find_spec
from typing import Final, final

from interledger.link.http.heads import HEAD_OCTETS_MAX, HEADERS_MAX

__all__ = [
    "ACKS_MAX",
    "ALPN",
    "BUFFERED_MAX",
    "CONTINUATIONS_MAX",
    "CONTROLS_MAX",
    "CONTROLS_PER_REQUEST",
    "CONTROLS_PER_S",
    "GOAWAY_CALM",
    "HEADER_LIST_MAX",
    "PREFACE",
    "RESETS_MAX",
    "RESETS_PER_S",
    "RESETS_STRANGER_MAX",
    "STREAMS_MAX",
    "WINDOW_OCTETS",
    "Budget",
    "begins",
    "is_chosen",
    "is_installed",
    "offer",
]

STREAMS_MAX: Final = 128
"""Requests of one connection that are not answered yet: as many as our own HTTP/1.1 link opens connections."""

BUFFERED_MAX: Final = 64 * 1024 * 1024
"""Octets of bodies that are not complete, of all connections of a port. Above, a connection that holds more than one
whole body ends: packets arrive whole, in one read."""

WINDOW_OCTETS: Final = 1024 * 1024
"""What a peer may send on one connection before it hears from us: 2,000 packets in one round trip."""

RESETS_MAX: Final = 256
"""Streams that ended badly, beyond those forgiven: twice `STREAMS_MAX`, for all packets of a peer that time out."""
RESETS_STRANGER_MAX: Final = 32
"""The same, on a connection that has not brought a packet: each costs us more than it costs the client."""
RESETS_PER_S: Final = 32
"""Forgiven per second."""

CONTROLS_MAX: Final = 1_000
"""Frames that carry no request, beyond those that are forgiven."""
CONTROLS_PER_S: Final = 100
"""Forgiven per second: pings and settings."""
CONTROLS_PER_REQUEST: Final = 8
"""Forgiven with every whole request: its window updates, and the frames of its body."""

ACKS_MAX: Final = 64
"""Acknowledgements (of pings, of settings) that wait to be written. One read brings three or four, not a thousand."""

CONTINUATIONS_MAX: Final = 4
"""Frames that a head may go on over: one holds 16 KiB, more than a head may have."""

HEADER_LIST_MAX: Final = 2 * (HEAD_OCTETS_MAX + 32 * HEADERS_MAX)
"""Octets of a head once it is unpacked, with 32 for each field as RFC 9113 counts. Twice what we take: between the two
the answer is 431, above this the connection ends."""

ALPN: Final = ("h2", "http/1.1")
PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"""How a client begins that knows we speak HTTP/2 (RFC 9113 3.3, 3.4)."""

GOAWAY_CALM: Final = bytes.fromhex("000008 07 00 00000000 7fffffff 0000000b")
"""GOAWAY, ENHANCE_YOUR_CALM: our last words when the library will say nothing more. The stream it names is the highest
there can be: any request may have been handled, so none is repeated."""

_INSTALLED: Final = find_spec("ngh2") is not None


def is_installed() -> bool:
    """Whether HTTP/2 can be spoken here."""
    return _INSTALLED


def begins(octets: bytes) -> bool:
    """Whether a connection that begins so is to be HTTP/2."""
    return _INSTALLED and octets.startswith(PREFACE)


def offer(context: ssl.SSLContext) -> None:
    """Offer HTTP/2 before HTTP/1.1 in TLS (ALPN), where it is installed."""
    if _INSTALLED:
        context.set_alpn_protocols(list(ALPN))


def is_chosen(transport: BaseTransport) -> bool:
    """Whether both sides agreed on HTTP/2 in TLS."""
    tls = transport.get_extra_info("ssl_object")
    return tls is not None and tls.selected_alpn_protocol() == "h2"


@final
class Budget:
    """How often a peer may do what costs us more than it costs the peer. It starts full."""

    __slots__ = ("left", "most")

    def __init__(self, most: int) -> None:
        self.most = most
        self.left = most

    def refill(self, amount: int) -> None:
        """`amount` more are forgiven."""
        self.left = min(self.most, self.left + amount)

    def is_over(self, allowed: int) -> bool:
        """It was done more often than `allowed`, which may be less than `most`."""
        return self.left < self.most - allowed

    @property
    def is_spent(self) -> bool:
        """It was done too often."""
        return self.left < 0
