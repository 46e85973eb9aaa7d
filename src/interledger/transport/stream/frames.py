"""The frames inside a STREAM packet (RFC 29 section 5.3), encoded and decoded by one table.

A frame is a type octet, a length, and its contents. Each class below is one frame; `FRAME_TYPES` says how each of its
fields is written, in the order of the RFC. Unknown frames are skipped by their length.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from interledger.codec.oer import (
    UINT64_MAX,
    encode_octets,
    encode_uint,
    read_count,
    read_length,
    read_octets,
    read_uint,
    read_uint8,
    read_uint_saturated,
)
from interledger.errors import DecodeError

__all__ = [
    "FRAMES_MAX",
    "FRAME_TYPES",
    "ConnectionAssetDetails",
    "ConnectionClose",
    "ConnectionDataBlocked",
    "ConnectionMaxData",
    "ConnectionMaxStreamId",
    "ConnectionNewAddress",
    "ConnectionStreamIdBlocked",
    "Frame",
    "StreamClose",
    "StreamData",
    "StreamDataBlocked",
    "StreamErrorCode",
    "StreamMaxData",
    "StreamMaxMoney",
    "StreamMoney",
    "StreamMoneyBlocked",
    "StreamReceipt",
    "encode_frame",
    "encode_frames",
    "encode_max_money",
    "read_frames",
]

FRAMES_MAX: Final = 256
"""More frames in one packet are refused: three for each of 20 streams and a few of the connection are all one needs."""


class StreamErrorCode(enum.IntEnum):
    """Why a stream or connection was closed (RFC 29 section 5.4). Others may come: keep them as numbers."""

    NO_ERROR = 1
    INTERNAL_ERROR = 2
    ENDPOINT_BUSY = 3
    FLOW_CONTROL_ERROR = 4
    STREAM_ID_ERROR = 5
    STREAM_STATE_ERROR = 6
    FRAME_FORMAT_ERROR = 7
    PROTOCOL_VIOLATION = 8
    APPLICATION_ERROR = 9


class ConnectionClose(NamedTuple):
    """The sender of the frame closes the connection."""

    error_code: int
    error_message: str = ""


class ConnectionNewAddress(NamedTuple):
    """Where the sender of the frame can be reached; empty when it cannot receive."""

    source_address: str


class ConnectionMaxData(NamedTuple):
    """How many octets the sender of the frame accepts on the connection."""

    max_offset: int


class ConnectionDataBlocked(NamedTuple):
    """How many octets the sender of the frame would like to send on the connection."""

    max_offset: int


class ConnectionMaxStreamId(NamedTuple):
    """The highest stream id the sender of the frame accepts."""

    max_stream_id: int


class ConnectionStreamIdBlocked(NamedTuple):
    """The stream id the sender of the frame would like to open."""

    max_stream_id: int


class ConnectionAssetDetails(NamedTuple):
    """The asset of the sender of the frame."""

    asset_code: str
    asset_scale: int


class StreamClose(NamedTuple):
    """The sender of the frame closes one stream."""

    stream_id: int
    error_code: int
    error_message: str = ""


class StreamMoney(NamedTuple):
    """This stream's part of the packet's money: shares / sum of all shares in the packet."""

    stream_id: int
    shares: int


class StreamMaxMoney(NamedTuple):
    """How much the sender of the frame accepts on the stream and has got, in units of its own account."""

    stream_id: int
    receive_max: int
    total_received: int


class StreamMoneyBlocked(NamedTuple):
    """How much the sender of the frame wants to send on the stream and has sent, in units of its own account."""

    stream_id: int
    send_max: int
    total_sent: int


class StreamData(NamedTuple):
    """Octets of a stream, and where in the stream they belong."""

    stream_id: int
    offset: int
    data: bytes


class StreamMaxData(NamedTuple):
    """How many octets the sender of the frame accepts on the stream."""

    stream_id: int
    max_offset: int


class StreamDataBlocked(NamedTuple):
    """How many octets the sender of the frame would like to send on the stream."""

    stream_id: int
    max_offset: int


class StreamReceipt(NamedTuple):
    """Proof of what the stream has got, signed for a third party (RFC 39). The payer passes it on unread."""

    stream_id: int
    receipt: bytes


Frame = (
    ConnectionClose
    | ConnectionNewAddress
    | ConnectionMaxData
    | ConnectionDataBlocked
    | ConnectionMaxStreamId
    | ConnectionStreamIdBlocked
    | ConnectionAssetDetails
    | StreamClose
    | StreamMoney
    | StreamMaxMoney
    | StreamMoneyBlocked
    | StreamData
    | StreamMaxData
    | StreamDataBlocked
    | StreamReceipt
)


class _Field(NamedTuple):
    """How one field of a frame is written, and read at an offset."""

    encode: Callable[[Any], bytes]
    read: Callable[[bytes, int], tuple[Any, int]]


def _encode_uint8(value: int) -> bytes:
    return value.to_bytes(1, "big")


def _encode_text(value: str) -> bytes:
    return encode_octets(value.encode("utf-8"))


def _read_text(buffer: bytes, offset: int) -> tuple[str, int]:
    octets, offset = read_octets(buffer, offset)
    # A close with a broken message must still close: what is not UTF-8 is replaced.
    return octets.decode("utf-8", "replace"), offset


_UINT8: Final = _Field(_encode_uint8, read_uint8)
_UINT: Final = _Field(encode_uint, read_uint)
_LIMIT: Final = _Field(encode_uint, read_uint_saturated)
_TEXT: Final = _Field(_encode_text, _read_text)
_OCTETS: Final = _Field(encode_octets, read_octets)


FRAME_TYPES: Final[dict[int, tuple[type[Frame], tuple[_Field, ...]]]] = {
    0x01: (ConnectionClose, (_UINT8, _TEXT)),
    0x02: (ConnectionNewAddress, (_TEXT,)),
    0x03: (ConnectionMaxData, (_UINT,)),
    0x04: (ConnectionDataBlocked, (_UINT,)),
    0x05: (ConnectionMaxStreamId, (_UINT,)),
    0x06: (ConnectionStreamIdBlocked, (_UINT,)),
    0x07: (ConnectionAssetDetails, (_TEXT, _UINT8)),
    0x10: (StreamClose, (_UINT, _UINT8, _TEXT)),
    0x11: (StreamMoney, (_UINT, _UINT)),
    0x12: (StreamMaxMoney, (_UINT, _LIMIT, _UINT)),
    0x13: (StreamMoneyBlocked, (_UINT, _LIMIT, _UINT)),
    0x14: (StreamData, (_UINT, _UINT, _OCTETS)),
    0x15: (StreamMaxData, (_UINT, _UINT)),
    0x16: (StreamDataBlocked, (_UINT, _UINT)),
    0x17: (StreamReceipt, (_UINT, _OCTETS)),
}
"""Type octet -> the class, and its fields in order. Limits above 2^64-1 mean 2^64-1; other such integers are wrong."""

_TYPE_OF: Final = {cls: (bytes((kind,)), fields) for kind, (cls, fields) in FRAME_TYPES.items()}


_MONEY_FRAMES: Final[tuple[Frame, ...]] = (StreamMoney(1, 1),)
_MONEY_OCTETS: Final = bytes.fromhex("01 01 11 04 01 01 01 01")
"""The frames of nearly all packets: all the money to stream 1."""


def encode_frame(frame: Frame) -> bytes:
    """Type octet, length, contents."""
    kind, fields = _TYPE_OF[type(frame)]
    return kind + encode_octets(b"".join([field.encode(value) for field, value in zip(fields, frame, strict=True)]))


_UNLIMITED: Final = tuple(bytes((0x12, 12 + size, 1, 1, 8)) + b"\xff" * 8 for size in range(9))
"""StreamMaxMoney of stream 1 without a limit, up to the total; by the size of the total."""

_UNLIMITED_FRAMES: Final = {b"\x01\x01" + head + bytes((size,)): size for size, head in enumerate(_UNLIMITED) if size}
"""The frames of nearly all replies to money, up to the octets of the total -> how many they are."""


def encode_max_money(stream_id: int, receive_max: int, total_received: int) -> bytes:
    """`encode_frame(StreamMaxMoney(...))`, quicker: it is in every reply to money."""
    total = encode_uint(total_received)
    if stream_id == 1 and receive_max == UINT64_MAX:
        return _UNLIMITED[len(total) - 1] + total
    return b"\x12" + encode_octets(encode_uint(stream_id) + encode_uint(receive_max) + total)


def encode_frames(frames: Iterable[Frame]) -> bytes:
    """The end of a STREAM packet: how many frames, then the frames."""
    encoded = [encode_frame(frame) for frame in frames]
    return encode_uint(len(encoded)) + b"".join(encoded)


def read_frames(buffer: bytes, offset: int) -> tuple[tuple[Frame, ...], int]:
    """The frames that were announced, without those of unknown types. Raises `DecodeError`."""
    if buffer[offset:] == _MONEY_OCTETS:
        return _MONEY_FRAMES, len(buffer)
    size = _UNLIMITED_FRAMES.get(buffer[offset : offset + 16], 0)
    if size and offset + 16 + size <= len(buffer):
        end = offset + 16 + size
        return (StreamMaxMoney(1, UINT64_MAX, int.from_bytes(buffer[offset + 16 : end], "big")),), end
    count, offset = read_count(buffer, offset, 2)
    if count > FRAMES_MAX:
        raise DecodeError(f"{count} frames in one packet: {FRAMES_MAX} are enough for everyone")
    frames: list[Frame] = []
    for _ in range(count):
        length, start = read_length(buffer, offset + 1)
        kind = buffer[offset]
        offset = start + length
        # RFC 29: "Implementations MUST ignore frames with unknown types."
        known = FRAME_TYPES.get(kind)
        if known is not None:
            frames.append(_read_frame(known[0], known[1], buffer[start:offset]))
    return tuple(frames), offset


def _read_frame(cls: type[Frame], fields: tuple[_Field, ...], contents: bytes) -> Frame:
    """What is left over behind the fields belongs to a later version: it is ignored."""
    values: list[Any] = []
    offset = 0
    for field in fields:
        value, offset = field.read(contents, offset)
        values.append(value)
    return cls(*values)
