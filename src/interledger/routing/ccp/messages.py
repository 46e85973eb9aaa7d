"""The two messages of CCP, as they stand in the data of a Prepare to `peer.route.*` (CC-01).

Text is read as Latin-1, so that any octets come back as they were: whether something is an address is judged where the
route is imported, and one bad route does not cost the others of its update.
"""

from __future__ import annotations

import enum
from sys import intern
from typing import Final, NamedTuple

from interledger.clock import Timestamp
from interledger.codec.oer import (
    encode_octets,
    encode_uint,
    read_count,
    read_fixed,
    read_octets,
    read_uint8,
    read_uint16,
    read_uint32,
)
from interledger.errors import DecodeError
from interledger.ilp.address import Address
from interledger.ilp.packet import Prepare
from interledger.ilp.peer import PEER_CONDITION, PEER_REQUEST_LIFETIME_MS

__all__ = [
    "CONTROL_DESTINATION",
    "NO_TABLE",
    "ROUTES_MAX",
    "UPDATE_DESTINATION",
    "UPDATE_OCTETS_MAX",
    "AnnouncedRoute",
    "Mode",
    "RouteControl",
    "RouteProp",
    "RouteUpdate",
]

CONTROL_DESTINATION: Final = Address("peer.route.control")
UPDATE_DESTINATION: Final = Address("peer.route.update")

NO_TABLE: Final = bytes(16)
"""The table id of whoever knows none yet."""

ROUTES_MAX: Final = 1_000
"""New routes in one update: more do not fit into a packet, except with prefixes that nobody has."""

UPDATE_OCTETS_MAX: Final = 30_000
"""The longest update we send: a Prepare has at most 32,767 octets of data, and ilp-plugin-http no more in all."""

UINT32_MAX: Final = 0xFFFF_FFFF

_ROUTE_OCTETS_MIN: Final = 37
"""Empty prefix and path, 32 octets of auth, no props."""

_PROP_OCTETS_MIN: Final = 4

_OPTIONAL: Final = 0x80
_TRANSITIVE: Final = 0x40
_PARTIAL: Final = 0x20
_UTF8: Final = 0x10


class Mode(enum.IntEnum):
    """What the one who asks wants."""

    IDLE = 0
    """No more updates."""
    SYNC = 1
    """Updates, from the epoch that is named."""


class RouteProp(NamedTuple):
    """Something that is told about a route. `value`: octets; UTF-8 text when `is_utf8`.

    Not optional: everybody knows what it means. Transitive: passed on by those who do not know it, who mark it partial.
    """

    is_optional: bool
    is_transitive: bool
    is_partial: bool
    is_utf8: bool
    id: int
    value: bytes

    def encode(self) -> bytes:
        """Canonical: what is not optional is transitive, and only what is both can be partial."""
        meta = _UTF8 * self.is_utf8
        if not self.is_optional:
            meta |= _TRANSITIVE
        elif self.is_transitive:
            meta |= _OPTIONAL | _TRANSITIVE | _PARTIAL * self.is_partial
        else:
            meta |= _OPTIONAL
        return bytes((meta,)) + self.id.to_bytes(2, "big") + encode_octets(self.value)


class AnnouncedRoute(NamedTuple):
    """`path`: the addresses of the nodes on the way, from the one that says it to the one where `prefix` begins."""

    prefix: str
    path: tuple[str, ...]
    auth: bytes
    props: tuple[RouteProp, ...] = ()

    def encode(self) -> bytes:
        return b"".join(
            (
                _encode_text(self.prefix),
                encode_uint(len(self.path)),
                *map(_encode_text, self.path),
                self.auth,
                encode_uint(len(self.props)),
                *(prop.encode() for prop in self.props),
            )
        )


class RouteControl(NamedTuple):
    """A receiver tells a sender what it has, and what it wants."""

    mode: Mode
    table_id: bytes
    """16 octets; `NO_TABLE` when it has none."""
    epoch: int
    """It has everything before this."""
    features: tuple[str, ...] = ()

    def encode(self) -> bytes:
        features = b"".join(encode_octets(feature.encode()) for feature in self.features)
        head = bytes((self.mode,)) + self.table_id + self.epoch.to_bytes(4, "big")
        return head + encode_uint(len(self.features)) + features

    @classmethod
    def decode(cls, data: bytes) -> RouteControl:
        """Raises `DecodeError`."""
        mode, offset = read_uint8(data, 0)
        if mode not in (Mode.IDLE, Mode.SYNC):
            raise DecodeError(f"there is no route control mode {mode}")
        table_id, offset = read_fixed(data, offset, 16)
        epoch, offset = read_uint32(data, offset)
        count, offset = read_count(data, offset, 1)
        features: list[str] = []
        for _ in range(count):
            feature, offset = read_octets(data, offset)
            try:
                features.append(feature.decode())
            except UnicodeDecodeError:
                raise DecodeError("the name of a feature is not UTF-8") from None
        return cls(Mode(mode), table_id, epoch, tuple(features))

    def to_prepare(self, now: Timestamp) -> Prepare:
        """The request."""
        return _request(CONTROL_DESTINATION, self.encode(), now)


