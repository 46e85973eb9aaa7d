"""The STREAM packet: what is encrypted into the data of an ILP packet (RFC 29 section 5.2)."""

from __future__ import annotations

from typing import Final, NamedTuple

from interledger.codec.oer import encode_uint, read_uint
from interledger.errors import DecodeError
from interledger.transport.stream.frames import Frame, encode_frames, read_frames

__all__ = [
    "NO_FRAMES",
    "STREAM_VERSION",
    "TYPE_FULFILL",
    "TYPE_PREPARE",
    "TYPE_REJECT",
    "StreamPacket",
    "encode_head",
]

STREAM_VERSION: Final = 1

TYPE_PREPARE: Final = 12
TYPE_FULFILL: Final = 13
TYPE_REJECT: Final = 14
"""The type octets of the ILP packet that carries the STREAM packet."""

NO_FRAMES: Final = encode_frames(())

_VERSION_OCTET: Final = bytes((STREAM_VERSION,))
_HEADS: Final = {kind: bytes((STREAM_VERSION, kind)) for kind in (TYPE_PREPARE, TYPE_FULFILL, TYPE_REJECT)}


class StreamPacket(NamedTuple):
    """`packet_type`: of the ILP packet that carries it. `sequence`: of the Prepare, copied by its reply.

    `prepare_amount`: in a Prepare the least the receiver should accept; in a reply what arrived at the receiver. Both
    in units of the receiver's account.
    """

    packet_type: int
    sequence: int
    prepare_amount: int
    frames: tuple[Frame, ...] = ()

    def encode(self) -> bytes:
        """The plaintext, without padding."""
        return encode_head(self.packet_type, self.sequence, self.prepare_amount) + encode_frames(self.frames)

    @classmethod
    def decode(cls, plaintext: bytes) -> StreamPacket:
        """Raises `DecodeError`, also for a version that is not ours. What follows the frames is ignored."""
        if plaintext[:1] != _VERSION_OCTET:
            raise DecodeError("the plaintext is not of STREAM version 1")
        packet_type = plaintext[1] if len(plaintext) > 1 else 0
        middle = 3 + plaintext[2] if len(plaintext) > 2 else 0
        offset = middle + 1 + plaintext[middle] if 3 < middle <= 11 and middle < len(plaintext) else 0
        if middle + 1 < offset <= middle + 9 and offset < len(plaintext):
            # Both integers have 1 to 8 octets, and all of them are there: no need for the general reader.
            sequence = int.from_bytes(plaintext[3:middle], "big")
            prepare_amount = int.from_bytes(plaintext[middle + 1 : offset], "big")
        else:
            sequence, offset = read_uint(plaintext, 2)
            prepare_amount, offset = read_uint(plaintext, offset)
        # RFC 29: "Extra bytes that MUST be ignored." They are padding, or fields of a later version.
        frames, _ = read_frames(plaintext, offset)
        return cls(packet_type, sequence, prepare_amount, frames)


def encode_head(packet_type: int, sequence: int, prepare_amount: int) -> bytes:
    """Everything in front of the frames: both ends keep frames that never change encoded, and put this before them."""
    return _HEADS[packet_type] + encode_uint(sequence) + encode_uint(prepare_amount)
