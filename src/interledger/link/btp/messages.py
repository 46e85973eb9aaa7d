"""The wire format of BTP/2.0 (RFC 23, BilateralTransferProtocol.asn): four packets, each with a list of sub-protocols.

Nearly every message of a busy link is a Message or a Response with one sub-protocol entry, `ilp`. `encode_ilp` and
`split_ilp` write and read that shape at fixed offsets; everything else goes through the classes and `decode_btp`.

Readers raise `DecodeError` and nothing else, and ignore octets behind what they know; writers never add any (BT-15).
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from struct import Struct
from typing import Final, NamedTuple

from interledger.clock import Timestamp
from interledger.codec.oer import (
    UINT64_MAX,
    encode_octets,
    encode_uint,
    read_count,
    read_fixed,
    read_octets,
    read_uint8,
    read_uint32,
    read_uint64,
)
from interledger.codec.timestamp import decode_generalized_time, encode_generalized_time
from interledger.errors import DecodeError, InvalidRequestError

__all__ = [
    "BTP_ERRORS",
    "ENTRIES_MAX",
    "ERROR_DATA_MAX",
    "WITH_ILP",
    "BtpError",
    "BtpMessage",
    "BtpPacket",
    "BtpResponse",
    "BtpTransfer",
    "ContentType",
    "Entries",
    "ProtocolData",
    "Shape",
    "decode_btp",
    "encode_ilp",
    "find_entry",
    "find_shape",
    "known_shapes",
    "split_ilp",
]

TYPE_RESPONSE: Final = 1
TYPE_ERROR: Final = 2
TYPE_MESSAGE: Final = 6
TYPE_TRANSFER: Final = 7

ENTRIES_MAX: Final = 64
"""Sub-protocol entries in one packet: known programs send fewer than ten."""

ERROR_DATA_MAX: Final = 8192
"""RFC 23: `data OCTET STRING (SIZE (0..8192))`."""

BTP_ERRORS: Final = {
    "T00": "UnreachableError",
    "F00": "NotAcceptedError",
    "F01": "InvalidFieldsError",
    "F03": "TransferNotFoundError",
    "F04": "InvalidFulfillmentError",
    "F05": "DuplicateIdError",
    "F06": "AlreadyRolledBackError",
    "F07": "AlreadyFulfilledError",
    "F08": "InsufficientBalanceError",
}
"""The codes of RFC 23. T: the sender may try again later. F: it must not."""


class ContentType(enum.IntEnum):
    """How the data of an entry are to be read. A packet may carry other numbers."""

    OCTETS = 0
    TEXT = 1
    JSON = 2


class ProtocolData(NamedTuple):
    """One sub-protocol entry. `name` is ASCII; `content_type` 0 to 255, see `ContentType`."""

    name: str
    content_type: int
    data: bytes


Entries = tuple[ProtocolData, ...]
"""The sub-protocols of one packet; the first one is primary."""


@dataclass(frozen=True, slots=True)
class BtpResponse:
    """The request was carried out."""

    request_id: int
    entries: Entries = ()

    def encode(self) -> bytes:
        return _encode(TYPE_RESPONSE, self.request_id, _encode_entries(self.entries))


@dataclass(frozen=True, slots=True)
class BtpError:
    """The request was not carried out. `triggered_at`: ms UTC."""

    request_id: int
    code: str
    name: str
    triggered_at: Timestamp
    data: bytes = b""
    entries: Entries = ()

    def encode(self) -> bytes:
        if len(self.code) != 3:
            raise InvalidRequestError("the code of a BTP error has 3 characters", "code")
        if len(self.data) > ERROR_DATA_MAX:
            raise InvalidRequestError(f"the data of a BTP error has at most {ERROR_DATA_MAX} octets", "data")
        head = _ascii(self.code, "code") + encode_octets(_ascii(self.name, "name"))
        time = encode_octets(encode_generalized_time(self.triggered_at))
        content = head + time + encode_octets(self.data) + _encode_entries(self.entries)
        return _encode(TYPE_ERROR, self.request_id, content)


@dataclass(frozen=True, slots=True)
class BtpMessage:
    """A request: its first entry says what is asked."""

    request_id: int
    entries: Entries = ()

    def encode(self) -> bytes:
        return _encode(TYPE_MESSAGE, self.request_id, _encode_entries(self.entries))


@dataclass(frozen=True, slots=True)
class BtpTransfer:
    """A request: take a settlement worth `amount` (UInt64, units agreed elsewhere) more than the last one."""

    request_id: int
    amount: int
    entries: Entries = ()

    def encode(self) -> bytes:
        if not 0 <= self.amount <= UINT64_MAX:
            raise InvalidRequestError(f"the amount of a transfer is between 0 and 2^64-1, not {self.amount}", "amount")
        content = self.amount.to_bytes(8, "big") + _encode_entries(self.entries)
        return _encode(TYPE_TRANSFER, self.request_id, content)


BtpPacket = BtpResponse | BtpError | BtpMessage | BtpTransfer


def decode_btp(octets: bytes) -> BtpPacket:
    """Any of the four packets. Raises `DecodeError`; the types 3 to 5 of BTP/1 are refused too."""
    kind, offset = read_uint8(octets, 0)
    request_id, offset = read_uint32(octets, offset)
    content, _ = read_octets(octets, offset)
    if kind == TYPE_MESSAGE:
        return BtpMessage(request_id, _read_entries(content, 0))
    if kind == TYPE_RESPONSE:
        return BtpResponse(request_id, _read_entries(content, 0))
    if kind == TYPE_ERROR:
        return _decode_error(request_id, content)
    if kind == TYPE_TRANSFER:
        amount, offset = read_uint64(content, 0)
        return BtpTransfer(request_id, amount, _read_entries(content, offset))
    raise DecodeError(f"type {kind} is not a BTP/2.0 packet")


def find_entry(entries: Iterable[ProtocolData], name: str) -> ProtocolData | None:
    """The first entry of that name, or None."""
    return next((entry for entry in entries if entry.name == name), None)


# ---------------------------------------------------------------------- the common shape: one entry, `ilp`

_ILP_ENTRY: Final = b"\x01\x01\x03ilp\x00"
"""A list of one entry, the name `ilp`, content type 0: what stands between the two lengths."""

WITH_ILP: Final = (TYPE_MESSAGE, TYPE_RESPONSE)
"""The packets that carry ILP."""

_SHAPES_MAX: Final = 4_096
"""Sizes of ILP packets whose messages are known; forgotten at this many. A payment has packets of a few sizes."""

_packers: Final[dict[int, tuple[Callable[[int, int, bytes, bytes], bytes], bytes]]] = {}
"""Octets of an ILP packet -> what writes the message around it, given type, request id, what stands between the id and
the packet, packet; and what stands between."""

Shape = tuple[Callable[[bytes], tuple[int, int, bytes, bytes]], bytes]
"""What takes a message apart into type, request id, what stands between the id and the ILP packet, packet; and what
stands between when the message is exactly what `encode_ilp` writes."""

known_shapes: Final[dict[int, Shape]] = {}
"""Octets of a whole message -> its shape, where one was seen. For who reads many: a look is cheaper than a call."""


def encode_ilp(kind: int, request_id: int, ilp: bytes) -> bytes:
    """A Message or Response with `ilp` as its only entry, content type 0 (BT-16). ILP packets are below 2^16 octets."""
    try:
        pack, between = _packers[len(ilp)]
    except KeyError:
        _learn(len(ilp))
        pack, between = _packers[len(ilp)]
    return pack(kind, request_id, between, ilp)


def split_ilp(octets: bytes) -> tuple[int, int, bytes] | None:
    """(type, request id, ILP packet) when `octets` are exactly what `encode_ilp` writes; else None: look closer."""
    shape = known_shapes.get(len(octets)) or find_shape(len(octets))
    if shape is None:
        return None
    unpack, expected = shape
    kind, request_id, between, ilp = unpack(octets)
    return (kind, request_id, ilp) if between == expected and kind in WITH_ILP else None


def find_shape(size: int) -> Shape | None:
    """The shape of a message of so many octets, from here on a known one. Some sizes cannot occur: None."""
    for lengths in range(2, 7):  # one, two or three octets for each of the two lengths
        if _learn(size - len(_ILP_ENTRY) - 5 - lengths) == size:
            return known_shapes[size]
    return None


def _learn(n: int) -> int:
    """The tables know messages with an ILP packet of `n` octets from here on. How many octets they have, or -1."""
    if n < 0:
        return -1
    entry = _ILP_ENTRY + encode_octets(bytes(n))
    between = encode_octets(entry)[: -n or None]
    shape = Struct(f">BI{len(between)}s{n}s")
    if len(_packers) >= _SHAPES_MAX:
        _packers.clear()
        known_shapes.clear()
    _packers[n] = shape.pack, between
    known_shapes[shape.size] = shape.unpack, between
    return shape.size


# ---------------------------------------------------------------------- parts


_pack_head: Final = Struct(">BI").pack


def _encode(kind: int, request_id: int, content: bytes) -> bytes:
    return _pack_head(kind, request_id) + encode_octets(content)


def _encode_entries(entries: Entries) -> bytes:
    parts = [encode_uint(len(entries))]
    for entry in entries:
        parts.append(encode_octets(_ascii(entry.name, "name")))
        parts.append(entry.content_type.to_bytes(1, "big"))
        parts.append(encode_octets(entry.data))
    return b"".join(parts)


def _read_entries(octets: bytes, offset: int) -> Entries:
    count, offset = read_count(octets, offset, 3)
    if count > ENTRIES_MAX:
        raise DecodeError(f"a BTP packet has at most {ENTRIES_MAX} sub-protocol entries, not {count}")
    entries = []
    for _ in range(count):
        name, offset = read_octets(octets, offset)
        content_type, offset = read_uint8(octets, offset)
        data, offset = read_octets(octets, offset)
        entries.append(ProtocolData(_read_ascii(name), content_type, data))
    return tuple(entries)


def _decode_error(request_id: int, content: bytes) -> BtpError:
    code, offset = read_fixed(content, 0, 3)
    name, offset = read_octets(content, offset)
    time, offset = read_octets(content, offset)
    data, offset = read_octets(content, offset)
    if len(data) > ERROR_DATA_MAX:
        raise DecodeError(f"the data of a BTP error has at most {ERROR_DATA_MAX} octets, not {len(data)}")
    triggered_at = Timestamp(decode_generalized_time(time))
    return BtpError(
        request_id, _read_ascii(code), _read_ascii(name), triggered_at, data, _read_entries(content, offset)
    )


def _ascii(text: str, field: str) -> bytes:
    if not text.isascii():
        raise InvalidRequestError(f"the {field} “{text}” is not ASCII", field)
    return text.encode("ascii")


def _read_ascii(octets: bytes) -> str:
    if not octets.isascii():
        raise DecodeError("a name or code is not ASCII")
    return octets.decode("ascii")