class RouteUpdate(NamedTuple):
    """What changed in the sender's table from epoch `from_epoch` on and before `to_epoch`."""

    table_id: bytes
    current_epoch: int
    from_epoch: int
    to_epoch: int
    hold_down_ms: int
    """How long these routes are good without another update."""
    speaker: str
    """The sender's address."""
    new_routes: tuple[AnnouncedRoute, ...] = ()
    withdrawn_routes: tuple[str, ...] = ()

    def encode(self) -> bytes:
        numbers = (self.current_epoch, self.from_epoch, self.to_epoch, self.hold_down_ms)
        return b"".join(
            (
                self.table_id,
                *(number.to_bytes(4, "big") for number in numbers),
                _encode_text(self.speaker),
                encode_uint(len(self.new_routes)),
                *(route.encode() for route in self.new_routes),
                encode_uint(len(self.withdrawn_routes)),
                *map(_encode_text, self.withdrawn_routes),
            )
        )

    @classmethod
    def decode(cls, data: bytes) -> RouteUpdate:
        """Raises `DecodeError`. Nothing is allocated that the octets do not hold (PK-12)."""
        table_id, offset = read_fixed(data, 0, 16)
        current, offset = read_uint32(data, offset)
        first, offset = read_uint32(data, offset)
        last, offset = read_uint32(data, offset)
        hold_down_ms, offset = read_uint32(data, offset)
        speaker, offset = read_octets(data, offset)
        count, offset = read_count(data, offset, _ROUTE_OCTETS_MIN)
        if count > ROUTES_MAX:
            raise DecodeError(f"an update has at most {ROUTES_MAX} new routes, this one has {count}")
        routes: list[AnnouncedRoute] = []
        for _ in range(count):
            route, offset = _read_route(data, offset)
            routes.append(route)
        count, offset = read_count(data, offset, 1)
        withdrawn: list[str] = []
        for _ in range(count):
            prefix, offset = read_octets(data, offset)
            withdrawn.append(prefix.decode("latin-1"))
        text = intern(speaker.decode("latin-1"))
        return cls(table_id, current, first, last, hold_down_ms, text, tuple(routes), tuple(withdrawn))

    def to_prepare(self, now: Timestamp) -> Prepare:
        """The request."""
        return _request(UPDATE_DESTINATION, self.encode(), now)


def _request(destination: Address, data: bytes, now: Timestamp) -> Prepare:
    return Prepare(0, Timestamp(now + PEER_REQUEST_LIFETIME_MS), PEER_CONDITION, destination, data)


def _encode_text(text: str) -> bytes:
    return encode_octets(text.encode("latin-1"))


def _read_route(data: bytes, offset: int) -> tuple[AnnouncedRoute, int]:
    prefix, offset = read_octets(data, offset)
    count, offset = read_count(data, offset, 1)
    path: list[str] = []
    for _ in range(count):
        hop, offset = read_octets(data, offset)
        path.append(intern(hop.decode("latin-1")))
    auth, offset = read_fixed(data, offset, 32)
    count, offset = read_count(data, offset, _PROP_OCTETS_MIN)
    props: list[RouteProp] = []
    for _ in range(count):
        prop, offset = _read_prop(data, offset)
        props.append(prop)
    return AnnouncedRoute(prefix.decode("latin-1"), tuple(path), auth, tuple(props)), offset


def _read_prop(data: bytes, offset: int) -> tuple[RouteProp, int]:
    """The low four bits of the first octet mean nothing."""
    meta, offset = read_uint8(data, offset)
    number, offset = read_uint16(data, offset)
    value, offset = read_octets(data, offset)
    flags = bool(meta & _OPTIONAL), bool(meta & _TRANSITIVE), bool(meta & _PARTIAL), bool(meta & _UTF8)
    return RouteProp(flags[0], flags[1], flags[2], flags[3], number, value), offset
