"""Octet Encoding Rules, the part of them that the Interledger protocols use (RFC 30).

Writers append canonical octets; readers take a buffer and an offset, and return the value and the offset behind it.
Readers raise `DecodeError` and nothing else, and never allocate more than the buffer holds.

D-01: always write canonical; refuse length determinants that are not minimal or that point behind the buffer; accept
leading zero octets inside the value of a VarUInt.
"""

from __future__ import annotations

from interledger.errors import DecodeError

__all__ = [
    "UINT64_MAX",
    "encode_octets",
    "encode_uint",
    "read_count",
    "read_fixed",
    "read_length",
    "read_octets",
    "read_uint",
    "read_uint8",
    "read_uint16",
    "read_uint32",
    "read_uint64",
    "read_uint_saturated",
]

UINT64_MAX = (1 << 64) - 1

_SHORT_LENGTHS = tuple(bytes((n,)) for n in range(128))
"""The length determinants 0 to 127, made once."""


def encode_octets(value: bytes) -> bytes:
    """OCTET STRING of any size: a length determinant, then the octets."""
    n = len(value)
    # RFC 30: "A single byte in the range 0 .. 127, denoting the length."
    if n < 128:
        return _SHORT_LENGTHS[n] + value
    if n < 256:
        return b"\x81" + n.to_bytes(1, "big") + value
    size = (n.bit_length() + 7) >> 3
    return (0x80 | size).to_bytes(1, "big") + n.to_bytes(size, "big") + value


def encode_uint(value: int) -> bytes:
    """Unsigned INTEGER of any size (VarUInt): length determinant, then the fewest octets that hold it; 0 is `01 00`."""
    size = (value.bit_length() + 7) >> 3 or 1
    if size < 128:
        return _SHORT_LENGTHS[size] + value.to_bytes(size, "big")
    return encode_octets(value.to_bytes(size, "big"))


def read_length(buffer: bytes, offset: int) -> tuple[int, int]:
    """A length determinant. The octets it announces are inside the buffer, or it raises."""
    try:
        length = buffer[offset]
    except IndexError:
        raise DecodeError(f"octet {offset} is missing: a length was expected") from None
    offset += 1
    if length >= 128:
        size = length & 0x7F
        end = offset + size
        if size == 0:
            raise DecodeError("a length without an end is not allowed in OER")
        if end > len(buffer):
            raise DecodeError(f"octet {len(buffer)} is missing: a length of {size} octets was announced")
        length = int.from_bytes(buffer[offset:end], "big")
        # RFC 30: "This length MUST NOT contain leading zeros. If the length is less than 127, the short form encoding
        # MUST be used." 127 itself is short too: all peers agree.
        if length < 128 or buffer[offset] == 0:
            raise DecodeError("a length is not in its shortest form")
        offset = end
    if offset + length > len(buffer):
        raise DecodeError(f"{length} octets were announced at octet {offset}, {len(buffer) - offset} are there")
    return length, offset


def read_octets(buffer: bytes, offset: int) -> tuple[bytes, int]:
    """OCTET STRING of any size."""
    length, offset = read_length(buffer, offset)
    end = offset + length
    return buffer[offset:end], end


def read_fixed(buffer: bytes, offset: int, size: int) -> tuple[bytes, int]:
    """OCTET STRING of a fixed size: no length determinant."""
    end = offset + size
    if end > len(buffer):
        raise DecodeError(f"{size} octets were expected at octet {offset}, {len(buffer) - offset} are there")
    return buffer[offset:end], end


def read_uint(buffer: bytes, offset: int) -> tuple[int, int]:
    """VarUInt of at most 64 bits."""
    # The usual case without further calls: a length of 1 to 8, and the octets are there.
    size = buffer[offset] if offset < len(buffer) else 0
    end = offset + 1 + size
    if 0 < size <= 8 and end <= len(buffer):
        return int.from_bytes(buffer[offset + 1 : end], "big"), end
    value, offset = _read_magnitude(buffer, offset)
    if value > UINT64_MAX:
        raise DecodeError("an integer is larger than 64 bits")
    return value, offset


def read_uint_saturated(buffer: bytes, offset: int) -> tuple[int, int]:
    """VarUInt in which everything above 2^64-1 means 2^64-1 (RFC 29, for offsets and limits)."""
    if buffer[offset : offset + 1] <= b"\x08":
        return read_uint(buffer, offset)
    value, offset = _read_magnitude(buffer, offset)
    return min(value, UINT64_MAX), offset


def _read_magnitude(buffer: bytes, offset: int) -> tuple[int, int]:
    octets, offset = read_octets(buffer, offset)
    if not octets:
        raise DecodeError("an integer without octets")
    return int.from_bytes(octets, "big"), offset


def read_count(buffer: bytes, offset: int, octets_each: int) -> tuple[int, int]:
    """The count in front of a SEQUENCE OF, refused when so many items of `octets_each` octets cannot follow (PK-12)."""
    count, offset = read_uint(buffer, offset)
    if count * octets_each > len(buffer) - offset:
        raise DecodeError(f"{count} items were announced, {len(buffer) - offset} octets are left")
    return count, offset


def read_uint8(buffer: bytes, offset: int) -> tuple[int, int]:
    """UInt8."""
    octets, offset = read_fixed(buffer, offset, 1)
    return octets[0], offset


def read_uint16(buffer: bytes, offset: int) -> tuple[int, int]:
    """UInt16, big-endian."""
    octets, offset = read_fixed(buffer, offset, 2)
    return int.from_bytes(octets, "big"), offset


def read_uint32(buffer: bytes, offset: int) -> tuple[int, int]:
    """UInt32, big-endian."""
    octets, offset = read_fixed(buffer, offset, 4)
    return int.from_bytes(octets, "big"), offset


def read_uint64(buffer: bytes, offset: int) -> tuple[int, int]:
    """UInt64, big-endian."""
    octets, offset = read_fixed(buffer, offset, 8)
    return int.from_bytes(octets, "big"), offset
